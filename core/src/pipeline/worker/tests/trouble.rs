//! Targets that fail: whose fault it is, and what becomes of the item and the rest.

use super::*;

/// A target that does `fault` with every bulk that holds the document in the middle of the first shard.
fn broken(bench: &Bench, fault: BulkFault) -> Arc<FaultyCluster> {
    let id = bench.expected[0][&bench.middle(0)].0.clone();
    Arc::new(bench.faulty().on_bulk(move |_, body| {
        let met = body.documents.iter().any(|document| document.id == id);
        if met { fault } else { BulkFault::None }
    }))
}

#[tokio::test]
async fn a_panic_in_the_client_counts_against_the_item_and_the_rest_goes_on() {
    let bench = Bench::new(2).await;
    let cluster = broken(&bench, BulkFault::Panic);
    let end = bench.player("first", &cluster).run().await.unwrap().unwrap();
    assert_eq!(end, WorkerEnd::NothingLeft);
    let item = bench.item(0).await;
    assert!(item.quarantined && item.last_error.unwrap().contains("panic"));
    assert_eq!(item.checkpoint.next, bench.middle(0));
    assert!(bench.item(1).await.is_completed());
    let work = bench.work().await;
    assert_eq!(work.end(), Some(RunEnd::Failed));
    assert_eq!(work.failed.len(), 1);

    bench.coordinator().reopen(&bench.item(0).await.id()).await.unwrap();
    bench.finish().await;
    bench.assert_exact().await;
}

#[tokio::test]
async fn a_target_that_fails_for_good_ends_the_worker_and_keeps_its_progress() {
    for kind in [ErrorKind::Auth, ErrorKind::NotFound, ErrorKind::Unavailable, ErrorKind::Corrupt] {
        let bench = Bench::new(1).await;
        let cluster = broken(&bench, BulkFault::Refused(kind));
        let mut events = bench.events.listen();
        let error = bench.player("first", &cluster).run().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), kind);
        let item = bench.item(0).await;
        assert_eq!((item.attempts, item.deaths, item.quarantined), (0, 0, false), "{kind}");
        assert_eq!(item.checkpoint.next, bench.middle(0));
        assert!(item.lease_holder.is_none() && item.last_error.is_some());
        let reason = loop {
            if let Event::ItemFailed { reason, .. } = events.next().await.unwrap() {
                break reason;
            }
        };
        assert!(reason.contains("was to be refused"), "{reason}");
        bench.finish().await;
        bench.assert_exact().await;
    }
}

#[tokio::test]
async fn after_an_error_nothing_is_sent_again() {
    let bench = Bench::new(1).await;
    let slow = bench.middle(0);
    // One is refused for good while the one before it is on its way to being sent again.
    let after = *bench.expected[0].range(slow..).nth(BULK as usize).unwrap().0;
    let cluster = Arc::new(bench.faulty().on_bulk(move |_, body| {
        if holds(body, after) {
            BulkFault::Refused(ErrorKind::Auth)
        } else if holds(body, slow) {
            BulkFault::Refused(ErrorKind::Unavailable)
        } else {
            BulkFault::None
        }
    }));
    let mut player = bench.player("first", &cluster);
    player.worker.retry = RetryPolicy::patient();
    // The clock stands still: a retry would wait for ever.
    let error = player.run().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(bench.item(0).await.checkpoint.next, slow);
    bench.finish().await;
    bench.assert_exact().await;
}

#[tokio::test]
async fn documents_that_are_refused_for_good_are_told_and_booked() {
    let bench = Bench::new(1).await;
    let refused = bench.middle(0);
    let cluster = Arc::new(bench.faulty().on_document(move |_, document| {
        (document.number == refused).then(|| ItemOutcome::Failed(Box::default()))
    }));
    let mut events = bench.events.listen();
    bench.player("first", &cluster).run().await.unwrap().unwrap();
    let mut told = Vec::new();
    loop {
        match events.next().await.unwrap() {
            Event::DocumentFailed { id, .. } => told.push(id),
            Event::ItemCompleted { live, books, .. } => {
                assert_eq!(books.accounted(), live);
                break;
            }
            _ => {}
        }
    }
    assert_eq!(told, [bench.expected[0][&refused].0.clone()]);
    let work = bench.work().await;
    assert_eq!(work.end(), Some(RunEnd::CompletedWithErrors));
    assert_eq!((work.books.failed, work.books.written as usize), (1, bench.count(0) - 1));
    let kept = bench.kept().await;
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].source().unwrap(), bench.expected[0][&refused].1);
    assert_eq!((kept[0].number, kept[0].index.as_str()), (refused, INDEX));
}

