//! Failed documents through a store in memory and one in a folder.

use std::sync::Arc;

use bytes::Bytes;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::*;
use crate::cluster::{
    BulkOperation, ClusterClient, IndexDefinition, ItemError, ItemOutcome, LocalCluster,
};
use crate::coordination::WorkItem;
use crate::snapshot::S3Options;
use crate::testkit::{FaultyCluster, SteppedClock};
use crate::{Document, ErrorKind};

fn failed(number: u32, lease: u64) -> FailedDocument {
    let attempt =
        Attempt { source_index: "logs", shard: 2, lease, operation: BulkOperation::Index };
    let document = Document {
        number,
        id: format!("d{number}"),
        doc_type: None,
        routing: None,
        parent: None,
        source: Bytes::from_static(b"{\"a\":1}"),
    };
    let error = ItemError {
        status: 400,
        error_type: "mapper_parsing_exception".to_owned(),
        reason: format!("bad field in {number}"),
    };
    FailedDocument::new(attempt, "target", &document, &error)
}

fn item(next: u32, lease: u64) -> WorkItem {
    let mut item = WorkItem::new("logs", 2, 0..100);
    item.checkpoint.next = next;
    item.lease_version = lease;
    item
}

async fn held(log: &FailedLog) -> Vec<(u32, u64)> {
    let mut numbers = Vec::new();
    let mut documents = log.documents().await.unwrap();
    while let Some(failed) = documents.next().await {
        numbers.extend(failed.unwrap().iter().map(|document| (document.number, document.lease)));
    }
    numbers.sort_unstable();
    numbers
}

fn in_memory() -> (Arc<InMemory>, FailedLog) {
    let store = Arc::new(InMemory::new());
    let log = FailedStore::over(Arc::clone(&store) as _, Path::from("kept")).session("");
    (store, log)
}

#[tokio::test]
async fn what_is_kept_is_read_and_sessions_are_apart() {
    let folder = tempfile::tempdir().unwrap();
    let store = FailedStore::inside(folder.path()).unwrap();
    let log = store.session("");
    assert!(held(&log).await.is_empty());
    assert!(!folder.path().join("failed").exists(), "it is made with the first failure");
    log.keep(&[failed(3, 1), failed(7, 1)]).await.unwrap();
    log.keep(&[failed(9, 1)]).await.unwrap();
    assert_eq!(held(&log).await, [(3, 1), (7, 1), (9, 1)]);
    assert!(held(&store.session("other")).await.is_empty());
    let again = FailedStore::inside(folder.path()).unwrap();
    assert_eq!(held(&again.session("")).await.len(), 3);
}

#[tokio::test]
async fn a_later_lease_has_the_word_even_over_records_that_come_late() {
    let (_, log) = in_memory();
    log.keep(&[failed(3, 1), failed(12, 1)]).await.unwrap();
    log.begin_anew(&item(10, 2)).await.unwrap();
    log.keep(&[failed(15, 1)]).await.unwrap();
    log.keep(&[failed(14, 2)]).await.unwrap();
    assert_eq!(held(&log).await, [(3, 1), (14, 2)]);
}

#[tokio::test]
async fn a_first_lease_and_a_finished_item_have_nothing_to_void() {
    let (store, log) = in_memory();
    log.begin_anew(&item(0, 1)).await.unwrap();
    log.begin_anew(&item(100, 5)).await.unwrap();
    let listed = store.list_with_delimiter(None).await.unwrap();
    assert!(listed.common_prefixes.is_empty() && listed.objects.is_empty());
}

#[tokio::test]
async fn a_damaged_object_is_named_and_not_passed_over() {
    let (store, log) = in_memory();
    log.keep(&[failed(3, 1)]).await.unwrap();
    let objects: Vec<_> = futures::TryStreamExt::try_collect(store.list(None)).await.unwrap();
    let path = &objects[0].location;
    let mut bytes = store.get(path).await.unwrap().bytes().await.unwrap().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    store.put(path, bytes.into()).await.unwrap();
    let error = log.documents().await.unwrap().next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("failed-0000000003"), "{error}");
}

