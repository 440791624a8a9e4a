//! What happens during a run, as it happens.

use std::path::PathBuf;

use serde::Serialize;
use tokio::sync::broadcast;

use super::{Tally, event_log};
use crate::Books;

/// Events that a slow listener may fall behind by before it misses some.
const BACKLOG: usize = 4096;

/// Something that happened during a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The plan is in the working state; this much is to be done.
    Planned {
        /// Shards.
        shards: u64,
        /// Documents that are not deleted.
        documents: u64,
        /// Stored bytes, compressed.
        bytes: u64,
    },
    /// What is to be known of an index before its documents are written: comes before `Planned`.
    Warning {
        /// The index.
        index: String,
        /// What is to be known, for example that its documents are incomplete.
        warning: String,
    },
    /// The fleet was told to be of another size.
    FleetChanged {
        /// Workers that are wanted.
        desired: u64,
        /// What its platform says.
        line: String,
    },
    /// A stop has sent everybody away and is about to write the working state to a file.
    Archiving,
    /// A stop waits for workers that still hold items.
    WaitingForWorkers,
    /// The working state is in a file, and is about to be deleted.
    Archived {
        /// The file.
        file: PathBuf,
    },
    /// The working state is deleted. Where workers of other machines used it, a stop looks again whether one of them made it
    /// anew.
    LookingAgain {
        /// When.
        after_seconds: u64,
    },
    /// A worker took an item.
    ItemStarted {
        /// Its index.
        index: String,
        /// Its shard.
        shard: u32,
        /// Who took it.
        worker: String,
    },
    /// A bulk is settled.
    Progress {
        /// Its index.
        index: String,
        /// Its shard.
        shard: u32,
        /// Documents settled by it.
        documents: u64,
        /// Source bytes written by it.
        bytes: u64,
    },
    /// The target refused a document for good.
    DocumentFailed {
        /// Its index.
        index: String,
        /// Its shard.
        shard: u32,
        /// Its id.
        id: String,
        /// Why.
        reason: String,
    },
    /// An item is done and its books balance.
    ItemCompleted {
        /// Its index.
        index: String,
        /// Its shard.
        shard: u32,
        /// Live documents it has.
        live: u64,
        /// What became of them.
        books: Books,
    },
    /// Work on an item failed; it is tried again or, past the limit, quarantined.
    ItemFailed {
        /// Its index.
        index: String,
        /// Its shard.
        shard: u32,
        /// Why.
        reason: String,
    },
    /// A worker has an item no more: its lease ran out, or another has it.
    LeaseLost {
        /// Its index.
        index: String,
        /// Its shard.
        shard: u32,
        /// Who had it.
        worker: String,
    },
    /// More or fewer bulks of a worker may be out at a time.
    ConcurrencyChanged {
        /// Which worker.
        worker: String,
        /// How many.
        limit: usize,
        /// Why.
        reason: String,
    },
    /// No bulk begins any more: the target is to recover. Leases are renewed meanwhile.
    SendingPaused {
        /// Why.
        reason: String,
    },
    /// Bulks begin again.
    SendingResumed {
        /// How long none began.
        after_seconds: u64,
    },
    /// Other ceilings of what is sent: none is no ceiling.
    RateLimitChanged {
        /// Documents a second.
        documents_per_second: Option<u64>,
        /// Bytes a second.
        bytes_per_second: Option<u64>,
    },
    /// A ceiling holds a bulk up; told once for each setting of the ceilings.
    RateLimited {
        /// How long this one waits.
        wait_milliseconds: u64,
    },
    /// A worker is gone.
    WorkerEnded {
        /// Which one.
        worker: String,
        /// Why, when it was an error.
        error: Option<String>,
    },
}

/// Where events are put. Nobody need listen.
#[derive(Clone, Debug)]
pub(crate) struct EventSender {
    channel: broadcast::Sender<Event>,
    tally: Tally,
}

impl EventSender {
    #[cfg(test)]
    pub(crate) fn new() -> Self {
        Self::counting(Tally::default())
    }

    /// Counts what happens in a tally.
    pub(crate) fn counting(tally: Tally) -> Self {
        Self { channel: broadcast::channel(BACKLOG).0, tally }
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(crate) fn send(&self, event: Event) {
        event_log::log(&event);
        self.tally.note(&event);
        // An error means that nobody listens, which is fine.
        let _ = self.channel.send(event);
    }

    pub(crate) fn listen(&self) -> EventStream {
        EventStream(self.channel.subscribe())
    }
}

/// The events of a run from the moment of listening on.
#[derive(Debug)]
pub struct EventStream(broadcast::Receiver<Event>);

impl EventStream {
    /// The next event; `None` when the controller is gone. A listener that is too slow misses events, never blocks the run.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match self.0.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::debug!(missed, "events missed")
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}
