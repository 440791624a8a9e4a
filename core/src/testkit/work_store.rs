//! What every `WorkStore` must do.

mod large;
mod place;

pub use large::{work_store_keeps_pages_apart_while_items_come, work_store_sums_up_very_many};
pub use place::{
    work_store_counts_workers, work_store_finds_what_a_worker_holds,
    work_store_is_empty_after_a_drop, work_store_leaves_alone_what_is_not_ours,
    work_store_refuses_a_run_of_a_newer_format, work_store_takes_no_version_of_an_earlier_session,
};

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::samples::progress;
use crate::cluster::Created;
use crate::coordination::{
    CasOutcome, Coordinator, LeaseRules, Rate, Run, SegmentProgress, SnapshotName, Standing,
    StoreTime, Version, Versioned, WorkItem, WorkStore,
};
use crate::snapshot::SegmentPart;
use crate::{ErrorKind, SkipReason, SystemClock};

/// An empty session to test.
#[async_trait]
pub trait WorkStoreFixture: Send + Sync {
    /// A handle of its own to the session, as another process would have it.
    async fn open(&self) -> Arc<dyn WorkStore>;

    /// Puts something that is not ours where the session's working state would be. False where nobody could.
    async fn occupy(&self) -> bool {
        false
    }

    /// Whether what [`WorkStoreFixture::occupy`] put there is still there as it was.
    async fn is_still_occupied(&self) -> bool {
        true
    }
}

fn run_of(store: &dyn WorkStore) -> Run {
    let snapshot = SnapshotName { name: "nightly".into(), uuid: "u".into() };
    let selection = json!({"indices": ["books"]});
    Run::new(store.session().clone(), snapshot, "file:///backup", "http://target", selection)
}

/// `count` items of one shard, of ten documents each.
fn items(count: u32) -> Vec<WorkItem> {
    (0..count)
        .map(|place| WorkItem::new("books", 0, place * 10..place * 10 + 10).sized(1000, count))
        .collect()
}

/// The run is there before its items.
async fn create(store: &dyn WorkStore, items: &[WorkItem]) {
    store.create_run(&run_of(store)).await.unwrap();
    assert_eq!(store.create_items(items).await.unwrap(), items.len());
}

async fn stored(store: &dyn WorkStore, item: &WorkItem) -> Versioned<WorkItem> {
    store.item(&item.id()).await.unwrap().unwrap()
}

async fn set(store: &dyn WorkStore, item: &WorkItem) {
    let version = stored(store, item).await.version;
    let outcome = store.compare_and_set(item, version).await.unwrap();
    assert!(matches!(outcome, CasOutcome::Done(_)));
}

/// Claimable items after a count, which shows searches what was written before.
async fn open(
    store: &dyn WorkStore,
    expired_before: StoreTime,
    from: u64,
    limit: usize,
) -> Vec<Versioned<WorkItem>> {
    store.unfinished().await.unwrap();
    store.open_items(expired_before, from, limit).await.unwrap()
}

fn held(mut item: WorkItem, holder: &str, expiration: StoreTime) -> WorkItem {
    item.lease_holder = Some(holder.into());
    item.expiration = expiration;
    item.lease_version += 1;
    item.rate = Rate { documents: 7, bytes: 700, stored: 35, rejected: 2 };
    item
}

fn coordinator(store: Arc<dyn WorkStore>) -> Coordinator {
    Coordinator::new(store, Arc::new(SystemClock::new()), LeaseRules::default())
}

/// A session that nobody planned has nothing, and asking does not fail.
pub async fn work_store_starts_empty(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    assert_eq!(store.run().await.unwrap(), None);
    assert_eq!(store.item("a").await.unwrap(), None);
    assert_eq!(store.unfinished().await.unwrap(), 0);
    assert_eq!(store.totals().await.unwrap().items.total, 0);
    assert!(store.items(None, 10).await.unwrap().items.is_empty());
    assert!(store.open_items(StoreTime(u64::MAX >> 1), 0, 10).await.unwrap().is_empty());
    assert!(store.departed().await.unwrap().is_empty());
}

