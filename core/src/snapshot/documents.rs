//! The documents of a shard as a stream of batches, bounded by bytes.
//!
//! Decoding is synchronous and runs on a thread of its own; batches reach the caller through a channel. Every batch
//! holds its share of a memory budget until it is dropped, so that a slow consumer slows the reader down.

use std::collections::BTreeMap;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::shard::Shard;
use crate::{Books, DocumentBatch, Error, ErrorKind, Result, SkipReason};

mod reader;

/// Batches that may wait in the channel; the memory budget is the real bound.
const CHANNEL_BATCHES: usize = 16;

/// One permit of the memory budget stands for this many bytes.
const PERMIT_BYTES: usize = 1024;

/// How documents are read.
#[derive(Clone, Debug)]
pub struct DocumentsOptions {
    /// Which document numbers of the shard are meant; `None`: all.
    pub range: Option<Range<u32>>,
    /// Where to begin: the beginning of the range, or where an earlier reader of it stood.
    pub from: ReadPoint,
    /// A batch is closed before it grows past this many bytes; a larger document has a batch to itself.
    pub batch_bytes: usize,
    /// A batch is closed at this many documents.
    pub batch_documents: usize,
    /// Bytes of batches that exist at a time, read and not yet dropped. A document larger than that passes alone.
    pub memory_bytes: usize,
}

impl Default for DocumentsOptions {
    fn default() -> Self {
        Self {
            range: None,
            from: ReadPoint::default(),
            batch_bytes: 1 << 20,
            batch_documents: 10_000,
            memory_bytes: 16 << 20,
        }
    }
}

/// Where reading of a shard stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadPoint {
    /// Documents with a smaller number are done.
    pub next: u32,
    /// What is known of the segment that holds `next`, if reading stands inside one. Without it a checksum cannot be
    /// carried over the pause.
    pub segment: Option<SegmentPoint>,
    /// The part of the first segment that the range begins within, once it was read to the segment's end.
    pub head: Option<SegmentPart>,
}

/// Where reading of a segment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentPoint {
    /// Which segment of the commit, from 0.
    pub ordinal: u32,
    /// The next document, counted within the segment.
    pub doc: u32,
    /// Where the chunk that holds it begins in the stored fields file, in bytes.
    pub offset: u64,
    /// CRC-32 of the bytes from `crc_from` to `offset`; `None` when not all of them were read.
    pub crc: Option<u32>,
    /// Where in the file the first byte of the checksum is; 0 where reading began with the segment.
    pub crc_from: u64,
}

/// A part of a segment's stored fields file that was read, and its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentPart {
    /// Which segment of the commit, from 0.
    pub ordinal: u32,
    /// The first byte.
    pub from: u64,
    /// The byte after the last.
    pub to: u64,
    /// CRC-32 of these bytes.
    pub crc: u32,
}

/// Neighbouring documents of a shard, and what was left out between them.
#[derive(Debug)]
pub struct ShardBatch {
    /// The live root documents that have a source.
    pub documents: DocumentBatch,
    /// The first document number of the range that this batch covers.
    pub first: u32,
    /// Where the range ends and the next batch begins.
    pub end: ReadPoint,
    /// Live root documents of the range that cannot be sent, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// Nested children in the range: part of their root document's source, no documents of their own.
    pub nested: u64,
    /// Of the documents: stored as SMILE, CBOR or YAML, and converted to JSON.
    pub converted: u64,
    /// Of the documents: taken from `_recovery_source`.
    pub recovered: u64,
    /// Live root documents that had no `_recovery_source` where that was asked for.
    pub unrecovered: u64,
    memory: Option<OwnedSemaphorePermit>,
}

impl ShardBatch {
    /// What the books say of the batch before it is sent: everything but the documents themselves.
    pub fn aside(&self) -> Books {
        Books {
            skipped: self.skipped.clone(),
            nested: self.nested,
            converted: self.converted,
            recovered: self.recovered,
            unrecovered: self.unrecovered,
            ..Books::default()
        }
    }

