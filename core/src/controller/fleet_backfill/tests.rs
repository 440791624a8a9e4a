use std::time::Duration;

use super::*;
use crate::ErrorKind;
use crate::cluster::{ItemOutcome, LocalCluster};
use crate::controller::Event;
use crate::testkit::{BulkFault, FaultyCluster, SteppedClock};

mod gradual;
mod preparing;
mod sending;
mod stopping;
mod transform;
mod watching;

const FIXTURE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/elasticsearch-8.15.0/repo");

/// How long a bulk takes that a test lets wait.
const SLOW: Duration = Duration::from_secs(20);

struct Bench {
    dir: tempfile::TempDir,
    clock: SteppedClock,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), clock: SteppedClock::default() }
    }

    /// Seven shards in two indices.
    fn settings(&self) -> BackfillSettings {
        let mut settings = BackfillSettings::new(FIXTURE, "snap-2", self.dir.path());
        settings.indices = vec!["routed".into(), "shapes".into()];
        settings.bulk.documents = 20;
        settings
    }

    fn cluster(&self) -> FaultyCluster {
        let local = Arc::new(LocalCluster::open(self.dir.path()).unwrap());
        FaultyCluster::new(local, Arc::new(self.clock.clone()))
    }

    fn over(&self, cluster: FaultyCluster) -> LocalBackfill {
        self.build(self.settings(), cluster)
    }

    fn build(&self, settings: BackfillSettings, cluster: FaultyCluster) -> LocalBackfill {
        LocalBackfill::builder(settings)
            .with_clock(Arc::new(self.clock.clone()))
            .with_cluster(Arc::new(cluster))
            .build()
            .unwrap()
    }

    /// Every bulk waits for the clock.
    fn slow(&self) -> LocalBackfill {
        self.over(self.cluster().on_bulk(|_, _| BulkFault::Delay(SLOW)))
    }

    /// Lets time pass until the call is over.
    async fn in_time<T>(&self, call: impl Future<Output = T>) -> T {
        let passing = async {
            loop {
                for _ in 0..500 {
                    tokio::task::yield_now().await;
                }
                self.clock.advance(Duration::from_secs(1));
            }
        };
        tokio::select! {
            biased;
            done = call => done,
            () = passing => unreachable!(),
        }
    }
}

async fn running(backfill: &LocalBackfill) -> u64 {
    backfill.fleet.counts().await.unwrap().running
}

#[tokio::test]
async fn starting_twice_is_starting_once_and_shrinks_nothing() {
    let bench = Bench::new();
    let backfill = bench.slow();
    backfill.start().await.unwrap();
    backfill.start().await.unwrap();
    assert_eq!(running(&backfill).await, 1);
    backfill.scale(3).await.unwrap();
    backfill.start().await.unwrap();
    assert_eq!(running(&backfill).await, 3);
    assert_eq!(backfill.status().await.unwrap().status, BackfillStatus::Running);
    assert_eq!(bench.in_time(backfill.wait()).await.unwrap(), RunEnd::Completed);
}

#[tokio::test]
async fn it_can_be_scaled_to_nothing_and_back() {
    let bench = Bench::new();
    let backfill = bench.slow();
    backfill.scale(0).await.unwrap();
    assert_eq!(backfill.status().await.unwrap().status, BackfillStatus::NotStarted);
    for workers in [3, 1, 0, 2] {
        backfill.scale(workers).await.unwrap();
        assert_eq!(running(&backfill).await as usize, workers);
    }
    assert_eq!(bench.in_time(backfill.wait()).await.unwrap(), RunEnd::Completed);
    let work = backfill.deep_status().await.unwrap().work;
    assert_eq!((work.shards.total, work.shards.completed), (7, 7));
    assert_eq!(work.books.overwritten, 0);
}

#[tokio::test]
async fn a_pause_that_comes_while_it_starts_is_not_undone_by_the_start() {
    let bench = Bench::new();
    let backfill = bench.slow();
    let (started, paused) =
        bench.in_time(async { tokio::join!(backfill.start(), backfill.pause()) }).await;
    started.unwrap();
    paused.unwrap();
    assert_eq!(running(&backfill).await, 0);
    assert_eq!(backfill.status().await.unwrap().status, BackfillStatus::Stopped);
    assert_eq!(backfill.wait().await.unwrap_err().kind(), ErrorKind::Cancelled);
    // A start that comes while it pauses is obeyed after it.
    let both = async { tokio::join!(backfill.pause(), backfill.start()) };
    let (paused, started) = bench.in_time(both).await;
    paused.unwrap();
    started.unwrap();
    assert_eq!(running(&backfill).await, 1);
    assert_eq!(bench.in_time(backfill.wait()).await.unwrap(), RunEnd::Completed);
}

