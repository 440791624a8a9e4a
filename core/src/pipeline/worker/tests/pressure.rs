//! Targets that are not well: fewer bulks, none at all, and on again by itself.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use super::super::super::PauseRecord;
use super::*;
use crate::cluster::{ClusterHealth, HealthStatus, ItemError};
use crate::settings::RateLimits;

/// A target whose bulks take a second, and which is red as long as it is told to be.
struct Red {
    cluster: Arc<FaultyCluster>,
    is_red: Arc<AtomicBool>,
}

impl Red {
    fn of(bench: &Bench) -> Self {
        let is_red = Arc::new(AtomicBool::new(true));
        let seen = Arc::clone(&is_red);
        let cluster = bench
            .faulty()
            .on_bulk(|_, _| BulkFault::Delay(Duration::from_secs(1)))
            .on_health(move || {
                let red = seen.load(Ordering::SeqCst);
                Ok(ClusterHealth::of(if red { HealthStatus::Red } else { HealthStatus::Green }))
            });
        Self { cluster: Arc::new(cluster), is_red }
    }
}

impl Bench {
    /// What other processes are told.
    async fn pause_record(&self) -> Option<PauseRecord> {
        let run = self.store.run().await.unwrap().unwrap();
        PauseRecord::of_run(&run.value.settings)
    }

    async fn until_paused(&self, pressure: &Pressure) {
        self.passes_until(async || pressure.sending().paused.is_some()).await;
    }

    /// Moves the clock until something is so.
    async fn passes_until(&self, what: impl AsyncFn() -> bool) {
        for _ in 0..STEPS {
            if what().await {
                return;
            }
            self.time_passes(Duration::from_millis(500)).await;
        }
        panic!("what was waited for does not come, however far the clock is moved");
    }

    async fn time_passes(&self, time: Duration) {
        let end = self.clock.monotonic() + time;
        let step = if time > Duration::from_secs(100) { 2000 } else { 500 };
        while self.clock.monotonic() < end {
            self.clock.advance(Duration::from_millis(step));
            self.target_answers().await;
        }
    }
}

/// The events so far that `pick` wants.
fn drained<T>(
    events: &mut crate::controller::EventStream,
    pick: impl Fn(Event) -> Option<T>,
) -> Vec<T> {
    let mut picked = Vec::new();
    while let Some(Some(event)) = futures::FutureExt::now_or_never(events.next()) {
        picked.extend(pick(event));
    }
    picked
}

