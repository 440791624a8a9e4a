//! The chunk index: first document and first byte of every chunk of a `.fdt`.

mod blocks;
mod monotonic;

use super::format::{Format, IndexKind, Numbers};
use crate::codec::Id;
use crate::directory::Directory;
use crate::monotonic::Monotonic;
use crate::{Error, Result};

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
    Blocks(blocks::Blocks),
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
    (segment, id): (&str, Option<&Id>),
    format: &Format,
    (max_doc, length): (u32, u64),
) -> Result<Opened> {
    let opened = match format.index {
        IndexKind::Blocks => blocks::open(directory, (segment, id), format, (max_doc, length))?,
        _ => monotonic::open(directory, (segment, id), format, max_doc)?,
    };
    let index = &opened.index;
    let file = format!("{segment}.fdx");
    let end = length.saturating_sub(format.footer_bytes());
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
            Kind::Blocks(blocks) => blocks.first_doc(chunk),
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
            Kind::Blocks(blocks) => blocks.pointer(chunk),
        }
    }

    /// The first chunk that begins at byte `offset` or after it; the one after the last where none does.
    pub(crate) fn chunk_from(&self, offset: u64) -> usize {
        self.first_chunk(|chunk| self.pointer(chunk) >= offset)
    }

    /// The chunk that holds `doc`; the one after the last for documents past the end.
    pub(crate) fn chunk_of(&self, doc: u32) -> usize {
        if doc >= self.max_doc {
            return self.chunks;
        }
        self.first_chunk(|chunk| self.first_doc(chunk) > doc).saturating_sub(1)
    }

    /// The first chunk for which `is_past` holds, which then holds for all that follow.
    fn first_chunk(&self, is_past: impl Fn(usize) -> bool) -> usize {
        let (mut low, mut high) = (0, self.chunks);
        while low < high {
            let middle = low.midpoint(high);
            if is_past(middle) { high = middle } else { low = middle.saturating_add(1) }
        }
        low
    }
}
