use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::coordination::{
    Checkpoint, Coordinator, LeaseRules, Progress, Run, Session, SnapshotName, Standing, WorkItem,
};
use crate::{Books, Clock, ManualClock};

#[tokio::test]
async fn acquire_renew_complete() {
    let dir = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Duration::from_secs(1_000_000)));
    let store = LocalWorkStore::open(dir.path(), Session::default(), Arc::clone(&clock)).unwrap();
    let coordinator = Coordinator::new(Arc::new(store), clock, LeaseRules::default());
    let run = Run::new(
        Session::default(),
        SnapshotName::default(),
        "file:///r",
        "local",
        serde_json::Value::Null,
    );
    coordinator.plan(&run, &[WorkItem::new("a", 0, 0..10)]).await.unwrap();
    let _life = coordinator.store().enroll("w").await.unwrap();
    let held = coordinator.acquire("w").await.unwrap().unwrap();
    assert!(coordinator.acquire("v").await.unwrap().is_none());
    assert!(held.may_send(Duration::from_secs(30)));
    let at = |next: u32| Progress {
        checkpoint: Checkpoint { next, sent: next, segment: None },
        books: Books { written: u64::from(next), ..Books::default() },
    };
    held.renew(at(5)).await.unwrap();
    held.complete(at(10), 10).await.unwrap();
    held.complete(at(10), 10).await.unwrap();
    assert_eq!(coordinator.standing().await.unwrap(), Standing::Finished);
}
