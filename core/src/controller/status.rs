//! How a backfill stands.

use std::fmt;

use serde::Serialize;

use crate::coordination::{ItemTotals, Rate, Tally};
use crate::fleet::FleetKind;
use crate::settings::RateLimits;
use crate::{Books, SkipReason};

/// Whether workers are at it. Follows the fleet, not the work: it stays `Running` while workers are up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BackfillStatus {
    /// Nothing was ever started under this session.
    NotStarted,
    /// Workers are on their way.
    Starting,
    /// Workers are up.
    Running,
    /// Workers are going away.
    Terminating,
    /// No worker is up.
    Stopped,
    /// The fleet itself has failed.
    Failed,
}

impl BackfillStatus {
    /// What a fleet's counts mean. `is_known`: something was planned under the session.
    pub(crate) fn of(kind: FleetKind, fleet: FleetCounts, is_known: bool) -> Self {
        let is_leaving = fleet.terminating > 0 && fleet.desired == 0;
        match kind {
            FleetKind::Kubernetes if is_leaving => Self::Terminating,
            _ if fleet.running > 0 => Self::Running,
            _ if fleet.pending > 0 => Self::Starting,
            _ if fleet.terminating > 0 => Self::Terminating,
            FleetKind::Tasks | FleetKind::Processes if !is_known => Self::NotStarted,
            _ => Self::Stopped,
        }
    }
}

impl fmt::Display for BackfillStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStarted => "NOT_STARTED",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Terminating => "TERMINATING",
            Self::Stopped => "STOPPED",
            Self::Failed => "FAILED",
        })
    }
}

/// How many workers there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FleetCounts {
    /// Up.
    pub running: u64,
    /// On their way.
    pub pending: u64,
    /// Wanted.
    pub desired: u64,
    /// Going away.
    pub terminating: u64,
}

/// The short status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// In a word.
    pub status: BackfillStatus,
    /// The fleet.
    #[serde(flatten)]
    pub fleet: FleetCounts,
}

/// The deep status: the fleet and the work.
#[derive(Clone, Debug, Serialize)]
pub struct DeepStatus {
    /// The short status.
    #[serde(flatten)]
    pub status: Status,
    /// Whether planning is done; until then the counts below are incomplete.
    pub planned: bool,
    /// The work.
    pub work: Work,
    /// How the run ended, once it has.
    pub end: Option<RunEnd>,
    /// How fast documents are sent.
    pub sending: Sending,
}

/// How fast documents are sent, and whether they are sent at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sending {
    /// Why nothing is sent now, if so.
    pub paused: Option<String>,
    /// Ceilings of each worker process.
    pub limits: RateLimits,
    /// The workers of this process; those of others are not seen.
    pub workers: Vec<WorkerSending>,
}

/// How fast a worker sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkerSending {
    /// Its name.
    pub worker: String,
    /// Bulks that are out.
    pub in_flight: usize,
    /// Bulks that may be out at a time now.
    pub limit: usize,
    /// Bulks that may be out at a time when the target takes them well.
    pub most: usize,
}

/// The work of a session, summed up.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Work {
    /// Shards by state.
    pub shards: Counts,
    /// Items by state.
    pub items: Counts,
    /// Stored bytes done and in all, compressed.
    pub bytes_done: u64,
    /// Stored bytes in all, compressed.
    pub bytes_total: u64,
    /// Document numbers done, dead ones included.
    pub documents_done: u64,
    /// Document numbers in all, dead ones included.
    pub documents_total: u64,
    /// What became of the documents.
    pub books: Books,
    /// How fast the workers were in the last minute, each as it last said.
    pub rate: Rate,
    /// Seconds until all is done at this rate, by stored bytes; none while that cannot be told, or nothing is left.
    pub eta_seconds: Option<u64>,
    /// By index, sorted by name.
    pub indices: Vec<IndexWork>,
    /// Items that were given up.
    pub failed: Vec<FailedWork>,
    /// The item that is held longest without a word of its holder.
    pub oldest_lease: Option<OldestLease>,
    /// When the first item was taken, seconds since the epoch.
    pub started: Option<u64>,
    /// When the last item was done, seconds since the epoch.
    pub finished: Option<u64>,
}

/// How many are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All.
    pub total: u64,
    /// Done.
    pub completed: u64,
    /// Not done: in progress, waiting or given up.
    pub incomplete: u64,
    /// Held by a worker.
    pub in_progress: u64,
    /// Waiting for a worker.
    pub unclaimed: u64,
    /// Given up after repeated failures.
    pub failed: u64,
}

impl From<Tally> for Counts {
    fn from(tally: Tally) -> Self {
        Self {
            total: tally.total,
            completed: tally.completed,
            incomplete: tally.total - tally.completed,
            in_progress: tally.in_progress,
            unclaimed: tally.unclaimed,
            failed: tally.quarantined,
        }
    }
}

