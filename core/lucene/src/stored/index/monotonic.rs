//! `.fdm` and `.fdx`: two DirectMonotonic arrays (Lucene 8.5 and later).

use super::{ChunkIndex, Kind, Opened};
use crate::codec::{self, Id};
use crate::cursor::{Cursor, Endian};
use crate::directory::Directory;
use crate::monotonic::Lines;
use crate::stored::format::{self, Format, IndexKind};
use crate::{Error, Result};

/// Reads and verifies both files.
pub(super) fn open(
    directory: &dyn Directory,
    (segment, id): (&str, Option<&Id>),
    format: &Format,
    max_doc: u32,
) -> Result<Opened> {
    let (meta_codec, index_codec, endian) = match format.index {
        IndexKind::Lucene90 => {
            ("Lucene90FieldsIndexMeta", "Lucene90FieldsIndexIdx", Endian::Little)
        }
        _ => ("Lucene85FieldsIndexMeta", "Lucene85FieldsIndexIdx", Endian::Big),
    };
    let meta_file = format!("{segment}.fdm");
    let meta = codec::read_verified(directory, &meta_file)?;
    let mut cursor = codec::body(&meta_file, &meta);
    // The meta file carries the version of the `.fdt`; in Lucene 8.5 and 8.6 it had one of its own.
    let meta_version = if format.version == 2 { 0 } else { format.version };
    expect_codec(&mut cursor, id, (meta_codec, meta_version))?;
    cursor.set_endian(endian);
    let in_meta = format.chunk_size.is_none();
    let chunk_size = match format.chunk_size {
        Some(size) => size,
        None => cursor.vint()?,
    };
    let numbers = if in_meta && endian == Endian::Big {
        format::packed_version(&mut cursor)?
    } else {
        format.numbers
    };
    let docs_in_index = cursor.non_negative_i32()?;
    let shift = cursor.non_negative_i32()?;
    let entries = cursor.non_negative_i32()? as usize;
    let Some(chunks) = entries.checked_sub(1) else {
        return Err(cursor.corrupt("chunk index without its last entry"));
    };
    if docs_in_index != max_doc {
        let what = format!("index of {docs_in_index} documents, the segment has {max_doc}");
        return Err(cursor.corrupt(what));
    }
    let docs_start = cursor.non_negative_i64()?;
    let docs = Lines::read(&mut cursor, shift, entries)?;
    let docs_end = cursor.non_negative_i64()?;
    let pointers = Lines::read(&mut cursor, shift, entries)?;
    let pointers_end = cursor.non_negative_i64()?;
    let max_pointer = cursor.non_negative_i64()?;

    let file = format!("{segment}.fdx");
    let data = codec::read_verified(directory, &file)?;
    expect_codec(&mut codec::body(&file, &data), id, (index_codec, 0))?;
    let part = |start: u64, end: u64| {
        let whole = data.len() as u64;
        if start > end || end > whole {
            return Err(Error::corrupt(&meta_file, None, "numbers outside the .fdx"));
        }
        Ok(data.slice(start as usize..end as usize))
    };
    let docs = docs.with_data(&file, part(docs_start, docs_end)?, endian)?;
    let pointers = pointers.with_data(&file, part(docs_end, pointers_end)?, endian)?;
    if docs.get(chunks) != i64::from(max_doc) || pointers.get(chunks).cast_unsigned() != max_pointer
    {
        return Err(Error::corrupt(&file, None, "the last entry is not the end of the chunks"));
    }
    let kind = Kind::Monotonic { docs, pointers };
    Ok(Opened { index: ChunkIndex { chunks, max_doc, max_pointer, kind }, chunk_size, numbers })
}

/// Reads a header and requires this format and version.
fn expect_codec(
    cursor: &mut Cursor<'_>,
    id: Option<&Id>,
    (codec_name, version): (&str, u32),
) -> Result<()> {
    let header = codec::index_header(cursor, id, "")?;
    if header.codec != codec_name {
        return Err(header.unknown(cursor.file()));
    }
    header.require_version(cursor.file(), version..=version)
}
