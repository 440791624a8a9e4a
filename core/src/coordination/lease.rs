//! Every rule about leases, as one pure function: an item, the time and an event give the item after it, or a refusal.
//!
//! Stores only compare and set what comes out of here, so that the rules can be tested by the million without one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Checkpoint, Rate, StoreTime, WorkItem};
use crate::{Books, Error, ErrorKind};

/// The numbers in the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRules {
    /// How long a lease runs from its last renewal.
    pub length: Duration,
    /// How long after its end a lease is left alone, and how long before its end the last bulk must have ended: more than
    /// the clocks may be apart.
    pub margin: Duration,
    /// Failures in a row without progress, for causes in the item, after which it is quarantined.
    pub max_attempts: u32,
    /// Holders in a row that vanish without progress, after which it is quarantined.
    pub max_deaths: u32,
}

impl Default for LeaseRules {
    fn default() -> Self {
        Self {
            length: Duration::from_secs(60),
            margin: Duration::from_secs(5),
            max_attempts: 3,
            max_deaths: 10,
        }
    }
}

impl LeaseRules {
    /// The rules for leases of this length: the usual ones, with a margin that leaves room in a short lease.
    pub fn for_length(length: Duration) -> Self {
        let usual = Self::default();
        Self { length, margin: usual.margin.min(length / 6), ..usual }
    }

    /// The longest that a bulk may take within such leases, at most `usual`: half of one.
    pub fn bulk_timeout(&self, usual: Duration) -> Duration {
        usual.min(self.length / 2)
    }

    /// Refuses a bulk timeout that leaves next to no time of a lease to begin a bulk in.
    ///
    /// # Errors
    /// `Config`, with both numbers.
    pub fn require_room_for(&self, bulk_timeout: Duration) -> Result<(), Error> {
        if bulk_timeout.saturating_add(self.margin) <= self.length * 7 / 8 {
            return Ok(());
        }
        let message = format!(
            "a lease of {:?} is too short for bulks that may take {bulk_timeout:?}: a bulk must end {:?} before its lease; lengthen the lease or shorten the bulk timeout",
            self.length, self.margin
        );
        Err(Error::new(ErrorKind::Config, message))
    }
}

/// One lease: a worker, and which of its leases of the item. A later lease of the same worker is another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeaseToken {
    /// The holder.
    pub worker: String,
    /// [`WorkItem::lease_version`] as it was given.
    pub version: u64,
}

/// How far a worker has come: what it writes with every word about its lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The acknowledged prefix.
    pub checkpoint: Checkpoint,
    /// The books of that prefix.
    pub books: Books,
    /// How fast the worker is.
    pub rate: Rate,
}

impl Progress {
    /// How far an item is known to be.
    pub fn of(item: &WorkItem) -> Self {
        Self {
            checkpoint: item.checkpoint.clone(),
            books: item.books.clone(),
            rate: Rate::default(),
        }
    }
}

/// Where the cause of a failure lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCause {
    /// In the item: corrupt, unsupported, a panic, out of memory. Trying again has limits.
    Item,
    /// Outside: an outage, a full disk, a wrong password. Never counts.
    Outside,
}

/// What can happen to an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseEvent {
    /// A worker asks for it.
    Acquire {
        /// Who.
        worker: String,
    },
    /// Its holder goes on.
    Renew {
        /// The lease.
        lease: LeaseToken,
        /// How far it is.
        progress: Progress,
    },
    /// Its holder lets go, for no fault of the item: a pause, a stop.
    Release {
        /// The lease.
        lease: LeaseToken,
        /// How far it is.
        progress: Progress,
    },
    /// Its holder has done all of it.
    Complete {
        /// The lease.
        lease: LeaseToken,
        /// How far it is: the end.
        progress: Progress,
        /// Live documents of the range.
        live: u64,
    },
    /// Its holder cannot go on.
    Fail {
        /// The lease.
        lease: LeaseToken,
        /// Whose fault.
        cause: FailureCause,
        /// What happened, for people.
        reason: String,
        /// How far it is.
        progress: Progress,
    },
    /// The store knows that its holder is dead.
    Reap {
        /// The dead.
        holder: String,
    },
    /// Somebody wants a quarantined item to be tried again.
    Reopen,
    /// What a completed item read turned out to be wrong.
    Refute {
        /// How that is known.
        reason: String,
    },
}