/// The first planner's run stays.
pub async fn work_store_creates_a_run_once(fixture: &impl WorkStoreFixture) {
    let (store, other) = (fixture.open().await, fixture.open().await);
    let run = run_of(&*store);
    assert_eq!(store.create_run(&run).await.unwrap(), Created::Created);
    let second = Run { target: "elsewhere".into(), ..run.clone() };
    assert_eq!(other.create_run(&second).await.unwrap(), Created::AlreadyThere);
    assert_eq!(other.run().await.unwrap().unwrap().value, run);
}

/// A run is replaced by whoever saw its last state, and by nobody else.
pub async fn work_store_replaces_a_run_by_version(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    let run = run_of(&*store);
    store.create_run(&run).await.unwrap();
    let first = store.run().await.unwrap().unwrap();
    let stopping = Run { stopping: true, completed_at: Some(StoreTime::from_secs(9)), ..run };
    let outcome = store.set_run(&stopping, first.version).await.unwrap();
    let now = store.run().await.unwrap().unwrap();
    assert_eq!(outcome, CasOutcome::Done(now.version));
    assert_eq!(now.value, stopping);
    assert_eq!(store.set_run(&stopping, first.version).await.unwrap(), CasOutcome::Conflict);
}

/// Items that are there are kept, with what was written to them since.
pub async fn work_store_creates_items_once(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    let plan = items(5);
    create(&*store, &plan[..3]).await;
    let held = held(plan[0].clone(), "w", StoreTime::from_secs(99));
    set(&*store, &held).await;
    assert_eq!(store.create_items(&plan).await.unwrap(), 2);
    assert_eq!(store.create_items(&[]).await.unwrap(), 0);
    assert_eq!(stored(&*store, &plan[0]).await.value, held);
}

/// No field is lost.
pub async fn work_store_gives_items_back_as_written(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    let free = WorkItem::new("bü__ch/er", 7, 5..u32::MAX);
    let mut full = held(free.clone(), "worker \"1\"", StoreTime::from_secs(1_700_000_000));
    full.started_at = Some(StoreTime::from_secs(1_600_000_000));
    full.completed_at = Some(StoreTime::from_secs(1_650_000_000));
    full.checkpoint.next = 77;
    full.checkpoint.sent = 99;
    full.checkpoint.segment = Some(SegmentProgress {
        ordinal: 1,
        doc: 2,
        offset: 1 << 40,
        crc: Some(u32::MAX),
        crc_from: 1 << 33,
    });
    full.checkpoint.head = Some(SegmentPart { ordinal: 0, from: 7, to: 1 << 41, crc: 5 });
    full.books.written = 1 << 40;
    full.books.skip(SkipReason::SourceMissing, 3);
    full.live = Some(4);
    (full.attempts, full.deaths, full.quarantined) = (1, 2, true);
    full.last_error = Some("bad\nthing".into());
    full.last_worker = Some("w".into());
    create(&*store, std::slice::from_ref(&free)).await;
    assert_eq!(stored(&*store, &free).await.value, free);
    set(&*store, &full).await;
    assert_eq!(stored(&*store, &full).await.value, full);
}

/// Whoever saw an older state cannot write.
pub async fn work_store_refuses_a_stale_version(fixture: &impl WorkStoreFixture) {
    let (store, other) = (fixture.open().await, fixture.open().await);
    let item = items(1).remove(0);
    create(&*store, std::slice::from_ref(&item)).await;
    let first = stored(&*store, &item).await.version;
    let mine = held(item.clone(), "mine", StoreTime::from_secs(9));
    let CasOutcome::Done(second) = store.compare_and_set(&mine, first).await.unwrap() else {
        panic!("the first writer was refused");
    };
    let theirs = held(item.clone(), "theirs", StoreTime::from_secs(9));
    assert_eq!(other.compare_and_set(&theirs, first).await.unwrap(), CasOutcome::Conflict);
    assert_eq!(stored(&*other, &item).await, Versioned { value: mine, version: second });
    assert!(matches!(other.compare_and_set(&theirs, second).await.unwrap(), CasOutcome::Done(_)));
}

