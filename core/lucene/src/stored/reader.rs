//! Reads the chunks of a `.fdt` one after another, in windows of bounded size.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::chunk::{self, ChunkHeader, Lengths};
use super::position::ReadPosition;
use super::unit::{Decompressor, Output};
use crate::cursor::Cursor;
use crate::elasticsearch::{self, StoredDocument};
use crate::limits::{MAX_CHUNK_BYTES, MAX_STORED_CHUNK_BYTES, WINDOW_BYTES};
use crate::segment::{Inner, Liveness};
use crate::{Error, Result, directory};

/// The stored documents of a segment, chunk by chunk. Its buffers serve all chunks.
///
/// Memory: one window of the file (4 MiB, or one chunk where that is larger) and one decompressed chunk.
pub struct StoredDocuments {
    segment: Arc<Inner>,
    decompressor: Decompressor,
    output: Output,
    lengths: Lengths,
    window: Window,
    /// Next chunk, and the one not to be read any more.
    chunks: Range<usize>,
    /// Documents before this one are passed over.
    start_doc: u32,
    crc: u32,
    crc_from: u64,
    verified: bool,
    max_chunk_bytes: u64,
}

/// A part of the `.fdt` in memory: whole chunks.
#[derive(Default)]
struct Window {
    data: Bytes,
    start: u64,
}

/// One chunk: documents that were compressed together, decompressed unless all of them are deleted.
#[derive(Clone, Copy)]
pub struct Chunk<'a> {
    segment: &'a Inner,
    lengths: &'a Lengths,
    /// `None` when no document is live.
    data: Option<&'a [u8]>,
    first_doc: u32,
    doc_count: u32,
    start_doc: u32,
    before: ReadPosition,
    after: ReadPosition,
}

/// The documents of a [`Chunk`], rising.
#[derive(Clone)]
pub struct Documents<'a> {
    chunk: Chunk<'a>,
    index: usize,
    offset: usize,
}

impl StoredDocuments {
    pub(crate) fn new(segment: Arc<Inner>, start: ReadPosition) -> Result<Self> {
        let stored = &segment.stored;
        if start.doc > segment.max_doc {
            let what = format!("document {} of {}", start.doc, segment.max_doc);
            return Err(Error::position(&stored.file, what));
        }
        let first = stored.index.chunk_of(start.doc);
        let offset = stored.index.pointer(first);
        let (crc, crc_from) = match start.crc {
            Some(crc) if start.offset == offset => (crc, start.crc_from),
            Some(_) if first > 0 || !start.is_beginning() => {
                let what = format!("byte {} where a chunk begins at {offset}", start.offset);
                return Err(Error::position(&stored.file, what));
            }
            _ if first == 0 => (stored.head.1, 0),
            _ => (0, offset),
        };
        let chunks = first..stored.index.chunks();
        let decompressor = Decompressor::new(stored.format.compression);
        Ok(Self {
            decompressor,
            output: Output::default(),
            lengths: Lengths::default(),
            window: Window::default(),
            chunks,
            start_doc: start.doc,
            crc,
            crc_from,
            verified: false,
            max_chunk_bytes: MAX_CHUNK_BYTES,
            segment,
        })
    }

    /// Stops after the chunk that holds the document before `doc`. Ranges of documents that are cut where
    /// chunks begin ([`Segment::chunk_start`](crate::Segment::chunk_start)) so share no chunk.
    pub fn set_range_end(&mut self, doc: u32) {
        let index = &self.segment.stored.index;
        self.chunks.end = match doc.checked_sub(1) {
            Some(last) => index.chunk_of(last).saturating_add(1).min(index.chunks()),
            None => 0,
        };
    }

    /// Refuses chunks whose documents have more than `bytes` together, with [`Error::TooLarge`] and before
    /// anything of that size is allocated. Without it a chunk may have what Lucene allows, 2 GiB.
    pub fn limit_chunk_bytes(&mut self, bytes: u64) {
        self.max_chunk_bytes = bytes.min(MAX_CHUNK_BYTES);
    }

