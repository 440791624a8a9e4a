//! `IndexWorkStore` on real servers, .
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use snapfill::cluster::{Created, HttpCluster, HttpConfig};
use snapfill::coordination::{
    CasOutcome, IndexWorkStore, Run, Session, SnapshotName, WorkItem, WorkStore,
};
use snapfill::testkit::WorkStoreFixture;
use snapfill::{ErrorKind, SystemClock};
use snapfill_harness::{Http, Options, Server, Version, runs};

/// A session on a server. Each handle has connections of its own, as another process would have them.
struct Node {
    url: String,
    http: Http,
    session: Session,
}

impl Node {
    fn new(server: &Server, session: &str) -> Self {
        let session = Session::named(session).unwrap();
        Self { url: server.url().to_owned(), http: server.http(), session }
    }

    fn store(&self) -> IndexWorkStore {
        let cluster = HttpCluster::new(HttpConfig::new([&self.url]).unwrap()).unwrap();
        IndexWorkStore::new(cluster, self.session.clone(), Arc::new(SystemClock::new()))
    }
}

#[async_trait]
impl WorkStoreFixture for Node {
    async fn open(&self) -> Arc<dyn WorkStore> {
        Arc::new(self.store())
    }

    async fn occupy(&self) -> bool {
        let index = self.session.index_name();
        self.http.call("PUT", &format!("/{index}"), "{}").unwrap();
        true
    }

    async fn is_still_occupied(&self) -> bool {
        let path = format!("/{}/_mapping", self.session.index_name());
        let found = self.http.call("GET", &path, "").unwrap();
        !found.to_string().contains("snapfill")
    }
}

fn run(store: &dyn WorkStore) -> Run {
    let snapshot = SnapshotName { name: "s".into(), uuid: "u".into() };
    Run::new(store.session().clone(), snapshot, "file:///r", "http://t", json!({}))
}

/// Names of indices of the working state, whatever they hold.
fn indices(server: &Server) -> Vec<String> {
    let rows = server.call("GET", "/_cat/indices?format=json", "").unwrap();
    let names = rows.as_array().unwrap().iter().filter_map(|row| row["index"].as_str());
    names.filter(|name| name.contains("working_state")).map(str::to_owned).collect()
}

