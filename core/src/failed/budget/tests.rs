use super::*;
use crate::cluster::ItemError;
use crate::coordination::{
    Checkpoint, Held, LeaseRules, LocalWorkStore, Progress, Run, Session, SnapshotName,
};
use crate::failed::Attempt;
use crate::testkit::SteppedClock;
use crate::{Books, Document};

const DOCUMENTS: u32 = 1000;

/// A run of two items of one index.
struct Bench {
    _dir: tempfile::TempDir,
    coordinator: Arc<Coordinator>,
}

impl Bench {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(SteppedClock::default());
        let session = Session::default();
        let store = LocalWorkStore::open(dir.path(), session.clone(), clock.clone()).unwrap();
        let rules = LeaseRules::default();
        let coordinator = Arc::new(Coordinator::new(Arc::new(store), clock, rules));
        let run = Run::new(session, SnapshotName::default(), "r", "t", serde_json::Value::Null);
        let items = [0, 1].map(|shard| WorkItem::new("logs", shard, 0..DOCUMENTS));
        coordinator.plan(&run, &items).await.unwrap();
        Self { _dir: dir, coordinator }
    }

    fn budget(&self, most: u64) -> FailureBudget {
        FailureBudget::new(FailureLimit::Documents(most), Arc::clone(&self.coordinator))
    }

    async fn lease(&self, worker: &str) -> (Held, LeaseKey) {
        let held = self.coordinator.acquire(worker).await.unwrap().unwrap();
        let key = LeaseKey::of(&held.item());
        (held, key)
    }
}

fn failed(count: u32, reason: &str) -> Vec<FailedDocument> {
    let attempt =
        Attempt { source_index: "logs", shard: 0, lease: 1, operation: Default::default() };
    let error = ItemError { status: 400, error_type: reason.to_owned(), reason: "so".to_owned() };
    let document = |number| Document {
        number,
        id: number.to_string(),
        doc_type: None,
        routing: None,
        parent: None,
        source: bytes::Bytes::from_static(b"{}"),
    };
    (0..count)
        .map(|number| FailedDocument::new(attempt, "logs", &document(number), &error))
        .collect()
}

fn progress(failed: u64) -> Progress {
    let next = u32::try_from(failed).unwrap();
    Progress {
        checkpoint: Checkpoint { next, sent: next, ..Checkpoint::default() },
        books: Books { failed, ..Books::default() },
        ..Progress::default()
    }
}

async fn is_over(budget: &FailureBudget) -> bool {
    budget.require_within("logs").await.is_err()
}

#[tokio::test]
async fn failures_that_are_in_no_checkpoint_yet_are_not_forgotten() {
    let bench = Bench::new().await;
    let budget = bench.budget(10);
    let (_held, lease) = bench.lease("w").await;
    for _ in 0..10 {
        budget.spend(&lease, &failed(1, "a"));
        assert!(!is_over(&budget).await);
    }
    budget.spend(&lease, &failed(1, "a"));
    assert!(is_over(&budget).await, "the eleventh is one too many, wherever it was asked");
}

#[tokio::test]
async fn a_failure_in_a_checkpoint_counts_once() {
    let bench = Bench::new().await;
    let budget = bench.budget(10);
    let (held, lease) = bench.lease("w").await;
    budget.spend(&lease, &failed(6, "a"));
    assert!(!is_over(&budget).await);
    budget.writing(&lease, 6);
    held.renew(progress(6)).await.unwrap();
    budget.spend(&lease, &failed(4, "a"));
    assert!(!is_over(&budget).await);
    budget.writing(&lease, 10);
    held.release(progress(10)).await.unwrap();
    budget.close(&lease, 10);
    let (_held, lease) = bench.lease("w").await;
    budget.spend(&lease, &failed(0, "a"));
    assert!(!is_over(&budget).await);
    budget.spend(&lease, &failed(1, "a"));
    assert!(is_over(&budget).await);
}

#[tokio::test]
async fn failures_of_other_processes_count() {
    let bench = Bench::new().await;
    let (ours, others) = (bench.budget(10), bench.budget(10));
    let (held, theirs) = bench.lease("other").await;
    others.spend(&theirs, &failed(8, "a"));
    held.renew(progress(8)).await.unwrap();
    let (_held, lease) = bench.lease("w").await;
    ours.spend(&lease, &failed(2, "a"));
    assert!(!is_over(&ours).await);
    ours.spend(&lease, &failed(1, "a"));
    assert!(is_over(&ours).await);
}

#[tokio::test]
async fn what_failed_under_a_lost_lease_is_sent_again_and_does_not_count() {
    let bench = Bench::new().await;
    let budget = bench.budget(10);
    let (_held, lease) = bench.lease("w").await;
    budget.spend(&lease, &failed(9, "a"));
    assert!(!is_over(&budget).await);
    budget.close(&lease, 0);
    let (_held, lease) = bench.lease("w").await;
    budget.spend(&lease, &failed(9, "a"));
    assert!(!is_over(&budget).await);
}

#[tokio::test]
async fn the_working_state_is_asked_seldom_and_sooner_near_the_limit() {
    let bench = Bench::new().await;
    let budget = bench.budget(10_000);
    let (_held, lease) = bench.lease("w").await;
    let mut asked = 0;
    for _ in 0..10_000 {
        budget.spend(&lease, &failed(1, "a"));
        asked += u32::from(budget.is_to_ask("logs"));
        assert!(!is_over(&budget).await);
    }
    assert!((10..60).contains(&asked), "{asked} times for 10 000 failures");
}

#[tokio::test]
async fn the_most_frequent_reasons_are_told_and_how_to_go_on() {
    let bench = Bench::new().await;
    let budget = bench.budget(2);
    let (_held, lease) = bench.lease("w").await;
    budget.spend(&lease, &failed(1, "seldom"));
    budget.spend(&lease, &failed(5, "often"));
    let error = budget.require_within("logs").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    for part in ["6 documents", "5 × often: so; 1 × seldom: so", "--max-failed", "redrive"] {
        assert!(error.message().contains(part), "no `{part}` in {error}");
    }
}