/// Why an event is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeaseRefusal {
    /// Somebody holds it, and the lease runs.
    #[error("it is held by `{holder}`")]
    Held {
        /// Who.
        holder: String,
    },
    /// Whoever speaks does not hold it, or not any more.
    #[error("`{worker}` does not hold it{}", .holder.as_deref().map(|name| format!(", `{name}` does")).unwrap_or_default())]
    NotHolder {
        /// Who speaks.
        worker: String,
        /// Who holds it.
        holder: Option<String>,
    },
    /// It is done.
    #[error("it is completed")]
    Completed,
    /// It was given up.
    #[error("it is quarantined after: {0}")]
    Quarantined(String),
    /// The checkpoint would go back or leave the item.
    #[error("its checkpoint cannot go from {from} to {to}: it holds {first}..{end}")]
    Checkpoint {
        /// Where it is.
        from: u32,
        /// Where it would go.
        to: u32,
        /// The item's first document.
        first: u32,
        /// The item's end.
        end: u32,
    },
    /// The books say more than the checkpoint allows, or less than they said before.
    #[error(
        "its books account for {accounted} documents, {before} before, in a prefix of {prefix}"
    )]
    Books {
        /// Documents accounted for now.
        accounted: u64,
        /// Documents accounted for before.
        before: u64,
        /// Document numbers in the prefix.
        prefix: u32,
    },
    /// It cannot be completed: the end is not reached.
    #[error("it is not done: acknowledged up to {next} of {end}")]
    Unfinished {
        /// The prefix.
        next: u32,
        /// The item's end.
        end: u32,
    },
    /// It cannot be completed: the books do not balance.
    #[error("{0}")]
    Unbalanced(String),
}

impl LeaseRefusal {
    /// As the error of a call about `item`.
    pub fn into_error(self, item: &WorkItem) -> Error {
        let kind = match &self {
            Self::Held { .. } => ErrorKind::Conflict,
            Self::NotHolder { .. } => ErrorKind::LeaseLost,
            Self::Completed | Self::Quarantined(_) => ErrorKind::State,
            Self::Unfinished { .. } | Self::Unbalanced(_) => ErrorKind::Incomplete,
            Self::Checkpoint { .. } | Self::Books { .. } => ErrorKind::Unexpected,
        };
        Error::new(kind, self.to_string())
            .with_context("index", &item.index)
            .with_context("shard", item.shard)
            .with_context("documents", format!("{}..{}", item.first, item.end))
    }
}

/// What `event` makes of `item` at `now`. The only place where leases change.
///
/// Saying the last word of a lease twice is no fault: an answer may get lost, and the worker asks again.
///
/// # Errors
/// The rule that forbids it; the item then stays as it is.
pub fn apply(
    item: &WorkItem,
    now: StoreTime,
    event: &LeaseEvent,
    rules: &LeaseRules,
) -> Result<WorkItem, LeaseRefusal> {
    match event {
        LeaseEvent::Acquire { worker } => acquire(item, now, worker, rules),
        LeaseEvent::Renew { lease, progress } => renew(item, now, lease, progress, rules),
        LeaseEvent::Release { lease, progress } => release(item, lease, progress),
        LeaseEvent::Complete { lease, progress, live } => {
            complete(item, now, lease, progress, *live)
        }
        LeaseEvent::Fail { lease, cause, reason, progress } => {
            fail(item, lease, progress, *cause, reason, rules)
        }
        LeaseEvent::Reap { holder } => reap(item, holder, rules),
        LeaseEvent::Reopen => reopen(item),
        LeaseEvent::Refute { reason } => Ok(refute(item, reason)),
    }
}

