//! The header of a chunk: which documents it holds, how many fields and bytes each has.

use super::format::{Format, Numbers, Token};
use super::{ints, packed};
use crate::Result;
use crate::cursor::Cursor;
use crate::limits::{MAX_CHUNK_BYTES, MAX_CHUNK_DOCS};

const SLICED: u32 = 1;

/// Fields and bytes of each document of a chunk; buffers that serve chunk after chunk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lengths {
    pub(crate) fields: Vec<u32>,
    pub(crate) bytes: Vec<u32>,
}

/// What a chunk's header says besides the lengths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkHeader {
    /// Whether the bytes were cut in slices of the format's chunk size, each compressed by itself.
    pub(crate) sliced: bool,
    /// Bytes of all documents once decompressed.
    pub(crate) total: usize,
}

/// Reads the header of the chunk that must hold `docs` documents from `first_doc` on.
pub(crate) fn read(
    cursor: &mut Cursor<'_>,
    format: &Format,
    (first_doc, docs): (u32, u32),
    lengths: &mut Lengths,
) -> Result<ChunkHeader> {
    let base = cursor.vint()?;
    let token = cursor.vint_bits()?;
    let count = match format.token {
        Token::Lucene41 { .. } => token,
        Token::Flags(flags) => token >> flags,
    };
    if base != first_doc || count != docs || count == 0 {
        return Err(cursor.corrupt(format!(
            "chunk of {count} documents from {base}, the index says {docs} from {first_doc}"
        )));
    }
    if count > MAX_CHUNK_DOCS {
        return Err(cursor.corrupt(format!("{count} documents in a chunk")));
    }
    if count == 1 {
        lengths.fields.clear();
        lengths.fields.push(cursor.vint()?);
        lengths.bytes.clear();
        lengths.bytes.push(cursor.vint()?);
    } else {
        numbers(cursor, format.numbers, count, &mut lengths.fields)?;
        numbers(cursor, format.numbers, count, &mut lengths.bytes)?;
    }
    let total = check(cursor, lengths)?;
    let sliced = is_sliced(format, token, total);
    Ok(ChunkHeader { sliced, total })
}

fn is_sliced(format: &Format, token: u32, total: usize) -> bool {
    match (format.token, format.chunk_size) {
        (Token::Flags(_), _) => token & SLICED != 0,
        (Token::Lucene41 { slices }, Some(size)) => slices && total / 2 >= size as usize,
        (Token::Lucene41 { .. }, None) => false,
    }
}

fn numbers(
    cursor: &mut Cursor<'_>,
    coding: Numbers,
    count: u32,
    values: &mut Vec<u32>,
) -> Result<()> {
    match coding {
        Numbers::Packed { whole_words } => {
            packed::read(cursor, count as usize, whole_words, values)
        }
        Numbers::Ints => ints::read(cursor, count as usize, values),
    }
}

/// Checks that documents have bytes exactly when they have fields, and sums the bytes.
fn check(cursor: &Cursor<'_>, lengths: &Lengths) -> Result<usize> {
    let mut total = 0_u64;
    for (fields, bytes) in lengths.fields.iter().zip(&lengths.bytes) {
        // A field takes two bytes at least: its number and type, and a value.
        if (*fields == 0) != (*bytes == 0) || u64::from(*fields) * 2 > u64::from(*bytes) {
            return Err(cursor.corrupt(format!("{fields} fields in {bytes} bytes")));
        }
        total = total.saturating_add(u64::from(*bytes));
    }
    if total > MAX_CHUNK_BYTES {
        return Err(cursor.corrupt(format!("a chunk of {total} bytes")));
    }
    Ok(total as usize)
}
