//! Stored fields: the `.fdt` in chunks of compressed documents, and its chunk index.

mod chunk;
mod format;
#[cfg(test)]
mod fuzzing;
mod index;
mod ints;
mod packed;
mod position;
mod reader;
mod unit;

pub(crate) use format::Format;
pub(crate) use index::ChunkIndex;

pub use position::ReadPosition;
pub use reader::{Chunk, Documents, StoredDocuments};

use crate::codec::{self, FOOTER_BYTES, FOOTER_CHECKED_BYTES, Id};
use crate::directory::{self, Directory};
use crate::{Error, Result};

/// The stored fields of a segment: where each chunk is and how to decode it.
#[derive(Clone, Debug)]
pub(crate) struct StoredFields {
    /// Name of the `.fdt`.
    pub(crate) file: String,
    /// Length of the `.fdt` in bytes.
    pub(crate) length: u64,
    pub(crate) format: Format,
    pub(crate) index: ChunkIndex,
    /// Bytes of a slice.
    pub(crate) chunk_size: u32,
    /// Bytes before the first chunk, and their checksum.
    pub(crate) head: (u64, u32),
}

impl StoredFields {
    /// Reads the header of the `.fdt` and the chunk index.
    pub(crate) fn open(
        directory: &dyn Directory,
        (segment, id): (&str, Option<&Id>),
        max_doc: u32,
    ) -> Result<Self> {
        let file = format!("{segment}.fdt");
        let length = directory::length(directory, &file)?;
        let head = format::open(directory, &file, id)?;
        let opened = index::open(directory, (segment, id), &head.format, (max_doc, length))?;
        let format = Format { numbers: opened.numbers, ..head.format };
        let index = opened.index;
        let end = length.saturating_sub(format.footer_bytes());
        let ends_there = index.max_pointer() == end || format.has_counts();
        if index.pointer(0) != head.length || !ends_there {
            let what = format!(
                "chunks from {} to {} by the index, from {} to {end} by the file",
                index.pointer(0),
                index.max_pointer(),
                head.length
            );
            return Err(Error::corrupt(&file, None, what));
        }
        let head = (head.length, head.crc);
        Ok(Self { file, length, format, index, chunk_size: opened.chunk_size, head })
    }

    /// Verifies the checksum of the whole file, given that of the bytes up to the last chunk's end. Files from before
    /// Lucene 4.8 have none, and end with their last chunk.
    pub(crate) fn verify(&self, directory: &dyn Directory, crc: u32) -> Result<()> {
        if self.format.footer_bytes() == 0 {
            return Ok(());
        }
        let start = self.index.max_pointer();
        let tail = directory::read_range(directory, &self.file, start..self.length)?;
        let footer_at = tail.len().saturating_sub(FOOTER_BYTES);
        let (checked, _) = tail
            .split_at_checked(footer_at.saturating_add(FOOTER_CHECKED_BYTES))
            .unwrap_or_default();
        let footer = tail.get(footer_at..).unwrap_or_default();
        let mut hasher = crc32fast::Hasher::new_with_initial(crc);
        hasher.update(checked);
        let offset = self.length.saturating_sub(FOOTER_BYTES as u64);
        codec::check_footer(&self.file, offset, footer, hasher.finalize())
    }
}