    /// Lets go of the memory budget while the documents are kept elsewhere under another bound.
    pub fn release_memory(&mut self) {
        self.memory = None;
    }
}

/// A stream of [`ShardBatch`]es in order. Dropping it stops the reader.
#[derive(Debug)]
pub struct DocumentStream {
    messages: mpsc::Receiver<Message>,
    ended: bool,
    undeleted: u64,
}

#[derive(Debug)]
enum Message {
    Batch(Result<ShardBatch>),
    /// Without this word an end of the channel is a reader that died. Says how many documents of the range are not deleted.
    End(u64),
}

impl DocumentStream {
    /// The next batch; `None` when all documents have come.
    pub async fn next(&mut self) -> Option<Result<ShardBatch>> {
        std::future::poll_fn(|context| self.poll_batch(context)).await
    }

    #[cfg(feature = "local")]
    /// How many documents of the whole range are not deleted, nested children among them. Known once all have come.
    pub(crate) fn undeleted(&self) -> u64 {
        self.undeleted
    }

    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<ShardBatch>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.messages.poll_recv(context).map(|message| match message {
            Some(Message::Batch(Ok(batch))) => Some(Ok(batch)),
            Some(Message::Batch(Err(error))) => {
                self.ended = true;
                Some(Err(error))
            }
            Some(Message::End(undeleted)) => {
                self.ended = true;
                self.undeleted = undeleted;
                None
            }
            None => {
                self.ended = true;
                Some(Err(Error::new(
                    ErrorKind::Unexpected,
                    "the reader of the shard died; this is a defect",
                )))
            }
        })
    }
}

impl Stream for DocumentStream {
    type Item = Result<ShardBatch>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_batch(context)
    }
}

/// Starts the reader of a shard.
pub(crate) fn read_in_background(shard: Shard, options: DocumentsOptions) -> DocumentStream {
    let (sender, messages) = mpsc::channel(CHANNEL_BATCHES);
    let budget = Budget::new(options.memory_bytes, Handle::current());
    tokio::task::spawn_blocking(move || {
        let outlet = Outlet { sender, budget };
        let message = match reader::read(&shard, &options, &outlet) {
            Ok(Some(undeleted)) => Message::End(undeleted),
            Ok(None) => return,
            Err(error) => Message::Batch(Err(shard.locate(error))),
        };
        // Nobody listens any more: then nobody misses the message.
        let _ = outlet.sender.blocking_send(message);
    });
    DocumentStream { messages, ended: false, undeleted: 0 }
}

/// Where the reader puts its batches.
struct Outlet {
    sender: mpsc::Sender<Message>,
    budget: Budget,
}

impl Outlet {
    /// Sends a batch when there is memory for it; false when nobody wants it any more.
    fn send(&self, mut batch: ShardBatch) -> bool {
        let Some(memory) = self.budget.take(batch.documents.memory(), &self.sender) else {
            return false;
        };
        batch.memory = Some(memory);
        self.sender.blocking_send(Message::Batch(Ok(batch))).is_ok()
    }
}

struct Budget {
    permits: Arc<Semaphore>,
    total: u32,
    runtime: Handle,
}

impl Budget {
    fn new(bytes: usize, runtime: Handle) -> Self {
        let total =
            u32::try_from(bytes / PERMIT_BYTES).unwrap_or(u32::MAX >> 4).clamp(1, u32::MAX >> 4);
        Self { permits: Arc::new(Semaphore::new(total as usize)), total, runtime }
    }

    /// A document larger than the whole budget takes all of it, and so passes alone.
    fn take(&self, bytes: usize, listener: &mpsc::Sender<Message>) -> Option<OwnedSemaphorePermit> {
        let wanted =
            u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX).min(self.total);
        self.runtime.block_on(async {
            tokio::select! {
                () = listener.closed() => None,
                permit = Arc::clone(&self.permits).acquire_many_owned(wanted) => permit.ok(),
            }
        })
    }
}

#[cfg(test)]
#[cfg(feature = "local")]
mod tests;
