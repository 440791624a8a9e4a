//! What a run would do, index by index, before it does anything.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::PlanWarning;
use crate::cluster::ClusterClient;
use crate::coordination::WorkItem;
use crate::preparation::{
    Assignment, ExistingIndex, IndexOptions, PlannedTarget, Selection, Selector, TargetFacts,
    TargetVersion, assign, streams_for,
};
use crate::snapshot::{IndexMetadata, ShardSize, Snapshot, SnapshotIndex};
use crate::{Error, ErrorKind, Result, SkipReason};

/// Shards whose metadata is read at a time.
const PARALLEL_SHARDS: usize = 8;

/// What a run would do.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The location of the repository.
    pub repository: String,
    /// The snapshot's name.
    pub snapshot: String,
    /// The snapshot's uuid.
    pub snapshot_uuid: String,
    /// The version that made it.
    pub version: String,
    /// Every index of the snapshot, sorted by name.
    pub indices: Vec<PlannedIndex>,
    /// The indices of the target that are filled, sorted by name; none in a plan without a target.
    pub targets: Vec<PlannedTarget>,
}

/// What a run would do with one index.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedIndex {
    /// Its name.
    pub name: String,
    /// Whether it is migrated.
    #[serde(flatten)]
    pub decision: Decision,
    /// The indices of the target that its documents go to; empty in a plan without a target.
    pub targets: Vec<String>,
    /// Its shards; empty for an index that is skipped. A shard that the snapshot does not hold has no size.
    pub shards: Vec<ShardSize>,
    /// Where each shard is cut into work items, as document numbers; nothing for a shard that is one item.
    #[serde(skip)]
    pub(crate) cuts: Vec<Vec<u32>>,
    /// The numbers of shards that the snapshot does not hold (a PARTIAL one): they will be reported as skipped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<u32>,
    /// What its reader should know before the run, such as documents without a stored source.
    pub warnings: Vec<String>,
    #[serde(skip)]
    pub(crate) index: Option<SnapshotIndex>,
}

/// Whether an index is migrated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", content = "reason", rename_all = "snake_case")]
pub enum Decision {
    /// It will be.
    Migrate,
    /// It will not, because.
    Skip(String),
    /// It was asked for and cannot be: no run begins before it is left out or the reason is gone.
    Refuse(String),
}

impl Plan {
    /// Looks at every index of the snapshot and measures the shards of those that are selected.
    ///
    /// # Errors
    /// `NotFound` when the selection names an index that the snapshot does not hold, with a context `selection` when it
    /// holds none of them; otherwise what reading the metadata fails with.
    pub async fn make(snapshot: &Snapshot, selection: &[String]) -> Result<Self> {
        let selection = Selection { indices: selection.to_vec(), ..Selection::default() };
        Self::select(snapshot, &Selector::new(&selection)?).await
    }

    /// The same, and where each index goes in a target, what is made there, and which index cannot go. Without a target it
    /// is a local one that is empty.
    ///
    /// # Errors
    /// As [`Plan::make`]; `Config` for a pattern that is none; what the target fails with.
    pub async fn for_target(
        snapshot: &Snapshot,
        selection: &Selection,
        options: &IndexOptions,
        target: Option<&dyn ClusterClient>,
    ) -> Result<Self> {
        let selector = Selector::new(selection)?;
        let mut plan = Self::select(snapshot, &selector).await?;
        let mut facts = match target {
            Some(target) => facts_of(target).await?,
            None => TargetFacts::empty_local(),
        };
        let assigned = {
            let indices: Vec<_> = plan.migrated().filter_map(PlannedIndex::metadata).collect();
            if let Some(target) = target {
                ask_for_streams(target, &indices, &selector, &mut facts).await?;
            }
            let mut assigned = assign(&indices, &selector, options, &facts);
            if let Some(target) = target {
                ask_for_settings(target, assigned.targets.keys(), &mut facts).await?;
                assigned = assign(&indices, &selector, options, &facts);
            }
            assigned
        };
        plan.take(assigned);
        if target.is_some_and(|target| !target.capability().is_idempotent()) {
            plan.warn_of_repetition();
        }
        Ok(plan)
    }

    fn warn_of_repetition(&mut self) {
        for target in &mut self.targets {
            target.warnings.push(
                "the target gives documents ids of its own: those of the snapshot are lost, and what has to be sent again, \
                 after an error or an interruption, is there twice; the counts do not show it"
                    .to_owned(),
            );
        }
    }