/// Of many that write at once, exactly one does.
pub async fn work_store_lets_one_of_many_win(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    let item = items(1).remove(0);
    create(&*store, std::slice::from_ref(&item)).await;
    let expected = stored(&*store, &item).await.version;
    let mut tasks = Vec::new();
    for writer in 0..16 {
        let store = if writer % 4 == 0 { fixture.open().await } else { Arc::clone(&store) };
        let item = held(item.clone(), &format!("w{writer}"), StoreTime::from_secs(9));
        tasks.push(tokio::spawn(async move { store.compare_and_set(&item, expected).await }));
    }
    let mut winners = 0;
    for outcome in futures::future::join_all(tasks).await {
        winners += usize::from(matches!(outcome.unwrap().unwrap(), CasOutcome::Done(_)));
    }
    assert_eq!(winners, 1);
}

/// A late write must not bring back a session that was deleted.
pub async fn work_store_does_not_revive_what_was_deleted(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    let item = items(1).remove(0);
    create(&*store, std::slice::from_ref(&item)).await;
    let version: Version = stored(&*store, &item).await.version;
    let run = store.run().await.unwrap().unwrap();
    store.drop_session().await.unwrap();
    assert_eq!(store.compare_and_set(&item, version).await.unwrap(), CasOutcome::Conflict);
    assert_eq!(store.set_run(&run.value, run.version).await.unwrap(), CasOutcome::Conflict);
    for late in [&store, &fixture.open().await] {
        let error = late.create_items(std::slice::from_ref(&item)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State);
    }
    assert_eq!(store.item(&item.id()).await.unwrap(), None);
    assert_eq!(store.run().await.unwrap(), None);
    assert!(store.items(None, 10).await.unwrap().items.is_empty());
}

/// Claimable are free items and those whose lease ran out before the given time.
pub async fn work_store_finds_claimable_items_only(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    let plan = items(6);
    create(&*store, &plan).await;
    let limit = StoreTime::from_secs(1000);
    let completed = WorkItem { completed_at: Some(limit), ..plan[1].clone() };
    let quarantined = WorkItem { quarantined: true, ..plan[2].clone() };
    for item in [
        completed,
        quarantined,
        held(plan[3].clone(), "w", limit),
        held(plan[4].clone(), "w", StoreTime::from_secs(999)),
        held(plan[5].clone(), "w", StoreTime::from_secs(1001)),
    ] {
        set(&*store, &item).await;
    }
    let found = open(&*store, limit, 0, 100).await;
    let found: BTreeSet<u32> = found.iter().map(|item| item.value.first).collect();
    assert_eq!(found, BTreeSet::from([0, 40]));
}

/// The search starts at a sort key, goes round, and stops at the limit.
pub async fn work_store_searches_round_from_a_sort_key(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    let mut plan = items(5);
    for (place, item) in (0_u64..).zip(&mut plan) {
        item.sort_key = place * 10;
    }
    create(&*store, &plan).await;
    for (from, limit, expected) in [
        (0, 9, vec![0, 10, 20, 30, 40]),
        (25, 9, vec![30, 40, 0, 10, 20]),
        (40, 2, vec![40, 0]),
        (u64::MAX >> 11, 1, vec![0]),
    ] {
        let found = open(&*store, StoreTime::from_secs(1), from, limit).await;
        let keys: Vec<u64> = found.iter().map(|item| item.value.sort_key).collect();
        assert_eq!(keys, expected, "from {from}, at most {limit}");
    }
}

