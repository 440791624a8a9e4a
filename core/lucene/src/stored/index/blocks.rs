//! `.fdx` as blocks of up to 1 024 chunks: averages, and packed differences from them (Lucene 4.1 to 8.4).

use bytes::Bytes;

use super::{ChunkIndex, Kind, Opened};
use crate::codec::{self, Id};
use crate::cursor::Cursor;
use crate::directory::Directory;
use crate::limits::MAX_INDEX_BLOCK_CHUNKS;
use crate::stored::format::{self, Format, Numbers};
use crate::stored::packed;
use crate::{Error, Result};

/// The blocks; values are unpacked when they are asked for.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    data: Bytes,
    blocks: Vec<Block>,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    /// Number of the first chunk.
    first: usize,
    docs: Series,
    pointers: Series,
}

#[derive(Clone, Copy, Debug)]
struct Series {
    base: u64,
    average: u64,
    bits: u32,
    offset: usize,
}

/// Reads and verifies the `.fdx` of a `.fdt` of `length` bytes.
pub(super) fn open(
    directory: &dyn Directory,
    (segment, id): (&str, Option<&Id>),
    format: &Format,
    (max_doc, length): (u32, u64),
) -> Result<Opened> {
    let file = format!("{segment}.fdx");
    let data = codec::read_verified(directory, &file)?;
    let mut cursor = codec::body(&file, &data);
    let header = codec::index_header(&mut cursor, id, "")?;
    if !matches!(
        header.codec,
        "Lucene41StoredFieldsIndex"
            | "Lucene50StoredFieldsFastIndex"
            | "Lucene50StoredFieldsHighIndex"
    ) {
        return Err(header.unknown(&file));
    }
    // Both files are written with one version, and a version decides whether there are checksums.
    if header.version != format.version {
        let what = format!("version {} beside a .fdt of {}", header.version, format.version);
        return Err(Error::corrupt(&file, None, what));
    }
    let numbers = format::packed_version(&mut cursor)?;
    let whole_words = numbers == Numbers::Packed { whole_words: true };
    let mut blocks = Vec::new();
    let mut chunks = 0_usize;
    loop {
        let count = cursor.vint()? as usize;
        if count == 0 {
            break;
        }
        if count > MAX_INDEX_BLOCK_CHUNKS {
            return Err(cursor.corrupt(format!("{count} chunks in a block")));
        }
        let docs = series(&mut cursor, count, whole_words, false)?;
        let pointers = series(&mut cursor, count, whole_words, true)?;
        blocks.push(Block { first: chunks, docs, pointers });
        chunks = chunks.saturating_add(count);
    }
    // Before Lucene 4.8 the index did not say where the chunks end: where the file does, as it had no footer.
    let max_pointer = if header.has_footer() { cursor.vlong()? } else { length };
    cursor.expect_end()?;
    let kind = Kind::Blocks(Blocks { data: data.clone(), blocks });
    let index = ChunkIndex { chunks, max_doc, max_pointer, kind };
    let chunk_size = format.chunk_size.unwrap_or_default();
    Ok(Opened { index, chunk_size, numbers: format.numbers })
}

fn series(cursor: &mut Cursor<'_>, count: usize, whole_words: bool, long: bool) -> Result<Series> {
    let base = if long { cursor.vlong()? } else { cursor.vint()?.into() };
    let average = if long { cursor.vlong()? } else { cursor.vint()?.into() };
    let bits = cursor.vint()?;
    if bits > 64 {
        return Err(cursor.corrupt(format!("{bits} bits a number")));
    }
    let offset = cursor.position();
    cursor.bytes(packed::packed_bytes(count, bits, whole_words))?;
    Ok(Series { base, average, bits, offset })
}

impl Blocks {
    /// First document of a chunk.
    pub(super) fn first_doc(&self, chunk: usize) -> u64 {
        self.value(chunk, |block| block.docs)
    }

    /// First byte of a chunk.
    pub(super) fn pointer(&self, chunk: usize) -> u64 {
        self.value(chunk, |block| block.pointers)
    }

    fn value(&self, chunk: usize, part: fn(&Block) -> Series) -> u64 {
        let after = self.blocks.partition_point(|block| block.first <= chunk);
        let Some(block) = after.checked_sub(1).and_then(|last| self.blocks.get(last)) else {
            return 0;
        };
        let series = part(block);
        let inside = chunk.saturating_sub(block.first);
        let packed = self.data.get(series.offset..).unwrap_or_default();
        let zigzag = packed::get(packed, inside, series.bits);
        let difference = (zigzag >> 1) ^ (zigzag & 1).wrapping_neg();
        series
            .base
            .wrapping_add(series.average.wrapping_mul(inside as u64))
            .wrapping_add(difference)
    }
}