    async fn select(snapshot: &Snapshot, selector: &Selector) -> Result<Self> {
        let names = snapshot.index_names();
        if let Some(absent) = selector.absent(&names) {
            let message = format!(
                "no index `{absent}` in snapshot `{}`; it holds {}",
                snapshot.name(),
                names.join(", ")
            );
            let error = Error::new(ErrorKind::NotFound, message);
            let some_match = names.iter().any(|name| selector.why_not(name).is_none());
            let context = if some_match { "index" } else { "selection" };
            return Err(error.with_context(context, absent));
        }
        let mut indices = Vec::with_capacity(names.len());
        for name in names {
            indices.push(plan_index(snapshot, name, selector).await?);
        }
        Ok(Self {
            repository: snapshot.repository().to_owned(),
            snapshot: snapshot.name().to_owned(),
            snapshot_uuid: snapshot.uuid().to_owned(),
            version: snapshot.info().version().to_string(),
            indices,
            targets: Vec::new(),
        })
    }

    fn take(&mut self, assignment: Assignment) {
        let Assignment { targets, mut refused } = assignment;
        for index in &mut self.indices {
            if let Some(reason) = refused.remove(&index.name) {
                index.decision = Decision::Refuse(reason);
                continue;
            }
            let of_type = format!("{}/", index.name);
            let is_source = |source: &String| *source == index.name || source.starts_with(&of_type);
            index.targets = targets
                .values()
                .filter(|target| target.sources.iter().any(is_source))
                .map(|target| target.name.clone())
                .collect();
        }
        self.targets = targets.into_values().collect();
    }

    /// Refuses a plan that has an index which was asked for and cannot be migrated.
    ///
    /// # Errors
    /// `Unsupported`, naming every such index and why.
    pub fn require_accepted(&self) -> Result<()> {
        let refused: Vec<String> = self
            .indices
            .iter()
            .filter_map(|index| match &index.decision {
                Decision::Refuse(reason) => Some(format!("index `{}`: {reason}", index.name)),
                _ => None,
            })
            .collect();
        if refused.is_empty() {
            return Ok(());
        }
        let message = format!("nothing can be started, because of {}", refused.join("; "));
        Err(Error::new(ErrorKind::Unsupported, message))
    }

    /// What is to be known before the run, of the indices of the snapshot and then of those of the target.
    pub fn warnings(&self) -> Vec<PlanWarning> {
        let of_sources = self.migrated().map(|index| (&index.name, &index.warnings));
        let of_targets = self.targets.iter().map(|index| (&index.name, &index.warnings));
        of_sources
            .chain(of_targets)
            .flat_map(|(index, warnings)| warnings.iter().map(move |warning| (index, warning)))
            .map(|(index, warning)| PlanWarning { index: index.clone(), warning: warning.clone() })
            .collect()
    }

    /// The indices that are migrated.
    pub fn migrated(&self) -> impl Iterator<Item = &PlannedIndex> {
        self.indices.iter().filter(|index| index.decision == Decision::Migrate)
    }
}

impl PlannedIndex {
    /// Settings, mappings, aliases; `None` for an index that is skipped.
    pub fn metadata(&self) -> Option<&IndexMetadata> {
        self.index.as_ref().map(|index| &*index.metadata)
    }

    /// The work items that its shards become.
    pub(crate) fn items(&self) -> impl Iterator<Item = WorkItem> {
        (0_u32..).zip(&self.shards).flat_map(|(number, size)| {
            let cuts = usize::try_from(number).ok().and_then(|number| self.cuts.get(number));
            let cuts = cuts.map(Vec::as_slice).unwrap_or_default();
            items_of(&self.name, number, size, cuts)
        })
    }

    /// Documents that are not deleted, nested children among them.
    pub fn undeleted(&self) -> u64 {
        self.shards.iter().map(|shard| shard.undeleted).sum()
    }

    /// Stored bytes, compressed.
    pub fn stored_bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.stored_bytes).sum()
    }
}

/// The items of one shard; its bytes are shared among them by their documents.
fn items_of(index: &str, shard: u32, size: &ShardSize, cuts: &[u32]) -> Vec<WorkItem> {
    let count = u32::try_from(cuts.len() + 1).unwrap_or(u32::MAX);
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain(std::iter::once(size.max_doc));
    let share = |docs: u32| {
        let share = u128::from(size.stored_bytes) * u128::from(docs);
        share.checked_div(u128::from(size.max_doc)).unwrap_or(u128::from(size.stored_bytes))
    };
    starts
        .zip(ends)
        .map(|(first, end)| {
            let bytes = u64::try_from(share(end - first)).unwrap_or(u64::MAX);
            WorkItem::new(index, shard, first..end).sized(bytes, count)
        })
        .collect()
}

