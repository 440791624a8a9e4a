use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::cluster::{IndexDefinition, LocalCluster};
use crate::testkit::samples::{bulk, document, documents};
use crate::testkit::{BulkFault, FaultyCluster, SteppedClock};

const TIMEOUT: Duration = Duration::from_secs(30);

/// Tries again at once: the clock stands still.
const RETRY: RetryPolicy =
    RetryPolicy { retries: 3, first_delay: Duration::ZERO, max_delay: Duration::ZERO };

struct Bench {
    _dir: tempfile::TempDir,
    clock: SteppedClock,
    local: Arc<LocalCluster>,
}

impl Bench {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let local = Arc::new(LocalCluster::open(dir.path()).unwrap());
        local.create_index("a", &IndexDefinition::default()).await.unwrap();
        Self { _dir: dir, clock: SteppedClock::default(), local }
    }

    fn faulty(&self) -> FaultyCluster {
        FaultyCluster::new(Arc::clone(&self.local) as _, Arc::new(self.clock.clone()))
    }

    fn over(&self, cluster: &Arc<FaultyCluster>) -> BulkSender {
        BulkSender {
            cluster: Arc::clone(cluster) as _,
            clock: Arc::new(self.clock.clone()),
            retry: RETRY,
            index: "a".into(),
            operation: BulkOperation::Index,
            allowed: Arc::default(),
            timeout: TIMEOUT,
            gate: Gate::new(|| Leave::Granted),
            halt: CancellationToken::new(),
            ceiling: Ceiling::default(),
            throttle: None,
            tally: Tally::default(),
        }
    }

    async fn write(&self, numbers: Range<u32>) {
        let body = bulk("a", BulkOperation::Index, documents(numbers));
        assert!(self.local.bulk(&body).await.unwrap().is_clean());
    }
}

fn settled(sent: Sent) -> Settled {
    match sent {
        Sent::Settled(settled) => settled,
        other => panic!("{other:?}"),
    }
}

fn trouble(status: u16) -> Box<ItemError> {
    let (error_type, reason) = ("trouble".to_owned(), "so it is".to_owned());
    Box::new(ItemError { status, error_type, reason })
}

/// Lets other tasks run as far as they come while the clock stands still.
async fn others_run() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn only_what_was_refused_is_sent_again() {
    let bench = Bench::new().await;
    let cluster = Arc::new(bench.faulty().on_document(|bulk, document| {
        (bulk == 0 && document.number % 2 == 1).then(|| ItemOutcome::Retry(trouble(429)))
    }));
    let sent = bench.over(&cluster).send(documents(0..4), 0..0).await.unwrap();
    assert_eq!(cluster.written(), [[0, 2], [1, 3]]);
    let books = settled(sent).books;
    assert_eq!((books.written, books.failed, books.overwritten), (4, 0, 0));
    assert_eq!(books.bytes, documents(0..4).source_bytes());
}

#[tokio::test]
async fn what_may_be_refused_is_booked_as_present() {
    let bench = Bench::new().await;
    let cluster = Arc::new(bench.faulty().on_document(|_, document| {
        (document.number == 2).then(|| ItemOutcome::Failed(trouble(400)))
    }));
    let allowed = Arc::new(BTreeSet::from(["trouble".to_owned()]));
    let sender = BulkSender { allowed, ..bench.over(&cluster) };
    let settled = settled(sender.send(documents(0..4), 0..0).await.unwrap());
    assert_eq!((settled.books.written, settled.books.present), (4, 1));
    assert_eq!((settled.books.failed, settled.failed.len()), (0, 0));
}

#[tokio::test]
async fn what_is_refused_for_good_is_booked_with_its_reason_and_not_sent_again() {
    let bench = Bench::new().await;
    let cluster = Arc::new(bench.faulty().on_document(|_, document| {
        (document.number == 2).then(|| ItemOutcome::Failed(trouble(400)))
    }));
    let settled = settled(bench.over(&cluster).send(documents(0..4), 0..0).await.unwrap());
    assert_eq!((settled.books.written, settled.books.failed), (3, 1));
    assert_eq!(settled.failed.len(), 1);
    assert_eq!(settled.failed[0].document.id, "d2");
    assert_eq!(settled.failed[0].error, *trouble(400));
    assert_eq!(cluster.bulks(), 1);
}

