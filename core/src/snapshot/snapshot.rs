//! One snapshot of a repository.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::blobs::Blobs;
use super::catalogue::{Catalogue, CatalogueIndex, CatalogueSnapshot};
use super::index_metadata::IndexMetadata;
use super::info::{ShardFailure, SnapshotInfo};
use super::layout::Layout;
use super::limits::DOCUMENT_BYTES;
use super::options::RepositoryOptions;
use super::remote_store::RemoteStore;
use super::shard::Shard;
use super::shard_place::ShardPlace;
use crate::{Error, ErrorKind, Result};

/// One snapshot, opened for reading.
#[derive(Clone, Debug)]
pub struct Snapshot {
    blobs: Blobs,
    catalogue: Arc<Catalogue>,
    entry: CatalogueSnapshot,
    layout: Layout,
    info: Arc<SnapshotInfo>,
    remote_store: Option<Arc<RemoteStore>>,
    recovery_source: bool,
    max_document_bytes: u64,
}

/// One index of a snapshot with its metadata.
#[derive(Clone, Debug)]
pub struct SnapshotIndex {
    /// Settings, mappings, aliases.
    pub metadata: Arc<IndexMetadata>,
    /// Its folder below `indices/`.
    id: String,
    shard_path_type: u32,
}

impl Snapshot {
    pub(crate) async fn open(
        blobs: Blobs,
        catalogue: Arc<Catalogue>,
        name: &str,
        options: &RepositoryOptions,
    ) -> Result<Self> {
        let entry = catalogue.snapshot(name)?.clone();
        let (layout, info) = SnapshotInfo::read(&blobs, &entry.uuid)
            .await
            .map_err(|error| error.with_context("snapshot", name))?;
        info.require_readable(options.allow_partial)?;
        let RepositoryOptions { remote_store, remote_store_base_path, recovery_source, s3, .. } =
            options;
        let remote_store = match remote_store {
            Some(location) => {
                let base = remote_store_base_path.as_deref();
                Some(Arc::new(RemoteStore::open(location, base, s3).await?))
            }
            None => None,
        };
        let info = Arc::new(info);
        let snapshot = Self {
            blobs,
            catalogue,
            entry,
            layout,
            info,
            remote_store,
            recovery_source: *recovery_source,
            max_document_bytes: options.max_document_bytes.unwrap_or(DOCUMENT_BYTES),
        };
        snapshot.require_catalogued()?;
        Ok(snapshot)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// Its uuid: two snapshots of one name made at different times differ in it.
    pub fn uuid(&self) -> &str {
        &self.entry.uuid
    }

    /// Whether documents without a whole stored source are taken from `_recovery_source`.
    pub fn reads_recovery_source(&self) -> bool {
        self.recovery_source
    }

    /// What it says of itself.
    pub fn info(&self) -> &SnapshotInfo {
        &self.info
    }

    /// The location of its repository.
    pub fn repository(&self) -> &str {
        self.blobs.name()
    }

    /// The region of its repository's bucket, where it is in one.
    pub fn region(&self) -> Option<&str> {
        self.blobs.region()
    }

    /// The location of its repository as a URL, the same for every way of writing it.
    pub fn repository_url(&self) -> &str {
        self.blobs.url()
    }

    /// The names of its indices, sorted.
    pub fn index_names(&self) -> Vec<&str> {
        self.catalogued().map(|(name, _)| name).collect()
    }

    /// One index with its metadata.
    ///
    /// # Errors
    /// `NotFound` when the snapshot does not hold it, `Corrupt` when its metadata cannot be understood.
    pub async fn index(&self, name: &str) -> Result<SnapshotIndex> {
        let (_, index) = self.catalogued().find(|(known, _)| *known == name).ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("no index `{name}` in snapshot `{}`", self.name()),
            )
        })?;
        let metadata =
            self.read_metadata(index).await.map_err(|error| error.with_context("index", name))?;
        if metadata.name != name {
            // The catalogue has no checksum, and would give the documents of one index another's name.
            let what = format!("the catalogue calls it `{name}`, its metadata `{}`", metadata.name);
            return Err(Error::new(ErrorKind::Corrupt, what).with_context("index", name));
        }
        Ok(SnapshotIndex {
            metadata: Arc::new(metadata),
            id: index.id.clone(),
            shard_path_type: index.shard_path_type,
        })
    }

    async fn read_metadata(&self, index: &CatalogueIndex) -> Result<IndexMetadata> {
        let blob = self.catalogue.index_metadata_blob(&self.entry, self.layout, index)?;
        IndexMetadata::parse(self.layout, &self.blobs.get(&blob).await?)
            .map_err(|error| error.with_context("file", blob))
    }

    /// All its indices with their metadata, ordered by name.
    ///
    /// # Errors
    /// As [`Snapshot::index`].
    pub async fn indices(&self) -> Result<Vec<SnapshotIndex>> {
        let mut indices = Vec::new();
        for name in self.index_names() {
            indices.push(self.index(name).await?);
        }
        Ok(indices)
    }

    /// All shards of an index, in order. Those that a PARTIAL snapshot lacks are left out: [`Snapshot::missing`] says which.
    ///
    /// # Errors
    /// As [`Snapshot::shard_of`].
    pub async fn shards(&self, index: &SnapshotIndex) -> Result<Vec<Shard>> {
        let mut shards = Vec::new();
        for number in 0..index.metadata.shards()? {
            if self.missing(&index.metadata.name, number).is_none() {
                shards.push(self.shard_of(index, number).await?);
            }
        }
        Ok(shards)
    }

    /// One shard of an index.
    ///
    /// # Errors
    /// As [`Snapshot::index`] and [`Snapshot::shard_of`].
    pub async fn shard(&self, index: &str, number: u32) -> Result<Shard> {
        let index = self.index(index).await?;
        self.shard_of(&index, number).await
    }

    /// One shard of an index whose metadata is at hand.
    ///
    /// # Errors
    /// `NotFound` when the index has fewer shards, `Incomplete` for a shard that a PARTIAL snapshot lacks, `Unsupported`
    /// for a way of storing shards that is not read, `Corrupt` when its manifest or commit cannot be understood.
    pub async fn shard_of(&self, index: &SnapshotIndex, number: u32) -> Result<Shard> {
        let name = &index.metadata.name;
        let opened = self.open_shard(index, number).await;
        opened.map_err(|error| error.with_context("shard", format!("{name}[{number}]")))
    }

    /// Why the snapshot does not hold a shard, where it is PARTIAL and says so; `None` for one that it holds.
    pub fn missing(&self, index: &str, number: u32) -> Option<&ShardFailure> {
        self.info.failure(index, number)
    }

    async fn open_shard(&self, index: &SnapshotIndex, number: u32) -> Result<Shard> {
        index.metadata.require_readable()?;
        if let Some(failure) = self.missing(&index.metadata.name, number) {
            let reason = failure.reason.as_deref().unwrap_or("it does not say why");
            return Err(Error::new(
                ErrorKind::Incomplete,
                format!("the snapshot is PARTIAL and does not hold this shard: {reason}"),
            ));
        }
        let shards = index.metadata.shards()?;
        if number >= shards {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("index `{}` has {shards} shards, numbered from 0", index.metadata.name),
            ));
        }
        let place = ShardPlace {
            blobs: &self.blobs,
            layout: self.layout,
            snapshot_uuid: self.uuid(),
            is_shallow: self.info.is_shallow == Some(true),
            remote_store: self.remote_store.as_deref(),
            index_id: &index.id,
            path_type: index.shard_path_type,
            number,
        };
        let shard = Shard::open(place.files().await?, Arc::clone(&index.metadata), number).await?;
        Ok(shard.read_as(self.recovery_source, self.max_document_bytes))
    }

    fn catalogued(&self) -> impl Iterator<Item = (&str, &CatalogueIndex)> {
        let uuid = &self.entry.uuid;
        let held = self.catalogue.indices.iter().filter(move |(_, index)| index.is_in(uuid));
        held.map(|(name, index)| (name.as_str(), index))
    }

    /// The catalogue bears no checksum, the snapshot's own list does: what one of them leaves out would be lost without a
    /// word, and what one of them renames would be another snapshot's.
    fn require_catalogued(&self) -> Result<()> {
        let own: BTreeSet<&str> = self.info.indices.iter().map(String::as_str).collect();
        let catalogued: BTreeSet<&str> = self.catalogued().map(|(name, _)| name).collect();
        let what = if own != catalogued {
            let odd: Vec<_> = own.symmetric_difference(&catalogued).collect();
            format!("the snapshot and the catalogue disagree whether it holds {odd:?}")
        } else if self.info.name != self.name() {
            let own = &self.info.name;
            format!("the snapshot calls itself `{own}`, the catalogue calls it `{}`", self.name())
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Corrupt, what)
            .with_context("file", &self.catalogue.blob)
            .with_context("snapshot", self.name()))
    }
}
