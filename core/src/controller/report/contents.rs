//! What a report says: its JSON form.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use super::PlanWarning;
use crate::Books;
use crate::controller::{BackfillStatus, Counts, FailedWork, RunEnd};
use crate::coordination::SnapshotName;
use crate::failed::FailedSummary;

/// What a backfill has moved. Written as JSON, its names are kept across releases: some may come, none goes or means something
/// else without another `format_version`. Times are seconds since the epoch. Holds no secret.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The form of the report.
    pub format_version: u32,
    /// The release that made it.
    pub version: String,
    /// When it was made.
    pub made: u64,
    /// The session's name, empty for the usual one.
    pub session: String,
    /// The snapshot that was read.
    pub snapshot: SnapshotName,
    /// The URL of its repository.
    pub repository: String,
    /// The address of the target.
    pub target: String,
    /// Whether workers are at it.
    pub status: BackfillStatus,
    /// How the run ended, once it has.
    pub end: Option<RunEnd>,
    /// The archive that it is made from, where the backfill was stopped.
    pub archive: Option<PathBuf>,
    /// When it was planned.
    pub begun: u64,
    /// When the last work item was done, once all are.
    pub ended: Option<u64>,
    /// Shards by state.
    pub shards: Counts,
    /// Live documents of the work items that are done.
    pub live: u64,
    /// What became of the documents, all indices together.
    pub books: Books,
    /// Whether `live` = written + failed + skipped; none while some shard is not done.
    pub balanced: Option<bool>,
    /// Documents written a second, from the first work item to the last, pauses included; none before the end.
    pub documents_per_second: Option<u64>,
    /// Bytes of their sources.
    pub bytes_per_second: Option<u64>,
    /// The indices of the snapshot that were moved, by name.
    pub indices: Vec<ReportedIndex>,
    /// What the target holds. An index stands in one of them; several stand in the same where they share indices of the
    /// target.
    pub targets: Vec<TargetCheck>,
    /// The documents that the target refused and that were not sent again with success; none where they cannot be read.
    pub failures: Option<FailedSummary>,
    /// Work items that were given up, at most a thousand.
    pub given_up: Vec<FailedWork>,
    /// What was to be known before the run.
    pub warnings: Vec<PlanWarning>,
    /// How it was done.
    pub settings: Value,
    /// What this report could not find out, and why.
    pub notes: Vec<String>,
}

/// One index of the snapshot.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedIndex {
    /// Its name in the snapshot.
    pub index: String,
    /// The indices of the target that its documents went to.
    pub targets: Vec<String>,
    /// Its shards by state.
    pub shards: Counts,
    /// Live documents of its work items that are done.
    pub live: u64,
    /// What became of them.
    pub books: Books,
    /// As [`Report::balanced`].
    pub balanced: Option<bool>,
}

/// Indices of the target, against the books of the indices that went there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TargetCheck {
    /// The indices of the target.
    pub targets: Vec<ReportedTarget>,
    /// The indices of the snapshot that went there.
    pub sources: Vec<String>,
    /// Refused documents that were sent again with success.
    pub redriven: u64,
    /// Documents that should be there: those from before, and the written ones that replaced none and found none; none where
    /// that cannot be told (yet).
    pub expected: Option<u64>,
    /// Documents that are there.
    pub documents: Option<u64>,
    /// How many more there are than expected.
    pub difference: Option<i64>,
    /// What to think of it.
    pub explanation: String,
}

/// One index of the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedTarget {
    /// Its name.
    pub index: String,
    /// Its documents before the run, where that is known.
    pub before: Option<u64>,
    /// Its documents now.
    pub documents: Option<u64>,
    /// Why they could not be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
