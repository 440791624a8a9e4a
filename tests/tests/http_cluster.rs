//! `HttpCluster` on real servers, which belong to the full tier.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use snapfill::cluster::{ClusterClient, HttpCluster, HttpConfig};
use snapfill::testkit::ClusterFixture;
use snapfill_harness::{Server, Version, is_full_tier};

struct Node {
    cluster: Arc<HttpCluster>,
    index: String,
}

impl ClusterFixture for Node {
    fn cluster(&self) -> Arc<dyn ClusterClient> {
        Arc::clone(&self.cluster) as _
    }

    fn index(&self) -> String {
        self.index.clone()
    }
}

async fn conforms(version: Version) {
    if !is_full_tier() {
        return;
    }
    let server = Server::start(version).unwrap();
    let cluster = Arc::new(HttpCluster::new(HttpConfig::new([server.url()]).unwrap()).unwrap());
    let info = cluster.info().await.unwrap();
    assert!(version.name().ends_with(&info.version), "{info:?}");
    let health = cluster.health().await.unwrap();
    assert_eq!(health.data_nodes, Some(1));
    assert!(health.write_queue.is_some() && health.heap_percent.is_some(), "{health:?}");
    assert!(health.disk_percent.is_some(), "{health:?}");
    snapfill::cluster_client_conformance_calls!(|name: &str| Node {
        cluster: Arc::clone(&cluster),
        index: name.to_owned()
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_7_10() {
    conforms(Version::Elasticsearch7_10_2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_7_17() {
    conforms(Version::Elasticsearch7_17_29).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_8_15() {
    conforms(Version::Elasticsearch8_15_0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_8_19() {
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
