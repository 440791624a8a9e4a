//! What a backfill is to do.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use snapfill::ErrorKind;
use snapfill::cluster::BulkOperation;
use snapfill::coordination::LeaseRules;
use snapfill::failed::FailureLimit;
use snapfill::preparation::{
    CreateIndices, IndexOptions, LoadSettings, Rename, Types, UnknownFields,
};
use snapfill::settings::{BackfillSettings, BulkSettings, RateLimits};

use crate::convert::{choose, size};
use crate::{ClusterOptions, EcsFleet, KubernetesFleet, RepositoryOptions, Result, SnapfillError};

/// What a backfill is to do: which documents go where, and by how many workers. What is left out has its usual value.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct BackfillOptions {
    /// The target: a folder, or a cluster's address.
    pub target: String,
    /// The repository: a path or a URL. None, and no snapshot: the run that is in the working state already.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub repository: Option<String>,
    /// The snapshot's name.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub snapshot: Option<String>,
    /// How the repository is read.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub repository_options: RepositoryOptions,
    /// How to speak with the target, where it is a cluster.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub target_options: ClusterOptions,
    /// Where the working state of a run into a cluster is: another cluster's address, or `local` for a file of this machine.
    /// None: in the target.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub coordinator: Option<String>,
    /// How to speak with the coordinator.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub coordinator_options: ClusterOptions,
    /// A folder for what this machine keeps of a run into a cluster. None: one for each address, under
    /// `$XDG_STATE_HOME/snapfill` or `~/.local/state/snapfill`.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub state: Option<String>,
    /// Workers are the tasks of a service of Amazon ECS. None of this and of `kubernetes`: tasks of this process.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub ecs: Option<EcsFleet>,
    /// Workers are the pods of a Kubernetes deployment.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub kubernetes: Option<KubernetesFleet>,
    /// The session's name: sessions of one target are apart from each other.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub session: Option<String>,
    /// Indices to migrate: names, globs, or `regex:` and an expression. None: all but system indices.
    #[cfg_attr(feature = "uniffi", uniffi(default = []))]
    pub indices: Vec<String>,
    /// Patterns of indices to leave out of these.
    #[cfg_attr(feature = "uniffi", uniffi(default = []))]
    pub exclude: Vec<String>,
    /// Documents of each shard at most, for a trial.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub max_docs_per_shard: Option<u64>,
    /// Stored bytes of a shard that one work item holds; a larger shard is shared by several workers.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub split_bytes: Option<u64>,
    /// New names of indices by their old ones.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub rename: HashMap<String, String>,
    /// Regular expressions for whole names, and what takes their place.
    #[cfg_attr(feature = "uniffi", uniffi(default = []))]
    pub rename_patterns: Vec<RenamePattern>,
    /// Put before every name that is not in `rename`.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub rename_prefix: Option<String>,
    /// What becomes of indices with several mapping types: `refuse`, `split` or `merge`.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub types: Option<String>,
    /// Whether indices that the target lacks are made: `missing` or `never`.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub create_indices: Option<String>,
    /// What becomes of fields whose type the target lacks: `refuse`, `drop` or `keep`.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub unknown_fields: Option<String>,
    /// Replicas of the indices that are made.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub replicas: Option<u32>,
    /// No refresh while the target is filled.
    #[cfg_attr(feature = "uniffi", uniffi(default = false))]
    pub disable_refresh: bool,
    /// Replicas are made when the run is done.
    #[cfg_attr(feature = "uniffi", uniffi(default = false))]
    pub defer_replicas: bool,
    /// What becomes of an id that is in the target already: `index` (it is replaced) or `create` (it is left alone).
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub operation: Option<String>,
    /// Workers that `start` starts; none: 1.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub workers: Option<u32>,
    /// How long a worker holds an item without renewing its lease; none: a minute.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub lease: Option<Duration>,
    /// How many documents of an index may fail before the backfill pauses; none: 10 000, or 1 % if that is more.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub max_failed: Option<u64>,
    /// Where failed documents are kept: a folder or a URL. None: the folder `failed` beside the working state.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub failed_store: Option<String>,
    /// Begins a session anew that was stopped: every document is written again.
    #[cfg_attr(feature = "uniffi", uniffi(default = false))]
    pub from_scratch: bool,
    /// Bytes of one bulk request; none: 10 MiB.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub bulk_bytes: Option<u64>,
    /// Documents of one bulk request; none: 10 000.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub bulk_documents: Option<u64>,
    /// Bulk requests of one worker that may be out at a time, at most; none: 4.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub bulks_in_flight: Option<u32>,
    /// A ceiling of the documents that this process sends a second.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub max_docs_per_second: Option<u64>,
    /// A ceiling of the bytes of documents that this process sends a second.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub max_bytes_per_second: Option<u64>,
}

/// A regular expression for whole names of indices, and what takes their place.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct RenamePattern {
    /// The expression.
    pub pattern: String,
    /// What takes its place, with `$1` or `${name}` for groups.
    pub replacement: String,
}

impl BackfillOptions {
    /// The repository and the snapshot, unless the run of the working state is meant.
    ///
    /// # Errors
    /// `Config` when only one of them is given.
    pub(crate) fn source(&self) -> Result<Option<(&str, &str)>> {
        match (&self.repository, &self.snapshot) {
            (Some(repository), Some(snapshot)) => Ok(Some((repository, snapshot))),
            (None, None) => Ok(None),
            _ => Err(config(
                "give both repository and snapshot, or neither to mean the run that the target knows",
            )),
        }
    }