/// The work on one index.
#[derive(Clone, Debug, Serialize)]
pub struct IndexWork {
    /// Its name.
    pub index: String,
    /// Its shards by state.
    pub shards: Counts,
    /// Document numbers done, dead ones included.
    pub documents_done: u64,
    /// Document numbers in all, dead ones included.
    pub documents_total: u64,
    /// Stored bytes done, compressed.
    pub bytes_done: u64,
    /// Stored bytes in all, compressed.
    pub bytes_total: u64,
    /// Live documents of its completed items.
    pub live: u64,
    /// What became of its documents.
    pub books: Books,
}

/// A lease, and when it runs out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OldestLease {
    /// The item's id.
    pub item: String,
    /// When it runs out unless it is renewed, seconds since the epoch of the working state's clock.
    pub expires: u64,
    /// How many seconds that is from now.
    pub seconds_left: u64,
}

/// An item that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedWork {
    /// Its index.
    pub index: String,
    /// Its shard.
    pub shard: u32,
    /// Why.
    pub reason: String,
    /// Who had it last.
    pub worker: Option<String>,
    /// How often it was tried in vain.
    pub attempts: u32,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// Every item is done, nothing failed, nothing was skipped by loss.
    Completed,
    /// Every item is done, but documents failed or were skipped by loss.
    CompletedWithErrors,
    /// Some item was given up.
    Failed,
}

impl Work {
    pub(crate) fn of(totals: &ItemTotals) -> Self {
        let indices = totals.indices.iter().map(|(index, of_index)| IndexWork {
            index: index.clone(),
            shards: of_index.shards.into(),
            documents_done: of_index.documents.done,
            documents_total: of_index.documents.total,
            bytes_done: of_index.bytes.done,
            bytes_total: of_index.bytes.total,
            live: of_index.live,
            books: of_index.books.clone(),
        });
        let failed = totals.failed.iter().map(|item| FailedWork {
            index: item.index.clone(),
            shard: item.shard,
            reason: item.reason.clone(),
            worker: item.worker.clone(),
            attempts: item.attempts,
        });
        Self {
            shards: totals.shards.into(),
            items: totals.items.into(),
            bytes_done: totals.bytes.done,
            bytes_total: totals.bytes.total,
            documents_done: totals.documents.done,
            documents_total: totals.documents.total,
            books: totals.books.clone(),
            rate: totals.rate,
            eta_seconds: eta(totals),
            indices: indices.collect(),
            failed: failed.collect(),
            oldest_lease: totals.oldest_lease.as_ref().map(|(item, until)| OldestLease {
                item: item.clone(),
                expires: until.as_secs(),
                seconds_left: until.since(totals.at).as_secs(),
            }),
            started: totals.started_at.map(|time| time.as_secs()),
            finished: totals.finished_at.map(|time| time.as_secs()),
        }
    }

    /// How the run ended; `None` while work is left.
    pub fn end(&self) -> Option<RunEnd> {
        if self.items.in_progress + self.items.unclaimed > 0 {
            return None;
        }
        Some(if self.items.failed > 0 {
            RunEnd::Failed
        } else if self.books.failed > 0 || self.books.skipped_by_loss() > 0 {
            RunEnd::CompletedWithErrors
        } else {
            RunEnd::Completed
        })
    }

    /// Documents skipped, by reason, most first.
    pub fn skips(&self) -> Vec<(SkipReason, u64)> {
        let mut skips: Vec<_> =
            self.books.skipped.iter().map(|(reason, count)| (*reason, *count)).collect();
        skips.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        skips
    }
}

/// By bytes, since documents differ in size.
fn eta(totals: &ItemTotals) -> Option<u64> {
    let left = totals.bytes.total.saturating_sub(totals.bytes.done);
    (left > 0).then(|| left.checked_div(totals.rate.stored)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordination::Part;

    fn work(in_progress: u64, failed: u64) -> Work {
        let items = Counts { in_progress, failed, ..Counts::default() };
        Work { items, ..Work::default() }
    }

    #[test]
    fn a_run_ends_when_no_item_is_left_to_work_on() {
        assert_eq!(work(1, 1).end(), None);
        assert_eq!(work(0, 1).end(), Some(RunEnd::Failed));
        assert_eq!(work(0, 0).end(), Some(RunEnd::Completed));
    }

    #[test]
    fn losses_make_a_run_complete_with_errors_and_requests_do_not() {
        let mut lossy = work(0, 0);
        lossy.books.skip(SkipReason::Limit, 1);
        assert_eq!(lossy.end(), Some(RunEnd::Completed));
        lossy.books.skip(SkipReason::SourceDisabled, 1);
        assert_eq!(lossy.end(), Some(RunEnd::CompletedWithErrors));
    }

    #[test]
    fn the_end_is_estimated_by_bytes() {
        let part = |done, total| Part { done, total };
        let mut totals = ItemTotals { bytes: part(400, 1000), ..ItemTotals::default() };
        assert_eq!(eta(&totals), None, "nobody works");
        totals.rate.stored = 20;
        assert_eq!(eta(&totals), Some(30));
        totals.bytes = part(1000, 1000);
        assert_eq!(eta(&totals), None, "nothing is left");
    }
}