#[tokio::test]
async fn replacing_is_a_finding_outside_the_range_that_is_sent_again() {
    let bench = Bench::new().await;
    bench.write(0..4).await;
    let cluster = Arc::new(bench.faulty());
    let sent = bench.over(&cluster).send(documents(0..6), 0..3).await.unwrap();
    let books = settled(sent).books;
    assert_eq!((books.written, books.overwritten), (6, 1));
}

#[tokio::test]
async fn what_is_there_already_is_present_in_create_mode() {
    let bench = Bench::new().await;
    bench.write(0..4).await;
    let cluster = Arc::new(bench.faulty());
    let sender = BulkSender { operation: BulkOperation::Create, ..bench.over(&cluster) };
    let books = settled(sender.send(documents(0..6), 0..0).await.unwrap()).books;
    assert_eq!((books.written, books.present, books.overwritten), (6, 4, 0));
}

#[tokio::test]
async fn what_we_created_ourselves_before_is_not_found_present() {
    let bench = Bench::new().await;
    bench.write(0..4).await;
    let cluster = Arc::new(bench.faulty());
    let sender = BulkSender { operation: BulkOperation::Create, ..bench.over(&cluster) };
    let books = settled(sender.send(documents(0..6), 0..3).await.unwrap()).books;
    assert_eq!((books.written, books.present), (6, 1));
    // The answer to the first attempt is lost: all of it may be ours.
    let bench = Bench::new().await;
    let cluster = Arc::new(bench.faulty().on_bulk(|bulk, _| match bulk {
        0 => BulkFault::AnswerLost(ErrorKind::Unavailable),
        _ => BulkFault::None,
    }));
    let sender = BulkSender { operation: BulkOperation::Create, ..bench.over(&cluster) };
    let books = settled(sender.send(documents(0..3), 0..0).await.unwrap()).books;
    assert_eq!((books.written, books.present), (3, 0));
}

#[tokio::test]
async fn an_answer_of_another_length_is_an_error_and_settles_nothing() {
    let bench = Bench::new().await;
    let cluster = Arc::new(bench.faulty().on_bulk(|_, _| BulkFault::ShortAnswer));
    let error = bench.over(&cluster).send(documents(0..4), 0..0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unexpected);
    assert!(error.message().contains("3 items to 4 documents"), "{error}");
    assert_eq!(cluster.bulks(), 1);
}

#[tokio::test]
async fn a_target_that_refuses_for_ever_is_an_error() {
    let bench = Bench::new().await;
    let busy = bench.faulty().on_document(|_, document| {
        (document.number == 1).then(|| ItemOutcome::Retry(trouble(429)))
    });
    let cluster = Arc::new(busy);
    let error = bench.over(&cluster).send(documents(0..3), 0..0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.message().contains("so it is"), "{error}");
    // The first took two documents, which was progress; the tries count from there.
    assert_eq!(cluster.bulks(), 1 + 3);
}

#[tokio::test]
async fn a_target_that_takes_a_little_each_time_is_not_given_up() {
    let bench = Bench::new().await;
    let slow = bench.faulty().on_document(|bulk, document| {
        (u64::from(document.number) != bulk).then(|| ItemOutcome::Retry(trouble(429)))
    });
    let cluster = Arc::new(slow);
    let sent = bench.over(&cluster).send(documents(0..10), 0..0).await.unwrap();
    assert_eq!(settled(sent).books.written, 10);
    assert_eq!(cluster.bulks(), 10);
}

#[tokio::test]
async fn calls_that_fail_are_made_again_only_where_that_may_help() {
    for (kind, bulks) in [(ErrorKind::Unavailable, 4), (ErrorKind::Auth, 1)] {
        let bench = Bench::new().await;
        let cluster = Arc::new(bench.faulty().on_bulk(move |_, _| BulkFault::Refused(kind)));
        let error = bench.over(&cluster).send(documents(0..3), 0..0).await.unwrap_err();
        assert_eq!((error.kind(), cluster.bulks()), (kind, bulks));
    }
}

#[tokio::test]
async fn what_a_lost_answer_had_written_is_not_found_overwritten() {
    let bench = Bench::new().await;
    let cluster = Arc::new(bench.faulty().on_bulk(|bulk, _| match bulk {
        0 => BulkFault::AnswerLost(ErrorKind::Unavailable),
        _ => BulkFault::None,
    }));
    let books = settled(bench.over(&cluster).send(documents(0..3), 0..0).await.unwrap()).books;
    assert_eq!((books.written, books.overwritten), (3, 0));
}

