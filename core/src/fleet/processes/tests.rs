//! A supervisor with real processes: shell scripts stand for workers.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::control::{ControlFolder, locked_log};
use super::*;
use crate::controller::FleetCounts;
use crate::fleet::Fleet;
use crate::{Clock, ErrorKind, Result, SystemClock};

/// Ends when its input does, as a worker has to.
const PATIENT: &str = "exec cat > /dev/null";

fn script(text: &str) -> WorkerProgram {
    let arguments = vec!["-c".to_owned(), text.to_owned()];
    WorkerProgram { program: "/bin/sh".into(), arguments }
}

/// A control folder whose supervisor is a task of this process.
struct Bench {
    folder: tempfile::TempDir,
    /// What the supervisor's process would have as its output.
    log: Option<File>,
    stop: CancellationToken,
    supervisor: Option<JoinHandle<Result<()>>>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, log: None, stop: CancellationToken::new(), supervisor: None }
    }

    fn fleet(&self, worker: &str) -> ProcessFleet {
        // It is never run: the lock is taken.
        ProcessFleet::new(self.folder.path(), script(worker), script("exit 1"))
    }

    /// Begins before the first order is obeyed, as one that was there already.
    async fn supervise(&mut self, fleet: &ProcessFleet, workers: usize) {
        let control = self.control();
        drop(control.lock().unwrap());
        self.log = locked_log(&control.supervisor_log()).unwrap();
        let (folder, stop) = (self.folder.path().to_owned(), self.stop.clone());
        let given = fleet.clone();
        let order = tokio::spawn(async move { given.desired(workers).await });
        while control.order().unwrap().is_none() {
            SystemClock::new().sleep(Duration::from_millis(5)).await;
        }
        self.supervisor =
            Some(tokio::spawn(async move { supervise(&folder, &SystemClock::new(), stop).await }));
        order.await.unwrap().unwrap();
    }

    fn control(&self) -> ControlFolder {
        ControlFolder::new(self.folder.path())
    }

    /// The supervisor's process ends, and its lock with it.
    async fn ended(&mut self) {
        self.supervisor.take().unwrap().await.unwrap().unwrap();
        self.log = None;
    }

    async fn until(&self, fleet: &ProcessFleet, expected: FleetCounts) {
        for _ in 0..2000 {
            if fleet.counts().await.unwrap() == expected {
                return;
            }
            SystemClock::new().sleep(Duration::from_millis(10)).await;
        }
        panic!("{:?} is not {expected:?}", fleet.counts().await.unwrap());
    }
}

fn up(workers: u64) -> FleetCounts {
    FleetCounts { running: workers, desired: workers, ..FleetCounts::default() }
}

#[tokio::test]
async fn it_is_as_large_as_it_is_told_to_be() {
    let mut bench = Bench::new();
    let fleet = bench.fleet(PATIENT);
    assert_eq!(fleet.counts().await.unwrap(), FleetCounts::default());
    bench.supervise(&fleet, 2).await;
    bench.until(&fleet, up(2)).await;
    let another = bench.fleet(PATIENT);
    another.desired(3).await.unwrap();
    bench.until(&fleet, up(3)).await;
    another.desired(1).await.unwrap();
    bench.until(&fleet, up(1)).await;
    fleet.desired(0).await.unwrap();
    bench.ended().await;
    assert!(fleet.empty(&SystemClock::new()).await.unwrap().is_none());
    assert_eq!(fleet.counts().await.unwrap(), FleetCounts::default());
}

#[tokio::test]
async fn workers_that_find_nothing_left_end_it() {
    let mut bench = Bench::new();
    let fleet = bench.fleet("exit 0");
    bench.supervise(&fleet, 3).await;
    bench.ended().await;
    assert!(fleet.empty(&SystemClock::new()).await.unwrap().is_none());
    assert_eq!(fleet.counts().await.unwrap(), FleetCounts::default());
}

#[tokio::test]
async fn a_worker_that_fails_begins_again_and_one_that_is_called_wrongly_does_not() {
    let mut bench = Bench::new();
    let once = format!("test -e {0} || {{ touch {0}; exit 1; }}", text(&bench, "begun"));
    let fleet = bench.fleet(&once);
    bench.supervise(&fleet, 1).await;
    bench.ended().await;
    assert!(fleet.empty(&SystemClock::new()).await.unwrap().is_none());

    let mut bench = Bench::new();
    let fleet = bench.fleet("echo error: no such option >&2; exit 2");
    bench.supervise(&fleet, 1).await;
    bench.ended().await;
    let error = fleet.empty(&SystemClock::new()).await.unwrap().unwrap();
    assert!(error.message().contains("no such option"), "{error}");
    assert!(error.message().contains("worker-1.log"), "{error}");
}

#[tokio::test]
async fn a_supervisor_that_is_stopped_leaves_the_order_for_the_next() {
    let mut bench = Bench::new();
    let fleet = bench.fleet(PATIENT);
    bench.supervise(&fleet, 2).await;
    bench.until(&fleet, up(2)).await;
    bench.stop.cancel();
    bench.ended().await;
    let counts = fleet.counts().await.unwrap();
    assert_eq!((counts.running, counts.desired), (0, 2), "{counts:?}");
}

#[tokio::test]
async fn a_folder_that_is_removed_ends_it_and_does_not_come_back() {
    let mut bench = Bench::new();
    let fleet = bench.fleet(PATIENT);
    bench.supervise(&fleet, 2).await;
    bench.until(&fleet, up(2)).await;
    std::fs::remove_dir_all(bench.folder.path()).unwrap();
    bench.ended().await;
    assert!(!bench.folder.path().exists());
}

#[tokio::test]
async fn workers_without_a_supervisor_are_seen_for_as_long_as_they_live() {
    let bench = Bench::new();
    let control = bench.control();
    drop(control.lock().unwrap());
    let fleet = bench.fleet(PATIENT);
    // An order, and nobody to obey it.
    fleet.desired(0).await.unwrap();
    let log = locked_log(&control.worker_log(1)).unwrap().unwrap();
    assert!(locked_log(&control.worker_log(1)).unwrap().is_none());
    assert_eq!(fleet.counts().await.unwrap().running, 1);
    drop(log);
    assert_eq!(fleet.counts().await.unwrap().running, 0);
}

#[tokio::test]
async fn a_supervisor_that_does_not_begin_is_told_with_what_it_said() {
    let bench = Bench::new();
    let broken = script("echo error: bad luck >&2; exit 1");
    let fleet = ProcessFleet::new(bench.folder.path(), script(PATIENT), broken);
    let error = fleet.desired(1).await.unwrap_err();
    assert!(error.message().contains("bad luck"), "{error}");
    let missing = WorkerProgram { program: "/nowhere".into(), arguments: Vec::new() };
    let fleet = ProcessFleet::new(bench.folder.path(), script(PATIENT), missing);
    assert_eq!(fleet.desired(1).await.unwrap_err().kind(), ErrorKind::Io);
}

#[tokio::test]
async fn a_folder_without_an_order_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ended = supervise(folder.path(), &SystemClock::new(), CancellationToken::new()).await;
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::State);
}

fn text(bench: &Bench, name: &str) -> String {
    let path: &Path = bench.folder.path();
    path.join(name).display().to_string()
}
