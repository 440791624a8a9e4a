//! `.del`: a `BitVector` of Lucene 4, either all bits or, where few documents are deleted, the bytes with zeros.
//!
//! Bits are set while documents are live since version 1 of the format, with a checksum since version 2 (Lucene
//! 4.8). What Lucene 3 wrote, with bits set for the deleted, is told apart by its lack of a header.

use super::LiveDocs;
use crate::Result;
use crate::codec;
use crate::cursor::Cursor;
use crate::directory::{Directory, read_whole};

/// What stands before the header, where there is one: no size is negative.
const HEADER_MARK: i32 = -2;

/// What stands in place of the size in the sparse form.
const SPARSE_MARK: i32 = -1;

/// Reads a `.del`, and verifies it where it has a checksum.
pub(super) fn open(directory: &dyn Directory, file: &str, max_doc: u32) -> Result<LiveDocs> {
    let data = read_whole(directory, file)?;
    let mut cursor = Cursor::new(file, &data);
    if cursor.i32()? != HEADER_MARK {
        return Err(cursor.unsupported("BitVector before version 1"));
    }
    let header = codec::header(&mut cursor)?;
    match (header.codec, header.version) {
        ("BitVector", 0) => return Err(cursor.unsupported("BitVector before version 1")),
        ("BitVector", _) => header.require_version(file, 1..=2)?,
        _ => return Err(header.unknown(file)),
    }
    if header.has_footer() {
        codec::verify(file, &data)?;
        let end = data.len().saturating_sub(codec::FOOTER_BYTES);
        let start = cursor.position();
        cursor = Cursor::at(file, start as u64, data.get(start..end).unwrap_or_default());
    }
    let docs = match cursor.i32()? {
        SPARSE_MARK => LiveDocs::Cleared(sparse(&mut cursor, max_doc)?),
        size => LiveDocs::Words(dense(&mut cursor, size, max_doc)?),
    };
    cursor.expect_end()?;
    Ok(docs)
}

/// Every bit: the number of set ones, then the bits.
fn dense(cursor: &mut Cursor<'_>, size: i32, max_doc: u32) -> Result<Vec<u64>> {
    check_size(cursor, size, max_doc)?;
    let count = cursor.non_negative_i32()?;
    let bytes = cursor.bytes(max_doc.div_ceil(8) as usize)?;
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let words: Vec<u64> = bytes.chunks(8).map(word).collect();
    let found = words.iter().fold(0_u32, |sum, word| sum.saturating_add(word.count_ones()));
    if found != count {
        return Err(cursor.corrupt(format!("{count} live documents recorded, {found} found")));
    }
    Ok(words)
}

/// All bits are set but those of the bytes that follow, each with its distance from the one before.
fn sparse(cursor: &mut Cursor<'_>, max_doc: u32) -> Result<Vec<(u32, u8)>> {
    let size = cursor.i32()?;
    check_size(cursor, size, max_doc)?;
    let count = cursor.non_negative_i32()?;
    let Some(mut cleared) = max_doc.checked_sub(count) else {
        return Err(cursor.corrupt(format!("{count} live of {max_doc} documents")));
    };
    let mut bytes = Vec::new();
    let mut next = 0;
    while cleared > 0 {
        let at = match bytes.last() {
            Some((last, _)) => cursor.vint()?.saturating_add(*last),
            None => cursor.vint()?,
        };
        // Lucene clears the bits behind the last document, here they count as set.
        let value = cursor.u8()? | past_end(at, max_doc);
        if at < next || at >= max_doc.div_ceil(8) {
            return Err(cursor.corrupt(format!("byte {at} of deletions of {max_doc} documents")));
        }
        next = at.saturating_add(1);
        cleared = cleared
            .checked_sub(value.count_zeros())
            .ok_or_else(|| cursor.corrupt("more deletions than recorded"))?;
        bytes.push((at, value));
    }
    Ok(bytes)
}

/// The bits of byte `at` that stand behind the last document.
fn past_end(at: u32, max_doc: u32) -> u8 {
    if at == max_doc >> 3 { u8::MAX << (max_doc & 7) } else { 0 }
}

fn check_size(cursor: &Cursor<'_>, size: i32, max_doc: u32) -> Result<()> {
    if u32::try_from(size) == Ok(max_doc) {
        return Ok(());
    }
    Err(cursor.corrupt(format!("bits for {size} documents, the segment has {max_doc}")))
}
