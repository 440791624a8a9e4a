use std::sync::Arc;

use super::*;
use crate::cluster::{
    BulkBody, BulkOperation, ClusterClient, Created, IndexDefinition, ItemOutcome,
};
use crate::{DocumentBatch, DocumentRef, ErrorKind};

fn document<'a>(id: &'a str, source: &'a [u8]) -> DocumentRef<'a> {
    DocumentRef { number: 0, id, doc_type: None, routing: None, parent: None, source }
}

fn body(operation: BulkOperation, documents: &[DocumentRef<'_>]) -> BulkBody {
    let documents: DocumentBatch = documents.iter().copied().collect();
    BulkBody { index: Arc::from("books"), operation, documents }
}

async fn cluster() -> (tempfile::TempDir, LocalCluster) {
    let dir = tempfile::tempdir().unwrap();
    let cluster = LocalCluster::open(dir.path()).unwrap();
    let created = cluster.create_index("books", &IndexDefinition::default()).await.unwrap();
    assert_eq!(created, Created::Created);
    (dir, cluster)
}

#[tokio::test]
async fn writing_again_replaces() {
    let (_dir, cluster) = cluster().await;
    let first = body(BulkOperation::Index, &[document("1", b"{\"a\":1}"), document("2", b"{}")]);
    let outcome = cluster.bulk(&first).await.unwrap();
    assert_eq!(outcome.items, [ItemOutcome::Created, ItemOutcome::Created]);
    let again = body(BulkOperation::Index, &[document("1", b"{\"a\":22}")]);
    assert_eq!(cluster.bulk(&again).await.unwrap().items, [ItemOutcome::Updated]);
    assert_eq!(cluster.count("books").await.unwrap(), 2);
    let found = cluster.get("books", "1", None).await.unwrap().unwrap();
    assert_eq!(&found.source[..], b"{\"a\":22}");
    assert_eq!(cluster.get("books", "3", None).await.unwrap(), None);
    assert_eq!(cluster.count("nope").await.unwrap_err().kind(), ErrorKind::NotFound);
}
