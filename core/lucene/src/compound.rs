//! `.cfs` and `.cfe`: the files of a small segment, packed into one; here shown as a directory again.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::codec::{self, FOOTER_BYTES, Id};
use crate::cursor::Endian;
use crate::directory::{self, Directory};
use crate::error::SourceError;
use crate::{Error, Result};

/// The files of one segment: those inside its `.cfs` first, then the physical ones.
///
/// Files of later generations (`_1_2.liv`) always lie outside the `.cfs`.
pub(crate) struct SegmentDirectory {
    outer: Arc<dyn Directory>,
    compound: String,
    entries: HashMap<String, Range<u64>>,
}

impl SegmentDirectory {
    /// The directory of a segment whose files all stand by themselves.
    pub(crate) fn plain(outer: Arc<dyn Directory>) -> Self {
        Self { outer, compound: String::new(), entries: HashMap::new() }
    }

    /// The directory of a segment with a `.cfs`; reads and verifies the `.cfe`.
    pub(crate) fn compound(
        outer: Arc<dyn Directory>,
        segment: &str,
        id: Option<&Id>,
    ) -> Result<Self> {
        let compound = format!("{segment}.cfs");
        let length = directory::length(&*outer, &compound)?;
        let file = format!("{segment}.cfe");
        let data = codec::read_verified(&*outer, &file)?;
        let entries = parse(&file, &data, segment, id, length)?;
        Ok(Self { outer, compound, entries })
    }
}

/// Reads the entries, each checked to lie inside a `.cfs` of `length` bytes.
pub(crate) fn parse(
    file: &str,
    data: &[u8],
    segment: &str,
    id: Option<&Id>,
    length: u64,
) -> Result<HashMap<String, Range<u64>>> {
    let mut cursor = codec::body(file, data);
    let header = codec::index_header(&mut cursor, id, "")?;
    match header.codec {
        "CompoundFileWriterEntries" => header.require_version(file, 0..=1)?,
        "Lucene50CompoundEntries" => header.require_version(file, 0..=0)?,
        "Lucene90CompoundEntries" => {
            header.require_version(file, 0..=0)?;
            cursor.set_endian(Endian::Little);
        }
        _ => return Err(header.unknown(file)),
    }
    // The `.cfs` has a footer exactly when its `.cfe` has one.
    let footer = if header.has_footer() { FOOTER_BYTES as u64 } else { 0 };
    let end_of_data = length.saturating_sub(footer);
    let count = cursor.count(false, 17)?;
    let mut entries = HashMap::with_capacity(count);
    for _ in 0..count {
        let name = format!("{segment}{}", cursor.string()?);
        let start = cursor.non_negative_i64()?;
        let length = cursor.non_negative_i64()?;
        let end = start.checked_add(length).filter(|end| *end <= end_of_data);
        let end = end.ok_or_else(|| cursor.corrupt(format!("{name} ends outside the .cfs")))?;
        if entries.insert(name, start..end).is_some() {
            return Err(cursor.corrupt("the same file twice"));
        }
    }
    cursor.expect_end()?;
    Ok(entries)
}

impl Directory for SegmentDirectory {
    fn files(&self) -> Vec<String> {
        let mut files = self.outer.files();
        files.extend(self.entries.keys().cloned());
        files
    }

    fn length(&self, file: &str) -> Option<u64> {
        match self.entries.get(file) {
            Some(range) => Some(range.end.saturating_sub(range.start)),
            None => self.outer.length(file),
        }
    }

    fn read(&self, file: &str, range: Range<u64>) -> Result<Bytes, SourceError> {
        let Some(entry) = self.entries.get(file) else {
            return self.outer.read(file, range);
        };
        let start = entry.start.saturating_add(range.start);
        let end = entry.start.saturating_add(range.end);
        if start > end || end > entry.end {
            return Err(Box::new(Error::corrupt(file, Some(range.start), "range outside")));
        }
        self.outer.read(&self.compound, start..end)
    }
}
