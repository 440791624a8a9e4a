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

/// What a reader of one range found, and where it ended.
struct Reading {
    lines: Vec<(u32, String, Vec<u8>)>,
    undeleted: u64,
    end: ReadPoint,
}

/// Reads a range; in two goes where `pause_after` batches are to be acknowledged before the first ends.
async fn read_range(shard: &Shard, range: Range<u32>, pause_after: Option<usize>) -> Reading {
    let from = ReadPoint { next: range.start, ..ReadPoint::default() };
    let mut reading = Reading { lines: Vec::new(), undeleted: 0, end: from };
    for most in pause_after.into_iter().chain([usize::MAX]) {
        let mut stream = shard.documents(DocumentsOptions {
            range: Some(range.clone()),
            from: reading.end,
            batch_documents: 3,
            ..DocumentsOptions::default()
        });
        for _ in 0..most {
            let Some(batch) = stream.next().await else {
                reading.undeleted = stream.undeleted();
                break;
            };
            let batch = batch.unwrap();
            reading.end = batch.end;
            let line = |document: crate::DocumentRef<'_>| {
                (document.number, document.id.to_owned(), document.source.to_vec())
            };
            reading.lines.extend(batch.documents.iter().map(line));
        }
    }
    reading
}

fn parts_of(end: &ReadPoint) -> Vec<SegmentPart> {
    let tail = end.segment.map(|point| SegmentPart {
        ordinal: point.ordinal,
        from: point.crc_from,
        to: point.offset,
        crc: point.crc.unwrap(),
    });
    end.head.into_iter().chain(tail).collect()
}

async fn cut_and_read(shard: &Shard, pieces: u32) -> usize {
    let size = shard.size().await.unwrap();
    let mut bounds = vec![0];
    bounds.extend(shard.cuts(pieces).await.unwrap());
    bounds.push(size.max_doc);
    let whole = read_range(shard, 0..size.max_doc, None).await;
    assert_eq!(whole.undeleted, size.undeleted);
    let (mut lines, mut undeleted, mut parts) = (Vec::new(), 0, Vec::new());
    for (place, ends) in bounds.windows(2).enumerate() {
        let reading = read_range(shard, ends[0]..ends[1], (place % 2 == 1).then_some(place)).await;
        assert_eq!(reading.end.next, ends[1]);
        lines.extend(reading.lines);
        undeleted += reading.undeleted;
        parts.extend(parts_of(&reading.end));
    }
    assert!(lines == whole.lines && undeleted == size.undeleted, "cut at {bounds:?}");
    shard.verify_parts(parts.clone()).await.unwrap();
    for place in 0..parts.len() {
        let mut wrong = parts.clone();
        wrong[place].crc ^= 1;
        let error = shard.verify_parts(wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        let mut lacking = parts.clone();
        lacking.remove(place);
        // A lonely part was its segment's only one: nothing says that it is missing.
        let lonely = !lacking.iter().any(|part| part.ordinal == parts[place].ordinal);
        assert_eq!(shard.verify_parts(lacking).await.is_ok(), lonely);
    }
    parts.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_read_apart_are_the_whole_and_their_checksums_join() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
    let mut parts = 0;
    for version in std::fs::read_dir(fixtures).unwrap() {
        let repository = version.unwrap().path().join("repo");
        let Ok(repository) = Repository::open(&repository.display().to_string()).await else {
            continue;
        };
        let snapshot = repository.snapshot("snap-2").await.unwrap();
        for (index, shard) in [("shapes", 0), ("best", 0), ("merged", 0), ("empty", 0)] {
            let Ok(shard) = snapshot.shard(index, shard).await else { continue };
            for pieces in [1, 2, 3, 100] {
                parts += cut_and_read(&shard, pieces).await;
            }
        }
    }
    assert!(parts > 50, "only {parts} segments were read in parts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_within_a_chunk_is_refused() {
    let repository = Repository::open(FIXTURE).await.unwrap();
    let shard = repository.snapshot("snap-2").await.unwrap().shard("merged", 0).await.unwrap();
    let mut stream =
        shard.documents(DocumentsOptions { range: Some(1..2), ..DocumentsOptions::default() });
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(error.message().contains("no chunk begins there"), "{error}");
}
