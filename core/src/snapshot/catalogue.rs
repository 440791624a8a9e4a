//! `index-N`, the catalogue at the root: which snapshots there are and where their indices lie.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use serde::Deserialize;

use super::blobs::Blobs;
use super::xcontent::decode;
use crate::{Error, ErrorKind, Result};

/// Minimum versions that a catalogue may ask of its reader.
const KNOWN_MIN_VERSIONS: [&str; 3] = ["7.6.0", "7.9.0", "7.12.0"];

/// The parsed catalogue. Members that are not known are ignored, as newer servers add some.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Catalogue {
    /// The blob it was read from.
    #[serde(skip)]
    pub(crate) blob: String,
    #[serde(default)]
    min_version: Option<String>,
    #[serde(default)]
    pub(crate) snapshots: Vec<CatalogueSnapshot>,
    #[serde(default)]
    pub(crate) indices: BTreeMap<String, CatalogueIndex>,
    #[serde(default)]
    index_metadata_identifiers: HashMap<String, String>,
}

/// One snapshot as the catalogue lists it.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "SnapshotEntry")]
pub(crate) struct CatalogueSnapshot {
    pub(crate) name: String,
    pub(crate) uuid: String,
    pub(crate) state: Option<i64>,
    pub(crate) version: Option<String>,
    index_metadata_lookup: HashMap<String, String>,
}

/// Elasticsearch 5.0 listed snapshots by name alone: their uuid is their name.
#[derive(Deserialize)]
#[serde(untagged)]
enum SnapshotEntry {
    Name(String),
    Full {
        name: String,
        #[serde(default)]
        uuid: Option<String>,
        #[serde(default)]
        state: Option<i64>,
        #[serde(default)]
        version: Option<String>,
        #[serde(default)]
        index_metadata_lookup: HashMap<String, String>,
    },
}

impl From<SnapshotEntry> for CatalogueSnapshot {
    fn from(entry: SnapshotEntry) -> Self {
        match entry {
            SnapshotEntry::Name(name) => Self {
                uuid: name.clone(),
                name,
                state: None,
                version: None,
                index_metadata_lookup: HashMap::new(),
            },
            SnapshotEntry::Full { name, uuid, state, version, index_metadata_lookup } => Self {
                uuid: uuid.unwrap_or_else(|| name.clone()),
                name,
                state,
                version,
                index_metadata_lookup,
            },
        }
    }
}

/// One index as the catalogue lists it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CatalogueIndex {
    /// Its folder below `indices/`.
    pub(crate) id: String,
    #[serde(default)]
    snapshots: Vec<SnapshotReference>,
    /// How shard folders are named: 0 plainly below the index.
    #[serde(default)]
    pub(crate) shard_path_type: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum SnapshotReference {
    Uuid(String),
    Full { uuid: String },
}

impl CatalogueIndex {
    /// Whether the snapshot holds this index.
    pub(crate) fn is_in(&self, snapshot_uuid: &str) -> bool {
        self.snapshots.iter().any(|reference| match reference {
            SnapshotReference::Uuid(uuid) | SnapshotReference::Full { uuid } => {
                uuid == snapshot_uuid
            }
        })
    }
}

impl Catalogue {
    /// Finds and reads the newest catalogue of the repository.
    pub(crate) async fn read(blobs: &Blobs) -> Result<Self> {
        let files = blobs.list("").await?;
        let newest = files
            .iter()
            .filter_map(|name| name.strip_prefix("index-")?.parse::<u64>().ok())
            .max()
            .ok_or_else(|| no_catalogue(blobs.name(), &files))?;
        let name = format!("index-{newest}");
        let bytes = blobs.get(&name).await?;
        match Self::parse(&bytes) {
            Ok(catalogue) => Ok(Self { blob: name, ..catalogue }),
            Err(error) => Err(error.with_context("file", name)),
        }
    }

