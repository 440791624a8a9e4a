use std::time::Duration;

use super::*;
use crate::coordination::{FailureCause, LocalWorkStore, Progress, Session, SnapshotName};
use crate::testkit::samples::progress;
use crate::testkit::{FaultyStore, StoreFault};
use crate::{ManualClock, SystemClock};

const BULK: Duration = Duration::from_secs(30);

struct Bench {
    _dir: tempfile::TempDir,
    clock: ManualClock,
    store: Arc<dyn WorkStore>,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(Duration::from_secs(1_700_000_000));
        let shared = Arc::new(clock.clone());
        let store = LocalWorkStore::open(dir.path(), Session::default(), shared).unwrap();
        Self { _dir: dir, clock, store: Arc::new(store) }
    }

    fn coordinator(&self) -> Coordinator {
        self.over(Arc::clone(&self.store))
    }

    fn over(&self, store: Arc<dyn WorkStore>) -> Coordinator {
        Coordinator::new(store, Arc::new(self.clock.clone()), LeaseRules::default())
    }

    async fn planned(count: u32) -> (Self, Coordinator) {
        let bench = Self::new();
        let coordinator = bench.coordinator();
        coordinator.plan(&run("a"), &items(count)).await.unwrap();
        (bench, coordinator)
    }
}

fn run(target: &str) -> Run {
    let snapshot = SnapshotName { name: "s".into(), uuid: "u".into() };
    Run::new(Session::default(), snapshot, "file:///r", target, serde_json::Value::Null)
}

fn items(count: u32) -> Vec<WorkItem> {
    (0..count)
        .map(|place| WorkItem::new("x", 0, place * 10..place * 10 + 10).sized(0, count))
        .collect()
}

#[tokio::test]
async fn planning_twice_is_planning_once() {
    let (bench, coordinator) = Bench::planned(3).await;
    let first = coordinator.plan(&run("a"), &items(3)).await.unwrap();
    bench.clock.advance(Duration::from_secs(100));
    assert_eq!(coordinator.plan(&run("a"), &items(3)).await.unwrap(), first);
    assert_eq!(coordinator.standing().await.unwrap(), Standing::Open(3));
}

#[tokio::test]
async fn a_planner_that_was_killed_is_followed_by_another() {
    let bench = Bench::new();
    let coordinator = bench.coordinator();
    bench.store.create_run(&run("a")).await.unwrap();
    bench.store.create_items(&items(3)[..1]).await.unwrap();
    assert_eq!(coordinator.standing().await.unwrap(), Standing::Planning);
    assert!(coordinator.acquire("w").await.unwrap().is_none());
    coordinator.plan(&run("a"), &items(3)).await.unwrap();
    assert_eq!(coordinator.standing().await.unwrap(), Standing::Open(3));
}

#[tokio::test]
async fn a_lease_costs_one_search_and_one_write() {
    let (bench, _) = Bench::planned(30).await;
    let store = Arc::new(FaultyStore::new(Arc::clone(&bench.store), |_, _| StoreFault::None));
    let coordinator = bench.over(Arc::clone(&store) as _);
    for leased in 1..=30 {
        assert!(coordinator.acquire("w").await.unwrap().is_some());
        assert_eq!((store.searches(), store.writes()), (leased, leased));
    }
    assert!(coordinator.acquire("w").await.unwrap().is_none());
    assert_eq!((store.searches(), store.writes()), (31, 30));
}

#[tokio::test]
async fn who_loses_every_candidate_waits_a_little_and_searches_again() {
    let (bench, _) = Bench::planned(30).await;
    let lose = |write, _: &WorkItem| match write {
        0..40 => StoreFault::AnsweredAsConflict,
        _ => StoreFault::None,
    };
    let store = Arc::new(FaultyStore::new(Arc::clone(&bench.store), lose));
    let before = bench.clock.monotonic();
    let coordinator = bench.over(Arc::clone(&store) as _);
    assert!(coordinator.acquire("w").await.unwrap().is_none());
    assert_eq!((store.searches(), store.writes()), (3, 30), "all were taken meanwhile");
    let waited = bench.clock.monotonic() - before;
    assert!(waited < Duration::from_secs(1), "{waited:?}");
}

#[tokio::test]
async fn workers_that_look_at_the_same_items_try_them_in_different_orders() {
    let (bench, coordinator) = Bench::planned(16).await;
    let mut firsts = std::collections::BTreeSet::new();
    for _ in 0..30 {
        let held = coordinator.acquire("w").await.unwrap().unwrap();
        firsts.insert(held.item().first);
        held.release(Progress::of(&held.item())).await.unwrap();
    }
    assert!(firsts.len() > 4, "{firsts:?}");
    assert_eq!(bench.store.unfinished().await.unwrap(), 16);
}

