//! What a backfill is to do.

use std::path::PathBuf;
use std::time::Duration;

use super::{BulkSettings, WhenDone};
use crate::cluster::BulkOperation;
use crate::failed::FailureLimit;
use crate::preparation::{IndexOptions, LoadSettings, Rename, Selection, Types};
use crate::snapshot::RepositoryOptions;

/// What a backfill is to do: which documents go where, and by how many workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackfillSettings {
    /// The repository: a path or a URL.
    pub repository: String,
    /// How the repository is read.
    pub repository_options: RepositoryOptions,
    /// The snapshot's name.
    pub snapshot: String,
    /// The local target's folder; it is made when it is not there.
    pub target: PathBuf,
    /// The session's name; empty for the default one. Sessions of one target are apart from each other.
    pub session: String,
    /// Indices to migrate, as patterns ([`Selection::indices`]). Empty: all but system indices.
    pub indices: Vec<String>,
    /// Patterns of indices to leave out of these.
    pub exclude: Vec<String>,
    /// Documents of each shard at most, for a trial.
    pub max_docs_per_shard: Option<u64>,
    /// Stored bytes of a shard that one work item holds; a larger shard is shared by several workers.
    pub split_bytes: Option<u64>,
    /// Other names in the target.
    pub rename: Rename,
    /// What becomes of indices with several mapping types.
    pub types: Types,
    /// How indices of the target are made.
    pub target_indices: IndexOptions,
    /// What these do without while they are filled.
    pub load: LoadSettings,
    /// Workers that `start` starts.
    pub workers: usize,
    /// How long a worker holds an item without renewing its lease.
    pub lease: Duration,
    /// How many documents of an index may fail before the backfill pauses.
    pub max_failed: FailureLimit,
    /// Where failed documents are kept: a folder or the URL of an object store. Unless said: the folder `failed` beside the
    /// working state.
    pub failed_store: Option<String>,
    /// What becomes of an id that is in the target already. Part of what the run is about: it cannot be changed on the way.
    pub operation: BulkOperation,
    /// A function of the program that runs it changes the documents: part of what the run is about. Set by whoever gives the
    /// function ([`crate::controller::BackfillBuilder::with_transform`]), and known of a run that was begun so.
    pub transformed: bool,
    /// Begins a session anew that was stopped: every document is written again.
    pub from_scratch: bool,
    /// How documents are sent.
    pub bulk: BulkSettings,
    /// How long a pause or a stop waits until all workers are gone.
    pub stop_within: Duration,
    /// What whoever waits for the end of the run does then.
    pub when_done: WhenDone,
}

impl BackfillSettings {
    /// Everything by default but what must be said.
    pub fn new(
        repository: impl Into<String>,
        snapshot: impl Into<String>,
        target: impl Into<PathBuf>,
    ) -> Self {
        Self {
            repository: repository.into(),
            repository_options: RepositoryOptions::default(),
            snapshot: snapshot.into(),
            target: target.into(),
            session: String::new(),
            indices: Vec::new(),
            exclude: Vec::new(),
            max_docs_per_shard: None,
            split_bytes: None,
            rename: Rename::default(),
            types: Types::default(),
            target_indices: IndexOptions::default(),
            load: LoadSettings::default(),
            workers: 1,
            lease: Duration::from_secs(60),
            max_failed: FailureLimit::Usual,
            failed_store: None,
            operation: BulkOperation::default(),
            transformed: false,
            from_scratch: false,
            bulk: BulkSettings::default(),
            stop_within: Duration::from_secs(15 * 60),
            when_done: WhenDone::default(),
        }
    }

    /// What of these settings decides which documents go where.
    pub fn selection(&self) -> Selection {
        Selection {
            indices: self.indices.clone(),
            exclude: self.exclude.clone(),
            max_docs_per_shard: self.max_docs_per_shard,
            rename: self.rename.clone(),
            types: self.types,
            recovery_source: self.repository_options.recovery_source,
            split_bytes: self.split_bytes,
            operation: self.operation,
            transformed: self.transformed,
        }
    }
}
