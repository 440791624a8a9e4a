//! What a backfill has moved.

use std::sync::Arc;

use serde::Serialize;
use snapfill::controller::{self as core, BackfillController};

use crate::convert::to_json;
use crate::status::{milliseconds, word};
use crate::{Backfill, Books, Counts, FailedSummary, FailedWork, Result};

/// What a backfill has moved, at any time, also after a stop. Holds no secret.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Report {
    /// The release that made it.
    pub version: String,
    /// When it was made, milliseconds since the epoch.
    pub made_ms: i64,
    /// The session's name, empty for the usual one.
    pub session: String,
    /// The snapshot that was read.
    pub snapshot: String,
    /// Its uuid.
    pub snapshot_uuid: String,
    /// The URL of its repository.
    pub repository: String,
    /// The address of the target.
    pub target: String,
    /// Whether workers are at it, as in the status.
    pub state: String,
    /// `completed`, `completed_with_errors` or `failed`, once the run has ended.
    pub end: Option<String>,
    /// The archive that it is made from, where the backfill was stopped.
    pub archive: Option<String>,
    /// When it was planned, milliseconds since the epoch.
    pub begun_ms: i64,
    /// When the last work item was done, milliseconds since the epoch, once all are.
    pub ended_ms: Option<i64>,
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
    /// What the target holds. An index stands in one of them; several stand in the same where they share indices of the target.
    pub targets: Vec<TargetCheck>,
    /// The documents that the target refused and that were not sent again with success; none where they cannot be read.
    pub failures: Option<FailedSummary>,
    /// Work items that were given up, at most a thousand.
    pub given_up: Vec<FailedWork>,
    /// What was to be known before the run.
    pub warnings: Vec<PlanWarning>,
    /// How it was done, as a JSON object.
    pub settings: String,
    /// What this report could not find out, and why.
    pub notes: Vec<String>,
    /// All of it for people, as Markdown.
    pub markdown: String,
}

/// One index of the snapshot.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
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
    /// Whether `live` = written + failed + skipped; none while some shard is not done.
    pub balanced: Option<bool>,
}

/// Indices of the target, against the books of the indices that went there.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct TargetCheck {
    /// The indices of the target.
    pub targets: Vec<ReportedTarget>,
    /// The indices of the snapshot that went there.
    pub sources: Vec<String>,
    /// Refused documents that were sent again with success.
    pub redriven: u64,
    /// Documents that should be there; none where that cannot be told (yet).
    pub expected: Option<u64>,
    /// Documents that are there.
    pub documents: Option<u64>,
    /// How many more there are than expected.
    pub difference: Option<i64>,
    /// What to think of it.
    pub explanation: String,
}

/// One index of the target.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ReportedTarget {
    /// Its name.
    pub index: String,
    /// Its documents before the run, where that is known.
    pub before: Option<u64>,
    /// Its documents now.
    pub documents: Option<u64>,
    /// Why they could not be counted.
    pub error: Option<String>,
}

/// What is to be known of an index before its documents are written.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PlanWarning {
    /// The index, of the snapshot or of the target.
    pub index: String,
    /// What is to be known.
    pub warning: String,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Backfill {
    /// What was moved so far: of a run that is going on, has ended, or was stopped and archived. Counts the indices of the target.
    ///
    /// # Errors
    /// `NotFound` when nothing was begun under the session, or the archive is not where it was; what the working state fails with.
    /// What else cannot be found out is said in the report.
    pub async fn report(self: Arc<Self>) -> Result<Report> {
        self.ask(|backfill| async move { Ok(backfill.report().await?.into()) }).await
    }
}

impl From<core::Report> for Report {
    fn from(report: core::Report) -> Self {
        let markdown = report.to_markdown();
        Self {
            version: report.version,
            made_ms: milliseconds(report.made),
            session: report.session,
            snapshot: report.snapshot.name,
            snapshot_uuid: report.snapshot.uuid,
            repository: report.repository,
            target: report.target,
            state: report.status.to_string(),
            end: report.end.map(word),
            archive: report.archive.map(|file| file.to_string_lossy().into_owned()),
            begun_ms: milliseconds(report.begun),
            ended_ms: report.ended.map(milliseconds),
            shards: report.shards.into(),
            live: report.live,
            books: report.books.into(),
            balanced: report.balanced,
            documents_per_second: report.documents_per_second,
            bytes_per_second: report.bytes_per_second,
            indices: report.indices.into_iter().map(ReportedIndex::from).collect(),
            targets: report.targets.into_iter().map(TargetCheck::from).collect(),
            failures: report.failures.map(FailedSummary::from),
            given_up: report.given_up.into_iter().map(FailedWork::from).collect(),
            warnings: report.warnings.into_iter().map(PlanWarning::from).collect(),
            settings: to_json(&report.settings),
            notes: report.notes,
            markdown,
        }
    }
}

impl From<core::ReportedIndex> for ReportedIndex {
    fn from(index: core::ReportedIndex) -> Self {
        let core::ReportedIndex { index, targets, shards, live, books, balanced } = index;
        Self { index, targets, shards: shards.into(), live, books: books.into(), balanced }
    }
}

impl From<core::TargetCheck> for TargetCheck {
    fn from(check: core::TargetCheck) -> Self {
        Self {
            targets: check.targets.into_iter().map(ReportedTarget::from).collect(),
            sources: check.sources,
            redriven: check.redriven,
            expected: check.expected,
            documents: check.documents,
            difference: check.difference,
            explanation: check.explanation,
        }
    }
}

impl From<core::ReportedTarget> for ReportedTarget {
    fn from(target: core::ReportedTarget) -> Self {
        let core::ReportedTarget { index, before, documents, error } = target;
        Self { index, before, documents, error }
    }
}

impl From<core::PlanWarning> for PlanWarning {
    fn from(warning: core::PlanWarning) -> Self {
        let core::PlanWarning { index, warning } = warning;
        Self { index, warning }
    }
}
