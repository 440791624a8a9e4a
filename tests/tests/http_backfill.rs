//! A backfill of fixtures into real clusters, which belong to the full tier: every document equal by id, routing and source.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;

use snapfill::cluster::{ClusterClientExt, HttpCluster, HttpConfig};
use snapfill::controller::{BackfillController, LocalBackfill, Plan, RunEnd};
use snapfill::settings::BackfillSettings;
use snapfill::snapshot::Repository;
use snapfill_harness::{Server, Version, is_full_tier};
use snapfill_tests::fixtures::{Fixture, assert_same};
use snapfill_tests::node::{by_index, documents_of};

const SNAPSHOT: &str = "snap-2";

/// Makes the indices by hand, with as many shards as they had and no mapping of fields: what is proved here are documents
/// and their shards, not definitions. Data streams' indices are left out, since nobody may make them by name.
async fn make_indices(server: &Server, fixture: Fixture) -> Vec<String> {
    let snapshot = Repository::open(&fixture.repository().display().to_string())
        .await
        .unwrap()
        .snapshot(SNAPSHOT)
        .await
        .unwrap();
    let plan = Plan::make(&snapshot, &[]).await.unwrap();
    let mut names = Vec::new();
    for index in plan.migrated().filter(|index| !index.name.starts_with('.')) {
        let definition = serde_json::json!({
            "settings": {"number_of_shards": index.shards.len(), "number_of_replicas": 0},
            "mappings": {"dynamic": false},
        });
        server.call("PUT", &format!("/{}", index.name), &definition.to_string()).unwrap();
        names.push(index.name.clone());
    }
    names
}

async fn fills(fixture: &str, version: Version) {
    if !is_full_tier() {
        return;
    }
    let fixture = Fixture::named(fixture);
    let server = Server::start(version).unwrap();
    let indices = make_indices(&server, fixture).await;
    let state = tempfile::tempdir().unwrap();
    let mut settings =
        BackfillSettings::new(fixture.repository().display().to_string(), SNAPSHOT, state.path());
    settings.indices = indices.clone();
    settings.workers = 3;
    settings.bulk.documents = 50;
    let cluster = Arc::new(HttpCluster::new(HttpConfig::new([server.url()]).unwrap()).unwrap());
    let backfill =
        LocalBackfill::builder(settings).with_cluster(Arc::clone(&cluster) as _).build().unwrap();
    backfill.start().await.unwrap();
    let end = backfill.wait().await.unwrap();
    let work = backfill.deep_status().await.unwrap().work;
    assert_eq!((work.books.failed, work.books.overwritten), (0, 0), "{:?}", work.books);

    let expected = by_index(fixture.expected_with_source(SNAPSHOT));
    let mut lost = 0;
    for index in &indices {
        let none = Vec::new();
        let expected = expected.get(index).unwrap_or(&none);
        assert_eq!(cluster.refreshed_count(index).await.unwrap(), expected.len() as u64, "{index}");
        assert_same(&documents_of(&server, index), expected, &format!("{} {index}", fixture.name));
        lost += fixture.expected_without_source(SNAPSHOT).get(index).copied().unwrap_or(0);
    }
    assert_eq!(end, if lost > 0 { RunEnd::CompletedWithErrors } else { RunEnd::Completed });
    assert_eq!(
        searched_by_routing(&server, &expected, "routed"),
        0,
        "documents on another shard than their routing's"
    );
}

/// How many documents a search by their routing does not find.
fn searched_by_routing(
    server: &Server,
    expected: &BTreeMap<String, Vec<snapfill_tests::fixtures::Line>>,
    index: &str,
) -> usize {
    let lines = expected.get(index).map(Vec::as_slice).unwrap_or_default();
    let routed = lines.iter().filter_map(|line| Some((&line.id, line.routing.as_ref()?)));
    routed
        .filter(|(id, routing)| {
            let query = serde_json::json!({"query": {"ids": {"values": [id]}}}).to_string();
            let found = server
                .call("POST", &format!("/{index}/_search?routing={routing}"), &query)
                .unwrap();
            found["hits"]["hits"].as_array().is_none_or(|hits| hits.len() != 1)
        })
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn opensearch_1_into_opensearch_2() {
    fills("opensearch-1.3.20", Version::OpenSearch2_19_6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opensearch_2_into_opensearch_2() {
    fills("opensearch-2.19.6", Version::OpenSearch2_19_6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_7_into_opensearch_2() {
    fills("elasticsearch-7.17.29", Version::OpenSearch2_19_6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opensearch_3_into_opensearch_3() {
    fills("opensearch-3.8.0", Version::OpenSearch3_8_0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_8_into_opensearch_3() {
    fills("elasticsearch-8.19.21", Version::OpenSearch3_8_0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_9_into_elasticsearch_9() {
    fills("elasticsearch-9.5.3", Version::Elasticsearch9_5_3).await;
}