#[tokio::test]
async fn verbs_may_be_repeated_in_any_order() {
    let bench = Bench::new();
    let backfill = bench.slow();
    let folder = bench.dir.path().join("archives");
    backfill.pause().await.unwrap();
    assert_eq!(backfill.stop(Some(&folder)).await.unwrap(), None);
    backfill.start().await.unwrap();
    for _ in 0..2 {
        bench.in_time(backfill.pause()).await.unwrap();
    }
    backfill.start().await.unwrap();
    let archive = bench.in_time(backfill.stop(Some(&folder))).await.unwrap().unwrap();
    assert!(archive.starts_with(folder.canonicalize().unwrap()) && archive.exists());
    assert_eq!(backfill.stop(Some(&folder)).await.unwrap(), None);
    assert_eq!(backfill.status().await.unwrap().status, BackfillStatus::NotStarted);
}

#[tokio::test]
async fn a_stop_that_was_interrupted_is_ended_and_not_undone() {
    let bench = Bench::new();
    let backfill = bench.over(bench.cluster());
    backfill.start().await.unwrap();
    backfill.pause().await.unwrap();
    // Killed between the mark and the archive.
    backfill.shared.coordinator.stop().await.unwrap();
    let error = backfill.start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.message().contains("stop it again"), "{error}");
    assert_eq!(running(&backfill).await, 0);
    backfill.stop(Some(bench.dir.path())).await.unwrap().unwrap();
    assert_eq!(backfill.status().await.unwrap().status, BackfillStatus::NotStarted);
}

