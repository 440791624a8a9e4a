//! The searches by which the console of the system we replace shows a status, word for word, against our index on real
//! servers.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use serde_json::{Value, json};
use snapfill::SystemClock;
use snapfill::cluster::{HttpCluster, HttpConfig};
use snapfill::coordination::{
    CasOutcome, Coordinator, FailureCause, Held, IndexWorkStore, LeaseRules, Progress, Run,
    Session, SnapshotName, StoreTime, WorkItem, WorkStore,
};
use snapfill::testkit::samples::progress;
use snapfill_harness::{Server, Version, runs};

/// What the console shows.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    started: Option<u64>,
    total: u64,
    completed: u64,
    incomplete: u64,
    in_progress: u64,
    unclaimed: u64,
}

struct Console<'a> {
    server: &'a Server,
    store: Arc<IndexWorkStore>,
}

impl Console<'_> {
    fn count(&self, query: &Value) -> u64 {
        let body = json!({"size": 0, "query": query}).to_string();
        let path = format!("/{}/_search", self.store.index());
        let total = self.server.call("POST", &path, &body).unwrap()["hits"]["total"].clone();
        // A number before Elasticsearch 7.
        total.as_u64().or_else(|| total["value"].as_u64()).unwrap()
    }

    async fn shown(&self) -> Shown {
        let index = self.store.index();
        self.server.call("POST", &format!("/{index}/_refresh"), "").unwrap();
        let now = self.store.now().await.unwrap().as_secs();
        let setup = json!({"match": {"_id": "shard_setup"}});
        let successors = json!({"exists": {"field": "successor_items"}});
        let completed = json!({"exists": {"field": "completedAt"}});
        let document = format!("/{index}/_doc/shard_setup");
        let document = self.server.call("GET", &document, "").unwrap();
        Shown {
            started: document["_source"]["completedAt"].as_u64(),
            total: self.count(&json!({"bool": {"must_not": [setup, successors]}})),
            completed: self
                .count(&json!({"bool": {"must": [completed], "must_not": [setup, successors]}})),
            incomplete: self.count(&json!({"bool": {"must_not": [completed, setup]}})),
            in_progress: self
                .count(&json!({"bool": {"must": [{"range": {"expiration": {"gte": now}}},
                {"bool": {"must_not": [completed, setup]}}]}})),
            unclaimed: self
                .count(&json!({"bool": {"must": [{"range": {"expiration": {"lt": now}}},
                {"bool": {"must_not": [completed, setup]}}]}})),
        }
    }

    /// Total, completed, incomplete, in progress, unclaimed.
    async fn assert_shows(&self, phase: &str, expected: [u64; 5]) {
        let shown = self.shown().await;
        let numbers =
            [shown.total, shown.completed, shown.incomplete, shown.in_progress, shown.unclaimed];
        assert_eq!(numbers, expected, "{phase}: {shown:?}");
        assert_eq!(shown.started.is_some(), !phase.starts_with("planning"), "{phase}");
    }
}

/// Four shards of one item, and one of three.
fn plan() -> Vec<WorkItem> {
    let whole = (0..4).map(|shard| WorkItem::new("books__old", shard, 0..10).sized(100, 1));
    let parts =
        (0..3).map(|part| WorkItem::new("films", 0, part * 10..part * 10 + 10).sized(100, 3));
    whole.chain(parts).collect()
}

async fn acquire(coordinator: &Coordinator, worker: &str) -> Held {
    coordinator.acquire(worker).await.unwrap().unwrap()
}

async fn complete(held: &Held) {
    let item = held.item();
    held.complete(progress(&item, item.end), u64::from(item.documents())).await.unwrap();
}

async fn shows_the_right_numbers(version: Version) {
    if !runs(version) {
        return;
    }
    let server = Server::start(version).unwrap();
    let cluster = HttpCluster::new(HttpConfig::new([server.url()]).unwrap()).unwrap();
    let clock = Arc::new(SystemClock::new());
    let session = Session::named("nightly").unwrap();
    let store = Arc::new(IndexWorkStore::new(cluster, session.clone(), Arc::clone(&clock) as _));
    let console = Console { server: &server, store: Arc::clone(&store) };
    let coordinator = Coordinator::new(Arc::clone(&store) as _, clock, LeaseRules::default());
    let snapshot = SnapshotName { name: "s".into(), uuid: "u".into() };
    let run = Run::new(session, snapshot, "file:///r", "http://t", Value::Null);

    coordinator.begin(&run).await.unwrap();
    console.assert_shows("planning has begun", [0; 5]).await;
    store.create_items(&plan()[..3]).await.unwrap();
    console.assert_shows("planning goes on", [3, 0, 3, 0, 3]).await;
    coordinator.plan(&run, &plan()).await.unwrap();
    console.assert_shows("planned", [7, 0, 7, 0, 7]).await;

    let mut held = Vec::new();
    for worker in 0..3 {
        held.push(acquire(&coordinator, &format!("w{worker}")).await);
    }
    console.assert_shows("some are held", [7, 0, 7, 3, 4]).await;
    for held in &held {
        let item = held.item();
        held.renew(progress(&item, item.first + 5)).await.unwrap();
    }
    console.assert_shows("they are renewed", [7, 0, 7, 3, 4]).await;
    complete(&held[0]).await;
    console.assert_shows("one is completed", [7, 1, 6, 2, 4]).await;
    held[1].release(Progress::of(&held[1].item())).await.unwrap();
    console.assert_shows("one is released", [7, 1, 6, 1, 5]).await;

    let late = store.item(&held[2].item().id()).await.unwrap().unwrap();
    let expired = WorkItem { expiration: StoreTime::from_secs(1_600_000_000), ..late.value };
    let outcome = store.compare_and_set(&expired, late.version).await.unwrap();
    assert!(matches!(outcome, CasOutcome::Done(_)));
    console.assert_shows("a lease has run out", [7, 1, 6, 0, 6]).await;

    let given_up = loop {
        let held = acquire(&coordinator, "w").await;
        let reason = Progress::of(&held.item());
        if held.fail(FailureCause::Item, "corrupt", reason).await.unwrap() {
            break held.item();
        }
        // What is searched for may have been freed a moment ago.
        store.unfinished().await.unwrap();
    };
    console.assert_shows("one is quarantined", [7, 1, 6, 0, 6]).await;

    coordinator.reopen(&given_up.id()).await.unwrap();
    while store.unfinished().await.unwrap() > 0 {
        complete(&acquire(&coordinator, "w").await).await;
    }
    console.assert_shows("all are completed", [7, 7, 0, 0, 0]).await;
    assert_eq!(coordinator.totals().await.unwrap().shards.completed, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_opensearch_1() {
    shows_the_right_numbers(Version::OpenSearch1_3_20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_opensearch_2() {
    shows_the_right_numbers(Version::OpenSearch2_19_6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_opensearch_3() {
    shows_the_right_numbers(Version::OpenSearch3_8_0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_elasticsearch_6() {
    shows_the_right_numbers(Version::Elasticsearch6_8_23).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_elasticsearch_7() {
    shows_the_right_numbers(Version::Elasticsearch7_17_29).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_elasticsearch_8() {
    shows_the_right_numbers(Version::Elasticsearch8_19_21).await;
}
