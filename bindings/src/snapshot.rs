//! One snapshot of a repository.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::OnceCell;

use crate::convert::to_json;
use crate::{DocumentStream, Repository, Result, runtime};

/// What a snapshot says of itself.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SnapshotInfo {
    /// Its name.
    pub name: String,
    /// Its uuid: two snapshots of one name made at different times differ in it.
    pub uuid: String,
    /// `SUCCESS` or `PARTIAL`: others cannot be read.
    pub state: String,
    /// The version that made it.
    pub version: String,
    /// The names of its indices, sorted.
    pub indices: Vec<String>,
    /// When it began, milliseconds since the epoch.
    pub started_ms: i64,
    /// When it ended, milliseconds since the epoch.
    pub ended_ms: i64,
    /// Shards it was asked to hold.
    pub total_shards: u32,
    /// Shards it holds.
    pub successful_shards: u32,
    /// Shards it does not hold.
    pub missing: Vec<MissingShard>,
}

/// A shard that the snapshot does not hold.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct MissingShard {
    /// Its index.
    pub index: String,
    /// Its number.
    pub shard: u32,
    /// Why, in the server's words.
    pub reason: Option<String>,
}

/// What an index was when the snapshot was taken.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct IndexInfo {
    /// Its name.
    pub name: String,
    /// Its uuid in the source cluster.
    pub uuid: String,
    /// How many shards it has.
    pub shards: u32,
    /// How many replicas each shard had.
    pub replicas: u32,
    /// The version that created it.
    pub created_by: String,
    /// Its settings, flat, as a JSON object: `{"index.number_of_shards": "2"}`.
    pub settings: String,
    /// Its mappings as a JSON object.
    pub mappings: String,
    /// Its aliases by name, as a JSON object.
    pub aliases: String,
}

/// One snapshot of a repository. Nothing is read before it is asked for something.
#[derive(Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct Snapshot {
    repository: Arc<Repository>,
    name: String,
    opened: OnceCell<snapfill::snapshot::Snapshot>,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Snapshot {
    /// Its name.
    pub fn name(&self) -> String {
        self.name.clone()
    }

    /// Its repository.
    pub fn repository(&self) -> Arc<Repository> {
        Arc::clone(&self.repository)
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// `NotFound` with the names there are, `Incomplete` for a PARTIAL snapshot unless that is allowed, `State` for one that
    /// failed or was not finished; what opening the repository fails with.
    pub async fn info(self: Arc<Self>) -> Result<SnapshotInfo> {
        runtime::run(async move { Ok(SnapshotInfo::of(self.opened().await?)) }).await
    }

    /// Its indices with their metadata, ordered by name.
    ///
    /// # Errors
    /// As [`Snapshot::info`]; `Corrupt` when the metadata cannot be understood.
    pub async fn indices(self: Arc<Self>) -> Result<Vec<IndexInfo>> {
        runtime::run(async move {
            let indices = self.opened().await?.indices().await?;
            indices.iter().map(|index| IndexInfo::of(&index.metadata)).collect()
        })
        .await
    }

    /// The documents of all indices or of one, of all their shards or of those with one number, ordered by index and shard.
    /// Nothing is read before the first batch is asked for.
    pub fn documents(
        self: Arc<Self>,
        index: Option<String>,
        shard: Option<u32>,
    ) -> Arc<DocumentStream> {
        DocumentStream::of(self, index, shard)
    }
}

impl Snapshot {
    pub(crate) fn of(repository: Arc<Repository>, name: String) -> Arc<Self> {
        Arc::new(Self { repository, name, opened: OnceCell::new() })
    }

    pub(crate) async fn opened(&self) -> Result<&snapfill::snapshot::Snapshot> {
        let repository = self.repository.opened().await?;
        Ok(self.opened.get_or_try_init(|| repository.snapshot(&self.name)).await?)
    }
}

impl SnapshotInfo {
    fn of(snapshot: &snapfill::snapshot::Snapshot) -> Self {
        let info = snapshot.info();
        let missing = info.failures.iter().map(|failure| MissingShard {
            index: failure.index.clone(),
            shard: failure.shard_id,
            reason: failure.reason.clone(),
        });
        Self {
            name: snapshot.name().to_owned(),
            uuid: snapshot.uuid().to_owned(),
            state: info.state.as_str().to_owned(),
            version: info.version().to_string(),
            indices: snapshot.index_names().into_iter().map(str::to_owned).collect(),
            started_ms: info.started_ms,
            ended_ms: info.ended_ms,
            total_shards: info.total_shards,
            successful_shards: info.successful_shards,
            missing: missing.collect(),
        }
    }
}

impl IndexInfo {
    fn of(metadata: &snapfill::snapshot::IndexMetadata) -> Result<Self> {
        Ok(Self {
            name: metadata.name.clone(),
            uuid: metadata.uuid().to_owned(),
            shards: metadata.shards()?,
            replicas: metadata.replicas(),
            created_by: metadata.created_by().to_string(),
            settings: to_json(&metadata.settings),
            mappings: to_json(&metadata.mappings),
            aliases: to_json(&metadata.aliases),
        })
    }
}
