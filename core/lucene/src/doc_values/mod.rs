//! Soft deletes: documents that carry a value in the numeric doc-values field `__soft_deletes`.
//!
//! A segment of Elasticsearch 7 and later usually has no `.liv` at all: outdated documents are only marked in
//! doc values. The value is of no interest, only which documents have one.

mod disi;
mod meta;

use crate::codec::{self, Id, base36};
use crate::directory::{self, Directory};
use crate::field_infos::{FieldInfos, SoftDeletesField};
use crate::limits::WHOLE_DOC_VALUES_BYTES;
use crate::{Error, Result};

pub(crate) use disi::DocSet;

/// The documents of `segment` that carry the soft-deletes mark.
pub(crate) fn soft_deleted(
    directory: &dyn Directory,
    (segment, id): (&str, Option<&Id>),
    fields: &FieldInfos,
    max_doc: u32,
) -> Result<DocSet> {
    let Some(field) = fields.soft_deletes() else { return Ok(DocSet::none()) };
    let (stem, suffix) = file_stem(segment, field);
    let meta_file = format!("{stem}.dvm");
    let data_file = format!("{stem}.dvd");
    let meta = codec::read_verified(directory, &meta_file)?;
    let found = meta::find_numeric(&meta_file, &meta, (id, &suffix), fields, field.number)?;
    let place = match found.documents {
        meta::Documents::None => return Ok(DocSet::none()),
        meta::Documents::All => return Ok(DocSet::all(max_doc)),
        meta::Documents::Some(place) => place,
    };
    let length = directory::length(directory, &data_file)?;
    let end = place.offset.checked_add(place.length).filter(|end| *end <= length);
    let end = end.ok_or_else(|| Error::corrupt(&meta_file, None, "documents outside the .dvd"))?;
    let data = if length <= WHOLE_DOC_VALUES_BYTES {
        let whole = codec::read_verified(directory, &data_file)?;
        let (start, end) = (place.offset as usize, end as usize);
        let mut cursor = codec::body(&data_file, &whole);
        let header = codec::index_header(&mut cursor, id, &suffix)?;
        if header.codec != found.format.data_codec() {
            return Err(header.unknown(&data_file));
        }
        if end > whole.len() {
            return Err(Error::corrupt(&meta_file, None, "documents outside the .dvd"));
        }
        whole.slice(start..end)
    } else {
        // A large `.dvd` is not read for its checksum's sake: the count in the commit must agree instead.
        directory::read_range(directory, &data_file, place.offset..end)?
    };
    disi::read(&data_file, place, &data, found.format.endian(), max_doc)
}

/// Beginning of the names of the field's files, and the suffix in their headers.
fn file_stem(segment: &str, field: &SoftDeletesField) -> (String, String) {
    let suffix = match field.generation {
        Some(generation) => format!("{}_{}", base36(generation), field.file_suffix),
        None => field.file_suffix.clone(),
    };
    (format!("{segment}_{suffix}"), suffix)
}

#[cfg(test)]
mod tests;