#[tokio::test]
async fn an_archive_that_cannot_be_written_keeps_the_working_state() {
    let bench = Bench::new();
    let backfill = bench.over(bench.cluster());
    backfill.start().await.unwrap();
    bench.in_time(backfill.wait()).await.unwrap();
    let archive = bench.dir.path().join("taken.json");
    std::fs::write(&archive, "somebody else's").unwrap();
    assert_eq!(backfill.stop(Some(&archive)).await.unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(std::fs::read(&archive).unwrap(), b"somebody else's");
    assert_eq!(backfill.deep_status().await.unwrap().work.shards.completed, 7);
    backfill.stop(Some(&bench.dir.path().join("free"))).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_plan_changes_nothing_and_is_always_the_same() {
    let bench = Bench::new();
    let backfill = bench.over(bench.cluster());
    let plan = async || serde_json::to_value(backfill.plan().await.unwrap()).unwrap();
    let first = plan().await;
    assert_eq!(plan().await, first);
    assert_eq!(backfill.status().await.unwrap().status, BackfillStatus::NotStarted);
    assert!(backfill.cluster().cat_indices().await.unwrap().is_empty());
    backfill.start().await.unwrap();
    bench.in_time(backfill.wait()).await.unwrap();
    let after = plan().await;
    assert_eq!(after["indices"], first["indices"]);
    // What was absent then is there now.
    assert!(first["targets"][0]["definition"].is_object());
    assert!(after["targets"][0]["existing"].is_object());
}

#[tokio::test]
async fn a_selection_that_matches_nothing_is_told_from_one_with_a_slip() {
    let bench = Bench::new();
    let refused = async |indices: &[&str]| {
        let mut settings = bench.settings();
        settings.indices = indices.iter().map(|name| (*name).to_owned()).collect();
        bench.build(settings, bench.cluster()).start().await.unwrap_err()
    };
    let nothing = refused(&["nope"]).await;
    assert_eq!(nothing.kind(), ErrorKind::NotFound);
    assert!(nothing.context().any(|context| context == ("selection", "nope")));
    let slip = refused(&["shapes", "nope"]).await;
    assert_eq!(slip.kind(), ErrorKind::NotFound);
    assert!(slip.context().any(|context| context == ("index", "nope")));
    assert!(slip.context().all(|(name, _)| name != "selection"));
}

#[tokio::test]
async fn events_come_in_their_order() {
    let bench = Bench::new();
    let mut settings = bench.settings();
    settings.indices = vec!["shapes".into()];
    let backfill = bench.build(settings, bench.cluster());
    let mut events = backfill.events();
    backfill.start().await.unwrap();
    bench.in_time(backfill.wait()).await.unwrap();
    let (mut open, mut documents) = (None, 0);
    let Some(Event::Planned { shards: 2, documents: planned, .. }) = events.next().await else {
        panic!("the plan comes first");
    };
    loop {
        match events.next().await.unwrap() {
            Event::ItemStarted { shard, .. } => assert_eq!(open.replace(shard), None),
            Event::Progress { shard, documents: settled, .. } => {
                assert_eq!(open, Some(shard));
                documents += settled;
            }
            Event::ItemCompleted { shard, books, live, .. } => {
                assert_eq!(open.take(), Some(shard));
                assert_eq!((documents, live), (books.accounted(), live));
                documents = 0;
                assert!(planned >= live);
            }
            Event::WorkerEnded { error, .. } => {
                assert_eq!((open, error), (None, None));
                break;
            }
            Event::ConcurrencyChanged { .. } | Event::FleetChanged { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn why_the_workers_ended_is_told_to_everybody_who_waits() {
    let bench = Bench::new();
    let backfill = bench.over(bench.cluster().on_bulk(|_, _| BulkFault::Refused(ErrorKind::Auth)));
    backfill.start().await.unwrap();
    let (first, second) = tokio::join!(backfill.wait(), backfill.wait());
    backfill.pause().await.unwrap();
    for ended in [first, second, backfill.wait().await] {
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::Auth);
    }
    // Nothing counts against the items: another start goes on.
    let mended = bench.over(bench.cluster());
    mended.start().await.unwrap();
    assert_eq!(mended.wait().await.unwrap(), RunEnd::Completed);
}

#[tokio::test]
async fn a_shard_that_is_given_up_fails_the_run_and_holds_up_no_other() {
    let bench = Bench::new();
    let backfill = bench.over(bench.cluster().on_bulk(|_, body| {
        if &*body.index == "routed" { BulkFault::ShortAnswer } else { BulkFault::None }
    }));
    backfill.start().await.unwrap();
    assert_eq!(backfill.wait().await.unwrap(), RunEnd::Failed);
    let status = backfill.deep_status().await.unwrap();
    assert_eq!(status.end, Some(RunEnd::Failed));
    let work = status.work;
    // One of the five has no documents, and so nothing that could be answered wrongly.
    assert_eq!((work.shards.completed, work.shards.failed), (3, 4));
    assert!(work.failed.iter().all(|failed| failed.index == "routed"));
    assert!(work.failed.iter().all(|failed| failed.reason.contains("answered")));
}

#[tokio::test]
async fn a_document_that_is_refused_makes_a_run_complete_with_errors() {
    let bench = Bench::new();
    let backfill = bench.over(
        bench
            .cluster()
            .on_document(|bulk, _| (bulk == 0).then(|| ItemOutcome::Failed(Box::default()))),
    );
    backfill.start().await.unwrap();
    assert_eq!(backfill.wait().await.unwrap(), RunEnd::CompletedWithErrors);
    let work = backfill.deep_status().await.unwrap().work;
    assert!(work.books.failed > 0);
    assert_eq!(work.books.accounted(), work.indices.iter().map(|index| index.live).sum::<u64>());
}

#[tokio::test]
async fn two_controllers_of_one_target_share_the_work() {
    let bench = Bench::new();
    let (first, second) = (bench.slow(), bench.slow());
    first.start().await.unwrap();
    second.start().await.unwrap();
    // Both count, once they have announced themselves.
    while first.status().await.unwrap().fleet.running < 2 {
        tokio::task::yield_now().await;
    }
    let (one, other) = bench.in_time(async { tokio::join!(first.wait(), second.wait()) }).await;
    assert_eq!((one.unwrap(), other.unwrap()), (RunEnd::Completed, RunEnd::Completed));
}

#[test]
fn a_lease_that_leaves_no_time_for_a_bulk_is_refused() {
    let bench = Bench::new();
    let mut settings = bench.settings();
    settings.lease = Duration::from_secs(30);
    let error = LocalBackfill::builder(settings.clone()).build().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Config);
    settings.bulk.timeout = Duration::from_secs(20);
    assert!(LocalBackfill::builder(settings).build().is_ok());
}
