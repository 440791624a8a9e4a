use std::sync::Arc;

use futures::TryStreamExt;
use rusqlite::Connection;

use super::*;
use crate::cluster::{
    BulkOperation, ClusterClient, ClusterClientExt, IndexDefinition, ItemOutcome,
};
use crate::testkit::samples::{bulk, document, documents};
use crate::testkit::{self, ClusterFixture};
use crate::{Document, DocumentRef, ErrorKind};

struct Directory(tempfile::TempDir);

impl Directory {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self) -> LocalCluster {
        LocalCluster::open(self.0.path()).unwrap()
    }

    fn file(&self) -> std::path::PathBuf {
        self.0.path().join(FILE_NAME)
    }

    async fn with_index(&self) -> LocalCluster {
        let cluster = self.open();
        cluster.create_index("books", &IndexDefinition::default()).await.unwrap();
        cluster
    }
}

impl ClusterFixture for Directory {
    fn cluster(&self) -> Arc<dyn ClusterClient> {
        Arc::new(self.open())
    }
}

crate::cluster_client_conformance!(Directory::new());

async fn write(cluster: &LocalCluster, documents: &[DocumentRef<'_>]) -> Vec<ItemOutcome> {
    let body = bulk("books", BulkOperation::Index, documents.iter().copied().collect());
    cluster.bulk(&body).await.unwrap().items
}

async fn all(cluster: &LocalCluster) -> Vec<Document> {
    cluster.scan("books").await.unwrap().into_stream().try_collect().await.unwrap()
}

#[tokio::test]
async fn every_part_of_a_document_comes_back() {
    let dir = Directory::new();
    let cluster = dir.with_index().await;
    let full = DocumentRef {
        doc_type: Some("page"),
        routing: Some("r"),
        parent: Some("p"),
        ..document(0, "1", b"{\"a\": 1.0}")
    };
    write(&cluster, &[full, document(1, "2", b"\xff\xfe"), document(2, "3", b"{\"a\0\":1}")]).await;
    let found = cluster.get("books", "1", Some("r")).await.unwrap().unwrap();
    assert_eq!(found.doc_type.as_deref(), Some("page"));
    assert_eq!((found.routing.as_deref(), found.parent.as_deref()), (Some("r"), Some("p")));
    assert_eq!(&found.source[..], b"{\"a\": 1.0}");
    assert_eq!(cluster.get("books", "1", None).await.unwrap(), None);
    let strange = cluster.get("books", "2", None).await.unwrap().unwrap();
    assert_eq!(&strange.source[..], b"\xff\xfe");
    let nul = cluster.get("books", "3", None).await.unwrap().unwrap();
    assert_eq!(&nul.source[..], b"{\"a\0\":1}");
}

#[tokio::test]
async fn people_can_query_the_file() {
    let dir = Directory::new();
    let cluster = dir.with_index().await;
    let routed = DocumentRef { routing: Some("r"), ..document(0, "1", b"{\"title\":\"Emma\"}") };
    write(&cluster, &[routed, document(1, "2", b"{\"title\":\"Persuasion\"}")]).await;
    let sql = "SELECT id, routing, type FROM documents_view
               WHERE index_name = 'books' AND json_extract(source, '$.title') = 'Emma'";
    let row: (String, Option<String>, Option<String>) = Connection::open(dir.file())
        .unwrap()
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    assert_eq!(row, ("1".into(), Some("r".into()), None));
}

#[tokio::test]
async fn a_scan_shows_every_document_once_in_the_order_of_writing() {
    let dir = Directory::new();
    let cluster = dir.with_index().await;
    cluster.create_index("other", &IndexDefinition::default()).await.unwrap();
    for from in [3000, 0, 6000] {
        for index in ["other", "books"] {
            let body = bulk(index, BulkOperation::Index, documents(from..from + 3000));
            cluster.bulk(&body).await.unwrap();
        }
    }
    write(&cluster, &[document(0, "d3000", b"{\"new\":1}")]).await;
    let ids: Vec<String> = all(&cluster).await.into_iter().map(|document| document.id).collect();
    let expected: Vec<String> =
        (3000..6000).chain(0..3000).chain(6000..9000).map(|number| format!("d{number}")).collect();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn a_page_of_a_scan_is_bounded_by_bytes() {
    let dir = Directory::new();
    let cluster = dir.with_index().await;
    let large = vec![b'x'; 1 << 20];
    for id in ["1", "2", "3", "4", "5"] {
        write(&cluster, &[document(0, id, &large)]).await;
    }
    let mut scan = cluster.scan("books").await.unwrap();
    let mut sizes = Vec::new();
    while let Some(batch) = scan.next_batch().await.unwrap() {
        sizes.push(batch.len());
    }
    assert_eq!(sizes, [2, 2, 1]);
}

#[tokio::test]
async fn sizes_and_counts_follow_every_change() {
    let dir = Directory::new();
    let cluster = dir.with_index().await;
    write(&cluster, &[document(0, "1", &[b'x'; 2048]), document(1, "2", &[b'x'; 1024])]).await;
    write(&cluster, &[document(0, "1", &[b'x'; 1024])]).await;
    let row = cluster.cat_indices().await.unwrap().remove(0);
    assert_eq!((row.docs_count, row.store_size.as_deref()), (Some(2), Some("2kb")));
    cluster.delete_index("books").await.unwrap();
    assert!(!cluster.has_index("books").await.unwrap());
    cluster.create_index("books", &IndexDefinition::default()).await.unwrap();
    assert!(all(&cluster).await.is_empty());
    assert_ne!(cluster.cat_indices().await.unwrap().remove(0).uuid, row.uuid);
}

#[tokio::test]
async fn settings_are_merged_and_taken_back() {
    let dir = Directory::new();
    let cluster = dir.with_index().await;
    let change = |json| serde_json::from_str::<serde_json::Value>(json).unwrap();
    for json in [r#"{"index":{"a":1,"b":"x"}}"#, r#"{"index":{"a":null,"c":true}}"#] {
        cluster.update_settings("books", &change(json)).await.unwrap();
    }
    let definition = cluster.definition("books").await.unwrap().unwrap();
    assert_eq!(definition.settings, change(r#"{"index.b":"x","index.c":true}"#));
    assert_eq!(cluster.definition("nope").await.unwrap(), None);
}

#[tokio::test]
async fn a_full_disk_fails_the_bulk_whole_and_names_the_file() {
    let dir = Directory::new();
    let cluster = dir.with_index().await;
    write(&cluster, &[document(0, "before", b"{}")]).await;
    cluster.set_max_bytes(512 * 1024).await.unwrap();
    let large = vec![b'x'; 200 * 1024];
    let ids = ["1", "2", "3", "4"];
    let body = bulk(
        "books",
        BulkOperation::Index,
        ids.map(|id| document(0, id, &large)).into_iter().collect(),
    );
    let error = cluster.bulk(&body).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.message().contains(FILE_NAME) && error.message().contains("full"), "{error}");
    assert_eq!(cluster.count("books").await.unwrap(), 1);
    assert_eq!(all(&cluster).await.len(), 1);
    cluster.set_max_bytes(64 * 1024 * 1024).await.unwrap();
    assert!(cluster.bulk(&body).await.unwrap().is_clean());
    assert_eq!(cluster.count("books").await.unwrap(), 5);
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let dir = Directory::new();
    write(&dir.with_index().await, &[document(0, "1", b"{}")]).await;
    let again = LocalCluster::open_existing(dir.0.path()).unwrap();
    assert_eq!(again.count("books").await.unwrap(), 1);
}

#[tokio::test]
async fn a_directory_is_one_cluster_however_it_is_named() {
    let dir = Directory::new();
    let (first, second) = (dir.open(), LocalCluster::open(dir.0.path().join(".")).unwrap());
    assert_eq!(first.address(), second.address());
    assert_eq!(first.info().await.unwrap(), second.info().await.unwrap());
    assert_ne!(Directory::new().open().info().await.unwrap(), first.info().await.unwrap());
}

#[test]
fn the_file_has_a_write_ahead_log() {
    let dir = Directory::new();
    drop(dir.open());
    let mode: String = Connection::open(dir.file())
        .unwrap()
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn a_directory_without_a_file_is_not_opened_as_existing() {
    let dir = Directory::new();
    let error = LocalCluster::open_existing(dir.0.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(!dir.file().exists());
}

#[test]
fn files_that_are_not_ours_are_refused_and_left_alone() {
    let dir = Directory::new();
    Connection::open(dir.file()).unwrap().execute_batch("CREATE TABLE mine (a)").unwrap();
    assert_eq!(LocalCluster::open(dir.0.path()).unwrap_err().kind(), ErrorKind::State);
    std::fs::write(dir.file(), vec![b'x'; 8192]).unwrap();
    assert_eq!(LocalCluster::open(dir.0.path()).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(std::fs::read(dir.file()).unwrap(), vec![b'x'; 8192]);
}

#[test]
fn a_file_of_a_newer_release_is_refused() {
    let dir = Directory::new();
    drop(dir.open());
    Connection::open(dir.file()).unwrap().pragma_update(None, "user_version", 2).unwrap();
    let error = LocalCluster::open(dir.0.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn a_directory_that_cannot_be_made_is_an_io_error() {
    let dir = Directory::new();
    let file = dir.0.path().join("file");
    std::fs::write(&file, b"").unwrap();
    assert_eq!(LocalCluster::open(file.join("sub")).unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn a_new_directory_may_be_opened_by_many_at_once() {
    let dir = Directory::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| dir.open());
        }
    });
}

#[tokio::test]
async fn a_faulty_double_passes_the_same_conformance() {
    let dir = Directory::new();
    let clock = Arc::new(crate::ManualClock::default());
    let cluster = testkit::FaultyCluster::new(dir.cluster(), clock);
    struct Wrapped(Arc<testkit::FaultyCluster>);
    impl ClusterFixture for Wrapped {
        fn cluster(&self) -> Arc<dyn ClusterClient> {
            Arc::clone(&self.0) as _
        }
    }
    testkit::cluster::cluster_client_takes_bulks_at_once(&Wrapped(Arc::new(cluster))).await;
}
