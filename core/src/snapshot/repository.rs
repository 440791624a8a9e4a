//! A snapshot repository.

use std::sync::Arc;

use object_store::ObjectStore;

use super::blobs::Blobs;
use super::catalogue::Catalogue;
use super::info::SnapshotState;
use super::options::RepositoryOptions;
use super::snapshot::Snapshot;
use crate::Result;

/// A repository of snapshots, opened for reading.
///
/// ```no_run
/// # async fn example() -> snapfill::Result<()> {
/// use snapfill::snapshot::{DocumentsOptions, Repository};
///
/// let repository = Repository::open("/backups/nightly").await?;
/// for summary in repository.snapshots() {
///     println!("{}", summary.name);
/// }
/// let snapshot = repository.snapshot("snap-1").await?;
/// for index in snapshot.indices().await? {
///     for shard in snapshot.shards(&index).await? {
///         let mut batches = shard.documents(DocumentsOptions::default());
///         while let Some(batch) = batches.next().await {
///             for document in batch?.documents.iter() {
///                 println!("{} has {} bytes", document.id, document.source.len());
///             }
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Repository {
    blobs: Blobs,
    catalogue: Arc<Catalogue>,
    options: RepositoryOptions,
}

/// One snapshot as the repository's catalogue lists it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SnapshotSummary {
    /// Its name.
    pub name: String,
    /// Its uuid.
    pub uuid: String,
    /// `SUCCESS`, `PARTIAL`, `FAILED`, `IN_PROGRESS` or `INCOMPATIBLE`; `None` where the catalogue does not say.
    pub state: Option<&'static str>,
    /// The version that made it, as the catalogue has it. From Elasticsearch 8.11 on that is always `8.11.0`.
    pub version: Option<String>,
    /// How many indices it holds.
    pub indices: usize,
}

impl Repository {
    /// Opens the repository at a path, a `file://` URL or `s3://bucket/folder`.
    ///
    /// # Errors
    /// `NotFound` when there is no repository, `Unsupported` for a layout or location that this build does not read,
    /// `Corrupt` when its catalogue cannot be understood.
    pub async fn open(location: &str) -> Result<Self> {
        Self::open_with(location, RepositoryOptions::default()).await
    }

    /// Opens the repository at a path or a URL with what is known of it besides.
    ///
    /// # Errors
    /// As [`Repository::open`]; `Config` for a base path that is none. Of a bucket: `Auth` when there are no keys, or they do not
    /// let us in, `Config` for a wrong region or endpoint, `Unavailable` or `RateLimited` when it does not answer in time.
    pub async fn open_with(location: &str, options: RepositoryOptions) -> Result<Self> {
        let base = options.base_path.as_deref();
        Self::read(Blobs::open(location, base, &options.s3).await?, options).await
    }

    /// Opens a repository at the root of a store that the caller made. `name` is for messages.
    ///
    /// # Errors
    /// As [`Repository::open`].
    pub async fn with_store(store: Arc<dyn ObjectStore>, name: &str) -> Result<Self> {
        let options = RepositoryOptions::default();
        Self::read(Blobs::over(store, name, None)?, options).await
    }

    async fn read(blobs: Blobs, options: RepositoryOptions) -> Result<Self> {
        let catalogue = Catalogue::read(&blobs)
            .await
            .map_err(|error| error.with_context("repository", blobs.name()))?;
        Ok(Self { blobs, catalogue: Arc::new(catalogue), options })
    }

    /// How the repository was named when it was opened.
    pub fn location(&self) -> &str {
        self.blobs.name()
    }

    /// Its snapshots, in the order of the catalogue.
    pub fn snapshots(&self) -> Vec<SnapshotSummary> {
        let summary = |snapshot: &super::catalogue::CatalogueSnapshot| SnapshotSummary {
            name: snapshot.name.clone(),
            uuid: snapshot.uuid.clone(),
            state: snapshot.state.map(SnapshotState::as_str),
            version: snapshot.version.clone(),
            indices: self
                .catalogue
                .indices
                .values()
                .filter(|index| index.is_in(&snapshot.uuid))
                .count(),
        };
        self.catalogue.snapshots.iter().map(summary).collect()
    }

    /// The snapshot of that name.
    ///
    /// # Errors
    /// `NotFound` with the names there are, `Incomplete` for a PARTIAL snapshot with the shards it lacks unless that is
    /// allowed, `State` for one that failed or was not finished, `Unsupported` for a pinned timestamp.
    pub async fn snapshot(&self, name: &str) -> Result<Snapshot> {
        let catalogue = Arc::clone(&self.catalogue);
        let opened = Snapshot::open(self.blobs.clone(), catalogue, name, &self.options).await;
        opened.map_err(|error| error.with_context("repository", self.location()))
    }
}
