//! Where a shard lies in a repository, and which of its blobs lists its files.

use serde::Deserialize;
use tokio::runtime::Handle;

use super::blobs::{Blobs, Listing};
use super::frame::decompress;
use super::layout::Layout;
use super::manifest::Manifest;
use super::remote_store::{RemoteStore, ShallowShard};
use super::shard_files::ShardFiles;
use super::shard_path::{HashForm, PathType};
use super::xcontent::decode;
use crate::{Error, ErrorKind, Result};

/// A shard of a snapshot, before its blobs are known.
pub(crate) struct ShardPlace<'a> {
    pub(crate) blobs: &'a Blobs,
    pub(crate) layout: Layout,
    pub(crate) snapshot_uuid: &'a str,
    /// Whether it may be a shallow one, whose files lie in the remote store.
    pub(crate) is_shallow: bool,
    pub(crate) remote_store: Option<&'a RemoteStore>,
    /// The index's folder below `indices/`.
    pub(crate) index_id: &'a str,
    pub(crate) path_type: u32,
    pub(crate) number: u32,
}

impl ShardPlace<'_> {
    /// Finds the shard's files.
    pub(crate) async fn files(&self) -> Result<ShardFiles> {
        let path_type = PathType::of(self.path_type)?;
        let path = format!("indices/{}/{}", self.index_id, self.number);
        if path_type == PathType::Fixed {
            return self.found(self.blobs, path.clone()).await?.ok_or_else(|| self.absent(&path));
        }
        // A hash may stand above the base path: these paths begin at the root of the store.
        let store = self.blobs.above_base();
        let hashed = format!("{}{}", self.number, self.index_id);
        let folder = path_type.place(self.blobs.base(), HashForm::Composite, &hashed, &path);
        if let Some(files) = self.found(&store, folder.clone()).await? {
            return Ok(files);
        }
        // A cluster setting may have put a prefix before the hash; then only this file says so.
        let Some(written) = self.written_path().await? else { return Err(self.absent(&folder)) };
        self.found(&store, written.clone()).await?.ok_or_else(|| self.absent(&written))
    }

    /// The files of the shard in a folder; `None` when no blob of the snapshot is there.
    async fn found(&self, store: &Blobs, folder: String) -> Result<Option<ShardFiles>> {
        let blob = format!("{folder}/{}", self.layout.snapshot_blob(self.snapshot_uuid));
        if let Some(bytes) = store.find(&blob).await? {
            let manifest = Manifest::parse(self.layout, &bytes)
                .map_err(|error| error.with_context("file", blob))?;
            return Ok(Some(ShardFiles::new(store.clone(), folder, manifest, Handle::current())));
        }
        if !self.is_shallow {
            return Ok(None);
        }
        let blob = format!("{folder}/shallow-snap-{}.dat", self.snapshot_uuid);
        let Some(bytes) = store.find(&blob).await? else { return Ok(None) };
        let shallow =
            ShallowShard::parse(&bytes).map_err(|error| error.with_context("file", blob))?;
        let Some(remote) = self.remote_store else { return Err(shallow.without_its_store()) };
        remote.files(&shallow, self.number, self.snapshot_uuid).await.map(Some)
    }

    /// The shard's path as the file about its index has it.
    async fn written_path(&self) -> Result<Option<String>> {
        const FOLDER: &str = "snapshot_shard_paths";
        #[derive(Deserialize)]
        struct ShardPaths {
            #[serde(default)]
            paths: Vec<String>,
        }
        let prefix = format!("snapshot_path_{}.", self.index_id);
        let files = match self.blobs.list(FOLDER).await? {
            Listing::Files(files) => files,
            Listing::Refused(_) => return Ok(None),
        };
        let Some(name) = files.iter().filter(|name| name.starts_with(&prefix)).max() else {
            return Ok(None);
        };
        let blob = format!("{FOLDER}/{name}");
        let bytes = self.blobs.get(&blob).await?;
        let parsed = decompress(bytes).and_then(|document| decode::<ShardPaths>(&document));
        let paths = parsed.map_err(|error| error.with_context("file", blob))?.paths;
        let path = usize::try_from(self.number).ok().and_then(|number| paths.get(number));
        Ok(path.map(|path| path.trim_matches('/').to_owned()))
    }

    fn absent(&self, folder: &str) -> Error {
        let mut what =
            "the snapshot claims this shard, but no blob of the shard is there; was the \
            snapshot deleted meanwhile?"
                .to_owned();
        if self.path_type == 1 && self.blobs.base().is_empty() {
            what.push_str(
                " If the repository was registered with a base path, give that apart from its location (--base-path): \
                 shards of this index lie beside it",
            );
        }
        let blob = format!("{folder}/{}", self.layout.snapshot_blob(self.snapshot_uuid));
        Error::new(ErrorKind::NotFound, what)
            .with_context("file", blob)
            .with_context("repository", self.blobs.name())
    }
}
