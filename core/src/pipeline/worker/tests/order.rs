//! Bulks that finish in any order, pauses, crashes: the checkpoint and what is sent again.

use super::*;

const LATE: Duration = Duration::from_secs(10);

/// The incumbent's cursor followed the bulks as they finished; with a slow one in the middle, whatever ended the worker then
/// lost its documents for good.
#[tokio::test]
async fn the_checkpoint_never_passes_a_slow_bulk_and_a_crash_loses_nothing() {
    let bench = Bench::new(1).await;
    let slow = bench.middle(0);
    let cluster = bench.slow_at(slow, BulkFault::Delay(LATE));
    let running = bench.player("first", &cluster).run();
    let bulks = bench.bulks[0].len();
    until(|| cluster.written().len() == bulks - 1).await;
    // Everything but the slow bulk is acknowledged, and its neighbours on both sides are.
    let item = bench.until_item(0, |item| item.checkpoint.next == slow).await;
    assert_eq!(item.books.accounted() as usize, bench.expected[0].range(..slow).count());
    others_run().await;
    assert_eq!(bench.item(0).await.checkpoint.next, slow);

    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    assert_eq!(bench.item(0).await.checkpoint.next, slow);
    bench.finish().await;
    bench.assert_exact().await;
}

#[tokio::test]
async fn a_crash_sends_again_at_most_what_was_in_flight() {
    let bench = Bench::new(1).await;
    let slow = *bench.expected[0].keys().next().unwrap();
    let cluster = bench.slow_at(slow, BulkFault::Delay(LATE));
    let mut player = bench.player("first", &cluster);
    player.worker.bulk.in_flight = 2;
    let running = player.run();
    // Two in flight, eight times: then the reader waits for the oldest.
    until(|| cluster.written().len() == 15).await;
    others_run().await;
    assert_eq!(cluster.bulks(), 16);
    running.abort();
    let _ = running.await;
    bench.finish().await;
    bench.assert_exact().await;
}

/// The incumbent counted what it had sent and took that for a Lucene document number, which it is not once documents are
/// deleted.
#[tokio::test]
async fn a_shard_with_deletes_is_resumed_at_the_right_document() {
    let bench = Bench::new(1).await;
    let deleted = bench.item(0).await.end as usize - bench.count(0);
    assert!(deleted > 0, "the fixture is to have deleted documents");
    let mut seen = BTreeSet::new();
    for name in 0..1000 {
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let cluster = Arc::new(bench.faulty().on_bulk(move |bulk, _| {
            if bulk == 3 {
                stopping.cancel();
            }
            BulkFault::None
        }));
        let from = bench.item(0).await.checkpoint.next;
        let mut player = bench.player(&format!("worker-{name}"), &cluster);
        player.worker.stop = stop;
        let end = player.run().await.unwrap().unwrap();
        let sent: Vec<_> = cluster.written().into_iter().flatten().collect();
        let first = bench.expected[0].range(from..).next().map(|(number, _)| *number);
        assert_eq!(sent.iter().min().copied(), first);
        for number in sent {
            assert!(seen.insert(number), "document {number} was sent twice");
        }
        if end == WorkerEnd::NothingLeft || bench.item(0).await.is_completed() {
            break;
        }
        assert!(bench.item(0).await.checkpoint.next > from);
    }
    assert!(seen.iter().eq(bench.expected[0].keys()));
    bench.assert_exact().await;
}

#[tokio::test]
async fn a_pause_waits_for_what_is_in_flight_and_keeps_it() {
    let bench = Bench::new(1).await;
    let slow = bench.middle(0);
    let cluster = bench.slow_at(slow, BulkFault::Delay(LATE));
    let player = bench.player("first", &cluster);
    let stop = player.worker.stop.clone();
    let running = player.run();
    bench.until_item(0, |item| item.checkpoint.next == slow).await;
    others_run().await;
    stop.cancel();
    others_run().await;
    assert!(!running.is_finished());
    bench.clock.advance(LATE);
    assert_eq!(running.await.unwrap().unwrap(), WorkerEnd::Stopped);
    let item = bench.item(0).await;
    assert!(item.checkpoint.next > slow && item.lease_holder.is_none(), "{item:?}");
    assert_eq!((item.attempts, item.deaths), (0, 0));
    if !item.is_completed() {
        bench.finish().await;
    }
    bench.assert_exact().await;
}

