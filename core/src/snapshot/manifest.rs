//! `snap-<uuid>.dat` of a shard, `snapshot-<name>` before: which files it has and which blobs hold their bytes.

use std::collections::HashSet;

use bytes::Bytes;
use serde::{Deserialize, Deserializer};

use super::layout::Layout;
use super::limits::{FILE_PARTS, SHARD_FILES};
use super::xcontent::{bytes_or_base64, decode};
use crate::{Error, ErrorKind, Result};

/// The files of one shard in one snapshot.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) files: Vec<ManifestFile>,
}

/// One Lucene file and where its bytes are.
#[derive(Clone, Debug)]
pub(crate) struct ManifestFile {
    /// Its name in the Lucene index.
    pub(crate) name: String,
    /// Its length in bytes.
    pub(crate) length: u64,
    pub(crate) content: Content,
}

/// Where a file's bytes are.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// In the manifest itself.
    Inline(Bytes),
    /// In a blob, or in several of `part_size` bytes each (the last may be shorter).
    Blobs { stem: String, parts: u64, part_size: u64 },
}

#[derive(Deserialize)]
struct RawManifest {
    #[serde(default)]
    files: Vec<RawFile>,
}

#[derive(Deserialize)]
struct RawFile {
    name: String,
    physical_name: String,
    length: i64,
    #[serde(default)]
    checksum: Option<String>,
    #[serde(default)]
    part_size: Option<i64>,
    #[serde(default, deserialize_with = "optional_hash")]
    meta_hash: Vec<u8>,
}

fn optional_hash<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<u8>, D::Error> {
    bytes_or_base64(deserializer)
}

impl Manifest {
    /// Reads the blob.
    pub(crate) fn parse(layout: Layout, blob: &Bytes) -> Result<Self> {
        let raw: RawManifest = decode(&layout.unwrap(blob, "snapshot")?)?;
        Self::of(raw.files.into_iter().map(ManifestFile::new))
    }

    /// A manifest of these files: not too many, and no two of one name.
    pub(crate) fn of(files: impl ExactSizeIterator<Item = Result<ManifestFile>>) -> Result<Self> {
        if files.len() > SHARD_FILES {
            return Err(corrupt(format!(
                "{} files in one shard; at most {SHARD_FILES} are believed",
                files.len()
            )));
        }
        let files = files.collect::<Result<Vec<_>>>()?;
        let mut names = HashSet::with_capacity(files.len());
        match files.iter().find(|file| !names.insert(file.name.as_str())) {
            Some(twice) => Err(corrupt(format!("file `{}` is listed twice", twice.name))),
            None => Ok(Self { files }),
        }
    }
}

impl ManifestFile {
    /// A file that lies in one blob, whole.
    pub(crate) fn in_one_blob(name: &str, blob: &str, length: u64) -> Result<Self> {
        require_plain(name)?;
        require_plain(blob)?;
        let content = Content::Blobs { stem: blob.to_owned(), parts: 1, part_size: u64::MAX };
        Ok(Self { name: name.to_owned(), length, content })
    }

    fn new(raw: RawFile) -> Result<Self> {
        for name in [&raw.name, &raw.physical_name] {
            require_plain(name)?;
        }
        let length = u64::try_from(raw.length).map_err(|_| {
            corrupt(format!("file `{}` of {} bytes", raw.physical_name, raw.length))
        })?;
        let inline = raw.meta_hash.len() as u64 == length && is_whole_file(&raw);
        let content = if inline {
            Content::Inline(raw.meta_hash.into())
        } else if raw.name.starts_with("v__") {
            return Err(corrupt(format!(
                "file `{}` lies in the manifest, which has {} of its {length} bytes",
                raw.physical_name,
                raw.meta_hash.len()
            )));
        } else {
            split(raw.name, length, raw.part_size)?
        };
        Ok(Self { name: raw.physical_name, length, content })
    }
}

/// Small files are kept in the manifest as their "hash"; the Lucene checksum tells that it is the file and all of it.
fn is_whole_file(raw: &RawFile) -> bool {
    if raw.name.starts_with("v__") {
        return true;
    }
    let Some(crc) = raw.meta_hash.last_chunk::<8>().map(|crc| u64::from_be_bytes(*crc)) else {
        return false;
    };
    let expected = raw.checksum.as_deref().and_then(|text| u64::from_str_radix(text, 36).ok());
    expected == Some(crc)
}

