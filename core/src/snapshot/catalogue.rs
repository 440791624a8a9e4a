//! The catalogue at the root, `index-N`: which snapshots there are and where their indices lie.
//!
//! Before Elasticsearch 5 there is none: what it would say is put together from the snapshots that are there
//! ([`super::uncatalogued`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use serde::Deserialize;

use super::blobs::{Blobs, Listing};
use super::frame::decompress;
use super::info::SnapshotState;
use super::layout::Layout;
use super::uncatalogued;
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
    pub(crate) state: Option<SnapshotState>,
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

impl CatalogueSnapshot {
    /// A snapshot that no catalogue lists: its name is its uuid.
    pub(crate) fn uncatalogued(
        name: &str,
        state: Option<SnapshotState>,
        version: Option<String>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            uuid: name.to_owned(),
            state,
            version,
            index_metadata_lookup: HashMap::new(),
        }
    }
}

impl From<SnapshotEntry> for CatalogueSnapshot {
    fn from(entry: SnapshotEntry) -> Self {
        match entry {
            SnapshotEntry::Name(name) => Self::uncatalogued(&name, None, None),
            SnapshotEntry::Full { name, uuid, state, version, index_metadata_lookup } => Self {
                uuid: uuid.unwrap_or_else(|| name.clone()),
                name,
                state: state.and_then(SnapshotState::from_number),
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
        let files = match blobs.list("").await? {
            Listing::Files(files) => files,
            Listing::Refused(refusal) => return Self::read_unlisted(blobs, refusal).await,
        };
        if let Some(newest) = files.iter().filter_map(|name| generation(name)).max() {
            return Self::read_generation(blobs, newest).await;
        }
        let name_of = |blob: &String| Some(Layout::of_snapshot_blob(blob)?.1.to_owned());
        let names: BTreeSet<_> = files.iter().filter_map(name_of).collect();
        if names.is_empty() && !files.iter().any(|name| name == "index") {
            return Err(no_catalogue(blobs.name()));
        }
        uncatalogued::catalogue(blobs, names).await
    }

    /// Without a listing there is only the word of files that may be stale.
    async fn read_unlisted(blobs: &Blobs, refusal: Error) -> Result<Self> {
        if let Some(latest) = blobs.find("index.latest").await? {
            let newest = latest_generation(&latest)
                .map_err(|error| error.with_context("file", "index.latest"))?;
            return Self::read_generation(blobs, newest).await;
        }
        match blobs.find("index").await? {
            Some(names) => {
                let names = uncatalogued::names(&names)
                    .map_err(|error| error.with_context("file", "index"))?;
                uncatalogued::catalogue(blobs, names).await
            }
            // It neither lists nor has what stands in for a listing: what it said to the first request is the cause.
            None => Err(refusal),
        }
    }

    async fn read_generation(blobs: &Blobs, generation: u64) -> Result<Self> {
        let name = format!("index-{generation}");
        let bytes = blobs.get(&name).await?;
        match Self::parse(&bytes) {
            Ok(catalogue) => Ok(Self { blob: name, ..catalogue }),
            Err(error) => Err(error.with_context("file", name)),
        }
    }

    /// A catalogue of snapshots that no file lists: each with the indices that it names itself.
    pub(crate) fn of(snapshots: Vec<(CatalogueSnapshot, Vec<String>)>) -> Self {
        let mut indices: BTreeMap<String, CatalogueIndex> = BTreeMap::new();
        let mut entries = Vec::with_capacity(snapshots.len());
        for (entry, names) in snapshots {
            for name in names {
                let index = indices.entry(name.clone()).or_insert_with(|| CatalogueIndex {
                    id: name,
                    snapshots: Vec::new(),
                    shard_path_type: 0,
                });
                index.snapshots.push(SnapshotReference::Uuid(entry.uuid.clone()));
            }
            entries.push(entry);
        }
        Self {
            blob: "index".to_owned(),
            min_version: None,
            snapshots: entries,
            indices,
            index_metadata_identifiers: HashMap::new(),
        }
    }

    fn parse(bytes: &Bytes) -> Result<Self> {
        let catalogue: Self = decode(&decompress(bytes.clone())?)?;
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
        layout: Layout,
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
        Ok(format!("indices/{}/{}", index.id, layout.index_blob(uuid)))
    }
}

/// The number of a catalogue blob.
fn generation(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("index-")?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

/// `index.latest`: the number of the newest catalogue, eight bytes.
fn latest_generation(bytes: &[u8]) -> Result<u64> {
    let number = <[u8; 8]>::try_from(bytes).ok().map(i64::from_be_bytes);
    number.and_then(|number| u64::try_from(number).ok()).ok_or_else(|| {
        Error::new(
            ErrorKind::Corrupt,
            format!("{} bytes where the number of the catalogue, 8 bytes, must be", bytes.len()),
        )
    })
}

fn no_catalogue(repository: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!(
            "`{repository}` is no snapshot repository: it holds no `index-N` file and no snapshot. \
             Name the folder that was registered as the repository's location, with the base path if it has one"
        ),
    )
}

#[cfg(test)]
mod tests;