#[tokio::test]
async fn a_document_that_failed_for_a_worker_that_died_and_arrived_later_is_no_failure() {
    let bench = Bench::new(1).await;
    // Of the second bulk; the first is never answered, so that no checkpoint passes it.
    let second_bulk = bench.bulks[0][1];
    let (refused, _) = bench.expected[0].range(second_bulk..).next().unwrap();
    let refused = *refused;
    let dying = Arc::new(
        bench
            .faulty()
            .on_document(move |_, document| {
                (document.number == refused).then(|| ItemOutcome::Failed(Box::default()))
            })
            .on_bulk(
                move |_, body| {
                    if holds(body, refused) { BulkFault::None } else { BulkFault::Silence }
                },
            ),
    );
    let first = bench.player("first", &dying).run();
    while bench.kept().await.is_empty() {
        tokio::task::yield_now().await;
    }
    first.abort();
    let _ = first.await;
    bench.clock.advance(Duration::from_secs(600));
    let well = Arc::new(bench.faulty());
    let second = bench.player("second", &well).run();
    bench.clock_runs_until(&second).await;
    second.await.unwrap().unwrap();
    let work = bench.work().await;
    assert_eq!((work.books.failed, bench.kept().await.len()), (0, 0));
    assert_eq!(work.books.written as usize, bench.count(0));
}

#[tokio::test]
async fn more_failures_than_may_be_pause_the_run_and_a_higher_limit_lets_it_go_on() {
    let bench = Bench::new(1).await;
    let cluster = Arc::new(bench.faulty().on_document(move |_, document| {
        (document.number % 2 == 0).then(|| ItemOutcome::Failed(Box::default()))
    }));
    let mut strict = bench.player("strict", &cluster);
    strict.worker.failures = bench.failures(FailureLimit::Documents(3));
    let error = strict.run().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.to_string().contains("more than the 3 that may"), "{error}");
    assert!(bench.work().await.end().is_none(), "it can go on");
    let lenient = bench.player("lenient", &cluster);
    lenient.run().await.unwrap().unwrap();
    let work = bench.work().await;
    assert_eq!(work.end(), Some(RunEnd::CompletedWithErrors));
    assert_eq!(work.books.failed as usize, bench.kept().await.len());
    assert_eq!(work.books.accounted() as usize, bench.count(0));
}

#[tokio::test]
async fn every_document_may_be_refused_once_and_arrives_as_it_was() {
    let bench = Bench::new(2).await;
    let refused = std::sync::Mutex::new(BTreeSet::new());
    let cluster = Arc::new(bench.faulty().on_document(move |_, document| {
        let first = refused.lock().unwrap().insert(document.id.to_owned());
        first.then(|| ItemOutcome::Retry(Box::default()))
    }));
    bench.player("first", &cluster).run().await.unwrap().unwrap();
    bench.assert_exact().await;
}

#[tokio::test]
async fn an_index_that_the_snapshot_lacks_is_the_items_own_trouble() {
    let bench = Bench::new(1).await;
    let other = tempfile::tempdir().unwrap();
    let shared = Arc::new(bench.clock.clone());
    let store = Arc::new(LocalWorkStore::open(other.path(), Session::default(), shared).unwrap());
    let coordinator = bench.coordinator_over(Arc::clone(&store) as _);
    let name = SnapshotName { name: "s".into(), uuid: "u".into() };
    let run = Run::new(Session::default(), name, FIXTURE, "t", serde_json::Value::Null);
    coordinator.plan(&run, &[WorkItem::new("gone", 0, 0..10)]).await.unwrap();
    let cluster = Arc::new(bench.faulty());
    let mut player = bench.player("first", &cluster);
    player.worker.coordinator = Arc::new(coordinator);
    assert_eq!(player.run().await.unwrap().unwrap(), WorkerEnd::NothingLeft);
    let totals = store.totals().await.unwrap();
    assert_eq!(Work::of(&totals).end(), Some(RunEnd::Failed));
    assert!(totals.failed[0].reason.contains("gone"), "{}", totals.failed[0].reason);
}

#[tokio::test]
async fn a_pause_between_two_tries_waits_for_nothing() {
    let bench = Bench::new(1).await;
    let cluster = broken(&bench, BulkFault::Refused(ErrorKind::Unavailable));
    let mut player = bench.player("first", &cluster);
    player.worker.retry = RetryPolicy::patient();
    let stop = player.worker.stop.clone();
    let running = player.run();
    let middle = bench.middle(0);
    bench.until_item(0, |item| item.checkpoint.next == middle).await;
    others_run().await;
    stop.cancel();
    assert_eq!(running.await.unwrap().unwrap(), WorkerEnd::Stopped);
    assert_eq!(bench.item(0).await.checkpoint.next, middle);
    bench.finish().await;
    bench.assert_exact().await;
}
