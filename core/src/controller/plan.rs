//! What a run would do, index by index, before it does anything.

use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

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
}

/// What a run would do with one index.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedIndex {
    /// Its name.
    pub name: String,
    /// Whether it is migrated.
    #[serde(flatten)]
    pub decision: Decision,
    /// Its shards; empty for an index that is skipped. A shard that the snapshot does not hold has no size.
    pub shards: Vec<ShardSize>,
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
}

impl Plan {
    /// Looks at every index of the snapshot and measures the shards of those that are selected.
    ///
    /// # Errors
    /// `NotFound` when the selection names an index that the snapshot does not hold, with a context `selection` when it
    /// holds none of them; otherwise what reading the metadata fails with.
    pub async fn make(snapshot: &Snapshot, selection: &[String]) -> Result<Self> {
        let names = snapshot.index_names();
        if let Some(absent) = selection.iter().find(|name| !names.contains(&name.as_str())) {
            let message = format!(
                "no index `{absent}` in snapshot `{}`; it holds {}",
                snapshot.name(),
                names.join(", ")
            );
            let error = Error::new(ErrorKind::NotFound, message);
            let some_match = selection.iter().any(|name| names.contains(&name.as_str()));
            let context = if some_match { "index" } else { "selection" };
            return Err(error.with_context(context, absent));
        }
        let mut indices = Vec::with_capacity(names.len());
        for name in names {
            indices.push(plan_index(snapshot, name, selection).await?);
        }
        Ok(Self {
            repository: snapshot.repository().to_owned(),
            snapshot: snapshot.name().to_owned(),
            snapshot_uuid: snapshot.uuid().to_owned(),
            version: snapshot.info().version().to_string(),
            indices,
        })
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

    /// Documents that are not deleted, nested children among them.
    pub fn undeleted(&self) -> u64 {
        self.shards.iter().map(|shard| shard.undeleted).sum()
    }

    /// Stored bytes, compressed.
    pub fn stored_bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.stored_bytes).sum()
    }
}

async fn plan_index(snapshot: &Snapshot, name: &str, selection: &[String]) -> Result<PlannedIndex> {
    let skipped = |reason: String| PlannedIndex {
        name: name.to_owned(),
        decision: Decision::Skip(reason),
        shards: Vec::new(),
        missing: Vec::new(),
        warnings: Vec::new(),
        index: None,
    };
    if let Some(reason) = why_not(name, selection) {
        return Ok(skipped(reason));
    }
    let index = snapshot.index(name).await?;
    let missing = missing(snapshot, &index)?;
    let shards = measure(snapshot, &index, &missing).await?;
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
        shards,
        missing,
        warnings,
        index: Some(index),
    })
}

/// System indices belong to the cluster they are on. A data stream's backing index begins with a dot, too, but holds
/// its user's documents.
fn why_not(name: &str, selection: &[String]) -> Option<String> {
    if !selection.is_empty() {
        let selected = selection.iter().any(|wanted| wanted == name);
        return (!selected).then(|| "not among the indices asked for".to_owned());
    }
    let system = name.starts_with('.') && !name.starts_with(".ds-");
    system.then(|| "a system index (its name begins with a dot); name it to migrate it".to_owned())
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
) -> Result<Vec<ShardSize>> {
    stream::iter(0..index.metadata.shards()?)
        .map(|number| async move {
            if missing.contains(&number) {
                return Ok(ShardSize::default());
            }
            snapshot.shard_of(index, number).await?.size().await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_indices_are_left_out_unless_named() {
        assert!(why_not(".kibana_1", &[]).is_some());
        assert!(why_not(".kibana_1", &[".kibana_1".to_owned()]).is_none());
        assert!(why_not(".ds-logs-000001", &[]).is_none());
        assert!(why_not("logs", &[]).is_none());
        assert!(why_not("logs", &["other".to_owned()]).is_some());
    }
}
