//! Leases that must be renewed, cannot be renewed, or went to somebody else.

use super::*;
use crate::coordination::StoreTime;

/// Tries again after a while, so that a store that is away does not use up the tries at once.
const PATIENT: RetryPolicy = RetryPolicy {
    retries: 100,
    first_delay: Duration::from_secs(1),
    max_delay: Duration::from_secs(1),
};

/// A first worker, one bulk at a time, whose working state goes away when its target meets the bulk in the middle; that
/// bulk has `fault` the first time.
struct Cut {
    player: Player,
    cluster: Arc<FaultyCluster>,
    away: Arc<AtomicBool>,
}

fn cut_off(bench: &Bench, fault: BulkFault) -> Cut {
    let (middle, away) = (bench.middle(0), Arc::new(AtomicBool::new(false)));
    let (met, switch) = (AtomicBool::new(false), Arc::clone(&away));
    let cluster = Arc::new(bench.faulty().on_bulk(move |_, body| {
        if !holds(body, middle) || met.swap(true, Ordering::SeqCst) {
            return BulkFault::None;
        }
        switch.store(true, Ordering::SeqCst);
        fault
    }));
    let switch = Arc::clone(&away);
    let store = FaultyStore::new(Arc::clone(&bench.store) as _, move |_, _| {
        if switch.load(Ordering::SeqCst) {
            StoreFault::Refused(ErrorKind::Unavailable)
        } else {
            StoreFault::None
        }
    });
    let mut player = bench.player("first", &cluster);
    player.worker.bulk.in_flight = 1;
    player.worker.retry = PATIENT;
    player.worker.coordinator = Arc::new(bench.coordinator_over(Arc::new(store)));
    Cut { player, cluster, away }
}

#[tokio::test]
async fn the_lease_is_renewed_while_a_bulk_is_out_that_never_comes_back() {
    let bench = Bench::new(1).await;
    let silent = bench.middle(0);
    let met = AtomicBool::new(false);
    let cluster = Arc::new(bench.faulty().on_bulk(move |_, body| {
        let first = holds(body, silent) && !met.swap(true, Ordering::SeqCst);
        if first { BulkFault::Silence } else { BulkFault::None }
    }));
    let running = bench.player("first", &cluster).run();
    let first = bench.until_item(0, |item| item.checkpoint.next == silent).await;
    // All has been sent: it is the wait for the last bulk that holds the lease.
    others_run().await;
    bench.clock.advance(Duration::from_secs(21));
    let renewed = bench.until_item(0, |now| now.expiration > first.expiration).await;
    assert_eq!(renewed.expiration.since(first.expiration), Duration::from_secs(21));
    others_run().await;
    bench.clock.advance(Duration::from_secs(9));
    assert_eq!(running.await.unwrap().unwrap(), WorkerEnd::NothingLeft);
    bench.assert_exact().await;
}

#[tokio::test]
async fn bulks_that_never_cease_do_not_starve_the_renewal() {
    let bench = Bench::new(1).await;
    let clock = bench.clock.clone();
    let cluster = Arc::new(bench.faulty().on_bulk(move |_, _| {
        clock.advance(Duration::from_secs(2));
        BulkFault::None
    }));
    let renewals = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&renewals);
    let store = FaultyStore::new(Arc::clone(&bench.store) as _, move |_, item: &WorkItem| {
        seen.lock().unwrap().insert(item.expiration);
        StoreFault::None
    });
    let mut player = bench.player("first", &cluster);
    player.worker.bulk.checkpoint_bytes = u64::MAX;
    player.worker.bulk.in_flight = 1;
    player.worker.coordinator = Arc::new(bench.coordinator_over(Arc::new(store)));
    player.run().await.unwrap().unwrap();
    let mut ends: Vec<_> = renewals.lock().unwrap().iter().copied().collect();
    ends.retain(|end| *end > StoreTime::ZERO);
    assert!(ends.len() >= 3);
    for pair in ends.windows(2) {
        let apart = pair[1].since(pair[0]);
        assert!(apart <= Duration::from_secs(24), "{apart:?} between two renewals");
    }
    bench.assert_exact().await;
}