#[tokio::test]
async fn a_pause_takes_no_longer_than_one_bulk_may() {
    let bench = Bench::new(1).await;
    let silent = bench.middle(0);
    let cluster = bench.slow_at(silent, BulkFault::Silence);
    let player = bench.player("first", &cluster);
    let (stop, timeout) = (player.worker.stop.clone(), player.worker.bulk.timeout);
    let running = player.run();
    bench.until_item(0, |item| item.checkpoint.next == silent).await;
    others_run().await;
    stop.cancel();
    bench.clock.advance(timeout);
    assert_eq!(running.await.unwrap().unwrap(), WorkerEnd::Stopped);
    let item = bench.item(0).await;
    assert_eq!((item.checkpoint.next, item.lease_holder), (silent, None));
    bench.finish().await;
    bench.assert_exact().await;
}

#[tokio::test]
async fn one_write_of_the_checkpoint_serves_many_bulks() {
    let bench = Bench::new(1).await;
    let cluster = Arc::new(bench.faulty());
    let store = Arc::new(FaultyStore::new(Arc::clone(&bench.store) as _, |_, _| StoreFault::None));
    let mut player = bench.player("first", &cluster);
    player.worker.bulk.checkpoint_bytes = u64::MAX;
    player.worker.coordinator = Arc::new(bench.coordinator_over(Arc::clone(&store) as _));
    player.run().await.unwrap().unwrap();
    assert!(cluster.bulks() > 30);
    // Leased, sent ahead twice or thrice, come forward for the first time, completed.
    assert!((4..=6).contains(&store.writes()), "{} writes", store.writes());
    bench.assert_exact().await;
}

#[tokio::test]
async fn an_idle_worker_sees_at_once_that_nothing_is_left() {
    let bench = Bench::new(1).await;
    let slow = bench.middle(0);
    let cluster = bench.slow_at(slow, BulkFault::Delay(LATE));
    let busy = bench.player("busy", &cluster).run();
    bench.until_item(0, |item| item.checkpoint.next == slow).await;
    let idle = bench.player("idle", &cluster).run();
    // The busy one's wait for its renewal, the slow bulk and its timeout, and the idle one.
    until(|| bench.clock.sleepers() >= 4).await;
    bench.clock.advance(LATE);
    assert_eq!(busy.await.unwrap().unwrap(), WorkerEnd::NothingLeft);
    assert_eq!(idle.await.unwrap().unwrap(), WorkerEnd::NothingLeft);
    bench.assert_exact().await;
}

/// A clock on which nobody waits, that notes for how long they would have. Stops the worker after a while.
#[derive(Debug)]
struct Waits {
    noted: std::sync::Mutex<Vec<Duration>>,
    stop: CancellationToken,
}

#[async_trait::async_trait]
impl Clock for Waits {
    fn wall(&self) -> Duration {
        Duration::ZERO
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, duration: Duration) {
        let mut noted = self.noted.lock().unwrap();
        noted.push(duration);
        if noted.len() == 6 {
            self.stop.cancel();
        }
    }
}

#[tokio::test]
async fn an_idle_worker_looks_more_and_more_seldom() {
    let bench = Bench::new(1).await;
    let _held = bench.coordinator().acquire("other").await.unwrap().unwrap();
    let mut player = bench.player("idle", &Arc::new(bench.faulty()));
    let stop = player.worker.stop.clone();
    let waits = Arc::new(Waits { noted: std::sync::Mutex::default(), stop });
    player.worker.clock = Arc::clone(&waits) as _;
    assert_eq!(player.run().await.unwrap().unwrap(), WorkerEnd::Stopped);
    let millis: Vec<_> = waits.noted.lock().unwrap().iter().map(Duration::as_millis).collect();
    assert_eq!(millis, [200, 400, 800, 1600, 3000, 3000]);
}
