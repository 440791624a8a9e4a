use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::*;
use crate::coordination::{
    Coordinator, Enrollment, LeaseRules, Run, Session, SnapshotName, Standing, WorkItem, WorkStore,
};
use crate::testkit::samples::progress;
use crate::testkit::{self, WorkStoreFixture};
use crate::{Clock, ErrorKind, SystemClock};

struct Directory(tempfile::TempDir);

impl Directory {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn store(&self, session: &str) -> Arc<dyn WorkStore> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let session = Session::named(session).unwrap();
        Arc::new(LocalWorkStore::open(self.0.path(), session, clock).unwrap())
    }

    fn coordinator(&self, session: &str) -> Coordinator {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        Coordinator::new(self.store(session), clock, LeaseRules::default())
    }
}

#[async_trait]
impl WorkStoreFixture for Directory {
    async fn open(&self) -> Arc<dyn WorkStore> {
        self.store("conformance")
    }
}

crate::work_store_conformance!(Directory::new());

fn run(session: &str) -> Run {
    let session = Session::named(session).unwrap();
    Run::new(session, SnapshotName::default(), "file:///r", "local", serde_json::Value::Null)
}

#[tokio::test]
async fn sessions_of_one_directory_do_not_mix() {
    let dir = Directory::new();
    for session in ["", "b"] {
        dir.coordinator(session).plan(&run(session), &[WorkItem::new("a", 0, 0..9)]).await.unwrap();
    }
    let names = LocalWorkStore::sessions(dir.0.path()).await.unwrap();
    assert_eq!(names, [Session::default(), Session::named("b").unwrap()]);
    dir.store("b").drop_session().await.unwrap();
    assert_eq!(dir.coordinator("").standing().await.unwrap(), Standing::Open(1));
    assert_eq!(dir.coordinator("b").standing().await.unwrap(), Standing::Absent);
}

#[tokio::test]
async fn a_directory_without_a_file_has_no_sessions() {
    let dir = Directory::new();
    let error = LocalWorkStore::sessions(dir.0.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn what_a_dead_worker_held_is_free_at_once() {
    let dir = Directory::new();
    let coordinator = dir.coordinator("");
    coordinator.plan(&run(""), &[WorkItem::new("a", 0, 0..9)]).await.unwrap();
    let life: Box<dyn Enrollment> = coordinator.store().enroll("first").await.unwrap();
    let held = coordinator.acquire("first").await.unwrap().unwrap();
    held.renew(progress(&held.item(), 4)).await.unwrap();
    assert!(coordinator.acquire("second").await.unwrap().is_none());
    drop(life);
    let next = coordinator.acquire("second").await.unwrap().unwrap();
    assert_eq!((next.item().checkpoint.next, next.item().deaths), (4, 1));
    let late = held.renew(progress(&held.item(), 9)).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::LeaseLost);
    assert!(!held.may_send(Duration::ZERO) && next.may_send(Duration::from_secs(30)));
}

#[tokio::test]
async fn a_worker_started_again_under_its_name_goes_on_at_once() {
    let dir = Directory::new();
    let coordinator = dir.coordinator("");
    coordinator.plan(&run(""), &[WorkItem::new("a", 0, 0..9)]).await.unwrap();
    let life = coordinator.enroll("w").await.unwrap();
    let held = coordinator.acquire("w").await.unwrap().unwrap();
    held.renew(progress(&held.item(), 4)).await.unwrap();
    assert_eq!(coordinator.enroll("w").await.unwrap_err().kind(), ErrorKind::State);
    drop(life);
    let _life = coordinator.enroll("w").await.unwrap();
    let next = coordinator.acquire("w").await.unwrap().unwrap();
    assert_eq!(next.item().checkpoint.next, 4);
    let late = held.renew(progress(&held.item(), 5)).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::LeaseLost);
}

#[tokio::test]
async fn a_reaper_that_was_slow_does_not_hit_a_later_lease_of_the_same_name() {
    let dir = Directory::new();
    let (slow, fast) = (dir.store(""), dir.coordinator(""));
    fast.plan(&run(""), &[WorkItem::new("a", 0, 0..9)]).await.unwrap();
    let life = fast.enroll("w").await.unwrap();
    fast.acquire("w").await.unwrap().unwrap();
    drop(life);
    let departed = slow.departed().await.unwrap();
    let _life = fast.enroll("w").await.unwrap();
    let held = fast.acquire("w").await.unwrap().unwrap();
    let freed = WorkItem { lease_holder: None, ..departed[0].value.clone() };
    let outcome = slow.compare_and_set(&freed, departed[0].version).await.unwrap();
    assert_eq!(outcome, crate::coordination::CasOutcome::Conflict);
    held.renew(progress(&held.item(), 3)).await.unwrap();
}

#[tokio::test]
async fn documents_and_working_state_share_one_file() {
    let dir = Directory::new();
    let cluster = crate::cluster::LocalCluster::open(dir.0.path()).unwrap();
    dir.coordinator("").plan(&run(""), &[WorkItem::new("a", 0, 0..9)]).await.unwrap();
    assert!(cluster.file().is_file());
    let again = crate::cluster::LocalCluster::open_existing(dir.0.path()).unwrap();
    testkit::cluster::cluster_client_creates_an_index_once(&Single(again)).await;
}

struct Single(crate::cluster::LocalCluster);

impl testkit::ClusterFixture for Single {
    fn cluster(&self) -> Arc<dyn crate::cluster::ClusterClient> {
        Arc::new(self.0.clone())
    }
}

/// What the child process of the next test does: takes an item, comes to document 4, and hangs. Without a parent that names
/// the directory there is nothing to do.
#[tokio::test]
async fn child_that_is_killed() {
    let Some(dir) = std::env::var_os("SNAPFILL_TEST_DIR") else { return };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let store = LocalWorkStore::open(dir, Session::default(), Arc::clone(&clock)).unwrap();
    let coordinator = Coordinator::new(Arc::new(store), clock, LeaseRules::default());
    let _life = coordinator.enroll("child").await.unwrap();
    let held = coordinator.acquire("child").await.unwrap().unwrap();
    held.renew(progress(&held.item(), 4)).await.unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_killed_process_is_known_to_be_dead() {
    let dir = Directory::new();
    let coordinator = dir.coordinator("");
    coordinator.plan(&run(""), &[WorkItem::new("a", 0, 0..9)]).await.unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "coordination::local::tests::child_that_is_killed"])
        .env("SNAPFILL_TEST_DIR", dir.0.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let id = WorkItem::new("a", 0, 0..9).id();
    for _ in 0..3000 {
        if coordinator.store().item(&id).await.unwrap().unwrap().value.checkpoint.next == 4 {
            break;
        }
        SystemClock::new().sleep(Duration::from_millis(10)).await;
    }
    assert!(coordinator.acquire("second").await.unwrap().is_none(), "the child lives");
    child.kill().unwrap();
    child.wait().unwrap();
    let next = coordinator.acquire("second").await.unwrap().unwrap();
    assert_eq!((next.item().checkpoint.next, next.item().deaths), (4, 1));
}
