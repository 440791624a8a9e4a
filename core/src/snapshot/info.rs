//! `snap-<uuid>.dat` at the root, `snapshot-<name>` before: what one snapshot says of itself.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::blobs::Blobs;
use super::layout::Layout;
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
    /// The indices it was asked to hold. Always written: a list that is not found is one that was damaged, which
    /// Elasticsearch 1 has no checksum for.
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
    pub(crate) uuid: Option<String>,
    /// Some of its indices may have left their data in the remote store.
    #[serde(default, rename = "remote_store_index_shallow_copy")]
    pub(crate) is_shallow: Option<bool>,
    #[serde(default)]
    pinned_timestamp: Option<i64>,
    #[serde(default)]
    version_id: u64,
}

impl SnapshotInfo {
    /// Finds the blob of a snapshot, whichever its layout.
    pub(crate) async fn read(blobs: &Blobs, uuid: &str) -> Result<(Layout, Self)> {
        let mut absent = None;
        for layout in Layout::ALL {
            let blob = layout.snapshot_blob(uuid);
            match blobs.get(&blob).await {
                Ok(bytes) => {
                    let parsed = Self::parse(layout, &bytes);
                    let info = parsed.map_err(|error| error.with_context("file", blob))?;
                    return Ok((layout, info));
                }
                // The first is the one to name: it is where the blob has been for ten years.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    absent.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(absent.unwrap_or_else(|| Error::new(ErrorKind::NotFound, "there is no such snapshot")))
    }

    fn parse(layout: Layout, blob: &Bytes) -> Result<Self> {
        #[derive(Deserialize)]
        struct Envelope {
            snapshot: SnapshotInfo,
        }
        decode::<Envelope>(&layout.unwrap(blob, "snapshot")?).map(|envelope| envelope.snapshot)
    }

    /// The version that made it.
    pub fn version(&self) -> SourceVersion {
        SourceVersion::from_id(self.version_id)
    }

    /// Refuses a snapshot that cannot be read, and one that lacks shards unless that is allowed.
    pub(crate) fn require_readable(&self, allow_partial: bool) -> Result<()> {
        if self.pinned_timestamp.is_some_and(|timestamp| timestamp > 0) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "snapshot `{}` is a pinned timestamp: it holds no files and names none, only a moment of the remote \
                     store. Take a snapshot without `shallow_snapshot_v2`",
                    self.name
                ),
            ));
        }
        match self.state {
            SnapshotState::Success | SnapshotState::Partial => self.require_whole(allow_partial),
            state => Err(Error::new(
                ErrorKind::State,
                format!(
                    "snapshot `{}` cannot be read: its state is {}. Take it again, or read another",
                    self.name,
                    state.as_str()
                ),
            )),
        }
    }

    fn require_whole(&self, allow_partial: bool) -> Result<()> {
        let whole = self.state == SnapshotState::Success && self.failures.is_empty();
        if whole || allow_partial {
            return Ok(());
        }
        let missing: Vec<_> = self.failures.iter().map(ShardFailure::to_string).collect();
        Err(Error::new(
            ErrorKind::Incomplete,
            format!(
                "snapshot `{}` is PARTIAL: it does not hold {}. Allow that (--allow-partial) to read the other shards and \
                 have these reported as skipped",
                self.name,
                missing.join("; ")
            ),
        ))
    }

    /// Why the snapshot does not hold a shard; `None` for one that it claims to hold.
    pub fn failure(&self, index: &str, shard: u32) -> Option<&ShardFailure> {
        self.failures.iter().find(|failure| failure.index == index && failure.shard_id == shard)
    }
}

impl SnapshotState {
    /// The state in the servers' own word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Partial => "PARTIAL",
            Self::Failed => "FAILED",
            Self::InProgress => "IN_PROGRESS",
            Self::Incompatible => "INCOMPATIBLE",
        }
    }

    /// The state behind the number that catalogues have for it.
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            0 => Self::InProgress,
            1 => Self::Success,
            2 => Self::Failed,
            3 => Self::Partial,
            4 => Self::Incompatible,
            _ => return None,
        })
    }
}

impl fmt::Display for ShardFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.index, self.shard_id)?;
        match &self.reason {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(text: &str) -> SnapshotInfo {
        let blob = Bytes::from(format!("{{\"snapshot\":{text}}}"));
        SnapshotInfo::parse(Layout::Bare, &blob).unwrap()
    }

    #[test]
    fn a_partial_snapshot_is_refused_with_the_shards_that_it_lacks() {
        let partial = info(
            r#"{"name":"s","indices":[],"state":"PARTIAL","failures":[{"index":"a","shard_id":3,"reason":"node left"},
                {"index":"b","shard_id":0}]}"#,
        );
        let refused = partial.require_readable(false).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Incomplete);
        assert!(refused.message().contains("a[3] (node left); b[0]"), "{refused}");
        partial.require_readable(true).unwrap();
        assert!(partial.failure("a", 3).is_some() && partial.failure("a", 0).is_none());
    }

    #[test]
    fn a_success_that_lacks_shards_is_no_success() {
        let odd = info(
            r#"{"name":"s","indices":[],"state":"SUCCESS","failures":[{"index":"a","shard_id":0,"reason":"x"}]}"#,
        );
        assert_eq!(odd.require_readable(false).unwrap_err().kind(), ErrorKind::Incomplete);
        odd.require_readable(true).unwrap();
    }

    #[test]
    fn what_was_not_taken_to_its_end_is_refused_by_its_state() {
        for state in ["FAILED", "IN_PROGRESS", "INCOMPATIBLE"] {
            let refused = info(&format!(r#"{{"name":"s","indices":[],"state":"{state}"}}"#));
            let error = refused.require_readable(true).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::State);
            assert!(error.message().contains(state), "{error}");
        }
    }

    #[test]
    fn a_pinned_timestamp_is_refused_by_name() {
        let pinned =
            info(r#"{"name":"s","indices":[],"state":"SUCCESS","pinned_timestamp":1722299958000}"#);
        let error = pinned.require_readable(true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("pinned timestamp"), "{error}");
        info(r#"{"name":"s","indices":[],"state":"SUCCESS","pinned_timestamp":0}"#)
            .require_readable(false)
            .unwrap();
    }

    #[test]
    fn states_have_numbers_in_catalogues() {
        let states: Vec<_> =
            (0..6).map(|n| SnapshotState::from_number(n).map(SnapshotState::as_str)).collect();
        let expected = ["IN_PROGRESS", "SUCCESS", "FAILED", "PARTIAL", "INCOMPATIBLE"].map(Some);
        assert_eq!(states[..5], expected);
        assert_eq!(states[5], None);
    }
}
