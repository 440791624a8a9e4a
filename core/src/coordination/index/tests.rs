//! What goes over the wire, and what becomes of answers that no server in good health gives.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::definition::Incarnation;
use super::document::{of_item, of_run};
use super::{CLOCK_ERROR, IndexWorkStore};
use crate::cluster::http::tests::fake::{Fake, Reply, Seen};
use crate::cluster::{HttpCluster, HttpConfig};
use crate::coordination::run::RUN_ID;
use crate::coordination::{
    CasOutcome, LeaseRules, Run, Session, SnapshotName, StoreTime, Version, WorkItem, WorkStore,
};
use crate::{Clock, ErrorKind, ManualClock};

const EPOCH: u64 = 1_700_000_000;
const RUN: Incarnation = Incarnation(0xAB);
const ALIAS: &str = "/.migrations_working_state_x~RUN-000000AB/";

fn version() -> Version {
    Version { term: u64::from(RUN.0) << 32 | 2, number: 7 }
}

fn store(fake: &Fake, clock: &ManualClock) -> IndexWorkStore {
    let cluster = HttpCluster::new(HttpConfig::new([fake.url()]).unwrap()).unwrap();
    IndexWorkStore::new(cluster, Session::named("x").unwrap(), Arc::new(clock.clone()))
}

fn item() -> WorkItem {
    WorkItem::new("books", 0, 0..10)
}

fn run() -> Run {
    let session = Session::named("x").unwrap();
    Run::new(session, SnapshotName::default(), "file:///r", "http://t", json!({}))
}

fn is_clock(seen: &Seen) -> bool {
    seen.target.starts_with("/_cat/health")
}

/// The cluster's clock goes with `clock`; each answer takes `round_trip`.
async fn with_clock(clock: &ManualClock, round_trip: Duration) -> Fake {
    let clock = clock.clone();
    Fake::start(move |seen| {
        is_clock(seen).then(|| {
            clock.advance(round_trip);
            let epoch = EPOCH + clock.monotonic().as_secs();
            Reply::new(200, &json!([{"epoch": epoch.to_string()}]).to_string())
        })
    })
    .await
}

/// A server that answers everything but its greeting with `status` and `body`.
async fn answering(status: u16, body: &str) -> Fake {
    let body = body.to_owned();
    Fake::start(move |seen| (seen.target != "/").then(|| Reply::new(status, &body))).await
}

#[tokio::test]
async fn the_time_costs_a_request_in_ten_seconds() {
    let clock = ManualClock::new(Duration::from_millis(400));
    let fake = with_clock(&clock, Duration::from_millis(2)).await;
    let store = store(&fake, &clock);
    let mut last = StoreTime::ZERO;
    for _ in 0..1000 {
        let now = store.now().await.unwrap();
        assert!(now >= last && now.as_secs() >= EPOCH - 2);
        last = now;
        clock.advance(Duration::from_millis(100));
    }
    let asked = fake.seen().iter().filter(|seen| is_clock(seen)).count();
    // Ten, and a few to narrow down where in a second the cluster is.
    assert!((10..=16).contains(&asked), "{asked} requests in 100 s");
}

/// A worker whose wall clock is off.
#[derive(Debug)]
struct Off(ManualClock);

#[async_trait::async_trait]
impl Clock for Off {
    fn wall(&self) -> Duration {
        self.0.wall() + Duration::from_secs(7 * 3600)
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic() + Duration::from_secs(1_000_000)
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }
}

#[tokio::test]
async fn workers_whose_own_clocks_are_off_agree_on_the_time() {
    let clock = ManualClock::new(Duration::from_millis(400));
    let fake = with_clock(&clock, Duration::from_millis(2)).await;
    let cluster = HttpCluster::new(HttpConfig::new([fake.url()]).unwrap()).unwrap();
    let off: Arc<dyn Clock> = Arc::new(Off(clock.clone()));
    let off = IndexWorkStore::new(cluster, Session::named("x").unwrap(), off);
    let right = store(&fake, &clock);
    for _ in 0..100 {
        let (one, other) = (right.now().await.unwrap(), off.now().await.unwrap());
        assert!(one.since(other).max(other.since(one)) <= CLOCK_ERROR);
        clock.advance(Duration::from_millis(730));
    }
    assert!(LeaseRules::default().margin > CLOCK_ERROR);
}

