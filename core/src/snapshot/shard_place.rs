//! Where a shard lies in a repository, and which of its blobs lists its files.

use tokio::runtime::Handle;

use super::blobs::Blobs;
use super::layout::Layout;
use super::manifest::Manifest;
use super::shard_files::ShardFiles;
use crate::Result;

/// A shard of a snapshot, before its blobs are known.
pub(crate) struct ShardPlace<'a> {
    pub(crate) blobs: &'a Blobs,
    pub(crate) layout: Layout,
    pub(crate) snapshot_uuid: &'a str,
    /// The index's folder below `indices/`.
    pub(crate) index_id: &'a str,
    pub(crate) number: u32,
}

impl ShardPlace<'_> {
    /// Finds the shard's files.
    pub(crate) async fn files(&self) -> Result<ShardFiles> {
        let folder = format!("indices/{}/{}", self.index_id, self.number);
        let blob = format!("{folder}/{}", self.layout.snapshot_blob(self.snapshot_uuid));
        let bytes = self.blobs.get(&blob).await?;
        let manifest = Manifest::parse(self.layout, &bytes)
            .map_err(|error| error.with_context("file", blob))?;
        Ok(ShardFiles::new(self.blobs.clone(), folder, manifest, Handle::current()))
    }
}
