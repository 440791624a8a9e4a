//! The chunk index: first document and first byte of every chunk of a `.fdt`.

use bytes::Bytes;

use super::format::{self, Format, IndexKind, Numbers};
use super::packed;
use crate::codec::{self, Id};
use crate::cursor::{Cursor, Endian};
use crate::directory::Directory;
use crate::monotonic::{Lines, Monotonic};
use crate::{Error, Result};

/// Most chunks of a block of the old index (Lucene's block size).
const BLOCK_CHUNKS: usize = 1024;

/// Fewest bytes a chunk takes: base, token, and two numbers.
const LEAST_CHUNK_BYTES: u64 = 3;

/// First document and first byte of every chunk.
#[derive(Clone, Debug)]
pub(crate) struct ChunkIndex {
    chunks: usize,
    max_doc: u32,
    max_pointer: u64,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Monotonic { docs: Monotonic, pointers: Monotonic },
    Blocks { data: Bytes, blocks: Vec<Block> },
}

/// A block of the old index: averages and packed differences from them.
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

/// What an index file says besides the chunks.
pub(crate) struct Opened {
    pub(crate) index: ChunkIndex,
    pub(crate) chunk_size: u32,
    pub(crate) numbers: Numbers,
}

/// Reads and verifies the index of `segment`, whose `.fdt` has `length` bytes.
pub(crate) fn open(
    directory: &dyn Directory,
    (segment, id): (&str, &Id),
    format: &Format,
    (max_doc, length): (u32, u64),
) -> Result<Opened> {
    let opened = match format.index {
        IndexKind::Blocks => open_blocks(directory, (segment, id), format, max_doc)?,
        _ => open_monotonic(directory, (segment, id), format, max_doc)?,
    };
    let index = &opened.index;
    let file = format!("{segment}.fdx");
    let end = length.saturating_sub(codec::FOOTER_BYTES as u64);
    if index.max_pointer > end || index.chunks as u64 > length / LEAST_CHUNK_BYTES {
        let what = format!("{} chunks to byte {} of {length}", index.chunks, index.max_pointer);
        return Err(Error::corrupt(&file, None, what));
    }
    Ok(opened)
}

impl ChunkIndex {
    /// Number of chunks.
    pub(crate) fn chunks(&self) -> usize {
        self.chunks
    }

    /// Where the last chunk ends.
    pub(crate) fn max_pointer(&self) -> u64 {
        self.max_pointer
    }

    /// First document of a chunk; the number of documents for the one after the last.
    pub(crate) fn first_doc(&self, chunk: usize) -> u32 {
        if chunk >= self.chunks {
            return self.max_doc;
        }
        let doc = match &self.kind {
            Kind::Monotonic { docs, .. } => docs.get(chunk).cast_unsigned(),
            Kind::Blocks { data, blocks } => block_value(data, blocks, chunk, |block| block.docs),
        };
        // Nonsense becomes a number that no chunk's own header agrees with.
        u32::try_from(doc).unwrap_or(u32::MAX)
    }

    /// First byte of a chunk; the end of the chunks for the one after the last.
    pub(crate) fn pointer(&self, chunk: usize) -> u64 {
        if chunk >= self.chunks {
            return self.max_pointer;
        }
        match &self.kind {
            Kind::Monotonic { pointers, .. } => pointers.get(chunk).cast_unsigned(),
            Kind::Blocks { data, blocks } => {
                block_value(data, blocks, chunk, |block| block.pointers)
            }
        }
    }

    /// The chunk that holds `doc`; the one after the last for documents past the end.
    pub(crate) fn chunk_of(&self, doc: u32) -> usize {
        if doc >= self.max_doc {
            return self.chunks;
        }
        let (mut low, mut high) = (0, self.chunks);
        while low < high {
            let middle = low.midpoint(high);
            if self.first_doc(middle) <= doc {
                low = middle.saturating_add(1)
            } else {
                high = middle
            }
        }
        low.saturating_sub(1)
    }
}

fn open_monotonic(
    directory: &dyn Directory,
    (segment, id): (&str, &Id),
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
    id: &Id,
    (codec_name, version): (&str, u32),
) -> Result<()> {
    let header = codec::index_header(cursor, id, "")?;
    if header.codec != codec_name {
        return Err(header.unknown(cursor.file()));
    }
    header.require_version(cursor.file(), version..=version)
}

/// The `.fdx` of Lucene 5.0 to 8.4: blocks of up to 1 024 chunks.
fn open_blocks(
    directory: &dyn Directory,
    (segment, id): (&str, &Id),
    format: &Format,
    max_doc: u32,
) -> Result<Opened> {
    let file = format!("{segment}.fdx");
    let data = codec::read_verified(directory, &file)?;
    let mut cursor = codec::body(&file, &data);
    let header = codec::index_header(&mut cursor, id, "")?;
    if !matches!(header.codec, "Lucene50StoredFieldsFastIndex" | "Lucene50StoredFieldsHighIndex") {
        return Err(header.unknown(&file));
    }
    header.require_version(&file, 0..=1)?;
    let numbers = format::packed_version(&mut cursor)?;
    let whole_words = numbers == Numbers::Packed { whole_words: true };
    let mut blocks = Vec::new();
    let mut chunks = 0_usize;
    loop {
        let count = cursor.vint()? as usize;
        if count == 0 {
            break;
        }
        if count > BLOCK_CHUNKS {
            return Err(cursor.corrupt(format!("{count} chunks in a block")));
        }
        let docs = series(&mut cursor, count, whole_words, false)?;
        let pointers = series(&mut cursor, count, whole_words, true)?;
        blocks.push(Block { first: chunks, docs, pointers });
        chunks = chunks.saturating_add(count);
    }
    let max_pointer = cursor.vlong()?;
    cursor.expect_end()?;
    let kind = Kind::Blocks { data: data.clone(), blocks };
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

fn block_value(data: &[u8], blocks: &[Block], chunk: usize, part: fn(&Block) -> Series) -> u64 {
    let after = blocks.partition_point(|block| block.first <= chunk);
    let Some(block) = after.checked_sub(1).and_then(|last| blocks.get(last)) else { return 0 };
    let series = part(block);
    let inside = chunk.saturating_sub(block.first);
    let packed = data.get(series.offset..).unwrap_or_default();
    let zigzag = packed::get(packed, inside, series.bits);
    let difference = (zigzag >> 1) ^ (zigzag & 1).wrapping_neg();
    series.base.wrapping_add(series.average.wrapping_mul(inside as u64)).wrapping_add(difference)
}