    fn parse(bytes: &Bytes) -> Result<Self> {
        let catalogue: Self = decode(bytes)?;
        match catalogue.min_version.as_deref() {
            Some(version) if !KNOWN_MIN_VERSIONS.contains(&version) => Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the repository asks for a reader of version {version}; this one knows up to 7.12.0"
                ),
            )),
            _ => Ok(catalogue),
        }
    }

    /// The snapshot of that name.
    pub(crate) fn snapshot(&self, name: &str) -> Result<&CatalogueSnapshot> {
        self.snapshots.iter().find(|snapshot| snapshot.name == name).ok_or_else(|| {
            let known: Vec<_> =
                self.snapshots.iter().map(|snapshot| format!("`{}`", snapshot.name)).collect();
            let known = match known.is_empty() {
                true => "the repository holds none".to_owned(),
                false => format!("the repository has {}", known.join(", ")),
            };
            Error::new(ErrorKind::NotFound, format!("no snapshot `{name}`; {known}"))
        })
    }

    /// The blob with an index's metadata as of a snapshot, below the root.
    pub(crate) fn index_metadata_blob(
        &self,
        snapshot: &CatalogueSnapshot,
        index: &CatalogueIndex,
    ) -> Result<String> {
        let uuid = match snapshot.index_metadata_lookup.get(&index.id) {
            None => &snapshot.uuid,
            Some(identifier) => {
                self.index_metadata_identifiers.get(identifier).ok_or_else(|| {
                    Error::new(
                        ErrorKind::Corrupt,
                        format!("the catalogue has no metadata blob for `{identifier}`"),
                    )
                    .with_context("file", &self.blob)
                })?
            }
        };
        Ok(format!("indices/{}/meta-{uuid}.dat", index.id))
    }
}

fn no_catalogue(repository: &str, files: &[String]) -> Error {
    if files.iter().any(|name| name == "index") {
        return Error::new(
            ErrorKind::Unsupported,
            format!("`{repository}` has the layout of Elasticsearch 1 or 2, which is not read yet"),
        );
    }
    Error::new(
        ErrorKind::NotFound,
        format!(
            "`{repository}` is no snapshot repository: it holds no `index-N` file. \
             Name the folder that was registered as the repository's location"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Catalogue> {
        Catalogue::parse(&Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn snapshots_by_name_alone_have_their_name_as_uuid() {
        let catalogue =
            parse(r#"{"snapshots":["a",{"name":"b","uuid":"u"}],"indices":{}}"#).unwrap();
        assert_eq!(catalogue.snapshot("a").unwrap().uuid, "a");
        assert_eq!(catalogue.snapshot("b").unwrap().uuid, "u");
        assert!(catalogue.snapshot("c").unwrap_err().to_string().contains("`a`, `b`"));
    }

    #[test]
    fn the_metadata_blob_is_looked_up_or_named_after_the_snapshot() {
        let catalogue = parse(
            r#"{"snapshots":[{"name":"new","uuid":"n","index_metadata_lookup":{"i":"x"}},{"name":"old","uuid":"o"}],
                "indices":{"logs":{"id":"i","snapshots":["n",{"uuid":"o"}]}},"index_metadata_identifiers":{"x":"m"}}"#,
        )
        .unwrap();
        let index = &catalogue.indices["logs"];
        let blob =
            |name| catalogue.index_metadata_blob(catalogue.snapshot(name).unwrap(), index).unwrap();
        assert_eq!(blob("new"), "indices/i/meta-m.dat");
        assert_eq!(blob("old"), "indices/i/meta-o.dat");
        assert!(index.is_in("n") && index.is_in("o") && !index.is_in("z"));
    }

    #[test]
    fn a_catalogue_of_the_future_is_refused() {
        assert_eq!(
            parse(r#"{"min_version":"11.0.0"}"#).unwrap_err().kind(),
            ErrorKind::Unsupported
        );
    }
}
