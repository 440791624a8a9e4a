//! What a run would do.

use serde::Serialize;
use snapfill::controller as core;

use crate::convert::to_json;

/// What a run would do. Nothing of it is done yet.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
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
    /// The indices of the target that are filled, sorted by name.
    pub targets: Vec<PlannedTarget>,
}

/// What a run would do with one index.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PlannedIndex {
    /// Its name.
    pub name: String,
    /// `migrate`; `skip`: it was not asked for; `refuse`: it was, and cannot be, so that no run begins.
    pub decision: String,
    /// Why it is skipped or refused.
    pub reason: Option<String>,
    /// The indices of the target that its documents go to.
    pub targets: Vec<String>,
    /// Its shards; none for an index that is skipped.
    pub shards: Vec<PlannedShard>,
    /// The numbers of shards that the snapshot does not hold.
    pub missing: Vec<u32>,
    /// What its reader should know before the run.
    pub warnings: Vec<String>,
}

/// How much there is in a shard.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PlannedShard {
    /// Documents that are not deleted, nested children among them.
    pub documents: u64,
    /// Deleted documents that are still there.
    pub deleted: u64,
    /// Bytes of the stored fields, compressed.
    pub stored_bytes: u64,
    /// Bytes of all files of the shard.
    pub total_bytes: u64,
    /// Segments.
    pub segments: u32,
}

/// What happens to one index or data stream of the target.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PlannedTarget {
    /// Its name.
    pub name: String,
    /// The indices of the snapshot that go there; `index/type` for one type of an index.
    pub sources: Vec<String>,
    /// Whether it is there already; it is then kept as it is.
    pub exists: bool,
    /// Whether it is a data stream.
    pub is_data_stream: bool,
    /// What it is made with, as a JSON object of settings, mappings and aliases; none where it is there.
    pub definition: Option<String>,
    /// What of the snapshot's definition does not go along, and why.
    pub left_out: Vec<String>,
    /// What its reader should know before the run.
    pub warnings: Vec<String>,
}

impl From<core::Plan> for Plan {
    fn from(plan: core::Plan) -> Self {
        Self {
            indices: plan.indices.iter().map(PlannedIndex::from).collect(),
            targets: plan.targets.into_iter().map(PlannedTarget::from).collect(),
            repository: plan.repository,
            snapshot: plan.snapshot,
            snapshot_uuid: plan.snapshot_uuid,
            version: plan.version,
        }
    }
}

impl From<&core::PlannedIndex> for PlannedIndex {
    fn from(index: &core::PlannedIndex) -> Self {
        let (decision, reason) = match &index.decision {
            core::Decision::Migrate => ("migrate", None),
            core::Decision::Skip(why) => ("skip", Some(why.clone())),
            core::Decision::Refuse(why) => ("refuse", Some(why.clone())),
        };
        let shard = |size: &snapfill::snapshot::ShardSize| PlannedShard {
            documents: size.undeleted,
            deleted: size.deleted,
            stored_bytes: size.stored_bytes,
            total_bytes: size.total_bytes,
            segments: size.segments,
        };
        Self {
            name: index.name.clone(),
            decision: decision.to_owned(),
            reason,
            targets: index.targets.clone(),
            shards: index.shards.iter().map(shard).collect(),
            missing: index.missing.clone(),
            warnings: index.warnings.clone(),
        }
    }
}

impl From<snapfill::preparation::PlannedTarget> for PlannedTarget {
    fn from(target: snapfill::preparation::PlannedTarget) -> Self {
        let left_out = |one: snapfill::preparation::LeftOut| match one.fields.is_empty() {
            true => format!("{}: {}", one.what, one.why),
            false => format!("{} of {}: {}", one.what, one.fields.join(", "), one.why),
        };
        Self {
            name: target.name,
            sources: target.sources,
            exists: target.existing.is_some(),
            is_data_stream: target.data_stream.is_some(),
            definition: target.definition.as_ref().map(to_json),
            left_out: target.left_out.into_iter().map(left_out).collect(),
            warnings: target.warnings,
        }
    }
}
