//! What a status shows: all items, summed up.

use std::collections::BTreeMap;

use super::{Rate, StoreTime, WorkItem};
use crate::Books;

/// At most so many failed items are named one by one; [`Tally::quarantined`] counts them all.
pub(super) const NAMED_FAILURES: usize = 1000;

/// How many items or shards are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub total: u64,
    /// Done.
    pub completed: u64,
    /// Held by a worker; a shard: any item of it.
    pub in_progress: u64,
    /// Waiting for a worker; a shard: none of its items is held, and some wait.
    pub unclaimed: u64,
    /// Given up; a shard: some item is, and none of the others is held or waits.
    pub quarantined: u64,
}

impl Tally {
    #[cfg(feature = "http")]
    pub(super) fn add(&mut self, other: Self) {
        self.total += other.total;
        self.completed += other.completed;
        self.in_progress += other.in_progress;
        self.unclaimed += other.unclaimed;
        self.quarantined += other.quarantined;
    }

    pub(super) fn count(&mut self, state: ShardState) {
        self.total += 1;
        *match state {
            ShardState::Held => &mut self.in_progress,
            ShardState::Unclaimed => &mut self.unclaimed,
            ShardState::Quarantined => &mut self.quarantined,
            ShardState::Completed => &mut self.completed,
        } += 1;
    }
}

/// A part of a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The part.
    pub done: u64,
    /// The whole.
    pub total: u64,
}

/// The items of one index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexTotals {
    /// Its items.
    pub items: Tally,
    /// Its shards.
    pub shards: Tally,
    /// Document numbers, deleted ones included.
    pub documents: Part,
    /// Stored bytes.
    pub bytes: Part,
    /// What became of its documents.
    pub books: Books,
    /// Live documents of its completed items.
    pub live: u64,
}

/// An item that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedItem {
    /// [`WorkItem::id`].
    pub id: String,
    /// Its index.
    pub index: String,
    /// Its shard.
    pub shard: u32,
    /// Its first document.
    pub first: u32,
    /// Its end.
    pub end: u32,
    /// How far it is acknowledged.
    pub next: u32,
    /// Why.
    pub reason: String,
    /// Who had it last.
    pub worker: Option<String>,
    /// Failures in a row without progress.
    pub attempts: u32,
}

/// All items of a session, summed up at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemTotals {
    /// The moment.
    pub at: StoreTime,
    /// Items.
    pub items: Tally,
    /// Shards.
    pub shards: Tally,
    /// Document numbers, deleted ones included.
    pub documents: Part,
    /// Stored bytes; the part that is done is estimated within an item.
    pub bytes: Part,
    /// What became of the documents.
    pub books: Books,
    /// How fast the workers are that hold items.
    pub rate: Rate,
    /// The same by index.
    pub indices: BTreeMap<String, IndexTotals>,
    /// Items that were given up, at most a thousand of them.
    pub failed: Vec<FailedItem>,
    /// The held item whose lease was renewed longest ago: its id and its expiration.
    pub oldest_lease: Option<(String, StoreTime)>,
    /// When the first item was leased.
    pub started_at: Option<StoreTime>,
    /// When the last item was completed, once all are.
    pub finished_at: Option<StoreTime>,
}

/// In the order in which they decide about a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ShardState {
    Held,
    Unclaimed,
    Quarantined,
    Completed,
}

/// Sums up items one by one, in any order. What it keeps grows with the shards, not with the items.
#[derive(Debug)]
pub struct TotalsBuilder {
    totals: ItemTotals,
    shards: BTreeMap<String, BTreeMap<u32, ShardState>>,
    last_completion: Option<StoreTime>,
}

impl TotalsBuilder {
    /// Nothing so far, as of `at`.
    pub fn new(at: StoreTime) -> Self {
        let totals = ItemTotals { at, ..ItemTotals::default() };
        Self { totals, shards: BTreeMap::new(), last_completion: None }
    }

    /// Adds an item.
    pub fn add(&mut self, item: &WorkItem) {
        let state = self.state(item);
        self.totals.items.count(state);
        let index = self.totals.indices.entry(item.index.clone()).or_default();
        index.items.count(state);
        for (documents, bytes) in [
            (&mut index.documents, &mut index.bytes),
            (&mut self.totals.documents, &mut self.totals.bytes),
        ] {
            documents.done += u64::from(item.documents_done());
            documents.total += u64::from(item.documents());
            bytes.done += item.bytes_done();
            bytes.total += item.bytes;
        }
        index.books.add(&item.books);
        index.live += item.live.unwrap_or_default();
        self.totals.books.add(&item.books);
        let shard = self.shards.entry(item.index.clone()).or_default();
        shard.entry(item.shard).and_modify(|known| *known = state.min(*known)).or_insert(state);
        self.add_times(item, state);
        if state == ShardState::Held {
            self.totals.rate.add(item.rate);
        }
        if state == ShardState::Quarantined && self.totals.failed.len() < NAMED_FAILURES {
            self.totals.failed.push(failed(item));
        }
    }

