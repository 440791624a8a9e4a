//! What a backfill is to do.

use std::path::PathBuf;
use std::time::Duration;

use super::BulkSettings;
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
    /// Indices to migrate, by exact name. Empty: all but system indices.
    pub indices: Vec<String>,
    /// Workers that `start` starts.
    pub workers: usize,
    /// How long a worker holds an item without renewing its lease.
    pub lease: Duration,
    /// How documents are sent.
    pub bulk: BulkSettings,
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
            workers: 1,
            lease: Duration::from_secs(60),
            bulk: BulkSettings::default(),
        }
    }
}