    /// Decodes the next chunk; `None` at the end.
    ///
    /// At the end of the file its checksum is verified, provided that the file was read from its beginning or
    /// the checksum of what came before was given.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a chunk contradicts itself, the chunk index or, at the end, the checksum, and
    /// [`Error::Source`] when bytes cannot be read. Reading does not go on after an error.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk<'_>>> {
        let Some(number) = self.chunks.next() else {
            self.verify_at_end()?;
            return Ok(None);
        };
        // An error is final: whoever asks again gets the end, unverified.
        let end = std::mem::replace(&mut self.chunks.end, 0);
        let verified = std::mem::replace(&mut self.verified, true);
        let segment = &*self.segment;
        let stored = &segment.stored;
        let extent = extent(segment, number)?;
        // The last chunk is given back before the next is read.
        self.output.clear();
        let data = self.window.chunk(segment, number..end, &extent)?;
        let position = |doc, offset, crc| ReadPosition {
            doc,
            offset,
            crc: Some(crc),
            crc_from: self.crc_from,
        };
        let before = position(extent.docs.start, extent.bytes.start, self.crc);
        let mut hasher = crc32fast::Hasher::new_with_initial(self.crc);
        hasher.update(&data);
        self.crc = hasher.finalize();
        let after = position(extent.docs.end, extent.bytes.end, self.crc);

        let mut cursor = Cursor::at(&stored.file, extent.bytes.start, &data);
        let doc_count = extent.docs.end.saturating_sub(extent.docs.start);
        let docs = (extent.docs.start, doc_count);
        let header = chunk::read(&mut cursor, &stored.format, docs, &mut self.lengths)?;
        if header.total as u64 > self.max_chunk_bytes {
            return Err(Error::TooLarge {
                file: stored.file.clone(),
                offset: extent.bytes.start,
                bytes: header.total as u64,
                limit: self.max_chunk_bytes,
            });
        }
        let live = extent.docs.clone().any(|doc| doc >= self.start_doc && segment.is_live(doc));
        if live {
            self.output.expect(header.total, cursor.remaining());
            decompress(
                &mut self.decompressor,
                cursor,
                header,
                stored.chunk_size,
                &mut self.output,
            )?;
        }
        self.window.release_large(&extent.bytes);
        self.chunks.end = end;
        self.verified = verified;
        Ok(Some(Chunk {
            segment,
            lengths: &self.lengths,
            data: live.then(|| self.output.bytes()),
            first_doc: extent.docs.start,
            doc_count,
            start_doc: self.start_doc,
            before,
            after,
        }))
    }

    fn verify_at_end(&mut self) -> Result<()> {
        let stored = &self.segment.stored;
        let at_end = self.chunks.start >= stored.index.chunks();
        if at_end && self.crc_from == 0 && !self.verified {
            self.verified = true;
            stored.verify(&self.segment.directory, self.crc)?;
        }
        Ok(())
    }
}

/// Documents and bytes of a chunk.
struct Extent {
    docs: Range<u32>,
    bytes: Range<u64>,
}

/// What the chunk index says of a chunk, as far as it makes sense.
fn extent(segment: &Inner, chunk: usize) -> Result<Extent> {
    let stored = &segment.stored;
    let next = chunk.saturating_add(1);
    let docs = stored.index.first_doc(chunk)..stored.index.first_doc(next);
    let bytes = stored.index.pointer(chunk)..stored.index.pointer(next);
    let inside = docs.end <= segment.max_doc
        && bytes.end <= stored.index.max_pointer()
        && bytes.end.saturating_sub(bytes.start) <= MAX_STORED_CHUNK_BYTES;
    if docs.is_empty() || bytes.is_empty() || !inside {
        let what = format!("chunk index: documents {docs:?} in bytes {bytes:?}");
        return Err(Error::corrupt(&stored.file, None, what));
    }
    Ok(Extent { docs, bytes })
}

impl Window {
    /// The bytes of the first of `chunks`; reads on if they are not at hand, no further than the last of them.
    fn chunk(&mut self, segment: &Inner, chunks: Range<usize>, extent: &Extent) -> Result<Bytes> {
        if let Some(data) = self.held(&extent.bytes) {
            return Ok(data);
        }
        let stored = &segment.stored;
        let most = extent.bytes.start.saturating_add(WINDOW_BYTES);
        let mut end = extent.bytes.end;
        for next in chunks.skip(1) {
            let next_end = stored.index.pointer(next.saturating_add(1));
            if next_end < end || next_end > most {
                break;
            }
            end = next_end;
        }
        // The last window is given back before the next is asked for.
        self.data = Bytes::new();
        self.start = extent.bytes.start;
        self.data =
            directory::read_range(&segment.directory, &stored.file, extent.bytes.start..end)?;
        self.held(&extent.bytes)
            .ok_or_else(|| Error::corrupt(&stored.file, Some(self.start), "chunk too large"))
    }