    /// The sums.
    pub fn finish(mut self) -> ItemTotals {
        for (index, shards) in self.shards {
            let of_index = self.totals.indices.entry(index).or_default();
            for state in shards.into_values() {
                of_index.shards.count(state);
                self.totals.shards.count(state);
            }
        }
        if self.totals.items.completed == self.totals.items.total {
            self.totals.finished_at = self.last_completion;
        }
        self.totals
    }

    fn state(&self, item: &WorkItem) -> ShardState {
        if item.is_completed() {
            ShardState::Completed
        } else if item.quarantined {
            ShardState::Quarantined
        } else if item.is_held(self.totals.at) {
            ShardState::Held
        } else {
            ShardState::Unclaimed
        }
    }

    fn add_times(&mut self, item: &WorkItem, state: ShardState) {
        let totals = &mut self.totals;
        totals.started_at = totals.started_at.into_iter().chain(item.started_at).min();
        self.last_completion = self.last_completion.max(item.completed_at);
        let older = |(_, oldest): &(String, StoreTime)| item.expiration < *oldest;
        if state == ShardState::Held && totals.oldest_lease.as_ref().is_none_or(older) {
            totals.oldest_lease = Some((item.id(), item.expiration));
        }
    }
}

pub(super) fn failed(item: &WorkItem) -> FailedItem {
    FailedItem {
        id: item.id(),
        index: item.index.clone(),
        shard: item.shard,
        first: item.first,
        end: item.end,
        next: item.checkpoint.next,
        reason: item.last_error.clone().unwrap_or_default(),
        worker: item.last_worker.clone(),
        attempts: item.attempts.max(item.deaths),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: StoreTime = StoreTime(100_000);

    fn sum(items: &[WorkItem]) -> ItemTotals {
        let mut builder = TotalsBuilder::new(NOW);
        items.iter().for_each(|item| builder.add(item));
        builder.finish()
    }

    fn completed(mut item: WorkItem, at: u64) -> WorkItem {
        item.checkpoint.next = item.end;
        item.completed_at = Some(StoreTime::from_secs(at));
        item.started_at = Some(StoreTime::from_secs(at - 1));
        item.books.written = 10;
        item.live = Some(10);
        item
    }

    fn held(mut item: WorkItem, until: StoreTime) -> WorkItem {
        item.lease_holder = Some("w".into());
        item.expiration = until;
        item.rate.documents = 7;
        item
    }

    #[test]
    fn shards_are_judged_by_all_their_items() {
        let part = |shard, first: u32| WorkItem::new("a", shard, first..first + 10).sized(100, 2);
        let quarantined = WorkItem { quarantined: true, ..part(2, 0) };
        let totals = sum(&[
            completed(part(0, 0), 50),
            completed(part(0, 10), 60),
            completed(part(1, 0), 70),
            held(part(1, 10), NOW),
            quarantined,
            completed(part(2, 10), 70),
            part(3, 0),
            held(part(3, 10), StoreTime(99_000)),
        ]);
        let expected =
            Tally { total: 4, completed: 1, in_progress: 1, unclaimed: 1, quarantined: 1 };
        assert_eq!(totals.shards, expected);
        assert_eq!(totals.indices["a"].shards, expected);
        assert_eq!(totals.items.total, 8);
        assert_eq!(totals.failed.len(), 1);
        assert_eq!(totals.finished_at, None);
        assert_eq!(totals.started_at, Some(StoreTime::from_secs(49)));
        assert_eq!(totals.documents, Part { done: 40, total: 80 });
        assert_eq!(totals.bytes, Part { done: 400, total: 800 });
        assert_eq!(totals.rate.documents, 7, "a lease that ran out says nothing of now");
    }

    #[test]
    fn a_finished_run_says_when() {
        let totals = sum(&[
            completed(WorkItem::new("a", 0, 0..10), 50),
            completed(WorkItem::new("b", 0, 0..10), 40),
        ]);
        assert_eq!(totals.finished_at, Some(StoreTime::from_secs(50)));
        assert_eq!((totals.books.written, totals.indices["b"].live), (20, 10));
    }
}