#[tokio::test]
async fn while_the_target_is_red_nothing_begins_and_the_lease_is_held() {
    let bench = Bench::new(1).await;
    let red = Red::of(&bench);
    let mut events = bench.events.listen();
    let player = bench.player("first", &red.cluster);
    let pressure = Arc::clone(&player.worker.pressure);
    let running = player.run();
    bench.until_paused(&pressure).await;
    bench.time_passes(Duration::from_secs(5)).await;
    let bulks = red.cluster.bulks();
    assert!(bulks > 0 && pressure.sending().paused.unwrap().contains("red"));
    bench.passes_until(async || bench.pause_record().await.is_some()).await;

    // Many leases long.
    bench.time_passes(Duration::from_secs(900)).await;
    assert_eq!(red.cluster.bulks(), bulks);
    let item = bench.item(0).await;
    assert_eq!((item.lease_version, item.attempts, item.deaths), (1, 0, 0));
    assert_eq!(item.lease_holder.as_deref(), Some("first"));
    assert!(item.expiration > bench.store.now().await.unwrap());
    assert!(item.checkpoint.next > 0, "what was acknowledged is in the checkpoint");

    red.is_red.store(false, Ordering::SeqCst);
    bench.clock_runs_until(&running).await;
    assert_eq!(running.await.unwrap().unwrap(), WorkerEnd::NothingLeft);
    bench.assert_exact().await;
    let turns = drained(&mut events, |event| match event {
        Event::SendingPaused { reason } => Some(reason),
        Event::SendingResumed { after_seconds } => Some(format!("{}", after_seconds >= 900)),
        _ => None,
    });
    assert_eq!((turns.len(), turns[1].as_str()), (2, "true"), "{turns:?}");
    assert!(bench.item(0).await.is_completed() && pressure.sending().workers.is_empty());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_red_target() {
    let bench = Bench::new(1).await;
    let red = Red::of(&bench);
    let player = bench.player("first", &red.cluster);
    let (stop, pressure) = (player.worker.stop.clone(), Arc::clone(&player.worker.pressure));
    let running = player.run();
    bench.until_paused(&pressure).await;
    bench.time_passes(Duration::from_secs(5)).await;
    let bulks = red.cluster.bulks();
    stop.cancel();
    assert_eq!(running.await.unwrap().unwrap(), WorkerEnd::Stopped);
    assert_eq!(red.cluster.bulks(), bulks);
    bench.finish().await;
    bench.assert_exact().await;
}

#[tokio::test]
async fn a_flood_stage_block_is_waited_for_however_long_and_fails_no_document() {
    let bench = Bench::new(1).await;
    let blocked = Arc::new(AtomicBool::new(true));
    let seen = Arc::clone(&blocked);
    let middle = bench.middle(0);
    let cluster = Arc::new(bench.faulty().on_document(move |_, document| {
        let refused = document.number >= middle && seen.load(Ordering::SeqCst);
        refused.then(|| {
            ItemOutcome::Retry(Box::new(ItemError {
                status: 403,
                error_type: "cluster_block_exception".into(),
                reason: "index [shapes] blocked by: [FORBIDDEN/12/index read-only / allow delete (api)];"
                    .into(),
            }))
        })
    }));
    let player = bench.player("first", &cluster);
    let pressure = Arc::clone(&player.worker.pressure);
    let running = player.run();
    bench.until_paused(&pressure).await;
    bench.time_passes(Duration::from_secs(3600)).await;
    assert!(!running.is_finished());
    assert!(pressure.sending().paused.unwrap().contains("flood-stage"));
    assert_eq!(bench.item(0).await.checkpoint.next, middle);
    let tries = cluster.bulks();
    bench.time_passes(Duration::from_secs(600)).await;
    let tries = cluster.bulks() - tries;
    assert!((1..=20).contains(&tries), "a trial a minute, not {tries} in ten minutes");
    blocked.store(false, Ordering::SeqCst);
    bench.clock_runs_until(&running).await;
    running.await.unwrap().unwrap();
    bench.assert_exact().await;
    assert_eq!((bench.item(0).await.attempts, bench.kept().await.len()), (0, 0));
}

/// A client that counts how many bulks are out.
#[derive(Default)]
struct Gauge {
    out: AtomicUsize,
    most: AtomicUsize,
}

#[tokio::test]
async fn a_target_that_takes_two_at_a_time_gets_hardly_more() {
    let bench = Bench::new(2).await;
    let gauge = Arc::new(Gauge::default());
    let (on_bulk, on_document) = (Arc::clone(&gauge), Arc::clone(&gauge));
    let rejecting = Arc::new(AtomicUsize::new(0));
    let rejected = Arc::clone(&rejecting);
    let cluster = bench
        .faulty()
        .on_bulk(move |_, _| {
            let out = on_bulk.out.fetch_add(1, Ordering::SeqCst) + 1;
            on_bulk.most.fetch_max(out, Ordering::SeqCst);
            BulkFault::Delay(Duration::from_secs(1))
        })
        .on_document({
            let last = AtomicU64::new(u64::MAX);
            move |bulk, _| {
                let out = on_document.out.load(Ordering::SeqCst);
                if last.swap(bulk, Ordering::SeqCst) != bulk {
                    on_document.out.fetch_sub(1, Ordering::SeqCst);
                    rejected.store(usize::from(out > 2), Ordering::SeqCst);
                }
                let refused = rejected.load(Ordering::SeqCst) == 1;
                let error = ItemError {
                    status: 429,
                    error_type: "es_rejected_execution_exception".into(),
                    reason: "full".into(),
                };
                refused.then(|| ItemOutcome::Retry(Box::new(error)))
            }
        });
    let cluster = Arc::new(cluster);
    let mut events = bench.events.listen();
    let mut player = bench.player("first", &cluster);
    player.worker.bulk.in_flight = 16;
    player.worker.bulk.documents = 2;
    player.worker.retry = RetryPolicy::patient();
    let running = player.run();
    bench.clock_runs_until(&running).await;
    running.await.unwrap().unwrap();
    bench.assert_exact().await;
    assert_eq!(gauge.most.load(Ordering::SeqCst), 3, "one more than it takes, to find out");
    let limits = drained(&mut events, |event| match event {
        Event::ConcurrencyChanged { limit, reason, .. } => Some((limit, reason)),
        _ => None,
    });
    assert!(limits.iter().any(|(limit, reason)| *limit == 1 && reason.contains("refused")));
    assert!(limits.iter().all(|(limit, _)| *limit <= 3), "{limits:?}");
}

#[tokio::test]
async fn a_ceiling_holds_and_a_changed_one_counts_at_once() {
    let bench = Bench::new(1).await;
    let cluster = Arc::new(bench.faulty());
    let player = bench.player("first", &cluster);
    let pressure = Arc::clone(&player.worker.pressure);
    let limits =
        |rate| RateLimits { documents_per_second: NonZeroU64::new(rate), ..RateLimits::default() };
    pressure.limit(limits(1));
    let mut events = bench.events.listen();
    let running = player.run();
    let sent = || cluster.written().into_iter().flatten().count();
    until(|| sent() > 0).await;
    bench.time_passes(Duration::from_secs(60)).await;
    // A bulk of five that makes a debt, and one second saved up.
    assert!((20..=66).contains(&sent()), "{} in a minute", sent());
    let told =
        drained(&mut events, |event| matches!(event, Event::RateLimited { .. }).then_some(()));
    assert_eq!(told.len(), 1, "once, not for each bulk");
    assert_eq!(bench.item(0).await.lease_version, 1);
    pressure.limit(RateLimits::default());
    others_run().await;
    bench.clock_runs_until(&running).await;
    running.await.unwrap().unwrap();
    bench.assert_exact().await;
}

#[tokio::test]
async fn ceilings_that_somebody_else_wrote_into_the_run_are_read_now_and_then() {
    let bench = Bench::new(1).await;
    let cluster = Arc::new(bench.faulty());
    let player = bench.player("first", &cluster);
    let pressure = Arc::clone(&player.worker.pressure);
    let limits =
        |rate| RateLimits { documents_per_second: NonZeroU64::new(rate), ..RateLimits::default() };
    pressure.limit(limits(1));
    let running = player.run();
    bench.time_passes(Duration::from_secs(20)).await;
    let other = bench.coordinator();
    let write = |run: &mut Run| {
        limits(1_000_000).write(&mut run.settings);
        Ok(())
    };
    other.change_run(write).await.unwrap();
    bench.passes_until(async || pressure.sending().limits == limits(1_000_000)).await;
    bench.clock_runs_until(&running).await;
    running.await.unwrap().unwrap();
    bench.assert_exact().await;
}