#[tokio::test]
async fn the_summary_counts_by_reason_most_frequent_first() {
    let (_, log) = in_memory();
    let mut large = failed(50, 1);
    large.class = FailureClass::TooLarge;
    large.error_type = "request_entity_too_large".to_owned();
    log.keep(&[large, failed(51, 1), failed(52, 1)]).await.unwrap();
    let summary = log.summary().await.unwrap();
    assert_eq!(summary.total, 3);
    let told: Vec<_> =
        summary.groups.iter().map(|group| (group.class.as_str(), group.documents)).collect();
    assert_eq!(told, [("mapping", 2), ("too_large", 1)]);
}

#[tokio::test]
async fn a_place_that_is_named_is_made_and_found_again_under_every_spelling() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("deep/kept");
    let s3 = S3Options::default();
    let absent = FailedStore::existing(place.to_str().unwrap(), &s3).await.unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::NotFound);
    let store = FailedStore::at(place.to_str().unwrap(), &s3).await.unwrap();
    assert_eq!(FailedStore::claim(place.to_str().unwrap()).unwrap(), store.url());
    store.session("").keep(&[failed(3, 1)]).await.unwrap();
    let again = FailedStore::existing(store.url(), &s3).await.unwrap();
    assert_eq!(again.url(), store.url());
    assert_eq!(held(&again.session("")).await, [(3, 1)]);
    let unknown = FailedStore::at("gopher://bucket/kept", &s3).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_redrive_sends_what_is_asked_for_and_failures_of_many_requests_in_one() {
    let (_, log) = in_memory();
    for number in 0..40 {
        let mut one = failed(number, 1);
        one.shard = number % 2;
        if number >= 30 {
            one.class = FailureClass::Other;
        }
        log.keep(&[one]).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let target = Arc::new(LocalCluster::open(folder.path()).unwrap());
    target.create_index("target", &IndexDefinition::default()).await.unwrap();
    let clock = Arc::new(SteppedClock::default());
    let cluster = Arc::new(FaultyCluster::new(Arc::clone(&target) as _, clock.clone()));
    let timeout = std::time::Duration::from_secs(30);
    let redrive = Redrive::new(log.clone(), Arc::clone(&cluster) as _, clock, timeout);
    let mapping = FailedFilter { classes: vec![FailureClass::Mapping], ..Default::default() };
    let redriven = redrive.clone().only(mapping).run().await.unwrap();
    assert_eq!((redriven.written, cluster.bulks()), (30, 1));
    assert_eq!(held(&log).await.len(), 10);
    let other = FailedFilter { indices: vec!["other".to_owned()], ..Default::default() };
    assert_eq!(redrive.clone().only(other).run().await.unwrap(), Redriven::default());
    assert_eq!(redrive.run().await.unwrap().written, 10);
    assert_eq!(target.count("target").await.unwrap(), 40);
}

#[tokio::test]
async fn a_redrive_completes_what_is_taken_and_keeps_what_is_not() {
    let (_, log) = in_memory();
    log.keep(&[failed(1, 1), failed(2, 1), failed(3, 1)]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target = Arc::new(LocalCluster::open(folder.path()).unwrap());
    target.create_index("target", &IndexDefinition::default()).await.unwrap();
    let clock = Arc::new(SteppedClock::default());
    let stubborn =
        FaultyCluster::new(Arc::clone(&target) as _, clock.clone()).on_document(|_, document| {
            let error = ItemError {
                status: 400,
                error_type: "still_wrong".to_owned(),
                reason: String::new(),
            };
            (document.id == "d2").then(|| ItemOutcome::Failed(Box::new(error)))
        });
    let timeout = std::time::Duration::from_secs(30);
    let run = |cluster: Arc<dyn ClusterClient>| {
        let redrive = Redrive::new(log.clone(), cluster, clock.clone(), timeout);
        async move { redrive.run().await.unwrap() }
    };
    let first = run(Arc::new(stubborn)).await;
    assert_eq!((first.written, first.failed), (2, 1));
    assert_eq!(first.reasons["still_wrong"], 1);
    assert_eq!(held(&log).await, [(2, 1)]);
    let second = run(Arc::clone(&target) as _).await;
    assert_eq!((second.written, second.failed), (1, 0));
    assert_eq!(run(Arc::clone(&target) as _).await, Redriven::default(), "nothing is left");
    assert_eq!(target.count("target").await.unwrap(), 3);
}