#[tokio::test]
async fn what_a_lost_answer_had_created_is_our_own_and_not_found_present() {
    let bench = Bench::new().await;
    let cluster = Arc::new(bench.faulty().on_bulk(|bulk, _| match bulk {
        0 => BulkFault::AnswerLost(ErrorKind::Unavailable),
        _ => BulkFault::None,
    }));
    let sender = BulkSender { operation: BulkOperation::Create, ..bench.over(&cluster) };
    let books = settled(sender.send(documents(0..3), 0..0).await.unwrap()).books;
    assert_eq!((books.written, books.present), (3, 0));
    let books = settled(sender.send(documents(0..5), 0..2).await.unwrap()).books;
    assert_eq!((books.written, books.present), (5, 1), "only the first two were sent before");
}

/// The incumbent put numbers through doubles when it sent again.
#[tokio::test]
async fn the_bytes_are_the_same_when_they_are_sent_again() {
    let bench = Bench::new().await;
    let cluster = Arc::new(bench.faulty().on_document(|bulk, document| {
        (bulk == 0 && document.number == 1).then(|| ItemOutcome::Retry(trouble(429)))
    }));
    let source = br#"{ "n" : 12345678901234567890.10, "e":1E400 , "n":-0.0}"#;
    let batch = [document(0, "a", b"{}"), document(1, "b", source)].into_iter().collect();
    bench.over(&cluster).send(batch, 0..0).await.unwrap();
    let mut scan = bench.local.scan("a").await.unwrap();
    let page = scan.next_batch().await.unwrap().unwrap();
    let stored = page.documents().find(|document| document.id == "b").unwrap().source;
    assert_eq!(&stored[..], source);
}

#[tokio::test]
async fn a_bulk_without_an_answer_is_given_up_after_the_timeout_and_sent_again() {
    let bench = Bench::new().await;
    let cluster = Arc::new(bench.faulty().on_bulk(|bulk, _| match bulk {
        0 => BulkFault::Silence,
        _ => BulkFault::None,
    }));
    let sender = bench.over(&cluster);
    let sending = tokio::spawn(async move { sender.send(documents(0..3), 0..0).await });
    while bench.clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    bench.clock.advance(TIMEOUT - Duration::from_millis(1));
    others_run().await;
    assert_eq!(cluster.bulks(), 1);
    while cluster.written().is_empty() {
        tokio::task::yield_now().await;
    }
    bench.clock.advance(Duration::from_millis(1));
    let books = settled(sending.await.unwrap().unwrap()).books;
    assert_eq!((books.written, books.overwritten, cluster.bulks()), (3, 0, 2));
}

#[tokio::test]
async fn a_target_that_never_answers_is_unavailable() {
    let bench = Bench::new().await;
    let cluster = Arc::new(bench.faulty().on_bulk(|_, _| BulkFault::Silence));
    let sender = BulkSender { timeout: Duration::ZERO, ..bench.over(&cluster) };
    let error = sender.send(documents(0..3), 0..0).await.unwrap_err();
    assert_eq!((error.kind(), cluster.bulks()), (ErrorKind::Unavailable, 4));
    assert!(error.is_retryable());
}

#[tokio::test]
async fn nothing_begins_without_leave_of_the_lease() {
    let bench = Bench::new().await;
    let cluster = Arc::new(bench.faulty());
    let asked = Arc::new(AtomicU64::new(0));
    let asks = Arc::clone(&asked);
    let gate = Gate::new(move || match asks.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Leave::NotYet,
        _ => Leave::Granted,
    });
    let sender = BulkSender { gate, ..bench.over(&cluster) };
    let sending = tokio::spawn(async move { sender.send(documents(0..3), 0..0).await });
    for asked_before in 1..3 {
        others_run().await;
        assert_eq!((asked.load(Ordering::SeqCst), cluster.bulks()), (asked_before, 0));
        bench.clock.advance(LEASE_WAIT);
    }
    assert_eq!(settled(sending.await.unwrap().unwrap()).books.written, 3);
}

