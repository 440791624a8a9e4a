//! Repositories of Elasticsearch 1 and 2: no catalogue, only snapshots that each say what they hold.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;

use super::blobs::Blobs;
use super::catalogue::{Catalogue, CatalogueSnapshot};
use super::frame::decompress;
use super::info::SnapshotInfo;
use super::xcontent::decode;
use crate::{Error, ErrorKind, Result};

/// Snapshots whose description is read at a time.
const PARALLEL_SNAPSHOTS: usize = 8;

/// The names in `index`. It is a hint for stores without listings: a snapshot may be there and not in it.
pub(crate) fn names(blob: &bytes::Bytes) -> Result<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Index {
        snapshots: BTreeSet<String>,
    }
    decode::<Index>(&decompress(blob.clone())?).map(|index| index.snapshots)
}

/// What a catalogue would say of these snapshots, oldest first.
pub(crate) async fn catalogue(blobs: &Blobs, names: BTreeSet<String>) -> Result<Catalogue> {
    let mut found: Vec<Described> = stream::iter(names)
        .map(|name| describe(blobs, name))
        .buffered(PARALLEL_SNAPSHOTS)
        .try_collect()
        .await?;
    found.sort_by_key(|snapshot| snapshot.started_ms);
    let snapshots = found.into_iter().map(|snapshot| (snapshot.entry, snapshot.indices));
    Ok(Catalogue::of(snapshots.collect()))
}

struct Described {
    entry: CatalogueSnapshot,
    indices: Vec<String>,
    started_ms: i64,
}

/// A snapshot whose description is damaged is listed without one, so that the others can be read; opening it says what
/// is wrong.
async fn describe(blobs: &Blobs, name: String) -> Result<Described> {
    match SnapshotInfo::read(blobs, &name).await {
        Ok((_, info)) => {
            if info.uuid.as_deref().is_some_and(|uuid| uuid == name && uuid != info.name) {
                return Err(catalogue_lost(blobs.name()));
            }
            let version = Some(info.version().number());
            let entry = CatalogueSnapshot::uncatalogued(&name, Some(info.state), version);
            Ok(Described { entry, indices: info.indices, started_ms: info.started_ms })
        }
        Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::NotFound) => {
            let entry = CatalogueSnapshot::uncatalogued(&name, None, None);
            Ok(Described { entry, indices: Vec::new(), started_ms: 0 })
        }
        Err(error) => Err(error),
    }
}

/// Blobs named after uuids are of Elasticsearch 5 or later, which always writes a catalogue.
fn catalogue_lost(repository: &str) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!(
            "`{repository}` has lost its catalogue: it holds snapshots of Elasticsearch 5 or later, but no `index-N`"
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;
    use object_store::{ObjectStoreExt, PutPayload};

    use super::*;

    async fn repository(blobs: &[(&str, &str)]) -> Blobs {
        let store = InMemory::new();
        for (path, text) in blobs {
            let payload = PutPayload::from(text.as_bytes().to_vec());
            store.put(&(*path).into(), payload).await.unwrap();
        }
        Blobs::over(Arc::new(store), "memory", None).unwrap()
    }

    fn described(name: &str, started: u32, more: &str) -> String {
        format!(
            r#"{{"snapshot":{{"name":"{name}","version_id":1070699,"state":"SUCCESS","start_time":{started},"indices":["a","b"]{more}}}}}"#
        )
    }

    #[tokio::test]
    async fn snapshots_are_listed_oldest_first_and_the_damaged_without_a_state() {
        let (old, young) = (described("z", 1, ""), described("a", 2, ""));
        let blobs =
            repository(&[("snapshot-z", &old), ("snapshot-a", &young), ("snapshot-bad", "{")])
                .await;
        let catalogue = Catalogue::read(&blobs).await.unwrap();
        let names: Vec<_> = catalogue.snapshots.iter().map(|entry| &*entry.name).collect();
        assert_eq!(names, ["bad", "z", "a"]);
        assert_eq!(catalogue.snapshots[0].state, None);
        assert_eq!(catalogue.snapshots[1].version.as_deref(), Some("1.7.6"));
        assert!(catalogue.indices["b"].is_in("z") && !catalogue.indices["b"].is_in("bad"));
    }

    #[tokio::test]
    async fn the_listing_is_preferred_to_the_index() {
        let there = described("there", 1, "");
        let blobs =
            repository(&[("index", r#"{"snapshots":["gone"]}"#), ("snapshot-there", &there)]).await;
        let catalogue = Catalogue::read(&blobs).await.unwrap();
        assert_eq!(catalogue.snapshots.len(), 1);
        assert_eq!(catalogue.snapshots[0].name, "there");
        let empty = repository(&[("index", r#"{"snapshots":[]}"#)]).await;
        assert!(Catalogue::read(&empty).await.unwrap().snapshots.is_empty());
    }

    #[tokio::test]
    async fn a_lost_catalogue_is_not_taken_for_an_old_repository() {
        let modern = described("nightly", 1, r#","uuid":"u1""#);
        let blobs = repository(&[("snapshot-u1", &modern)]).await;
        let error = Catalogue::read(&blobs).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.message().contains("lost its catalogue"), "{error}");
    }

    #[test]
    fn the_index_is_read_plain_and_compressed() {
        let text = br#"{"snapshots":["snap-1","snap-2"]}"#;
        let compressed = super::super::lzf::tests::compress(text);
        for blob in [text.to_vec(), compressed] {
            assert_eq!(
                names(&blob.into()).unwrap().into_iter().collect::<Vec<_>>(),
                ["snap-1", "snap-2"]
            );
        }
    }
}
