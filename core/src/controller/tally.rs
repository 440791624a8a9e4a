//! What the workers of a process have done and hold, counted as it happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::Event;

/// What the workers of a process have done and hold, counted as it happens: for metrics, and to judge whether they come
/// forward. Its clones are one tally; one tally may go through several runs.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    documents: AtomicU64,
    bytes: AtomicU64,
    bulks: AtomicU64,
    retries: AtomicU64,
    failed_documents: AtomicU64,
    items_taken: AtomicU64,
    items_completed: AtomicU64,
    items_failed: AtomicU64,
    leases_lost: AtomicU64,
    leases_held: AtomicU64,
    advances: AtomicU64,
}

/// A tally at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Figures {
    /// Documents settled: written, failed or skipped.
    pub documents: u64,
    /// Source bytes written.
    pub bytes: u64,
    /// Bulk requests begun, those that were sent again among them.
    pub bulks: u64,
    /// Bulk requests begun because an earlier one, or a part of it, was not taken.
    pub retries: u64,
    /// Documents that the target refused for good.
    pub failed_documents: u64,
    /// Work items taken.
    pub items_taken: u64,
    /// Work items completed.
    pub items_completed: u64,
    /// Attempts at work items that failed.
    pub items_failed: u64,
    /// Leases that were lost: they ran out, or another worker has the item.
    pub leases_lost: u64,
    /// Work items held now.
    pub leases_held: u64,
    /// Grows with everything that comes forward: a batch that is settled, an item that is taken or ended.
    pub advances: u64,
}

impl Tally {
    /// How it stands.
    pub fn figures(&self) -> Figures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &*self.0;
        Figures {
            documents: read(&counters.documents),
            bytes: read(&counters.bytes),
            bulks: read(&counters.bulks),
            retries: read(&counters.retries),
            failed_documents: read(&counters.failed_documents),
            items_taken: read(&counters.items_taken),
            items_completed: read(&counters.items_completed),
            items_failed: read(&counters.items_failed),
            leases_lost: read(&counters.leases_lost),
            leases_held: read(&counters.leases_held),
            advances: read(&counters.advances),
        }
    }

    /// Takes an event in.
    pub(super) fn note(&self, event: &Event) {
        let counters = &*self.0;
        match event {
            Event::Progress { documents, bytes, .. } => {
                add(&counters.documents, *documents);
                add(&counters.bytes, *bytes);
            }
            Event::DocumentFailed { .. } => return add(&counters.failed_documents, 1),
            Event::ItemStarted { .. } => add(&counters.items_taken, 1),
            Event::ItemCompleted { .. } => add(&counters.items_completed, 1),
            Event::ItemFailed { .. } => add(&counters.items_failed, 1),
            Event::LeaseLost { .. } => add(&counters.leases_lost, 1),
            _ => return,
        }
        add(&counters.advances, 1);
    }

    /// A bulk request begins.
    pub(crate) fn bulk(&self, again: bool) {
        add(&self.0.bulks, 1);
        add(&self.0.retries, u64::from(again));
    }

    /// An item is held as long as the result is.
    pub(crate) fn hold(&self) -> Hold {
        add(&self.0.leases_held, 1);
        Hold(self.clone())
    }
}

/// An item that is held.
#[derive(Debug)]
pub(crate) struct Hold(Tally);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.0.leases_held.fetch_sub(1, Ordering::Relaxed);
    }
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_is_counted_and_what_is_let_go_is_no_longer_held() {
        let tally = Tally::default();
        let held = tally.hold();
        let (index, shard) = ("i".to_owned(), 0);
        let worker = "w".to_owned();
        tally.note(&Event::ItemStarted { index: index.clone(), shard, worker });
        tally.note(&Event::Progress { index, shard, documents: 5, bytes: 70 });
        tally.bulk(false);
        tally.bulk(true);
        let figures = tally.figures();
        assert_eq!((figures.documents, figures.bytes, figures.leases_held), (5, 70, 1));
        assert_eq!((figures.bulks, figures.retries, figures.advances), (2, 1, 2));
        drop(held);
        assert_eq!(tally.figures().leases_held, 0);
    }
}