    pub(crate) fn session(&self) -> &str {
        self.session.as_deref().unwrap_or_default()
    }

    /// The same as the core takes it, for a run that has `folder` on this machine.
    pub(crate) fn settings(&self, folder: PathBuf) -> Result<BackfillSettings> {
        let (repository, snapshot) = self.source()?.unwrap_or_default();
        let usual = BackfillSettings::new(repository, snapshot, folder);
        let lease = self.lease.unwrap_or(usual.lease);
        Ok(BackfillSettings {
            repository_options: self.repository_options.clone().into(),
            session: self.session().to_owned(),
            indices: self.indices.clone(),
            exclude: self.exclude.clone(),
            max_docs_per_shard: self.max_docs_per_shard,
            split_bytes: self.split_bytes,
            rename: self.renaming(),
            types: self.types()?,
            target_indices: self.target_indices()?,
            load: LoadSettings {
                disable_refresh: self.disable_refresh,
                defer_replicas: self.defer_replicas,
            },
            workers: self.workers.map_or(usual.workers, |workers| size(workers.into())),
            lease,
            max_failed: self.max_failed.map_or(usual.max_failed, FailureLimit::Documents),
            failed_store: self.failed_store.clone(),
            operation: self.operation()?,
            from_scratch: self.from_scratch,
            bulk: self.bulk(&usual.bulk, lease)?,
            ..usual
        })
    }

    fn renaming(&self) -> Rename {
        let pattern = |one: &RenamePattern| (one.pattern.clone(), one.replacement.clone());
        Rename {
            prefix: self.rename_prefix.clone().unwrap_or_default(),
            map: self.rename.clone().into_iter().collect(),
            patterns: self.rename_patterns.iter().map(pattern).collect(),
        }
    }

    fn types(&self) -> Result<Types> {
        let words = [("refuse", Types::Refuse), ("split", Types::Split), ("merge", Types::Merge)];
        choose("types", self.types.as_deref(), &words)
    }

    fn operation(&self) -> Result<BulkOperation> {
        let words = [("index", BulkOperation::Index), ("create", BulkOperation::Create)];
        choose("operation", self.operation.as_deref(), &words)
    }

    fn target_indices(&self) -> Result<IndexOptions> {
        let create = [("missing", CreateIndices::Missing), ("never", CreateIndices::Never)];
        let unknown = [
            ("refuse", UnknownFields::Refuse),
            ("drop", UnknownFields::Drop),
            ("keep", UnknownFields::Keep),
        ];
        Ok(IndexOptions {
            create: choose("create_indices", self.create_indices.as_deref(), &create)?,
            unknown_fields: choose("unknown_fields", self.unknown_fields.as_deref(), &unknown)?,
            replicas: self.replicas,
        })
    }

    fn bulk(&self, usual: &BulkSettings, lease: Duration) -> Result<BulkSettings> {
        let at_least_one = |option: &str, given: Option<u64>, usual: usize| match given {
            Some(0) => Err(config(format!("{option} is at least 1"))),
            given => Ok(given.map_or(usual, size)),
        };
        let in_flight = self.bulks_in_flight.map(u64::from);
        Ok(BulkSettings {
            bytes: at_least_one("bulk_bytes", self.bulk_bytes, usual.bytes)?,
            documents: at_least_one("bulk_documents", self.bulk_documents, usual.documents)?,
            in_flight: at_least_one("bulks_in_flight", in_flight, usual.in_flight)?,
            timeout: LeaseRules::for_length(lease).bulk_timeout(usual.timeout),
            limits: RateLimits {
                documents_per_second: ceiling("max_docs_per_second", self.max_docs_per_second)?,
                bytes_per_second: ceiling("max_bytes_per_second", self.max_bytes_per_second)?,
            },
            ..usual.clone()
        })
    }
}

pub(crate) fn ceiling(option: &str, given: Option<u64>) -> Result<Option<NonZeroU64>> {
    let check = |number| {
        NonZeroU64::new(number).ok_or_else(|| {
            config(format!(
                "{option} of 0 would send nothing for ever; pause the backfill for that"
            ))
        })
    };
    given.map(check).transpose()
}

pub(crate) fn config(message: impl fmt::Display) -> SnapfillError {
    SnapfillError::new(ErrorKind::Config, message.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_usual_value() {
        let options = BackfillOptions {
            target: "./filled".to_owned(),
            repository: Some("/backups".to_owned()),
            snapshot: Some("nightly".to_owned()),
            ..BackfillOptions::default()
        };
        let usual = BackfillSettings::new("/backups", "nightly", "./filled");
        assert_eq!(options.settings("./filled".into()).unwrap(), usual);
    }

    #[test]
    fn half_a_source_and_words_that_are_none_are_refused() {
        let refused = |change: fn(&mut BackfillOptions)| {
            let mut options = BackfillOptions::default();
            change(&mut options);
            options.settings(PathBuf::new()).unwrap_err()
        };
        for error in [
            refused(|options| options.snapshot = Some("nightly".to_owned())),
            refused(|options| options.types = Some("mix".to_owned())),
            refused(|options| options.bulk_bytes = Some(0)),
            refused(|options| options.max_docs_per_second = Some(0)),
        ] {
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        }
    }
}