async fn plan_index(snapshot: &Snapshot, name: &str, selector: &Selector) -> Result<PlannedIndex> {
    let skipped = |reason: String| PlannedIndex {
        name: name.to_owned(),
        decision: Decision::Skip(reason),
        targets: Vec::new(),
        shards: Vec::new(),
        cuts: Vec::new(),
        missing: Vec::new(),
        warnings: Vec::new(),
        index: None,
    };
    if let Some(reason) = selector.why_not(name) {
        return Ok(skipped(reason));
    }
    let index = snapshot.index(name).await?;
    let missing = missing(snapshot, &index)?;
    let (shards, cuts) = measure(snapshot, &index, &missing, selector).await?.into_iter().unzip();
    let mut warnings = warnings(&index.metadata, snapshot.reads_recovery_source());
    if !missing.is_empty() {
        let numbers: Vec<_> = missing.iter().map(u32::to_string).collect();
        warnings.push(format!(
            "the snapshot is PARTIAL and does not hold shard {}: its documents are lost here, and it will be counted as \
             skipped ({})",
            numbers.join(", "),
            SkipReason::ShardMissing
        ));
    }
    Ok(PlannedIndex {
        name: name.to_owned(),
        decision: Decision::Migrate,
        targets: Vec::new(),
        shards,
        cuts,
        missing,
        warnings,
        index: Some(index),
    })
}

/// What a target has, its indices' settings aside: there may be thousands of them.
async fn facts_of(target: &dyn ClusterClient) -> Result<TargetFacts> {
    let version = TargetVersion::of(&target.info().await?)?;
    let rows = target.cat_indices().await?.into_iter().map(|row| {
        let is_open = row.status.as_deref() != Some("close");
        (row.index, ExistingIndex { documents: row.docs_count, is_open, settings: None })
    });
    Ok(TargetFacts { version, indices: rows.collect(), data_streams: None })
}

/// The target's data streams, where some index is to go to one: not everybody may ask.
async fn ask_for_streams(
    target: &dyn ClusterClient,
    indices: &[&IndexMetadata],
    selector: &Selector,
    facts: &mut TargetFacts,
) -> Result<()> {
    let wanted = streams_for(indices, selector, facts.version);
    if wanted.is_empty() {
        return Ok(());
    }
    let Some(names) = target.data_streams().await? else { return Ok(()) };
    let mut streams = BTreeMap::new();
    for name in names.into_iter().filter(|name| wanted.contains(name)) {
        let documents = Some(target.count(&name).await?);
        streams.insert(name, ExistingIndex { documents, is_open: true, settings: None });
    }
    facts.data_streams = Some(streams);
    Ok(())
}

async fn ask_for_settings(
    target: &dyn ClusterClient,
    names: impl Iterator<Item = &String>,
    facts: &mut TargetFacts,
) -> Result<()> {
    for name in names {
        if let Some(existing) = facts.indices.get_mut(name) {
            existing.settings = target.index_settings(name).await?;
        }
    }
    Ok(())
}

/// The shards that the snapshot says it does not hold.
fn missing(snapshot: &Snapshot, index: &SnapshotIndex) -> Result<Vec<u32>> {
    let name = &index.metadata.name;
    let is_missing = |number: &u32| snapshot.missing(name, *number).is_some();
    Ok((0..index.metadata.shards()?).filter(is_missing).collect())
}

async fn measure(
    snapshot: &Snapshot,
    index: &SnapshotIndex,
    missing: &[u32],
    selector: &Selector,
) -> Result<Vec<(ShardSize, Vec<u32>)>> {
    stream::iter(0..index.metadata.shards()?)
        .map(|number| async move {
            if missing.contains(&number) {
                return Ok(Default::default());
            }
            let shard = snapshot.shard_of(index, number).await?;
            let size = shard.size().await?;
            Ok(match selector.pieces(size.stored_bytes) {
                1 => (size, Vec::new()),
                pieces => (size, shard.cuts(pieces).await?),
            })
        })
        .buffered(PARALLEL_SHARDS)
        .try_collect()
        .await
}

fn warnings(metadata: &IndexMetadata, recovers: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    let reason = metadata.missing_source_reason();
    let remedy = match recovers {
        true => ", save those that still have a `_recovery_source`",
        false => "",
    };
    if reason != SkipReason::SourceMissing {
        warnings.push(format!(
            "{}: its documents will be counted as skipped ({reason}){remedy}",
            reason.explanation()
        ));
    }
    let left_out = metadata.fields_left_out();
    if !left_out.is_empty() {
        warnings.push(format!(
            "incomplete: the stored `_source` lacks the vectors of {}; its documents will be written without them. Take the \
             vectors from where they came, or reindex with vectors kept in `_source` before the snapshot",
            left_out.join(", ")
        ));
    }
    if metadata.filters_source() {
        warnings.push(
            "the mapping filters `_source`: fields that it leaves out were never stored".to_owned(),
        );
    }
    warnings
}