#[tokio::test]
async fn no_bulk_begins_that_could_outlive_the_lease() {
    let bench = Bench::new(1).await;
    let Cut { player, cluster, away } = cut_off(&bench, BulkFault::Delay(Duration::from_secs(26)));
    let running = player.run();
    until(|| away.load(Ordering::SeqCst)).await;
    others_run().await;
    let bulks = cluster.bulks();
    // 34 of 60 seconds are left: less than the timeout and the margin.
    bench.clock.advance(Duration::from_secs(26));
    others_run().await;
    assert_eq!(cluster.bulks(), bulks);
    away.store(false, Ordering::SeqCst);
    bench.clock_runs_until(&running).await;
    assert_eq!(running.await.unwrap().unwrap(), WorkerEnd::NothingLeft);
    bench.assert_exact().await;
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_sends_nothing_more_and_the_run_is_exact() {
    let bench = Bench::new(1).await;
    let Cut { player, cluster, away } = cut_off(&bench, BulkFault::Silence);
    let first = player.run();
    until(|| away.load(Ordering::SeqCst)).await;
    others_run().await;
    let bulks = cluster.bulks();
    // Past the lease and the margin, the first cannot say a word; the second takes over.
    bench.clock.advance(Duration::from_secs(66));
    bench.finish().await;
    away.store(false, Ordering::SeqCst);
    bench.clock_runs_until(&first).await;
    // It lost an item, not its life.
    assert_eq!(first.await.unwrap().unwrap(), WorkerEnd::NothingLeft);
    assert_eq!(cluster.bulks(), bulks);
    bench.assert_exact().await;
}

#[tokio::test]
async fn a_lease_that_ran_out_and_was_not_taken_is_let_go_with_its_progress() {
    let bench = Bench::new(1).await;
    let Cut { player, cluster: _cluster, away } = cut_off(&bench, BulkFault::Silence);
    let running = player.run();
    until(|| away.load(Ordering::SeqCst)).await;
    others_run().await;
    bench.clock.advance(Duration::from_secs(62));
    others_run().await;
    away.store(false, Ordering::SeqCst);
    bench.clock_runs_until(&running).await;
    assert_eq!(running.await.unwrap().unwrap(), WorkerEnd::NothingLeft);
    assert_eq!(bench.item(0).await.deaths, 0, "it was no death");
    bench.assert_exact().await;
}

#[tokio::test]
async fn a_working_state_that_is_away_for_a_moment_does_no_harm() {
    let bench = Bench::new(2).await;
    let cluster = Arc::new(bench.faulty());
    let store = FaultyStore::new(Arc::clone(&bench.store) as _, |number, _| match number {
        0 => StoreFault::Refused(ErrorKind::Unavailable),
        number if number % 5 == 2 => StoreFault::AnswerLost(ErrorKind::Unavailable),
        number if number % 5 == 3 => StoreFault::Refused(ErrorKind::Unavailable),
        number if number % 5 == 4 => StoreFault::AnsweredAsConflict,
        _ => StoreFault::None,
    });
    let mut player = bench.player("first", &cluster);
    player.worker.coordinator = Arc::new(bench.coordinator_over(Arc::new(store)));
    let running = player.run();
    // A lease whose grant got lost is free only when it has run out.
    bench.clock_runs_until(&running).await;
    assert_eq!(running.await.unwrap().unwrap(), WorkerEnd::NothingLeft);
    bench.assert_exact().await;
}

#[tokio::test]
async fn a_lease_too_short_for_a_bulk_is_refused_and_not_tried_for_ever() {
    let bench = Bench::new(1).await;
    let cluster = Arc::new(bench.faulty());
    let mut player = bench.player("first", &cluster);
    player.worker.bulk.timeout = Duration::from_secs(56);
    let error = player.run().await.unwrap().unwrap_err();
    assert_eq!((error.kind(), cluster.bulks()), (ErrorKind::Config, 0));
    assert_eq!(bench.item(0).await.attempts, 0);
}

#[tokio::test]
async fn what_an_earlier_worker_of_the_name_held_is_free_at_once() {
    let bench = Bench::new(1).await;
    let coordinator = bench.coordinator();
    let enrolled = coordinator.enroll("worker").await.unwrap();
    let held = coordinator.acquire("worker").await.unwrap().unwrap();
    drop((held, enrolled));
    let cluster = Arc::new(bench.faulty());
    let end = bench.player("worker", &cluster).run().await.unwrap().unwrap();
    assert_eq!(end, WorkerEnd::NothingLeft);
    bench.assert_exact().await;
}
