//! `.si`: number of documents, whether the segment is compound, the Lucene version that wrote it.

use crate::codec::{self, Id};
use crate::cursor::{Cursor, Endian};
use crate::directory::Directory;
use crate::limits::MAX_SEGMENT_DOCS;
use crate::{Error, Result};

/// What is kept of a `.si`.
#[derive(Clone, Debug)]
pub(crate) struct SegmentInfo {
    /// Version of Lucene that wrote the segment.
    pub(crate) lucene: [u32; 3],
    /// Number of documents, deleted ones included.
    pub(crate) max_doc: u32,
    /// Whether most files lie inside a `.cfs`.
    pub(crate) compound: bool,
}

/// Reads and verifies the `.si` of `segment`.
pub(crate) fn open(directory: &dyn Directory, segment: &str, id: &Id) -> Result<SegmentInfo> {
    let file = format!("{segment}.si");
    let data = codec::read_verified(directory, &file)?;
    parse(&file, &data, id)
}

fn parse(file: &str, data: &[u8], id: &Id) -> Result<SegmentInfo> {
    let mut cursor = codec::body(file, data);
    let name = codec::header(&mut cursor.clone())?.codec;
    if matches!(name, "Lucene40SegmentInfo" | "Lucene46SegmentInfo") {
        return Err(Error::unsupported(file, name));
    }
    let header = codec::index_header(&mut cursor, id, "")?;
    let info = match header.codec {
        "Lucene50SegmentInfo" | "Lucene62SegmentInfo" => {
            header.require_version(file, 0..=1)?;
            let wide = header.codec == "Lucene50SegmentInfo" && header.version == 0;
            lucene50(&mut cursor, wide)?
        }
        "Lucene70SegmentInfo" | "Lucene86SegmentInfo" => {
            header.require_version(file, 0..=0)?;
            lucene70(&mut cursor, false)?
        }
        "Lucene90SegmentInfo" => {
            header.require_version(file, 0..=0)?;
            cursor.set_endian(Endian::Little);
            lucene70(&mut cursor, true)?
        }
        _ => return Err(header.unknown(file)),
    };
    if info.max_doc > MAX_SEGMENT_DOCS {
        return Err(Error::corrupt(file, None, format!("{} documents", info.max_doc)));
    }
    Ok(info)
}

/// Lucene 5.0 to 6.6. What a reader has no use for follows and is left unread, as sort fields are.
fn lucene50(cursor: &mut Cursor<'_>, wide: bool) -> Result<SegmentInfo> {
    let lucene = version(cursor)?;
    let max_doc = cursor.non_negative_i32()?;
    let compound = compound_mark(cursor)?;
    cursor.map(wide, |_, _| ())?;
    cursor.set(wide)?;
    cursor.map(wide, |_, _| ())?;
    Ok(SegmentInfo { lucene, max_doc, compound })
}

/// Lucene 7.0 and later; `lucene90` is little-endian and says since Lucene 9.9 whether there are blocks.
fn lucene70(cursor: &mut Cursor<'_>, lucene90: bool) -> Result<SegmentInfo> {
    let lucene = version(cursor)?;
    match cursor.u8()? {
        0 => {}
        1 => drop(version(cursor)?),
        other => return Err(cursor.corrupt(format!("mark {other} before the oldest version"))),
    }
    let max_doc = cursor.non_negative_i32()?;
    let compound = compound_mark(cursor)?;
    // Written without a new format version, so the Lucene version tells.
    if lucene90 && lucene >= [9, 9, 0] {
        compound_mark(cursor)?;
    }
    cursor.map(false, |_, _| ())?;
    cursor.set(false)?;
    cursor.map(false, |_, _| ())?;
    Ok(SegmentInfo { lucene, max_doc, compound })
}

fn version(cursor: &mut Cursor<'_>) -> Result<[u32; 3]> {
    let mut parts = [0; 3];
    for part in &mut parts {
        *part = cursor.non_negative_i32()?;
    }
    Ok(parts)
}

/// Java's `SegmentInfo.YES` and `NO`.
fn compound_mark(cursor: &mut Cursor<'_>) -> Result<bool> {
    match cursor.u8()? {
        1 => Ok(true),
        0xFF => Ok(false),
        other => Err(cursor.corrupt(format!("yes or no expected, {other} found"))),
    }
}