/// Late writes make no index, whether or not the server makes indices at the first document; a template for all indices
/// changes nothing of ours; and on one node all copies are there.
async fn late_writes_make_nothing(version: Version, auto_create: bool) {
    if !runs(version) {
        return;
    }
    let mut options = Options::default();
    options.settings.push(("action.auto_create_index".to_owned(), auto_create.into()));
    let server = Server::start_with(version, &options).unwrap();
    let template = json!({"index_patterns": ["*"], "settings": {"refresh_interval": "-1", "number_of_shards": 3,
        "default_pipeline": "absent"}});
    server.call("PUT", "/_template/all", &template.to_string()).unwrap();
    let store = Node::new(&server, "late").store();
    let item = WorkItem::new("books", 0, 0..10);
    store.create_run(&run(&store)).await.unwrap();
    store.create_items(std::slice::from_ref(&item)).await.unwrap();
    let found = store.item(&item.id()).await.unwrap().unwrap();
    let known = store.run().await.unwrap().unwrap();
    assert_eq!(indices(&server), [store.index()]);
    let path = format!("/_cluster/health/{}?wait_for_status=green&timeout=20s", store.index());
    let health = server.call("GET", &path, "").unwrap();
    assert_eq!((&health["status"], &health["active_shards"]), (&json!("green"), &json!(1)));

    server.call("DELETE", &format!("/{}", store.index()), "").unwrap();
    let late = [
        store.compare_and_set(&found.value, found.version).await.unwrap(),
        store.set_run(&known.value, known.version).await.unwrap(),
    ];
    assert_eq!(late, [CasOutcome::Conflict; 2]);
    let error = store.create_items(std::slice::from_ref(&item)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    assert_eq!(store.run().await.unwrap(), None);
    assert!(indices(&server).is_empty(), "{:?}", indices(&server));
}

#[tokio::test(flavor = "multi_thread")]
async fn late_writes_on_opensearch_2() {
    late_writes_make_nothing(Version::OpenSearch2_19_6, true).await;
    late_writes_make_nothing(Version::OpenSearch2_19_6, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_writes_on_elasticsearch_6() {
    late_writes_make_nothing(Version::Elasticsearch6_8_23, true).await;
    late_writes_make_nothing(Version::Elasticsearch6_8_23, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_writes_on_elasticsearch_8() {
    late_writes_make_nothing(Version::Elasticsearch8_19_21, true).await;
    late_writes_make_nothing(Version::Elasticsearch8_19_21, false).await;
}

/// Neither the working state of the system we replace, nor a name that leads to another session, is taken for ours.
#[tokio::test(flavor = "multi_thread")]
async fn others_working_states_are_refused() {
    if !runs(Version::OpenSearch2_19_6) {
        return;
    }
    let server = Server::start(Version::OpenSearch2_19_6).unwrap();
    let theirs = Node::new(&server, "theirs").store();
    let setup = json!({"scriptVersion": "2.0", "expiration": 0, "completedAt": 5});
    let path = format!("/{}/_doc/shard_setup", theirs.index());
    server.call("PUT", &path, &setup.to_string()).unwrap();

    let first = Node::new(&server, "first").store();
    first.create_run(&run(&first)).await.unwrap();
    let other = Node::new(&server, "other").store();
    let actions =
        json!({"actions": [{"add": {"index": first.index(), "alias": other.index()}}]}).to_string();
    server.call("POST", "/_aliases", &actions).unwrap();

    for store in [&theirs, &other] {
        let errors = [
            store.run().await.map(|_| ()),
            store.create_run(&run(store)).await.map(|_| ()),
            store.create_items(&[WorkItem::new("a", 0, 0..1)]).await.map(|_| ()),
            store.drop_session().await,
        ];
        for error in errors {
            assert_eq!(error.unwrap_err().kind(), ErrorKind::State);
        }
    }
    assert_eq!(server.call("GET", &path, "").unwrap()["_source"], setup);
    assert!(first.run().await.unwrap().is_some());
}

/// A cluster that wants a copy in each of its three zones gets them.
#[tokio::test(flavor = "multi_thread")]
async fn zones_in_balance_are_no_hindrance() {
    if !runs(Version::OpenSearch2_19_6) {
        return;
    }
    let mut options = Options::default();
    for (name, value) in [
        ("node.attr.zone", "a"),
        ("cluster.routing.allocation.awareness.attributes", "zone"),
        ("cluster.routing.allocation.awareness.force.zone.values", "a,b,c"),
        ("cluster.routing.allocation.awareness.balance", "true"),
    ] {
        options.settings.push((name.to_owned(), value.into()));
    }
    let server = Server::start_with(Version::OpenSearch2_19_6, &options).unwrap();
    let store = Node::new(&server, "zones").store();
    let refused = server.call("PUT", "/a", r#"{"settings":{"auto_expand_replicas":"0-1"}}"#);
    assert!(refused.unwrap_err().to_string().contains("awareness attributes"));
    assert_eq!(store.create_run(&run(&store)).await.unwrap(), Created::Created);
    assert_eq!(store.create_items(&[WorkItem::new("a", 0, 0..1)]).await.unwrap(), 1);
    assert_eq!(store.unfinished().await.unwrap(), 1);
}

/// A run whose planner died before it wrote anything into the index that it made is planned by the next.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_without_a_run_is_gone_on_with() {
    if !runs(Version::OpenSearch2_19_6) {
        return;
    }
    let server = Server::start(Version::OpenSearch2_19_6).unwrap();
    let store = Node::new(&server, "died").store();
    store.create_run(&run(&store)).await.unwrap();
    let sentinel = format!("/{}/_doc/shard_setup", store.index());
    server.call("DELETE", &sentinel, "").unwrap();
    let next = Node::new(&server, "died").store();
    assert_eq!(next.run().await.unwrap(), None);
    assert_eq!(next.create_run(&run(&next)).await.unwrap(), Created::Created);
    assert_eq!(next.create_items(&[WorkItem::new("a", 0, 0..1)]).await.unwrap(), 1);
    assert_eq!(store.unfinished().await.unwrap(), 1);
    server.call("DELETE", &sentinel, "").unwrap();
    store.drop_session().await.unwrap();
    assert!(indices(&server).is_empty());
}

async fn conforms(version: Version) {
    if !runs(version) {
        return;
    }
    let server = Server::start(version).unwrap();
    snapfill::work_store_conformance_calls!(|name: &str| Node::new(&server, name));
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_5() {
    conforms(Version::Elasticsearch5_6_16).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_6() {
    conforms(Version::Elasticsearch6_8_23).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_7() {
    conforms(Version::Elasticsearch7_17_29).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_8() {
    conforms(Version::Elasticsearch8_19_21).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_9() {
    conforms(Version::Elasticsearch9_5_3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opensearch_1() {
    conforms(Version::OpenSearch1_3_20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opensearch_2() {
    conforms(Version::OpenSearch2_19_6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opensearch_3() {
    conforms(Version::OpenSearch3_8_0).await;
}
