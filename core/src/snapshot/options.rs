//! How a repository is read, where the bytes alone do not tell.

use serde::{Deserialize, Serialize};

use super::S3Options;

/// How a repository is read, where the bytes alone do not tell.
///
/// ```
/// use snapfill::snapshot::RepositoryOptions;
/// let options = RepositoryOptions { allow_partial: true, ..RepositoryOptions::default() };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RepositoryOptions {
    /// The folder of the repository below its location: the `base_path` it was registered with. Needed where OpenSearch
    /// puts shards beside that folder (`HASHED_PREFIX` shard paths); elsewhere it may as well be a part of the location.
    pub base_path: Option<String>,
    /// Reads PARTIAL snapshots too. The shards that they lack are reported as skipped.
    pub allow_partial: bool,
    /// The location of the remote store's segment repository, for shallow snapshots of OpenSearch's remote-store
    /// indices: they hold the names of files that lie there.
    pub remote_store: Option<String>,
    /// The folder of the remote store below its location, as `base_path` is for the repository.
    pub remote_store_base_path: Option<String>,
    /// Takes the original source that Elasticsearch keeps for replication (`_recovery_source`), until a merge drops it,
    /// where an index stores none or a filtered one.
    pub recovery_source: bool,
    /// Refuses documents of more bytes, before room is made for them; `None`: 256 MiB. Servers take requests of 100 MB
    /// unless told otherwise, and Lucene holds documents of up to 2 GiB.
    pub max_document_bytes: Option<u64>,
    /// How buckets are reached, where the repository or its remote store is in one (`s3://bucket/folder`).
    pub s3: S3Options,
}