    /// Gives back what was read of a chunk larger than a window, which is alone in it.
    fn release_large(&mut self, bytes: &Range<u64>) {
        if bytes.end.saturating_sub(bytes.start) > WINDOW_BYTES {
            self.data = Bytes::new();
        }
    }

    fn held(&self, bytes: &Range<u64>) -> Option<Bytes> {
        let start = usize::try_from(bytes.start.checked_sub(self.start)?).ok()?;
        let end = usize::try_from(bytes.end.checked_sub(self.start)?).ok()?;
        (end <= self.data.len() && start <= end).then(|| self.data.slice(start..end))
    }
}

/// Decompresses the units of a chunk, which must end where the chunk does.
fn decompress(
    decompressor: &mut Decompressor,
    mut cursor: Cursor<'_>,
    header: ChunkHeader,
    chunk_size: u32,
    output: &mut Output,
) -> Result<()> {
    if header.sliced {
        if chunk_size == 0 {
            return Err(cursor.corrupt("slices of no length"));
        }
        let mut left = header.total;
        while left > 0 {
            let slice = left.min(chunk_size as usize);
            left = left.saturating_sub(slice);
            decompressor.unit(&mut cursor, slice, false, output)?;
        }
    } else {
        decompressor.unit(&mut cursor, header.total, true, output)?;
    }
    cursor.expect_end()
}

impl<'a> Chunk<'a> {
    /// First document of the chunk, counted from 0 within the segment.
    #[must_use]
    pub fn first_doc(&self) -> u32 {
        self.first_doc
    }

    /// Number of documents in the chunk, deleted ones included.
    #[must_use]
    pub fn doc_count(&self) -> u32 {
        self.doc_count
    }

    /// Where reading stood before this chunk: what to resume from while not all of its documents are done,
    /// with `doc` raised to the first that is not.
    #[must_use]
    pub fn position_before(&self) -> ReadPosition {
        self.before
    }

    /// Where reading stands after this chunk: what to resume from once all of its documents are done.
    #[must_use]
    pub fn position_after(&self) -> ReadPosition {
        self.after
    }

    /// The documents from the one that reading began with, rising, deleted ones included. An item is an error
    /// when its document's fields cannot be decoded; the documents after it can still be.
    #[must_use]
    pub fn documents(&self) -> Documents<'a> {
        Documents { chunk: *self, index: 0, offset: 0 }
    }
}

impl<'a> Iterator for Documents<'a> {
    type Item = Result<StoredDocument<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk = &self.chunk;
        loop {
            let fields = *chunk.lengths.fields.get(self.index)?;
            let length = *chunk.lengths.bytes.get(self.index)? as usize;
            let doc = chunk.first_doc.saturating_add(u32::try_from(self.index).ok()?);
            let start = self.offset;
            self.index = self.index.saturating_add(1);
            self.offset = start.saturating_add(length);
            if doc < chunk.start_doc {
                continue;
            }
            let state = match chunk.segment.liveness(doc) {
                Liveness::Deleted => elasticsearch::DocumentState::Deleted,
                Liveness::SoftDeleted => elasticsearch::DocumentState::SoftDeleted,
                Liveness::Live => {
                    let data = chunk.data.and_then(|data| data.get(start..self.offset));
                    let file = &chunk.segment.stored.file;
                    let (infos, coding) =
                        (&chunk.segment.fields, chunk.segment.stored.format.values);
                    match elasticsearch::document(infos, coding, fields, data) {
                        Ok(state) => state,
                        Err(what) => {
                            let what = format!("document {doc}: {what}");
                            return Some(Err(Error::corrupt(
                                file,
                                Some(chunk.before.offset),
                                what,
                            )));
                        }
                    }
                }
            };
            return Some(Ok(StoredDocument { doc, state }));
        }
    }
}
