//! What goes where, and how.

use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroU32, NonZeroU64};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::Config;
use super::units::{Size, Time};
use crate::cluster::BulkOperation;
use crate::coordination::LeaseRules;
use crate::failed::FailureLimit;
use crate::preparation::{CreateIndices, IndexOptions, LoadSettings, Rename, Types, UnknownFields};
use crate::settings::{BackfillSettings, BulkSettings, RateLimits};
use crate::{Error, ErrorKind, Result};

/// What goes where, and how. What is not said is as usual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct BackfillConfig {
    /// The indices that go: a name, a glob such as `logs-*`, or `regex:` and an expression that matches the whole name. Without
    /// any, all but system indices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub indices: Vec<String>,
    /// Patterns of indices to leave out of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Documents of each shard at most, for a trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_docs_per_shard: Option<NonZeroU64>,
    /// Shards with more stored bytes are cut into work items of about as many, so that several workers share them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_size: Option<Size>,
    /// Other names in the target.
    #[serde(skip_serializing_if = "RenameConfig::is_empty")]
    pub rename: RenameConfig,
    /// What becomes of an index with several mapping types, and of indices that get one name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub types: Option<Types>,
    /// What becomes of an id that is in the target already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<BulkOperation>,
    /// Whether indices that the target lacks are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_indices: Option<CreateIndices>,
    /// What becomes of a field whose type the target lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_fields: Option<UnknownFields>,
    /// Replicas of each shard of the indices that are made; unless said, as many as in the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// Whether the target's indices are not refreshed while they are filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_refresh: Option<bool>,
    /// Whether the target's indices have no replicas while they are filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defer_replicas: Option<bool>,
    /// Workers that `start` starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<NonZeroU16>,
    /// How long a worker holds a work item without renewing its lease: 3 seconds to a day.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lease")]
    pub lease: Option<Time>,
    /// The backfill pauses when more documents of one index have failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_failed: Option<u64>,
    /// Where documents are kept that the target refuses: a folder or the URL of an object store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_store: Option<String>,
    /// Types of exceptions that count as success: the document is counted as present.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_exceptions: Vec<String>,
    /// How documents are sent.
    #[serde(skip_serializing_if = "BulkConfig::is_empty")]
    pub bulk: BulkConfig,
    /// Ceilings of what one process sends.
    #[serde(skip_serializing_if = "LimitsConfig::is_empty")]
    pub limits: LimitsConfig,
}

/// How documents are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct BulkConfig {
    /// Bytes of one bulk request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Documents of one bulk request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documents: Option<NonZeroU32>,
    /// Bulk requests of one worker that may be out at a time, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<NonZeroU16>,
}

/// Ceilings of what one process sends, all its workers together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Documents a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documents_per_second: Option<NonZeroU64>,
    /// Bytes of documents a second, before compression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_per_second: Option<Size>,
}

/// Other names in the target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct RenameConfig {
    /// Put before the name of every index that `names` does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// New names by old ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    /// New names for the indices whose whole name matches; the first that matches counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<RenamePattern>,
}

/// A new name for the indices whose whole name matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RenamePattern {
    /// The regular expression.
    pub pattern: String,
    /// What takes the name's place, with `$1` for what a group matched.
    pub replacement: String,
}

impl BackfillConfig {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl BulkConfig {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl LimitsConfig {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl RenameConfig {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Below three seconds, a slow answer of the working state would cost the lease.
fn lease<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    let time = Time::deserialize(deserializer)?;
    let is_whole = time.0.subsec_nanos() == 0;
    if !is_whole || !(3..=86_400).contains(&time.0.as_secs()) {
        return Err(de::Error::custom("a lease is 3s to 1d, in whole seconds"));
    }
    Ok(Some(time))
}

impl Config {
    /// What the backfill is to do. `folder` is this machine's place for it, where the target is a cluster.
    ///
    /// # Errors
    /// `Config` when the repository or the snapshot is not said.
    pub fn settings(&self, folder: impl Into<std::path::PathBuf>) -> Result<BackfillSettings> {
        let missing = |key: &str| {
            Error::new(ErrorKind::Config, format!("the configuration does not say `{key}`"))
        };
        let source = &self.source;
        let repository = source.repository.clone().ok_or_else(|| missing("source.repository"))?;
        let snapshot = source.snapshot.clone().ok_or_else(|| missing("source.snapshot"))?;
        let target = self.target.as_ref().and_then(|target| target.endpoint.folder());
        let folder = target.map_or_else(|| folder.into(), Into::into);
        let usual = BackfillSettings::new(repository, snapshot, folder);
        let backfill = &self.backfill;
        let lease = backfill.lease.map_or(usual.lease, |Time(lease)| lease);
        Ok(BackfillSettings {
            repository_options: source.options(),
            session: self.session.as_ref().map_or_else(String::new, |name| name.name().to_owned()),
            indices: backfill.indices.clone(),
            exclude: backfill.exclude.clone(),
            max_docs_per_shard: backfill.max_docs_per_shard.map(NonZeroU64::get),
            split_bytes: backfill.split_size.map(|Size(bytes)| bytes),
            rename: backfill.rename.to_settings(),
            types: backfill.types.unwrap_or_default(),
            operation: backfill.operation.unwrap_or_default(),
            target_indices: IndexOptions {
                create: backfill.create_indices.unwrap_or_default(),
                unknown_fields: backfill.unknown_fields.unwrap_or_default(),
                replicas: backfill.replicas,
            },
            load: LoadSettings {
                disable_refresh: backfill.disable_refresh.unwrap_or_default(),
                defer_replicas: backfill.defer_replicas.unwrap_or_default(),
            },
            workers: backfill.workers.map_or(usual.workers, |workers| workers.get().into()),
            lease,
            max_failed: backfill.max_failed.map_or(usual.max_failed, FailureLimit::Documents),
            failed_store: backfill.failed_store.clone(),
            bulk: backfill.bulk_settings(lease),
            ..usual
        })
    }
}

impl BackfillConfig {
    fn bulk_settings(&self, lease: Duration) -> BulkSettings {
        let usual = BulkSettings::default();
        let size = |Size(bytes)| usize::try_from(bytes).unwrap_or(usize::MAX);
        let BulkConfig { size: bytes, documents, in_flight } = &self.bulk;
        BulkSettings {
            bytes: bytes.map_or(usual.bytes, size),
            documents: documents.map_or(usual.documents, |documents| {
                usize::try_from(documents.get()).unwrap_or(usize::MAX)
            }),
            in_flight: in_flight.map_or(usual.in_flight, |bulks| bulks.get().into()),
            allowed_exceptions: self.allowed_exceptions.iter().cloned().collect(),
            timeout: LeaseRules::for_length(lease).bulk_timeout(usual.timeout),
            limits: RateLimits {
                documents_per_second: self.limits.documents_per_second,
                bytes_per_second: self
                    .limits
                    .bytes_per_second
                    .and_then(|Size(bytes)| NonZeroU64::new(bytes)),
            },
            ..usual
        }
    }
}

impl RenameConfig {
    fn to_settings(&self) -> Rename {
        let pattern = |one: &RenamePattern| (one.pattern.clone(), one.replacement.clone());
        Rename {
            prefix: self.prefix.clone().unwrap_or_default(),
            map: self.names.clone(),
            patterns: self.patterns.iter().map(pattern).collect(),
        }
    }
}