#[tokio::test]
async fn the_lease_is_asked_before_each_attempt() {
    let bench = Bench::new().await;
    let cluster =
        Arc::new(bench.faulty().on_bulk(|_, _| BulkFault::Refused(ErrorKind::Unavailable)));
    let asked = AtomicU64::new(0);
    let gate = Gate::new(move || match asked.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Leave::Granted,
        _ => Leave::Over,
    });
    let sender = BulkSender { gate, ..bench.over(&cluster) };
    assert_eq!(sender.send(documents(0..3), 0..0).await.unwrap(), Sent::LeaseOver);
    assert_eq!(cluster.bulks(), 2);
}

#[tokio::test]
async fn once_halted_nothing_is_sent_any_more() {
    let bench = Bench::new().await;
    let halt = CancellationToken::new();
    let halting = halt.clone();
    let cluster = Arc::new(bench.faulty().on_bulk(move |_, _| {
        halting.cancel();
        BulkFault::Refused(ErrorKind::Unavailable)
    }));
    let slow = RetryPolicy { first_delay: TIMEOUT, max_delay: TIMEOUT, ..RETRY };
    let sender = BulkSender { halt, retry: slow, ..bench.over(&cluster) };
    for _ in 0..2 {
        assert_eq!(sender.send(documents(0..3), 0..0).await.unwrap(), Sent::Halted);
        assert_eq!(cluster.bulks(), 1);
    }
}

#[tokio::test]
async fn an_empty_batch_is_settled_without_a_word() {
    let bench = Bench::new().await;
    let cluster = Arc::new(bench.faulty());
    let sent = bench.over(&cluster).send(DocumentBatch::default(), 0..0).await.unwrap();
    assert_eq!((sent, cluster.bulks()), (Sent::Settled(Settled::default()), 0));
}

/// Takes no bulk of more than `most` documents.
fn no_more_than(bench: &Bench, most: usize) -> FaultyCluster {
    bench.faulty().on_bulk(move |_, body| {
        if body.documents.len() > most { BulkFault::TooLarge } else { BulkFault::None }
    })
}

#[tokio::test]
async fn a_bulk_that_is_too_large_is_halved_until_it_is_taken() {
    let bench = Bench::new().await;
    let cluster = Arc::new(no_more_than(&bench, 2));
    let books = settled(bench.over(&cluster).send(documents(0..7), 0..0).await.unwrap()).books;
    assert_eq!(cluster.written(), [vec![0], vec![1, 2], vec![3, 4], vec![5, 6]]);
    assert_eq!((books.written, books.failed, books.overwritten), (7, 0, 0));
}

#[tokio::test]
async fn what_was_too_large_once_is_not_tried_again() {
    let bench = Bench::new().await;
    let cluster = Arc::new(no_more_than(&bench, 2));
    let sender = bench.over(&cluster);
    sender.send(documents(0..8), 0..0).await.unwrap();
    let tried = cluster.bulks();
    sender.send(documents(0..8), 0..8).await.unwrap();
    assert_eq!(cluster.bulks() - tried, 4, "all of them taken");
}

#[tokio::test]
async fn a_single_document_that_is_too_large_fails_alone() {
    let bench = Bench::new().await;
    let cluster = Arc::new(bench.faulty().on_bulk(|_, body| {
        let large = body.documents.iter().any(|document| document.number == 5);
        if large { BulkFault::TooLarge } else { BulkFault::None }
    }));
    let settled = settled(bench.over(&cluster).send(documents(0..8), 0..0).await.unwrap());
    assert_eq!((settled.books.written, settled.books.failed), (7, 1));
    assert_eq!(settled.failed[0].document.id, "d5");
    assert_eq!(settled.failed[0].error.error_type, "request_entity_too_large");
}

#[tokio::test]
async fn a_target_that_says_how_long_to_wait_is_obeyed() {
    let bench = Bench::new().await;
    let wait = Duration::from_secs(7);
    let cluster =
        Arc::new(bench.faulty().on_bulk(move |bulk, _| {
            if bulk == 0 { BulkFault::Busy(wait) } else { BulkFault::None }
        }));
    let sender = bench.over(&cluster);
    let sending = tokio::spawn(async move { sender.send(documents(0..2), 0..0).await });
    others_run().await;
    bench.clock.advance(wait - Duration::from_millis(1));
    others_run().await;
    assert_eq!(cluster.bulks(), 1, "still waiting");
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(settled(sending.await.unwrap().unwrap()).books.written, 2);
}
