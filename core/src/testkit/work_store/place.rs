//! What a `WorkStore` must do where its session went away, came anew, or never was its own.

use std::time::Duration;

use super::{WorkStoreFixture, create, held, items, run_of, stored};
use crate::ErrorKind;
use crate::cluster::Created;
use crate::coordination::run::FORMAT_VERSION;
use crate::coordination::{CasOutcome, Run, StoreTime, WorkStore};

async fn assert_empty(store: &dyn WorkStore) {
    assert_eq!(store.run().await.unwrap(), None);
    assert_eq!(store.unfinished().await.unwrap(), 0);
    assert_eq!(store.totals().await.unwrap().items.total, 0);
    assert_eq!(store.totals().await.unwrap().shards.total, 0);
    assert!(store.items(None, 10).await.unwrap().items.is_empty());
    assert!(store.open_items(StoreTime(u64::MAX >> 1), 0, 10).await.unwrap().is_empty());
    assert!(store.held_by("w").await.unwrap().is_empty());
    assert!(store.departed().await.unwrap().is_empty());
}

/// Where a session was deleted, every call finds nothing, also of those who knew it.
pub async fn work_store_is_empty_after_a_drop(fixture: &impl WorkStoreFixture) {
    let (store, other) = (fixture.open().await, fixture.open().await);
    let plan = items(3);
    create(&*store, &plan).await;
    let far = store.now().await.unwrap().plus(Duration::from_secs(3600)).floor();
    let version = stored(&*other, &plan[0]).await.version;
    let leased = held(plan[0].clone(), "w", far);
    assert!(matches!(other.compare_and_set(&leased, version).await, Ok(CasOutcome::Done(_))));
    store.drop_session().await.unwrap();
    assert_empty(&*store).await;
    assert_empty(&*other).await;
    assert_empty(&*fixture.open().await).await;
}

/// What was read before a session was deleted changes nothing of a session that was begun anew under its name.
pub async fn work_store_takes_no_version_of_an_earlier_session(fixture: &impl WorkStoreFixture) {
    let (store, late) = (fixture.open().await, fixture.open().await);
    let plan = items(3);
    create(&*store, &plan).await;
    let before = late.run().await.unwrap().unwrap();
    let mut versions = Vec::new();
    for item in &plan {
        versions.push(stored(&*late, item).await.version);
    }
    store.drop_session().await.unwrap();
    create(&*store, &plan).await;
    for (item, version) in plan.iter().zip(versions) {
        let leased = held(item.clone(), "late", StoreTime::from_secs(99));
        assert_eq!(late.compare_and_set(&leased, version).await.unwrap(), CasOutcome::Conflict);
        assert_eq!(stored(&*store, item).await.value, *item);
    }
    let stopping = Run { stopping: true, ..before.value };
    assert_eq!(late.set_run(&stopping, before.version).await.unwrap(), CasOutcome::Conflict);
    assert!(!store.run().await.unwrap().unwrap().value.stopping);
}

/// A run of a later release is refused, and says why.
pub async fn work_store_refuses_a_run_of_a_newer_format(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    let newer = Run { format_version: FORMAT_VERSION + 1, ..run_of(&*store) };
    assert_eq!(store.create_run(&newer).await.unwrap(), Created::Created);
    let error = fixture.open().await.run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("update"), "{error}");
}

/// A place that somebody else has is neither read nor adopted nor deleted.
pub async fn work_store_leaves_alone_what_is_not_ours(fixture: &impl WorkStoreFixture) {
    if !fixture.occupy().await {
        return;
    }
    let store = fixture.open().await;
    let refused = [
        store.run().await.map(|_| ()),
        store.create_run(&run_of(&*store)).await.map(|_| ()),
        store.create_items(&items(1)).await.map(|_| ()),
        store.drop_session().await,
    ];
    for outcome in refused {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::State);
    }
    assert!(fixture.is_still_occupied().await);
}

/// Workers are counted: those that are enrolled, or those with a lease that runs.
pub async fn work_store_counts_workers(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    assert_eq!(store.workers().await.unwrap(), 0);
    let plan = items(5);
    create(&*store, &plan).await;
    let (first, second) = (store.enroll("first").await.unwrap(), store.enroll("second").await);
    let now = store.now().await.unwrap();
    let (past, far) =
        (StoreTime::from_secs(now.as_secs() - 3600), now.plus(Duration::from_secs(3600)));
    let leases =
        [("first", far), ("first", far), ("second", far), ("third", past), ("fourth", far)];
    for (item, (holder, until)) in plan.iter().zip(leases) {
        super::set(&*store, &held(item.clone(), holder, until.floor())).await;
    }
    let other = fixture.open().await;
    if store.capability().knows_the_dead {
        assert_eq!(other.workers().await.unwrap(), 2);
        drop(first);
        assert_eq!(other.workers().await.unwrap(), 1);
    } else {
        assert_eq!(other.workers().await.unwrap(), 3);
    }
    drop(second);
}

/// What a worker holds are the items it has not finished, also when the lease ran out.
pub async fn work_store_finds_what_a_worker_holds(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    let plan = items(5);
    create(&*store, &plan).await;
    let leases = plan.iter().map(|item| held(item.clone(), "w 1", StoreTime::from_secs(9)));
    let mut leases: Vec<_> = leases.collect();
    leases[1].lease_holder = Some("w".into());
    leases[2].completed_at = Some(StoreTime::from_secs(5));
    leases[3].quarantined = true;
    for item in &leases[..4] {
        super::set(&*store, item).await;
    }
    let of_worker = store.held_by("w 1").await.unwrap();
    assert_eq!(of_worker, [stored(&*store, &plan[0]).await]);
}
