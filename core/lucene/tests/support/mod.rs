//! The committed shards: real segments, each with the documents its server returned.
#![allow(unreachable_pub, clippy::unwrap_used, reason = "it is for tests, in and beside the crate")]

use std::path::{Path, PathBuf};

/// A file by its name.
pub type File = (String, Vec<u8>);

/// A shard of the test data.
pub struct Shard {
    /// `version/index-shard`.
    pub name: String,
    path: PathBuf,
}

impl Shard {
    /// The files of the Lucene index.
    pub fn files(&self) -> Vec<File> {
        let mut files: Vec<File> = entries(&self.path)
            .into_iter()
            .filter(|path| file_name(path) != "expected.ndjson")
            .map(|path| (file_name(&path), std::fs::read(&path).unwrap()))
            .collect();
        files.sort();
        files
    }

    /// What the server returned, one JSON object a line: id, type, routing, length and CRC-32 of the source.
    #[allow(dead_code, reason = "not every user of this module compares documents")]
    pub fn expected(&self) -> String {
        std::fs::read_to_string(self.path.join("expected.ndjson")).unwrap()
    }
}

/// All shards, in the order of their names.
pub fn shards() -> Vec<Shard> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let versions = entries(&data).into_iter().filter(|path| path.is_dir());
    let mut shards: Vec<Shard> = versions
        .flat_map(|version| {
            entries(&version).into_iter().map(move |path| Shard {
                name: format!("{}/{}", file_name(&version), file_name(&path)),
                path,
            })
        })
        .collect();
    shards.sort_by(|a, b| a.name.cmp(&b.name));
    shards
}

fn entries(path: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}