fn acquire(
    item: &WorkItem,
    now: StoreTime,
    worker: &str,
    rules: &LeaseRules,
) -> Result<WorkItem, LeaseRefusal> {
    open(item)?;
    if !item.is_claimable(now.minus(rules.margin)) {
        let holder = item.lease_holder.clone().unwrap_or_default();
        return Err(LeaseRefusal::Held { holder });
    }
    let mut item = item.clone();
    if let Some(holder) = item.lease_holder.take() {
        bury(&mut item, &holder, rules);
        if item.quarantined {
            return Ok(item);
        }
    }
    item.lease_holder = Some(worker.to_owned());
    item.last_worker = Some(worker.to_owned());
    item.lease_version = item.lease_version.saturating_add(1);
    item.expiration = now.plus(rules.length).ceil();
    item.started_at = item.started_at.or(Some(now.floor()));
    Ok(item)
}

fn renew(
    item: &WorkItem,
    now: StoreTime,
    lease: &LeaseToken,
    progress: &Progress,
    rules: &LeaseRules,
) -> Result<WorkItem, LeaseRefusal> {
    held(item, lease)?;
    let mut item = advance(item, progress)?;
    // Never shorter than before: a store's clock may be set back, and the holder counts on what it was told.
    item.expiration = item.expiration.max(now.plus(rules.length).ceil());
    Ok(item)
}

fn release(
    item: &WorkItem,
    lease: &LeaseToken,
    progress: &Progress,
) -> Result<WorkItem, LeaseRefusal> {
    if has_ended(item, lease) {
        return Ok(item.clone());
    }
    held(item, lease)?;
    let mut item = advance(item, progress)?;
    free(&mut item);
    Ok(item)
}

fn complete(
    item: &WorkItem,
    now: StoreTime,
    lease: &LeaseToken,
    progress: &Progress,
    live: u64,
) -> Result<WorkItem, LeaseRefusal> {
    if item.is_completed() && has_ended(item, lease) {
        return Ok(item.clone());
    }
    held(item, lease)?;
    let mut item = advance(item, progress)?;
    let (next, end) = (item.checkpoint.next, item.end);
    if next != end {
        return Err(LeaseRefusal::Unfinished { next, end });
    }
    item.books
        .balance(live)
        .map_err(|error| LeaseRefusal::Unbalanced(error.message().to_owned()))?;
    item.live = Some(live);
    item.completed_at = Some(now.floor());
    free(&mut item);
    Ok(item)
}

/// Only a failure in the item that came no further than the item was counts against it.
fn fail(
    item: &WorkItem,
    lease: &LeaseToken,
    progress: &Progress,
    cause: FailureCause,
    reason: &str,
    rules: &LeaseRules,
) -> Result<WorkItem, LeaseRefusal> {
    if has_ended(item, lease) {
        return Ok(item.clone());
    }
    held(item, lease)?;
    // A worker that fails may have broken books. Its failure is to be known all the same; its progress is then forgone.
    let mut failed = advance(item, progress).unwrap_or_else(|_| item.clone());
    free(&mut failed);
    failed.last_error = Some(reason.to_owned());
    if cause == FailureCause::Item && failed.checkpoint.next == item.checkpoint.next {
        failed.attempts = failed.attempts.saturating_add(1);
        failed.quarantined = failed.attempts >= rules.max_attempts;
    }
    Ok(failed)
}

fn reap(item: &WorkItem, holder: &str, rules: &LeaseRules) -> Result<WorkItem, LeaseRefusal> {
    open(item)?;
    if item.lease_holder.as_deref() != Some(holder) {
        let now = item.lease_holder.clone();
        return Err(LeaseRefusal::NotHolder { worker: holder.to_owned(), holder: now });
    }
    let mut item = item.clone();
    bury(&mut item, holder, rules);
    Ok(item)
}

