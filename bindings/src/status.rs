//! How a backfill stands.

use std::collections::HashMap;

use serde::Serialize;
use snapfill::controller as core;
use snapfill::settings;

use crate::backfill_options::ceiling;
use crate::convert::counts_by_name;
use crate::{Result, SnapfillError};

/// How many workers there are.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
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
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Status {
    /// `NOT_STARTED`, `STARTING`, `RUNNING`, `TERMINATING`, `STOPPED` or `FAILED`. It follows the fleet, not the work.
    pub state: String,
    /// The fleet.
    pub fleet: FleetCounts,
}

/// The deep status: the fleet and the work.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct DeepStatus {
    /// As in the short status.
    pub state: String,
    /// The fleet.
    pub fleet: FleetCounts,
    /// Whether planning is done; until then the counts are incomplete.
    pub planned: bool,
    /// The work.
    pub work: Work,
    /// `completed`, `completed_with_errors` or `failed`, once the run has ended.
    pub end: Option<String>,
    /// How fast documents are sent.
    pub sending: Sending,
}

/// The work of a session, summed up.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Work {
    /// Shards by state.
    pub shards: Counts,
    /// Work items by state.
    pub items: Counts,
    /// Stored bytes done, compressed.
    pub bytes_done: u64,
    /// Stored bytes in all, compressed.
    pub bytes_total: u64,
    /// Document numbers done, dead ones included.
    pub documents_done: u64,
    /// Document numbers in all, dead ones included.
    pub documents_total: u64,
    /// What became of the documents.
    pub books: Books,
    /// How fast the workers were in the last minute.
    pub rate: Rate,
    /// Seconds until all is done at this rate; none while that cannot be told, or nothing is left.
    pub eta_seconds: Option<u64>,
    /// By index, sorted by name.
    pub indices: Vec<IndexWork>,
    /// Items that were given up.
    pub failed: Vec<FailedWork>,
    /// When the first item was taken, milliseconds since the epoch.
    pub started_ms: Option<i64>,
    /// When the last item was done, milliseconds since the epoch.
    pub finished_ms: Option<i64>,
}

/// How many are in which state.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
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

/// What became of documents that were read. `live = written + failed + skipped - added`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Books {
    /// Acknowledged by the target.
    pub written: u64,
    /// Refused by the target for good.
    pub failed: u64,
    /// Not sent, by reason; `shard_missing` counts shards.
    pub skipped: HashMap<String, u64>,
    /// Nested children: part of their root document's source, no documents of their own.
    pub nested: u64,
    /// Of the written: already there and left alone.
    pub present: u64,
    /// Of the written: replaced another document.
    pub overwritten: u64,
    /// Source bytes of the written documents.
    pub bytes: u64,
    /// Of the written and the failed: more than one for each that was read, made by a transform.
    pub added: u64,
}

/// How fast the workers came forward in the last minute; each a second.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Rate {
    /// Documents that were settled.
    pub documents: u64,
    /// Bytes of their sources.
    pub bytes: u64,
    /// Bytes of stored fields that were done.
    pub stored: u64,
}

/// The work on one index.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
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

/// An item that was given up.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
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

/// How fast documents are sent, and whether they are sent at all.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Sending {
    /// Why nothing is sent now, if so.
    pub paused: Option<String>,
    /// Ceilings of each worker process.
    pub limits: RateLimits,
    /// The workers of this process.
    pub workers: Vec<WorkerSending>,
}

/// Ceilings of what one worker process sends; none is no ceiling.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct RateLimits {
    /// Documents a second.
    pub documents_per_second: Option<u64>,
    /// Bytes of documents a second.
    pub bytes_per_second: Option<u64>,
}

/// How fast a worker sends.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct WorkerSending {
    /// Its name.
    pub worker: String,
    /// Bulks that are out.
    pub in_flight: u64,
    /// Bulks that may be out at a time now.
    pub limit: u64,
}

/// How a run ended, in one lower-case word.
pub(crate) fn word(end: core::RunEnd) -> String {
    match end {
        core::RunEnd::Completed => "completed",
        core::RunEnd::CompletedWithErrors => "completed_with_errors",
        core::RunEnd::Failed => "failed",
    }
    .to_owned()
}