#[tokio::test]
async fn another_run_under_the_session_is_refused() {
    let (_bench, coordinator) = Bench::planned(3).await;
    let error = coordinator.plan(&run("b"), &items(3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
}

#[tokio::test]
async fn items_that_the_plan_does_not_make_are_not_adopted() {
    let bench = Bench::new();
    bench.store.create_run(&run("a")).await.unwrap();
    bench.store.create_items(&items(4)[3..]).await.unwrap();
    let error = bench.coordinator().plan(&run("a"), &items(3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    assert_eq!(bench.coordinator().standing().await.unwrap(), Standing::Planning);
}

#[tokio::test]
async fn nothing_is_leased_once_the_run_is_stopping() {
    let (_bench, coordinator) = Bench::planned(2).await;
    let held = coordinator.acquire("w").await.unwrap().unwrap();
    assert!(coordinator.stop().await.unwrap().stopping);
    assert!(coordinator.stop().await.unwrap().stopping);
    assert!(coordinator.acquire("v").await.unwrap().is_none());
    assert_eq!(coordinator.standing().await.unwrap(), Standing::Stopping);
    let item = held.item();
    held.release(progress(&item, item.first + 3)).await.unwrap();
    let error = coordinator.plan(&run("a"), &items(2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
}

#[tokio::test]
async fn without_a_run_there_is_nothing_to_lease_or_stop() {
    let coordinator = Bench::new().coordinator();
    assert_eq!(coordinator.acquire("w").await.unwrap_err().kind(), ErrorKind::State);
    assert_eq!(coordinator.stop().await.unwrap_err().kind(), ErrorKind::State);
    assert_eq!(coordinator.standing().await.unwrap(), Standing::Absent);
}

#[tokio::test]
async fn no_bulk_is_sent_that_could_outlive_the_lease() {
    let (bench, coordinator) = Bench::planned(1).await;
    let held = coordinator.acquire("w").await.unwrap().unwrap();
    bench.clock.advance(Duration::from_secs(25));
    assert!(held.may_send(BULK));
    bench.clock.advance(Duration::from_millis(1));
    assert!(!held.may_send(BULK));
    held.renew(progress(&held.item(), 5)).await.unwrap();
    assert!(held.may_send(BULK));
    held.release(progress(&held.item(), 5)).await.unwrap();
    assert!(!held.may_send(Duration::ZERO));
    assert_eq!(held.deadline(), None);
}

#[tokio::test]
async fn a_lease_is_taken_over_only_after_its_end_and_the_margin() {
    let (bench, coordinator) = Bench::planned(1).await;
    let first = coordinator.acquire("w").await.unwrap().unwrap();
    first.renew(progress(&first.item(), 5)).await.unwrap();
    bench.clock.advance(Duration::from_secs(65));
    assert!(coordinator.acquire("v").await.unwrap().is_none());
    bench.clock.advance(Duration::from_millis(1));
    let second = coordinator.acquire("v").await.unwrap().unwrap();
    assert_eq!(second.item().checkpoint.next, 5);
    let error = first.complete(progress(&first.item(), 10), 10).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LeaseLost);
    assert_eq!(first.deadline(), None);
    second.complete(progress(&second.item(), 10), 10).await.unwrap();
}

#[tokio::test]
async fn lost_answers_do_no_harm() {
    let (bench, _) = Bench::planned(1).await;
    for fault in [StoreFault::AnsweredAsConflict, StoreFault::AnswerLost(ErrorKind::Unavailable)] {
        let decide = move |number, _: &WorkItem| if number == 0 { StoreFault::None } else { fault };
        let faulty = bench.over(Arc::new(FaultyStore::new(Arc::clone(&bench.store), decide)));
        let Some(held) = faulty.acquire("w").await.unwrap() else {
            // The second round finds the item that the first completed.
            assert_eq!(faulty.standing().await.unwrap(), Standing::Finished);
            return;
        };
        held.renew(progress(&held.item(), 5)).await.unwrap();
        held.complete(progress(&held.item(), 10), 10).await.unwrap();
        held.complete(progress(&held.item(), 10), 10).await.unwrap();
    }
}

#[tokio::test]
async fn a_completion_whose_answer_was_lost_can_be_said_again() {
    let (bench, _) = Bench::planned(1).await;
    let decide = |number, _: &WorkItem| match number {
        1 => StoreFault::AnswerLost(ErrorKind::Unavailable),
        _ => StoreFault::None,
    };
    let faulty = bench.over(Arc::new(FaultyStore::new(Arc::clone(&bench.store), decide)));
    let held = faulty.acquire("w").await.unwrap().unwrap();
    let end = progress(&held.item(), 10);
    let error = held.complete(end.clone(), 10).await.unwrap_err();
    assert!(error.is_retryable());
    held.complete(end, 10).await.unwrap();
    assert_eq!(faulty.standing().await.unwrap(), Standing::Finished);
}

#[tokio::test]
async fn a_poisoned_item_is_given_up_and_the_rest_goes_on() {
    let (_bench, coordinator) = Bench::planned(2).await;
    let mut quarantined = None;
    while let Some(held) = coordinator.acquire("w").await.unwrap() {
        let item = held.item();
        if item.first == 0 {
            let given_up =
                held.fail(FailureCause::Item, "bad block", progress(&item, 0)).await.unwrap();
            quarantined = given_up.then(|| item.id());
        } else {
            held.complete(progress(&item, item.end), 10).await.unwrap();
        }
    }
    assert_eq!(coordinator.standing().await.unwrap(), Standing::Finished);
    let totals = coordinator.totals().await.unwrap();
    assert_eq!((totals.items.completed, totals.items.quarantined), (1, 1));
    assert_eq!(totals.failed[0].reason, "bad block");
    coordinator.reopen(&quarantined.unwrap()).await.unwrap();
    assert!(coordinator.acquire("w").await.unwrap().is_some());
    assert_eq!(coordinator.reopen("nope").await.unwrap_err().kind(), ErrorKind::NotFound);
}

/// What a supervisor does for a child that it has reaped.
async fn assert_released(bench: &Bench, coordinator: &Coordinator) {
    let mut dead = Vec::new();
    for _ in 0..3 {
        dead.push(coordinator.acquire("dead").await.unwrap().unwrap());
    }
    dead[0].renew(progress(&dead[0].item(), dead[0].item().first + 4)).await.unwrap();
    let end = dead[2].item().end;
    dead[2].complete(progress(&dead[2].item(), end), 10).await.unwrap();
    let other = coordinator.acquire("other").await.unwrap().unwrap();
    assert!(coordinator.acquire("next").await.unwrap().is_none(), "nothing is free");
    assert_eq!(coordinator.release_of("dead").await.unwrap(), 2);
    assert_eq!(coordinator.release_of("dead").await.unwrap(), 0);
    let freed = bench.store.item(&dead[0].item().id()).await.unwrap().unwrap().value;
    assert_eq!((freed.checkpoint.next, freed.lease_holder), (freed.first + 4, None));
    let error =
        dead[1].renew(progress(&dead[1].item(), dead[1].item().first + 1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LeaseLost);
    for _ in 0..2 {
        assert!(coordinator.acquire("next").await.unwrap().is_some(), "without waiting");
    }
    other.renew(progress(&other.item(), other.item().first + 1)).await.unwrap();
}

#[tokio::test]
async fn what_a_dead_worker_held_is_released_at_once_where_the_store_does_not_know_the_dead() {
    let (bench, _) = Bench::planned(4).await;
    // It does not know the dead, as a store in a cluster does not.
    let blind =
        FaultyStore::new(Arc::clone(&bench.store), |_, _| StoreFault::None).blind_to_the_dead();
    assert_released(&bench, &bench.over(Arc::new(blind))).await;
}

#[tokio::test]
async fn what_a_dead_worker_held_is_released_in_a_local_store() {
    let (_bench, coordinator) = Bench::planned(2).await;
    let held = coordinator.acquire("dead").await.unwrap().unwrap();
    assert_eq!(coordinator.release_of("other").await.unwrap(), 0);
    assert_eq!(coordinator.release_of("dead").await.unwrap(), 1);
    let error = held.renew(progress(&held.item(), held.item().first + 1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LeaseLost);
}

#[tokio::test]
async fn a_release_is_tried_again_when_another_was_faster() {
    let (bench, _) = Bench::planned(2).await;
    let decide = |number, _: &WorkItem| match number {
        2 => StoreFault::AnsweredAsConflict,
        _ => StoreFault::None,
    };
    let store = FaultyStore::new(Arc::clone(&bench.store), decide).blind_to_the_dead();
    let coordinator = bench.over(Arc::new(store));
    for _ in 0..2 {
        assert!(coordinator.acquire("dead").await.unwrap().is_some());
    }
    // Its answer was lost, so it is not counted, but nothing is held any more.
    assert_eq!(coordinator.release_of("dead").await.unwrap(), 1);
    assert!(bench.store.held_by("dead").await.unwrap().is_empty());
}

#[tokio::test]
async fn books_that_do_not_balance_complete_nothing() {
    let (_bench, coordinator) = Bench::planned(1).await;
    let held = coordinator.acquire("w").await.unwrap().unwrap();
    let error = held.complete(progress(&held.item(), 10), 9).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete);
    assert_eq!(coordinator.standing().await.unwrap(), Standing::Open(1));
}

#[tokio::test]
async fn a_late_word_does_not_revive_a_dropped_session() {
    let (bench, coordinator) = Bench::planned(1).await;
    let held = coordinator.acquire("w").await.unwrap().unwrap();
    bench.store.drop_session().await.unwrap();
    let error = held.renew(progress(&held.item(), 5)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LeaseLost);
    assert_eq!(coordinator.standing().await.unwrap(), Standing::Absent);
}

#[tokio::test]
async fn a_lease_may_be_renewed_and_asked_about_from_several_tasks() {
    let (bench, _) = Bench::planned(1).await;
    let coordinator = Coordinator::new(
        Arc::clone(&bench.store),
        Arc::new(SystemClock::new()),
        LeaseRules::default(),
    );
    let held = Arc::new(coordinator.acquire("w").await.unwrap().unwrap());
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let held = Arc::clone(&held);
            tokio::spawn(async move { held.renew(progress(&held.item(), 5)).await })
        })
        .collect();
    for renewed in futures::future::join_all(tasks).await {
        renewed.unwrap().unwrap();
    }
    assert!(held.may_send(BULK));
}