/// A completed item becomes one that was given up. Its checkpoint and books stay: they say what was written.
fn refute(item: &WorkItem, reason: &str) -> WorkItem {
    if !item.is_completed() {
        return item.clone();
    }
    WorkItem {
        completed_at: None,
        quarantined: true,
        last_error: Some(reason.to_owned()),
        ..item.clone()
    }
}

fn reopen(item: &WorkItem) -> Result<WorkItem, LeaseRefusal> {
    if item.is_completed() {
        return Err(LeaseRefusal::Completed);
    }
    let mut item = item.clone();
    if item.quarantined {
        item.quarantined = false;
        item.attempts = 0;
        item.deaths = 0;
        if item.checkpoint.next == item.end {
            // It was read to its end, and that was wrong: only reading it all again may help.
            item.checkpoint =
                Checkpoint { next: item.first, sent: item.end, ..Checkpoint::default() };
            item.books = Books::default();
            item.live = None;
        }
    }
    Ok(item)
}

/// The holder vanished without a word.
fn bury(item: &mut WorkItem, holder: &str, rules: &LeaseRules) {
    free(item);
    item.deaths = item.deaths.saturating_add(1);
    if item.deaths >= rules.max_deaths {
        item.quarantined = true;
        let reason = format!(
            "{} workers vanished on it without progress, the last was `{holder}`",
            item.deaths
        );
        item.last_error = Some(match item.last_error.take() {
            Some(before) => format!("{reason}; before that: {before}"),
            None => reason,
        });
    }
}

fn free(item: &mut WorkItem) {
    item.lease_holder = None;
    item.expiration = StoreTime::ZERO;
    item.rate = Rate::default();
}

fn open(item: &WorkItem) -> Result<(), LeaseRefusal> {
    if item.is_completed() {
        return Err(LeaseRefusal::Completed);
    }
    if item.quarantined {
        return Err(LeaseRefusal::Quarantined(item.last_error.clone().unwrap_or_default()));
    }
    Ok(())
}

/// A lease that ran out is still held until somebody takes it: nobody else has touched the item.
fn held(item: &WorkItem, lease: &LeaseToken) -> Result<(), LeaseRefusal> {
    let same = item.lease_holder.as_deref() == Some(lease.worker.as_str())
        && item.lease_version == lease.version;
    if same {
        return Ok(());
    }
    let (worker, holder) = (lease.worker.clone(), item.lease_holder.clone());
    Err(LeaseRefusal::NotHolder { worker, holder })
}

/// Whether `lease` was the last one and is over.
fn has_ended(item: &WorkItem, lease: &LeaseToken) -> bool {
    item.lease_holder.is_none()
        && item.lease_version == lease.version
        && item.last_worker.as_deref() == Some(lease.worker.as_str())
}

/// The item with the progress of its holder. Progress clears what was counted against the item.
fn advance(item: &WorkItem, progress: &Progress) -> Result<WorkItem, LeaseRefusal> {
    let (from, to) = (item.checkpoint.next, progress.checkpoint.next);
    if to < from || to > item.end {
        return Err(LeaseRefusal::Checkpoint { from, to, first: item.first, end: item.end });
    }
    let (accounted, before) = (progress.books.accounted(), item.books.accounted());
    let prefix = to.saturating_sub(item.first);
    if accounted < before || accounted > u64::from(prefix) {
        return Err(LeaseRefusal::Books { accounted, before, prefix });
    }
    let mut item = item.clone();
    if to > from {
        item.attempts = 0;
        item.deaths = 0;
    }
    let sent = progress.checkpoint.sent.max(item.checkpoint.sent).max(to).min(item.end);
    item.checkpoint = Checkpoint { sent, ..progress.checkpoint.clone() };
    item.books = progress.books.clone();
    item.rate = progress.rate;
    Ok(item)
}

#[cfg(test)]
mod tests;