pub(crate) fn milliseconds(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)
}

impl From<core::FleetCounts> for FleetCounts {
    fn from(counts: core::FleetCounts) -> Self {
        let core::FleetCounts { running, pending, desired, terminating } = counts;
        Self { running, pending, desired, terminating }
    }
}

impl From<core::Status> for Status {
    fn from(status: core::Status) -> Self {
        Self { state: status.status.to_string(), fleet: status.fleet.into() }
    }
}

impl From<core::DeepStatus> for DeepStatus {
    fn from(deep: core::DeepStatus) -> Self {
        let Status { state, fleet } = deep.status.into();
        Self {
            state,
            fleet,
            planned: deep.planned,
            work: deep.work.into(),
            end: deep.end.map(word),
            sending: deep.sending.into(),
        }
    }
}

impl From<core::Work> for Work {
    fn from(work: core::Work) -> Self {
        Self {
            shards: work.shards.into(),
            items: work.items.into(),
            bytes_done: work.bytes_done,
            bytes_total: work.bytes_total,
            documents_done: work.documents_done,
            documents_total: work.documents_total,
            books: work.books.into(),
            rate: Rate {
                documents: work.rate.documents,
                bytes: work.rate.bytes,
                stored: work.rate.stored,
            },
            eta_seconds: work.eta_seconds,
            indices: work.indices.into_iter().map(IndexWork::from).collect(),
            failed: work.failed.into_iter().map(FailedWork::from).collect(),
            started_ms: work.started.map(milliseconds),
            finished_ms: work.finished.map(milliseconds),
        }
    }
}

impl From<core::Counts> for Counts {
    fn from(counts: core::Counts) -> Self {
        let core::Counts { total, completed, incomplete, in_progress, unclaimed, failed } = counts;
        Self { total, completed, incomplete, in_progress, unclaimed, failed }
    }
}

impl From<snapfill::Books> for Books {
    fn from(books: snapfill::Books) -> Self {
        Self {
            written: books.written,
            failed: books.failed,
            skipped: counts_by_name(&books.skipped),
            nested: books.nested,
            present: books.present,
            overwritten: books.overwritten,
            bytes: books.bytes,
            added: books.added,
        }
    }
}

impl From<core::IndexWork> for IndexWork {
    fn from(work: core::IndexWork) -> Self {
        Self {
            index: work.index,
            shards: work.shards.into(),
            documents_done: work.documents_done,
            documents_total: work.documents_total,
            bytes_done: work.bytes_done,
            bytes_total: work.bytes_total,
            live: work.live,
            books: work.books.into(),
        }
    }
}

impl From<core::FailedWork> for FailedWork {
    fn from(work: core::FailedWork) -> Self {
        let core::FailedWork { index, shard, reason, worker, attempts } = work;
        Self { index, shard, reason, worker, attempts }
    }
}

impl From<core::Sending> for Sending {
    fn from(sending: core::Sending) -> Self {
        let worker = |worker: core::WorkerSending| WorkerSending {
            worker: worker.worker,
            in_flight: worker.in_flight as u64,
            limit: worker.limit as u64,
        };
        Self {
            paused: sending.paused,
            limits: sending.limits.into(),
            workers: sending.workers.into_iter().map(worker).collect(),
        }
    }
}

impl From<settings::RateLimits> for RateLimits {
    fn from(limits: settings::RateLimits) -> Self {
        let settings::RateLimits { documents_per_second, bytes_per_second } = limits;
        Self {
            documents_per_second: documents_per_second.map(Into::into),
            bytes_per_second: bytes_per_second.map(Into::into),
        }
    }
}

impl TryFrom<RateLimits> for settings::RateLimits {
    type Error = SnapfillError;

    fn try_from(limits: RateLimits) -> Result<Self> {
        Ok(Self {
            documents_per_second: ceiling("documents_per_second", limits.documents_per_second)?,
            bytes_per_second: ceiling("bytes_per_second", limits.bytes_per_second)?,
        })
    }
}
