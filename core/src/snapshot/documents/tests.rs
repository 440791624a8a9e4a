use super::*;
use crate::snapshot::Repository;
use crate::testkit::samples::documents;

const FIXTURE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/elasticsearch-8.15.0/repo");

async fn shard() -> Shard {
    let repository = Repository::open(FIXTURE).await.unwrap();
    repository.snapshot("snap-2").await.unwrap().shard("shapes", 0).await.unwrap()
}

fn small(memory_bytes: usize) -> DocumentsOptions {
    DocumentsOptions { batch_documents: 1, memory_bytes, ..DocumentsOptions::default() }
}

async fn numbers(mut stream: DocumentStream) -> Vec<u32> {
    let mut numbers = Vec::new();
    while let Some(batch) = stream.next().await {
        numbers.extend(batch.unwrap().documents.iter().map(|document| document.number));
    }
    numbers
}

fn batch_of(documents: DocumentBatch) -> ShardBatch {
    let (skipped, end) = (BTreeMap::new(), ReadPoint::default());
    ShardBatch {
        documents,
        first: 0,
        end,
        skipped,
        nested: 0,
        converted: 0,
        recovered: 0,
        unrecovered: 0,
        memory: None,
    }
}

/// Waits until a reader has done what it can: it is stuck, so waiting longer changes nothing.
async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_stops_when_the_memory_is_used_up() {
    let (sender, mut messages) = mpsc::channel(CHANNEL_BATCHES);
    let batch = documents(0..100);
    let one = batch.memory().div_ceil(PERMIT_BYTES) * PERMIT_BYTES;
    let budget = Budget::new(one * 3, Handle::current());
    let permits = Arc::clone(&budget.permits);
    let reader = std::thread::spawn(move || {
        let outlet = Outlet { sender, budget };
        let mut produced = 0;
        while outlet.send(batch_of(batch.clone())) {
            produced += 1;
        }
        produced
    });
    until(|| messages.len() == 3).await;
    assert_eq!(permits.available_permits(), 0);
    // What is taken out but not dropped still counts.
    let held = messages.recv().await.unwrap();
    assert_eq!((messages.len(), permits.available_permits()), (2, 0));
    drop(held);
    until(|| messages.len() == 3).await;
    drop(messages);
    assert_eq!(reader.join().unwrap(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_larger_than_the_memory_passes_alone() {
    let all = numbers(shard().await.documents(DocumentsOptions::default())).await;
    let tiny = shard().await.documents(small(1));
    assert_eq!(numbers(tiny).await, all);

    // One permit in all: whoever holds a batch holds everything.
    let mut stream = shard().await.documents(small(1));
    let held = stream.next().await.unwrap().unwrap();
    assert!(held.documents.memory() > 0);
    for _ in 0..1000 {
        assert!(futures::poll!(std::pin::pin!(stream.next())).is_pending());
    }
    drop(held);
    assert!(stream.next().await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_dropped_stops_its_reader() {
    let shard = shard().await;
    let mut stream = shard.documents(small(1));
    let held = stream.next().await.unwrap().unwrap();
    assert!(Arc::strong_count(&shard.files) > 1);
    drop(stream);
    // The reader's share of the shard goes with it, though the memory is still taken.
    until(|| Arc::strong_count(&shard.files) == 1).await;
    drop(held);
}

#[tokio::test]
async fn a_reader_that_dies_is_an_error_and_never_an_end() {
    let (sender, messages) = mpsc::channel(CHANNEL_BATCHES);
    let mut stream = DocumentStream { messages, ended: false, undeleted: 0 };
    sender.send(Message::Batch(Ok(batch_of(documents(0..1))))).await.unwrap();
    let reader = tokio::task::spawn_blocking(move || {
        let _sender = sender;
        panic!("a defect");
    });
    assert!(reader.await.is_err());
    assert!(stream.next().await.unwrap().is_ok());
    assert_eq!(stream.next().await.unwrap().unwrap_err().kind(), ErrorKind::Unexpected);
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn the_undeleted_are_counted_wherever_reading_began() {
    let shard = shard().await;
    let size = shard.size().await.unwrap();
    assert!(size.deleted > 0, "the fixture is to have deleted documents");
    let mut stream = shard.documents(DocumentsOptions::default());
    let mut points = vec![ReadPoint::default()];
    while let Some(batch) = stream.next().await {
        points.push(batch.unwrap().end);
    }
    for from in points {
        let mut rest = shard.documents(DocumentsOptions { from, ..DocumentsOptions::default() });
        while rest.next().await.is_some() {}
        assert_eq!(rest.undeleted(), size.undeleted);
    }
}

#[tokio::test]
async fn small_documents_take_up_what_they_take_up() {
    let batch = documents(0..1000);
    assert!(batch.memory() > 2 * batch.bytes(), "{} of {}", batch.memory(), batch.bytes());
}
