//! OpenSearch's remote store, where the files of a shallow snapshot lie.
//!
//! A shallow snapshot of a shard names no files. It names a commit: the primary term and the generation. A lock in the
//! remote store, called after the snapshot, leads to the metadata file of that commit, which names the files.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use snapfill_lucene::Commit;
use tokio::runtime::Handle;

use super::S3Options;
use super::blobs::{Blobs, Listing};
use super::frame::{framed_content, unframe};
use super::manifest::{Manifest, ManifestFile, require_plain};
use super::shard_files::ShardFiles;
use super::shard_path::{HashForm, PathType};
use super::xcontent::decode;
use crate::{Error, ErrorKind, Result};

/// The segment repository of a remote store.
#[derive(Clone, Debug)]
pub(crate) struct RemoteStore {
    blobs: Blobs,
}

/// `shallow-snap-<uuid>.dat`: which commit of the remote store a shard of a shallow snapshot is.
#[derive(Debug, Deserialize)]
pub(crate) struct ShallowShard {
    version: String,
    index_uuid: String,
    #[serde(default)]
    remote_store_repository: String,
    primary_term: i64,
    commit_generation: i64,
    #[serde(default)]
    path_type: u32,
    #[serde(default)]
    path_hash_algorithm: Option<u32>,
}

impl ShallowShard {
    pub(crate) fn parse(blob: &Bytes) -> Result<Self> {
        let shallow: Self = decode(&unframe(blob, "snapshot")?)?;
        require_plain(&shallow.index_uuid)?;
        if !matches!(shallow.version.as_str(), "1" | "2") {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("version {} of shallow snapshots; 1 and 2 are known", shallow.version),
            ));
        }
        Ok(shallow)
    }

    /// What to do when nobody said where the remote store is.
    pub(crate) fn without_its_store(&self) -> Error {
        Error::new(
            ErrorKind::Config,
            format!(
                "a shallow snapshot: its files lie in the remote store, OpenSearch's repository `{}`. Say where that is \
                 (--remote-store)",
                self.remote_store_repository
            ),
        )
    }
}

impl RemoteStore {
    pub(crate) async fn open(location: &str, base: Option<&str>, s3: &S3Options) -> Result<Self> {
        Ok(Self { blobs: Blobs::open(location, base, s3).await? })
    }

    /// The files of a shard of a shallow snapshot.
    pub(crate) async fn files(
        &self,
        shallow: &ShallowShard,
        number: u32,
        snapshot_uuid: &str,
    ) -> Result<ShardFiles> {
        let found = self.find_files(shallow, number, snapshot_uuid).await;
        found.map_err(|error| error.with_context("repository", self.blobs.name()))
    }

    async fn find_files(
        &self,
        shallow: &ShallowShard,
        number: u32,
        snapshot_uuid: &str,
    ) -> Result<ShardFiles> {
        let store = self.blobs.above_base();
        let folder = |kind| self.folder(shallow, number, kind);
        let locks = folder("lock_files")?;
        let metadata = self.locked_metadata(&store, &locks, shallow, snapshot_uuid).await?;
        let blob = format!("{}/{metadata}", folder("metadata")?);
        let bytes = store.get(&blob).await?;
        let manifest = manifest(&bytes, shallow.commit_generation)
            .map_err(|error| error.with_context("file", blob))?;
        Ok(ShardFiles::new(store, folder("data")?, manifest, Handle::current()))
    }

    /// The folder of one kind of blobs, from the root of the store. Each kind has a hash of its own.
    fn folder(&self, shallow: &ShallowShard, number: u32, kind: &str) -> Result<String> {
        let path_type = PathType::of(shallow.path_type)?;
        let form = HashForm::of(shallow.path_hash_algorithm.unwrap_or(1))?;
        let ShallowShard { index_uuid, .. } = shallow;
        let hashed = format!("{index_uuid}{number}segments{kind}");
        let path = format!("{index_uuid}/{number}/segments/{kind}");
        Ok(path_type.place(self.blobs.base(), form, &hashed, &path))
    }

    /// The name of the metadata blob that the snapshot's lock keeps.
    async fn locked_metadata(
        &self,
        store: &Blobs,
        folder: &str,
        shallow: &ShallowShard,
        snapshot_uuid: &str,
    ) -> Result<String> {
        let locks = match store.list(folder).await? {
            Listing::Files(locks) => locks,
            Listing::Refused(refusal) => return Err(refusal),
        };
        let prefix = format!(
            "metadata__{}__{}__",
            inverted(shallow.primary_term)?,
            inverted(shallow.commit_generation)?
        );
        let suffixes = [format!("...{snapshot_uuid}.v2_lock"), format!("___{snapshot_uuid}.lock")];
        let kept = |lock: &String| {
            let name = suffixes.iter().find_map(|suffix| lock.strip_suffix(suffix.as_str()))?;
            name.starts_with(&prefix).then(|| name.to_owned())
        };
        locks.iter().find_map(kept).ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                "the remote store has no lock of this snapshot: it is another repository than the one that the snapshot \
                 was taken with, or its base path is missing (--remote-store, --remote-store-base-path)",
            )
            .with_context("folder", folder)
        })
    }
}