/// Pages show every item once, whatever their size.
pub async fn work_store_pages_through_all_items_once(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    create(&*store, &items(10)).await;
    for limit in [1, 3, 5, 10, 11] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = store.items(after.as_deref(), limit).await.unwrap();
            assert!(page.items.len() <= limit);
            seen.extend(page.items.iter().map(|item| item.value.first));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..10).map(|place| place * 10).collect::<Vec<_>>(), "pages of {limit}");
    }
}

/// Completed and quarantined items are no work any more.
pub async fn work_store_counts_what_is_unfinished(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    let plan = items(4);
    create(&*store, &plan).await;
    set(&*store, &WorkItem { completed_at: Some(StoreTime::from_secs(1)), ..plan[0].clone() })
        .await;
    set(&*store, &WorkItem { quarantined: true, ..plan[1].clone() }).await;
    set(&*store, &held(plan[2].clone(), "w", StoreTime::from_secs(1 << 33))).await;
    assert_eq!(store.unfinished().await.unwrap(), 2);
}

/// The sums agree with the items.
pub async fn work_store_sums_up(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    let plan = items(4);
    create(&*store, &plan).await;
    let now = store.now().await.unwrap();
    let mut completed = WorkItem { completed_at: Some(now.floor()), ..plan[0].clone() };
    completed.checkpoint.next = 10;
    completed.books.written = 9;
    completed.live = Some(9);
    set(&*store, &completed).await;
    let mut given_up = WorkItem { quarantined: true, ..plan[1].clone() };
    given_up.last_error = Some("bad block".into());
    set(&*store, &given_up).await;
    let far = StoreTime::from_secs(now.as_secs() + 3600);
    set(&*store, &held(plan[2].clone(), "w", far)).await;
    let totals = store.totals().await.unwrap();
    let tally = totals.items;
    assert_eq!((tally.total, tally.completed, tally.in_progress), (4, 1, 1));
    assert_eq!((tally.unclaimed, tally.quarantined), (1, 1));
    assert_eq!((totals.shards.total, totals.shards.in_progress), (1, 1));
    assert_eq!((totals.books.written, totals.indices["books"].live), (9, 9));
    assert_eq!((totals.bytes.done, totals.bytes.total), (1000, 4000));
    assert_eq!(totals.failed.len(), 1);
    assert_eq!(totals.failed[0].reason, "bad block");
    assert_eq!(totals.oldest_lease, Some((plan[2].id(), far)));
}

/// Dropping a session deletes all of it, twice as well as once, and the session can be used again.
pub async fn work_store_drops_a_session(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    create(&*store, &items(3)).await;
    store.drop_session().await.unwrap();
    store.drop_session().await.unwrap();
    assert_eq!(store.totals().await.unwrap().items.total, 0);
    assert_eq!(store.create_run(&run_of(&*store)).await.unwrap(), Created::Created);
    assert_eq!(store.create_items(&items(3)).await.unwrap(), 3);
}

/// The store's clock is later than the epoch, does not go back, and is the same for all, as far as the margin of leases asks.
pub async fn work_store_time_goes_on(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    let first = store.now().await.unwrap();
    assert!(first > StoreTime::ZERO && store.now().await.unwrap() >= first);
    let other = fixture.open().await.now().await.unwrap();
    assert!(other.since(first) + first.since(other) < LeaseRules::default().margin);
}

/// A name is free again when its enrollment is dropped.
pub async fn work_store_enrolls_a_name_once(fixture: &impl WorkStoreFixture) {
    let (store, other) = (fixture.open().await, fixture.open().await);
    let life = store.enroll("w/../1").await.unwrap();
    assert_eq!(life.worker(), "w/../1");
    if store.capability().knows_the_dead {
        assert_eq!(other.enroll("w/../1").await.unwrap_err().kind(), ErrorKind::State);
    }
    drop(life);
    other.enroll("w/../1").await.unwrap();
}

