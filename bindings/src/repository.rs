//! A snapshot repository.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::OnceCell;

use crate::{Result, Snapshot, runtime};

/// How a repository is read, where the bytes alone do not tell.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct RepositoryOptions {
    /// The folder of the repository below its location: the `base_path` it was registered with.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub base_path: Option<String>,
    /// Reads PARTIAL snapshots too. The shards that they lack are reported as skipped.
    #[cfg_attr(feature = "uniffi", uniffi(default = false))]
    pub allow_partial: bool,
    /// The location of the remote store's segment repository, for shallow snapshots of OpenSearch.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub remote_store: Option<String>,
    /// The folder of the remote store below its location.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub remote_store_base_path: Option<String>,
    /// Takes the original source that Elasticsearch keeps for replication, where an index stores none or a filtered one.
    #[cfg_attr(feature = "uniffi", uniffi(default = false))]
    pub recovery_source: bool,
    /// Refuses documents of more bytes; none: 256 MiB.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub max_document_bytes: Option<u64>,
}

impl From<RepositoryOptions> for snapfill::snapshot::RepositoryOptions {
    fn from(options: RepositoryOptions) -> Self {
        Self {
            base_path: options.base_path,
            allow_partial: options.allow_partial,
            remote_store: options.remote_store,
            remote_store_base_path: options.remote_store_base_path,
            recovery_source: options.recovery_source,
            max_document_bytes: options.max_document_bytes,
            ..Self::default()
        }
    }
}

/// One snapshot as the repository's catalogue lists it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SnapshotSummary {
    /// Its name.
    pub name: String,
    /// Its uuid.
    pub uuid: String,
    /// `SUCCESS`, `PARTIAL`, `FAILED`, `IN_PROGRESS` or `INCOMPATIBLE`; none where the catalogue does not say.
    pub state: Option<String>,
    /// The version that made it, as the catalogue has it.
    pub version: Option<String>,
    /// How many indices it holds.
    pub indices: u64,
}

/// A snapshot repository: a folder, or a URL. Nothing is read before it is asked for something.
#[derive(Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct Repository {
    location: String,
    options: snapfill::snapshot::RepositoryOptions,
    opened: OnceCell<snapfill::snapshot::Repository>,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Repository {
    /// The repository at a path or a URL.
    #[cfg_attr(feature = "uniffi", uniffi::constructor)]
    pub fn new(location: String, options: RepositoryOptions) -> Arc<Self> {
        Arc::new(Self { location, options: options.into(), opened: OnceCell::new() })
    }

    /// How it was named.
    pub fn location(&self) -> String {
        self.location.clone()
    }

    /// Its snapshots, in the order of the catalogue.
    ///
    /// # Errors
    /// `NotFound` when there is no repository, `Unsupported` for a location or layout that is not read, `Corrupt` when its
    /// catalogue cannot be understood.
    pub async fn snapshots(self: Arc<Self>) -> Result<Vec<SnapshotSummary>> {
        runtime::run(async move {
            let snapshots = self.opened().await?.snapshots();
            Ok(snapshots.into_iter().map(SnapshotSummary::from).collect())
        })
        .await
    }

    /// The snapshot of that name. Nothing is read before it is asked for something.
    pub fn snapshot(self: Arc<Self>, name: String) -> Arc<Snapshot> {
        Snapshot::of(self, name)
    }
}

impl Repository {
    pub(crate) async fn opened(&self) -> Result<&snapfill::snapshot::Repository> {
        let open =
            || snapfill::snapshot::Repository::open_with(&self.location, self.options.clone());
        Ok(self.opened.get_or_try_init(open).await?)
    }
}

impl From<snapfill::snapshot::SnapshotSummary> for SnapshotSummary {
    fn from(summary: snapfill::snapshot::SnapshotSummary) -> Self {
        Self {
            name: summary.name,
            uuid: summary.uuid,
            state: summary.state.map(str::to_owned),
            version: summary.version,
            indices: summary.indices as u64,
        }
    }
}