#[tokio::test]
async fn a_cluster_that_answers_too_slowly_tells_no_time() {
    let clock = ManualClock::default();
    let fake = with_clock(&clock, Duration::from_secs(4)).await;
    let error = store(&fake, &clock).now().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn many_that_wait_for_a_clock_in_vain_wait_once() {
    let fake = answering(503, "{}").await;
    let store = store(&fake, &ManualClock::default());
    let asking = (0..20).map(|_| store.now());
    let told = futures::future::join_all(asking).await;
    assert!(told.iter().all(|told| told.as_ref().is_err_and(crate::Error::is_retryable)));
    let looks = || fake.seen().iter().filter(|seen| is_clock(seen)).count();
    assert_eq!(looks(), 1);
    assert!(store.now().await.is_err());
    assert_eq!(looks(), 2, "a later one asks again");
}

#[tokio::test]
async fn an_answer_without_a_time_is_none() {
    for body in ["[]", "{}", r#"[{"epoch":"soon"}]"#, r#"[{"epoch":-5}]"#, ""] {
        let error = store(&answering(200, body).await, &ManualClock::default()).now().await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Unavailable, "{body}");
    }
}

#[tokio::test]
async fn a_write_asks_for_the_state_it_saw_and_waits_for_no_refresh() {
    let fake = answering(200, r#"{"_seq_no":8,"_primary_term":2,"_version":3}"#).await;
    let store = store(&fake, &ManualClock::default());
    let outcome = store.compare_and_set(&item(), version()).await.unwrap();
    assert_eq!(outcome, CasOutcome::Done(Version { number: 8, ..version() }));
    let seen = fake.last();
    assert_eq!(seen.method, "PUT");
    let query = "?if_seq_no=7&if_primary_term=2&pipeline=_none";
    assert_eq!(seen.target, format!("{ALIAS}_doc/{}{query}", item().id()));
}

#[tokio::test]
async fn a_write_that_comes_too_late_is_a_conflict_and_one_that_was_lost_an_error() {
    let complaint = |name: &str| json!({"error": {"type": name, "reason": "so"}}).to_string();
    for (status, name) in [
        (409, "version_conflict_engine_exception"),
        (400, "invalid_index_name_exception"),
        (404, "index_not_found_exception"),
    ] {
        let fake = answering(status, &complaint(name)).await;
        let store = store(&fake, &ManualClock::default());
        let outcome = store.compare_and_set(&item(), version()).await.unwrap();
        assert_eq!(outcome, CasOutcome::Conflict, "{name}");
    }
    for (status, name, kind) in [
        (503, "unavailable_shards_exception", ErrorKind::Unavailable),
        (429, "rejected_execution_exception", ErrorKind::RateLimited),
        (403, "security_exception", ErrorKind::Auth),
        (403, "cluster_block_exception", ErrorKind::Unavailable),
        (400, "mapper_parsing_exception", ErrorKind::Config),
    ] {
        let fake = answering(status, &complaint(name)).await;
        let store = store(&fake, &ManualClock::default());
        let error = store.compare_and_set(&item(), version()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
    }
    let cut = Fake::start(|seen| {
        (seen.target != "/").then(|| Reply::new(200, r#"{"_seq_no":8}"#).cut(5))
    })
    .await;
    let error = store(&cut, &ManualClock::default()).compare_and_set(&item(), version()).await;
    assert!(error.unwrap_err().is_retryable());
}

#[tokio::test]
async fn what_some_shards_do_not_answer_is_not_counted_as_nothing() {
    let failed =
        r#"{"count":0,"timed_out":false,"_shards":{"total":1,"failed":1},"hits":{"hits":[]}}"#;
    let fake = Fake::start(move |seen| {
        let is_read = ["_count", "_search"].iter().any(|name| seen.target.contains(name));
        is_read.then(|| Reply::new(200, failed))
    })
    .await;
    let store = store(&fake, &ManualClock::default());
    let errors = [
        store.unfinished().await.map(|_| ()),
        store.open_items(StoreTime(1), 0, 9).await.map(|_| ()),
        store.items(None, 9).await.map(|_| ()),
        store.held_by("w").await.map(|_| ()),
    ];
    for error in errors {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Unavailable);
    }
}

#[tokio::test]
async fn decisions_are_made_on_what_was_refreshed_and_leases_are_not() {
    let empty = r#"{"count":5,"hits":{"hits":[]}}"#;
    let fake = answering(200, empty).await;
    let store = store(&fake, &ManualClock::default());
    assert_eq!(store.unfinished().await.unwrap(), 5);
    store.items(None, 5).await.unwrap();
    store.held_by("w").await.unwrap();
    let refreshes = || fake.seen().iter().filter(|seen| seen.target.contains("_refresh")).count();
    assert_eq!(refreshes(), 3);
    store.open_items(StoreTime(1), 0, 5).await.unwrap();
    assert_eq!(refreshes(), 3);
}

#[tokio::test]
async fn a_document_that_another_program_wrote_is_refused() {
    let (plain, ours) = (run().to_json().unwrap(), of_run(&run(), RUN).unwrap());
    for (source, is_ours) in [(plain.as_str(), false), (ours.as_str(), true), ("{}", false)] {
        let body = format!(r#"{{"found":true,"_seq_no":0,"_primary_term":1,"_source":{source}}}"#);
        let fake = answering(200, &body).await;
        let store = store(&fake, &ManualClock::default());
        match store.run().await {
            Ok(found) => assert!(is_ours && found.unwrap().value == run()),
            Err(error) => assert!(!is_ours && error.kind() == ErrorKind::State, "{error}"),
        }
        assert!(fake.last().target.ends_with(RUN_ID));
    }
}

#[tokio::test]
async fn a_found_item_can_be_written_with_the_version_it_was_found_with() {
    let source = of_item(&item(), RUN).unwrap();
    let hit = format!(r#"{{"_seq_no":7,"_primary_term":2,"_source":{source},"sort":[1.0,3]}}"#);
    let fake = answering(200, &format!(r#"{{"hits":{{"hits":[{hit}]}}}}"#)).await;
    let store = store(&fake, &ManualClock::default());
    let found = store.open_items(StoreTime(1), 0, 5).await.unwrap();
    assert_eq!(found[0].version, version());
    let body: serde_json::Value = serde_json::from_slice(&fake.last().body).unwrap();
    assert_eq!((&body["seq_no_primary_term"], &body["size"]), (&true.into(), &5.into()));
}

#[tokio::test]
async fn a_serverless_collection_cannot_hold_the_working_state() {
    const GREETING: &str = r#"{"name":"n","cluster_name":"c","cluster_uuid":"u","version":{"number":"8.11.0",
        "build_flavor":"serverless"},"tagline":"You Know, for Search"}"#;
    const ABSENT: &str = r#"{"error":{"type":"index_not_found_exception","reason":"so"}}"#;
    let fake = Fake::start(|seen| {
        let (status, body) = if seen.target == "/" { (200, GREETING) } else { (404, ABSENT) };
        Some(Reply::new(status, body))
    })
    .await;
    let store = store(&fake, &ManualClock::default());
    for error in [
        store.run().await.unwrap_err(),
        store.create_run(&run()).await.unwrap_err(),
        store.item("x").await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains("`--coordinator URL`"), "{error}");
        assert!(error.message().contains("`--coordinator local`"), "{error}");
    }
    assert!(fake.seen().iter().all(|seen| seen.method == "GET"));
}