/// Only who enrolled and is gone counts as dead: not the living, nor those who never enrolled.
pub async fn work_store_knows_the_dead_only(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    let plan = items(3);
    create(&*store, &plan).await;
    let far = store.now().await.unwrap().plus(std::time::Duration::from_secs(3600)).floor();
    for (item, holder) in plan.iter().zip(["alive", "dead", "unknown"]) {
        set(&*store, &held(item.clone(), holder, far)).await;
    }
    let of_dead = store.held_by("dead").await.unwrap();
    assert_eq!(of_dead, [stored(&*store, &plan[1]).await]);
    let _alive = store.enroll("alive").await.unwrap();
    drop(store.enroll("dead").await.unwrap());
    let departed = fixture.open().await.departed().await.unwrap();
    if store.capability().knows_the_dead {
        assert_eq!(departed.len(), 1);
        assert_eq!(departed[0], stored(&*store, &plan[1]).await);
    } else {
        assert!(departed.is_empty());
    }
}

/// Planners that start at once make one plan.
pub async fn work_store_many_planners_make_one_plan(fixture: &impl WorkStoreFixture) {
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let coordinator = coordinator(fixture.open().await);
        tasks.push(tokio::spawn(async move {
            let run = run_of(&**coordinator.store());
            coordinator.plan(&run, &items(1200)).await
        }));
    }
    for planned in futures::future::join_all(tasks).await {
        assert!(planned.unwrap().unwrap().completed_at.is_some());
    }
    let coordinator = coordinator(fixture.open().await);
    assert_eq!(coordinator.standing().await.unwrap(), Standing::Open(1200));
}

/// A planner that was killed halfway is followed by another, which keeps what is there.
pub async fn work_store_goes_on_with_a_plan(fixture: &impl WorkStoreFixture) {
    let (store, next) = (fixture.open().await, coordinator(fixture.open().await));
    let plan = items(1200);
    create(&*store, &plan[300..700]).await;
    let kept = stored(&*store, &plan[500]).await;
    assert_eq!(next.standing().await.unwrap(), Standing::Planning);
    assert!(next.acquire("w").await.unwrap().is_none());
    next.plan(&run_of(&*store), &plan).await.unwrap();
    assert_eq!(next.standing().await.unwrap(), Standing::Open(1200));
    assert_eq!(stored(&*store, &plan[500]).await, kept);
}

/// Workers that take items at once share them out: each is leased once and completed once.
pub async fn work_store_many_workers_do_each_item_once(fixture: &impl WorkStoreFixture) {
    let coordinator = coordinator(fixture.open().await);
    let run = run_of(&**coordinator.store());
    coordinator.plan(&run, &items(40)).await.unwrap();
    let mut tasks = Vec::new();
    for worker in 0..6 {
        let coordinator = self::coordinator(fixture.open().await);
        tasks.push(tokio::spawn(work(coordinator, format!("w{worker}"))));
    }
    for done in futures::future::join_all(tasks).await {
        done.unwrap();
    }
    assert_eq!(coordinator.standing().await.unwrap(), Standing::Finished);
    let page = coordinator.store().items(None, 100).await.unwrap();
    assert!(page.items.iter().all(|item| item.value.lease_version == 1));
    let totals = coordinator.totals().await.unwrap();
    assert_eq!((totals.books.written, totals.items.completed), (400, 40));
    assert!(totals.finished_at.is_some());
}

async fn work(coordinator: Coordinator, worker: String) {
    let _life = coordinator.enroll(&worker).await.unwrap();
    while coordinator.standing().await.unwrap() != Standing::Finished {
        let Some(held) = coordinator.acquire(&worker).await.unwrap() else {
            tokio::task::yield_now().await;
            continue;
        };
        let item = held.item();
        held.renew(progress(&item, item.first + 5)).await.unwrap();
        held.complete(progress(&item, item.end), 10).await.unwrap();
    }
}