/// Names begin with the newest: numbers in them count down from the largest.
fn inverted(number: i64) -> Result<String> {
    let inverted = i64::MAX.checked_sub(number).filter(|_| number >= 0);
    inverted.map(|inverted| format!("{inverted:019}")).ok_or_else(|| {
        Error::new(ErrorKind::Corrupt, format!("a primary term or generation of {number}"))
    })
}

/// The files that a metadata blob names, of the commits among them only the snapshot's.
pub(super) fn manifest(blob: &Bytes, generation: i64) -> Result<Manifest> {
    let content = framed_content(blob, "segment_md", 1..=2)?;
    let files = string_map(&content).ok_or_else(|| corrupt("the list of files is cut"))?;
    let commit = Commit::file_name(generation.unsigned_abs());
    if !files.contains_key(commit.as_str()) {
        return Err(corrupt(format!("no `{commit}` among the files of the shard")));
    }
    let wanted: Vec<_> = files
        .iter()
        .filter(|(name, _)| !name.starts_with("segments_") || **name == commit.as_str())
        .map(|(name, entry)| file(name, entry))
        .collect();
    Manifest::of(wanted.into_iter())
}

/// Lucene's map of texts: their number, then each with its length before it.
fn string_map(mut bytes: &[u8]) -> Option<BTreeMap<&str, &str>> {
    let count = take_vint(&mut bytes)?;
    // Two lengths at least for each.
    if count > bytes.len() / 2 {
        return None;
    }
    (0..count).map(|_| Some((take_text(&mut bytes)?, take_text(&mut bytes)?))).collect()
}

fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = take_vint(bytes)?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    std::str::from_utf8(text).ok()
}

/// Seven bits a byte, the low ones first.
fn take_vint(bytes: &mut &[u8]) -> Option<usize> {
    let mut value = 0_u64;
    for shift in [0, 7, 14, 21, 28] {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return u32::try_from(value).ok().and_then(|value| usize::try_from(value).ok());
        }
    }
    None
}

/// An entry is `file::blob::checksum::length::version`.
fn file(name: &str, entry: &str) -> Result<ManifestFile> {
    let mut parts = entry.split("::");
    let (Some(physical), Some(blob), Some(_checksum), Some(length)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(corrupt(format!("`{}` is no entry of a file", entry.escape_debug())));
    };
    let length = length.parse().ok().filter(|_| physical == name).ok_or_else(|| {
        corrupt(format!("the entry `{}` does not fit file `{name}`", entry.escape_debug()))
    })?;
    ManifestFile::in_one_blob(name, blob, length)
}

fn corrupt(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, what.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_down() {
        assert_eq!(inverted(1).unwrap(), "9223372036854775806");
        assert_eq!(inverted(i64::MAX).unwrap(), "0000000000000000000");
        assert!(inverted(-1).is_err());
    }

    #[test]
    fn an_entry_must_be_about_its_file_and_name_no_path() {
        assert_eq!(file("_1.si", "_1.si::_1.si__x::123::334::9").unwrap().length, 334);
        for entry in [
            "_2.si::_1.si__x::123::334::9",
            "_1.si::_1.si__x::123",
            "_1.si::_1.si__x::123::-1::9",
            "_1.si::../x::123::334::9",
            "",
        ] {
            assert_eq!(file("_1.si", entry).unwrap_err().kind(), ErrorKind::Corrupt, "{entry}");
        }
    }

    #[test]
    fn a_map_is_no_longer_than_its_bytes() {
        assert_eq!(string_map(b"\x01\x01a\x02bc").unwrap(), BTreeMap::from([("a", "bc")]));
        for bytes in [&b""[..], b"\xFF\xFF\xFF\xFF\x7F", b"\x02\x01a\x01b", b"\x01\x01\xFF\x00"] {
            assert_eq!(string_map(bytes), None, "{bytes:x?}");
        }
    }

    #[test]
    fn without_its_remote_store_a_shallow_snapshot_says_which_it_needs() {
        let shallow = ShallowShard {
            version: "1".to_owned(),
            index_uuid: "u".to_owned(),
            remote_store_repository: "rs".to_owned(),
            primary_term: 1,
            commit_generation: 5,
            path_type: 0,
            path_hash_algorithm: None,
        };
        let message = shallow.without_its_store();
        assert_eq!(message.kind(), ErrorKind::Config);
        assert!(message.message().contains("`rs`") && message.message().contains("--remote-store"));
    }
}
