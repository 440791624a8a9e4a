//! Repositories that no server would write: a shard of any files, metadata of any form.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine;
use serde_json::{Value, json};

/// A repository with one snapshot `snap`, of one index `logs`, of one shard.
#[derive(Clone, Debug)]
pub struct HostileRepository {
    blobs: BTreeMap<String, Vec<u8>>,
}

/// The folder of the shard.
pub const SHARD: &str = "indices/i/0";

impl HostileRepository {
    /// A repository whose shard holds these Lucene files, each in a blob.
    #[must_use]
    pub fn of(files: &[(String, Vec<u8>)]) -> Self {
        let entry = |(number, (name, data)): (usize, &(String, Vec<u8>))| {
            json!({
                "name": format!("__{number}"),
                "physical_name": name,
                "length": data.len(),
                "checksum": "0",
                "part_size": i64::MAX,
            })
        };
        let entries: Vec<Value> = files.iter().enumerate().map(entry).collect();
        let mut repository = Self { blobs: BTreeMap::new() };
        for (number, (_, data)) in files.iter().enumerate() {
            repository.put(&format!("{SHARD}/__{number}"), data.clone());
        }
        repository.put_json(
            "index-0",
            &json!({
                "snapshots": [{"name": "snap", "uuid": "u", "state": 1}],
                "indices": {"logs": {"id": "i", "snapshots": ["u"]}},
            }),
        );
        let info = json!({"snapshot": {
            "name": "snap", "uuid": "u", "version_id": 7_100_299, "indices": ["logs"], "state": "SUCCESS",
            "total_shards": 1, "successful_shards": 1, "failures": [],
        }});
        repository.put_framed("snap-u.dat", "snapshot", info.to_string().as_bytes());
        let metadata = json!({"logs": {
            "settings": {"index.number_of_shards": "1", "index.version.created": "7100299"},
            "mappings": [{"_doc": {}}], "aliases": {},
        }});
        repository.put_metadata(metadata.to_string().as_bytes());
        repository.put_manifest(json!({"name": "snap", "files": entries}).to_string().as_bytes());
        repository
    }

    /// Puts a blob there, in place of what was.
    pub fn put(&mut self, path: &str, data: Vec<u8>) {
        self.blobs.insert(path.to_owned(), data);
    }

    /// Puts a blob of plain JSON there.
    pub fn put_json(&mut self, path: &str, document: &Value) {
        self.put(path, document.to_string().into_bytes());
    }

    /// Puts a document there in a codec frame.
    pub fn put_framed(&mut self, path: &str, codec: &str, body: &[u8]) {
        self.put(path, framed(codec, body));
    }

    /// The index's metadata is this document.
    pub fn put_metadata(&mut self, body: &[u8]) {
        self.put_framed("indices/i/meta-u.dat", "index-metadata", body);
    }

    /// The shard's list of files is this document.
    pub fn put_manifest(&mut self, body: &[u8]) {
        self.put_framed(&format!("{SHARD}/snap-u.dat"), "snapshot", body);
    }

    /// The shard has one file, of which the list says this.
    pub fn put_entry(&mut self, entry: &Value) {
        self.put_manifest(json!({"name": "snap", "files": [entry]}).to_string().as_bytes());
    }

    /// Writes it into a folder.
    ///
    /// # Panics
    /// When it cannot.
    pub fn write(&self, folder: &Path) {
        for (path, data) in &self.blobs {
            let path = folder.join(path);
            let folder = path.parent().unwrap_or(folder);
            let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, data));
            assert!(written.is_ok(), "{}: {written:?}", path.display());
        }
    }
}

/// A document in a codec frame.
#[must_use]
pub fn framed(codec: &str, body: &[u8]) -> Vec<u8> {
    let mut blob = vec![0x3F, 0xD7, 0x6C, 0x17, codec.len() as u8];
    blob.extend(codec.as_bytes());
    blob.extend(1_u32.to_be_bytes());
    blob.extend(body);
    blob.extend([0xC0, 0x28, 0x93, 0xE8, 0, 0, 0, 0]);
    let crc = u64::from(crc32fast::hash(&blob));
    blob.extend(crc.to_be_bytes());
    blob
}

/// Bytes as JSON documents have them.
#[must_use]
pub fn base64_of(data: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(data)
}
