//! `snap-<uuid>.dat` at the root: what one snapshot says of itself.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::frame::unframe;
use super::version::SourceVersion;
use super::xcontent::decode;
use crate::{Error, ErrorKind, Result};

/// How the taking of a snapshot ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SnapshotState {
    /// Every shard is there.
    Success,
    /// Some shards are missing.
    Partial,
    /// It cannot be used.
    Failed,
    /// It was not finished.
    InProgress,
    /// Made by a version that the repository's cluster could not read.
    Incompatible,
}

/// A shard that the snapshot does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardFailure {
    /// Its index.
    pub index: String,
    /// Its number.
    pub shard_id: u32,
    /// Why, in the server's words.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What a snapshot says of itself.
#[derive(Clone, Debug, Deserialize)]
pub struct SnapshotInfo {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub state: SnapshotState,
    /// The indices it was asked to hold.
    #[serde(default)]
    pub indices: Vec<String>,
    /// When it began, milliseconds since the epoch.
    #[serde(default, rename = "start_time")]
    pub started_ms: i64,
    /// When it ended, milliseconds since the epoch.
    #[serde(default, rename = "end_time")]
    pub ended_ms: i64,
    /// Shards it was asked to hold.
    #[serde(default)]
    pub total_shards: u32,
    /// Shards it holds.
    #[serde(default)]
    pub successful_shards: u32,
    /// Shards it does not hold.
    #[serde(default)]
    pub failures: Vec<ShardFailure>,
    #[serde(default)]
    version_id: u64,
}

impl SnapshotInfo {
    /// Reads the framed blob.
    pub(crate) fn parse(blob: &Bytes) -> Result<Self> {
        #[derive(Deserialize)]
        struct Envelope {
            snapshot: SnapshotInfo,
        }
        decode::<Envelope>(&unframe(blob, "snapshot")?).map(|envelope| envelope.snapshot)
    }

    /// The version that made it.
    pub fn version(&self) -> SourceVersion {
        SourceVersion::from_id(self.version_id)
    }

    /// Refuses a snapshot that does not hold everything it was asked to.
    pub(crate) fn require_complete(&self) -> Result<()> {
        match self.state {
            SnapshotState::Success => Ok(()),
            SnapshotState::Partial => {
                let missing: Vec<_> = self
                    .failures
                    .iter()
                    .map(|failure| format!("{}[{}]", failure.index, failure.shard_id))
                    .collect();
                Err(Error::new(
                    ErrorKind::Incomplete,
                    format!(
                        "snapshot `{}` is PARTIAL: it does not hold {}",
                        self.name,
                        missing.join(", ")
                    ),
                ))
            }
            state => Err(Error::new(
                ErrorKind::State,
                format!("snapshot `{}` cannot be read: its state is {state:?}", self.name),
            )),
        }
    }
}
