//! How a repository is read, as it is typed.

use clap::Args;
use snapfill::snapshot::RepositoryOptions;

#[cfg(feature = "s3")]
use crate::bucket::BucketOptions;

#[derive(Debug, Args)]
pub(crate) struct Repo {
    /// The repository: a folder, a file:// URL or s3://bucket/folder
    pub(crate) repo: String,
    /// The folder of the repository below its location: the `base_path` it was registered with
    #[arg(long, value_name = "PATH")]
    pub(crate) base_path: Option<String>,
    #[cfg(feature = "s3")]
    #[command(flatten)]
    pub(crate) bucket: BucketOptions,
}

impl From<Repo> for RepositoryOptions {
    fn from(repo: Repo) -> Self {
        Self {
            base_path: repo.base_path,
            #[cfg(feature = "s3")]
            s3: repo.bucket.into(),
            ..Self::default()
        }
    }
}

/// How a snapshot is read, where its bytes alone do not tell.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Reading the snapshot")]
pub(crate) struct Reading {
    /// The folder of the repository below its location: the `base_path` it was registered with. OpenSearch may put shards
    /// beside it
    #[arg(long, value_name = "PATH")]
    pub(crate) base_path: Option<String>,
    /// Read a PARTIAL snapshot; the shards that it lacks are reported as skipped
    #[arg(long)]
    pub(crate) allow_partial: bool,
    /// The segment repository of OpenSearch's remote store, for shallow snapshots: a folder, a file:// URL or
    /// s3://bucket/folder
    #[arg(long, value_name = "REPO")]
    pub(crate) remote_store: Option<String>,
    /// The folder of the remote store below its location
    #[arg(long, value_name = "PATH", requires = "remote_store")]
    pub(crate) remote_store_base_path: Option<String>,
    /// Where an index stores no source or a filtered one, take the original that was kept for replication
    /// (`_recovery_source`), as far as it is still there
    #[arg(long)]
    pub(crate) recovery_source: bool,
    /// Refuse documents of more bytes; the memory of a worker grows with the largest
    #[arg(long, value_name = "BYTES", default_value_t = 256 << 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_document_bytes: u64,
    #[cfg(feature = "s3")]
    #[command(flatten)]
    pub(crate) bucket: BucketOptions,
}

impl From<Reading> for RepositoryOptions {
    fn from(reading: Reading) -> Self {
        Self {
            base_path: reading.base_path,
            allow_partial: reading.allow_partial,
            remote_store: reading.remote_store,
            remote_store_base_path: reading.remote_store_base_path,
            recovery_source: reading.recovery_source,
            max_document_bytes: Some(reading.max_document_bytes),
            #[cfg(feature = "s3")]
            s3: reading.bucket.into(),
            #[cfg(not(feature = "s3"))]
            s3: snapfill::snapshot::S3Options::default(),
        }
    }
}