fn split(stem: String, length: u64, part_size: Option<i64>) -> Result<Content> {
    let part_size = part_size
        .and_then(|size| u64::try_from(size).ok())
        .filter(|size| *size > 0)
        .unwrap_or(u64::MAX);
    let parts = length.div_ceil(part_size).max(1);
    if parts > FILE_PARTS {
        return Err(corrupt(format!(
            "file `{stem}` in {parts} parts; at most {FILE_PARTS} are believed"
        )));
    }
    Ok(Content::Blobs { stem, parts, part_size })
}

/// A name that is a path could lead out of the shard's folder.
pub(crate) fn require_plain(name: &str) -> Result<()> {
    let plain =
        !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0']);
    if plain { Ok(()) } else { Err(corrupt(format!("`{}` is no file name", name.escape_debug()))) }
}

fn corrupt(what: String) -> Error {
    Error::new(ErrorKind::Corrupt, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, physical_name: &str, length: i64, part_size: Option<i64>) -> RawFile {
        RawFile {
            name: name.to_owned(),
            physical_name: physical_name.to_owned(),
            length,
            checksum: None,
            part_size,
            meta_hash: Vec::new(),
        }
    }

    #[test]
    fn names_that_are_paths_are_refused() {
        for name in ["../x", "a/b", "..", "", "a\\b", "a\0b"] {
            assert!(ManifestFile::new(file(name, "_0.fdt", 1, None)).is_err(), "{name:?}");
            assert!(ManifestFile::new(file("__0", name, 1, None)).is_err(), "{name:?}");
        }
    }

    #[test]
    fn parts_follow_from_length_and_part_size() {
        for (length, part_size, expected) in [
            (100, Some(30), 4),
            (90, Some(30), 3),
            (0, Some(30), 1),
            (5, Some(0), 1),
            (5, Some(i64::MAX), 1),
            (5, None, 1),
        ] {
            let content =
                ManifestFile::new(file("__0", "_0.fdt", length, part_size)).unwrap().content;
            assert!(
                matches!(content, Content::Blobs { parts, .. } if parts == expected),
                "{length} {part_size:?}"
            );
        }
        assert!(ManifestFile::new(file("__0", "_0.fdt", i64::MAX, Some(1))).is_err());
        assert!(ManifestFile::new(file("__0", "_0.fdt", -1, None)).is_err());
    }

    #[test]
    fn a_file_that_is_listed_twice_is_refused() {
        let of = |names: &[&str]| {
            Manifest::of(names.iter().map(|name| ManifestFile::new(file("__0", name, 1, None))))
        };
        assert_eq!(of(&["_0.fdt", "_0.fdx"]).unwrap().files.len(), 2);
        assert!(of(&["_0.fdt", "_0.fdx", "_0.fdt"]).unwrap_err().message().contains("_0.fdt"));
    }

    #[test]
    fn more_files_than_a_shard_can_have_are_refused() {
        let one = || ManifestFile::in_one_blob("_0.fdt", "__0", 1);
        let many = std::iter::repeat_with(one).take(SHARD_FILES + 1).collect::<Vec<_>>();
        assert!(Manifest::of(many.into_iter()).unwrap_err().message().contains("1000001 files"));
    }

    #[test]
    fn a_manifest_of_elasticsearch_1_has_no_frame() {
        let text = br#"{"name":"s","index_version":2,"files":[{"name":"__0","physical_name":"_0.cfe","length":350,
            "checksum":"3rmspd","written_by":"4.10.4"},{"name":"__1","physical_name":"_0.si","length":2,"meta_hash":"P9c="}]}"#;
        let manifest = Manifest::parse(Layout::Bare, &Bytes::from_static(text)).unwrap();
        let names: Vec<_> = manifest.files.iter().map(|file| (&*file.name, file.length)).collect();
        assert_eq!(names, [("_0.cfe", 350), ("_0.si", 2)]);
    }

    #[test]
    fn a_virtual_file_must_be_in_the_manifest_whole() {
        let mut virtual_file = file("v__x", "segments_3", 3, None);
        assert!(ManifestFile::new(file("v__x", "segments_3", 3, None)).is_err());
        virtual_file.meta_hash = b"abc".to_vec();
        assert!(
            matches!(ManifestFile::new(virtual_file).unwrap().content, Content::Inline(bytes) if bytes == "abc")
        );
    }

    #[test]
    fn a_hash_that_is_not_the_file_is_ignored() {
        let mut hashed = file("__0", "_0.si", 3, None);
        hashed.meta_hash = b"abc".to_vec();
        assert!(matches!(ManifestFile::new(hashed).unwrap().content, Content::Blobs { .. }));
    }
}
