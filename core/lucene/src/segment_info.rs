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
pub(crate) fn open(
    directory: &dyn Directory,
    segment: &str,
    id: Option<&Id>,
) -> Result<SegmentInfo> {
    let file = format!("{segment}.si");
    let data = codec::read_verified(directory, &file)?;
    parse(&file, &data, id)
}

fn parse(file: &str, data: &[u8], id: Option<&Id>) -> Result<SegmentInfo> {
    let mut cursor = codec::body(file, data);
    let header = codec::index_header(&mut cursor, id, "")?;
    let info = match header.codec {
        "Lucene40SegmentInfo" => {
            header.require_version(file, 0..=0)?;
            lucene40(&mut cursor, true)?
        }
        "Lucene46SegmentInfo" => {
            header.require_version(file, 0..=1)?;
            lucene40(&mut cursor, false)?
        }
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

/// Lucene 4.0 to 4.10; `attributes` until 4.5.
fn lucene40(cursor: &mut Cursor<'_>, attributes: bool) -> Result<SegmentInfo> {
    let lucene = text_version(cursor.string()?);
    let max_doc = cursor.non_negative_i32()?;
    let compound = compound_mark(cursor)?;
    cursor.map(true, |_, _| ())?;
    if attributes {
        cursor.map(true, |_, _| ())?;
    }
    cursor.set(true)?;
    cursor.expect_end()?;
    Ok(SegmentInfo { lucene, max_doc, compound })
}

/// The version as text, such as `4.10.4` or `4.1`. It is for display only: what is no number counts as 0.
fn text_version(text: &str) -> [u32; 3] {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_writer::{ID, footer, header};

    fn write(codec: &str, lucene: [u32; 3], blocks: bool) -> Vec<u8> {
        let mut out = header(codec, 0, "");
        let int = |value: u32| {
            if codec == "Lucene90SegmentInfo" { value.to_le_bytes() } else { value.to_be_bytes() }
        };
        lucene.into_iter().for_each(|part| out.extend(int(part)));
        let modern = !matches!(codec, "Lucene50SegmentInfo" | "Lucene62SegmentInfo");
        if modern {
            out.push(1);
            [8, 0, 1].into_iter().for_each(|part| out.extend(int(part)));
        }
        out.extend(int(1000));
        out.push(1);
        if blocks {
            out.push(0xFF);
        }
        // Maps and sets are counted with an `i32` in version 0 of the oldest format.
        out.extend(vec![0; if codec == "Lucene50SegmentInfo" { 12 } else { 3 }]);
        out.extend([9, 9, 9]); // sort fields
        footer(out)
    }

    #[test]
    fn every_format_and_the_byte_that_came_without_a_version() {
        let cases = [
            ("Lucene50SegmentInfo", [5, 5, 0], false),
            ("Lucene62SegmentInfo", [6, 6, 0], false),
            ("Lucene70SegmentInfo", [8, 4, 0], false),
            ("Lucene86SegmentInfo", [8, 11, 3], false),
            ("Lucene90SegmentInfo", [9, 8, 0], false),
            ("Lucene90SegmentInfo", [9, 9, 0], true),
            ("Lucene90SegmentInfo", [10, 4, 0], true),
        ];
        for (codec, lucene, blocks) in cases {
            let info = parse("_0.si", &write(codec, lucene, blocks), Some(&ID)).unwrap();
            assert_eq!(info.max_doc, 1000, "{codec} {lucene:?}");
            assert_eq!(info.lucene, lucene);
            assert!(info.compound);
        }
    }

    #[test]
    fn another_segments_file_is_refused() {
        let data = write("Lucene86SegmentInfo", [8, 8, 0], false);
        let error = parse("_0.si", &data, Some(&[7; 16])).unwrap_err().to_string();
        assert!(error.contains("another segment"), "{error}");
    }
}
