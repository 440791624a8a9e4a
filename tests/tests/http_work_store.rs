//! `IndexWorkStore` on real servers, .
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use async_trait::async_trait;
use snapfill::SystemClock;
use snapfill::cluster::{HttpCluster, HttpConfig};
use snapfill::coordination::{IndexWorkStore, Session, WorkStore};
use snapfill::testkit::WorkStoreFixture;
use snapfill_harness::{Http, Server, Version, runs};

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
