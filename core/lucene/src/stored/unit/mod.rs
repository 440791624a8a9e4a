//! Units: what was compressed by itself, a chunk or a slice of one.

mod deflate;
mod lz4;
mod zstd;

use crate::Result;
use crate::cursor::Cursor;
use crate::limits::KEPT_OUTPUT_BYTES;

/// How units are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    /// One LZ4 block without its compressed length (Lucene 4.1 to 8.6).
    Lz4,
    /// One raw DEFLATE stream (Lucene 5.0 to 8.6).
    Deflate,
    /// A dictionary and LZ4 blocks that build on it (Lucene 8.7 and later).
    Lz4Dict,
    /// A dictionary and DEFLATE streams that build on it (Lucene 8.7 and later).
    DeflateDict,
    /// One zstd frame (Elasticsearch 8.16 and later).
    Zstd,
    /// zstd frames of one block each (OpenSearch's `zstd_no_dict`).
    ZstdBlocks,
    /// A dictionary and zstd frames that build on it (OpenSearch's `zstd`).
    ZstdDict,
}

/// The decompressed bytes of a chunk; one buffer that serves chunk after chunk.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// Always initialised to its full length; what counts is the first `length` bytes.
    buffer: Vec<u8>,
    length: usize,
}

impl Output {
    /// Forgets the bytes, and the buffer too when it grew beyond usual chunks.
    pub(crate) fn clear(&mut self) {
        self.length = 0;
        if self.buffer.len() > KEPT_OUTPUT_BYTES {
            self.buffer = Vec::new();
        }
    }

    /// What was decompressed.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }

    /// Makes room for `count` bytes at once, as far as `compressed` bytes make that likely: a large buffer that grows step by
    /// step is copied, and takes twice the room.
    pub(crate) fn expect(&mut self, count: usize, compressed: usize) {
        let likely = count.min(compressed.saturating_mul(8));
        self.buffer.reserve_exact(likely.saturating_sub(self.buffer.len()));
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Appends `count` bytes that `fill` writes, given also the `dictionary` bytes that begin at `start`.
    fn append(
        &mut self,
        count: usize,
        (start, dictionary): (usize, usize),
        fill: impl FnOnce(&[u8], &mut [u8]) -> Result<()>,
    ) -> Result<()> {
        let end = self.length.saturating_add(count);
        if end > self.buffer.len() {
            self.buffer.resize(end, 0);
        }
        let (written, free) = self.buffer.split_at_mut(self.length);
        let dictionary = written.get(start..start.saturating_add(dictionary)).unwrap_or_default();
        fill(dictionary, free.get_mut(..count).unwrap_or_default())?;
        self.length = end;
        Ok(())
    }
}

/// Decompresses units; holds the decompressors' own state.
pub(crate) struct Decompressor {
    compression: Compression,
    inflate: deflate::Inflater,
    zstd: Option<zstd::Unzstd>,
    /// Compressed lengths of the blocks of an LZ4 unit with a dictionary.
    block_lengths: Vec<u32>,
}

impl Decompressor {
    pub(crate) fn new(compression: Compression) -> Self {
        Self {
            compression,
            inflate: deflate::Inflater::new(),
            zstd: None,
            block_lengths: Vec::new(),
        }
    }

    /// Decompresses the unit of `count` bytes that stands at `cursor` and appends it to `output`. `only`: the
    /// unit reaches to the end of the cursor's bytes.
    pub(crate) fn unit(
        &mut self,
        cursor: &mut Cursor<'_>,
        count: usize,
        only: bool,
        output: &mut Output,
    ) -> Result<()> {
        // Lucene writes frames around no bytes but reads none of them, so an index may have either.
        if count == 0 && cursor.remaining() == 0 {
            return Ok(());
        }
        match self.compression {
            Compression::Lz4 => lz4::unit(cursor, count, only, output),
            Compression::Deflate => self.inflate.unit(cursor, count, output),
            Compression::Lz4Dict => lz4::dict_unit(cursor, count, &mut self.block_lengths, output),
            Compression::DeflateDict => self.inflate.dict_unit(cursor, count, output),
            Compression::Zstd | Compression::ZstdBlocks | Compression::ZstdDict => {
                let zstd = match &mut self.zstd {
                    Some(zstd) => zstd,
                    None => self.zstd.insert(zstd::Unzstd::new(cursor)?),
                };
                match self.compression {
                    Compression::ZstdBlocks => zstd.blocks_unit(cursor, count, output),
                    Compression::ZstdDict => zstd.dict_unit(cursor, count, output),
                    _ => zstd.unit(cursor, count, output),
                }
            }
        }
    }
}

/// Dictionary and blocks of a unit of `count` bytes: length of the dictionary and of each block.
fn dict_layout(cursor: &mut Cursor<'_>, count: usize) -> Result<(usize, usize)> {
    let dictionary = cursor.vint()? as usize;
    let block = cursor.vint()? as usize;
    if dictionary > count || (block == 0 && dictionary < count) {
        let what = format!("dictionary of {dictionary}, blocks of {block} for {count} bytes");
        return Err(cursor.corrupt(what));
    }
    Ok((dictionary, block))
}

/// Lengths of the blocks that `count` bytes are cut in.
fn blocks(count: usize, block: usize) -> impl Iterator<Item = usize> {
    let mut left = count;
    std::iter::from_fn(move || {
        let now = left.min(block);
        left = left.saturating_sub(now);
        (now > 0).then_some(now)
    })
}

/// A compressed stream, its length first, that gives `count` bytes; none where no bytes stand for none.
fn stream<'a>(cursor: &mut Cursor<'a>, count: usize) -> Result<Option<&'a [u8]>> {
    let compressed = cursor.vint()? as usize;
    let input = cursor.bytes(compressed)?;
    Ok((compressed > 0 || count > 0).then_some(input))
}

/// Fails when `compressed` bytes cannot stand for `count` at `ratio` bytes each.
fn check_ratio(cursor: &Cursor<'_>, count: usize, compressed: usize, ratio: u64) -> Result<()> {
    let most = (compressed as u64).saturating_add(1).saturating_mul(ratio);
    if count as u64 > most {
        let what = format!("{compressed} compressed bytes cannot stand for {count}");
        return Err(cursor.corrupt(what));
    }
    Ok(())
}
