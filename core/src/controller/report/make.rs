//! A report, from what was gathered.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::target_check::{Circumstances, Claim, Counted, check, families};
use super::{PlanRecord, Report, ReportedIndex};
use crate::controller::{BackfillStatus, IndexWork, RunEnd, Work};
use crate::coordination::Run;
use crate::failed::{FailedSummary, place};
use crate::settings::BackfillSettings;

/// Raised when a name goes, or means something else.
const FORMAT_VERSION: u32 = 1;

/// What a report is made from.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) run: Run,
    pub(crate) work: Work,
    pub(crate) status: BackfillStatus,
    pub(crate) end: Option<RunEnd>,
    pub(crate) archive: Option<PathBuf>,
    pub(crate) counted: Counted,
    /// The failures that still hold, or why they cannot be told.
    pub(crate) failures: Result<FailedSummary, String>,
    /// The target writes a document once, however often it is sent.
    pub(crate) is_idempotent: bool,
    /// Seconds since the epoch.
    pub(crate) now: u64,
}

impl Gathered {
    /// The report.
    pub(crate) fn report(self) -> Report {
        let record = PlanRecord::of_run(&self.run.settings);
        let targets = self.checks(&record);
        let indices: Vec<_> =
            self.work.indices.iter().map(|index| reported(index, &record)).collect();
        let notes = self.notes(&record);
        let Self { run, work, status, end, archive, failures, now, .. } = self;
        let live = indices.iter().map(|index| index.live).sum();
        let is_done = work.shards.incomplete == 0;
        let rate = |amount: u64| {
            let seconds = work.finished?.saturating_sub(work.started?).max(1);
            Some(amount / seconds)
        };
        Report {
            format_version: FORMAT_VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made: now,
            session: run.session.name().to_owned(),
            status,
            end,
            archive,
            begun: run.created_at.as_secs(),
            ended: work.finished,
            shards: work.shards,
            live,
            balanced: is_done.then(|| work.books.accounted() == live),
            documents_per_second: rate(work.books.written),
            bytes_per_second: rate(work.books.bytes),
            books: work.books,
            indices,
            targets,
            failures: failures.ok(),
            given_up: work.failed,
            warnings: record.warnings,
            settings: settings_of(&run),
            notes,
            snapshot: run.snapshot,
            repository: run.repository,
            target: run.target,
        }
    }

    fn checks(&self, record: &PlanRecord) -> Vec<super::TargetCheck> {
        let mut still: BTreeMap<&str, u64> = BTreeMap::new();
        for group in self.failures.iter().flat_map(|failures| &failures.groups) {
            *still.entry(&group.index).or_default() += group.documents;
        }
        let circumstances = Circumstances {
            knows_failures: self.failures.is_ok(),
            is_idempotent: self.is_idempotent,
        };
        families(record)
            .into_iter()
            .map(|(targets, sources)| {
                let of_family =
                    self.work.indices.iter().filter(|work| sources.contains(&work.index));
                let mut claim = Claim { is_done: true, ..Claim::default() };
                for index in of_family {
                    claim.books.add(&index.books);
                    claim.is_done &= index.shards.incomplete == 0;
                    claim.given_up |= self.end == Some(RunEnd::Failed) && index.shards.failed > 0;
                }
                let failed = targets.iter().filter_map(|target| still.get(target.as_str()));
                claim.still_failed = failed.sum();
                check((targets, sources), &claim, record, &self.counted, circumstances)
            })
            .collect()
    }

    fn notes(&self, record: &PlanRecord) -> Vec<String> {
        let mut notes = Vec::new();
        if let Err(error) = &self.failures {
            notes.push(format!("the failed documents cannot be read: {error}"));
        }
        if record.targets.is_empty() {
            notes.push(
                "what was planned was not kept with this run: the target is not compared"
                    .to_owned(),
            );
        }
        if record.more_warnings > 0 {
            notes.push(format!(
                "{} further warnings were not kept with the run",
                record.more_warnings
            ));
        }
        let (named, all) = (self.work.failed.len() as u64, self.work.items.failed);
        if named < all {
            notes.push(format!("{named} of {all} work items that were given up are named"));
        }
        if self.end.is_none() {
            notes.push("the backfill is not done: all figures are those of now".to_owned());
        }
        notes
    }
}

fn reported(work: &IndexWork, record: &PlanRecord) -> ReportedIndex {
    let filled = record.targets.iter().filter(|(_, fill)| fill.sources.contains(&work.index));
    ReportedIndex {
        index: work.index.clone(),
        targets: filled.map(|(target, _)| target.clone()).collect(),
        shards: work.shards,
        live: work.live,
        balanced: (work.shards.incomplete == 0).then(|| work.books.accounted() == work.live),
        books: work.books.clone(),
    }
}

/// What is known of the settings: what decides which documents go where, how they were sent, and where failures are.
fn settings_of(run: &Run) -> Value {
    let mut settings = Map::new();
    settings.insert("selection".to_owned(), run.selection.clone());
    for section in BackfillSettings::SECTIONS {
        if let Some(value) = run.settings.get(section) {
            settings.insert(section.to_owned(), value.clone());
        }
    }
    if let Some(place) = place::of_run(&run.settings) {
        settings.insert("failedStore".to_owned(), place.into());
    }
    settings.into()
}
