//! What every `ClusterClient` must do.

use std::sync::Arc;

use serde_json::json;

use super::samples::{bulk, document, documents};
use crate::cluster::{
    BulkOperation, ClusterClient, ClusterClientExt, Created, IndexDefinition, ItemOutcome,
};
use crate::{DocumentRef, ErrorKind};

/// A cluster to test, and an index in it that no other test uses.
pub trait ClusterFixture: Send + Sync {
    /// The cluster.
    fn cluster(&self) -> Arc<dyn ClusterClient>;

    /// The name of an index that is not there yet.
    fn index(&self) -> String {
        "conformance".to_owned()
    }
}

/// The cluster, and the fixture's index, made.
async fn with_index(fixture: &impl ClusterFixture) -> (Arc<dyn ClusterClient>, String) {
    let (cluster, index) = (fixture.cluster(), fixture.index());
    cluster.create_index(&index, &IndexDefinition::default()).await.unwrap();
    (cluster, index)
}

/// Who it is and how it fares can be asked, and its address shows no credentials.
pub async fn cluster_client_says_who_it_is(fixture: &impl ClusterFixture) {
    let cluster = fixture.cluster();
    let info = cluster.info().await.unwrap();
    assert!(info.major().is_some(), "{info:?}");
    cluster.health().await.unwrap();
    assert!(!cluster.address().is_empty() && !cluster.address().contains('@'));
}

/// Making an index that is there says so and keeps it.
pub async fn cluster_client_creates_an_index_once(fixture: &impl ClusterFixture) {
    let (cluster, index) = (fixture.cluster(), fixture.index());
    let definition = IndexDefinition::default();
    assert!(!cluster.has_index(&index).await.unwrap());
    assert_eq!(cluster.create_index(&index, &definition).await.unwrap(), Created::Created);
    let body = bulk(&index, BulkOperation::Index, documents(0..3));
    cluster.bulk(&body).await.unwrap();
    assert_eq!(cluster.create_index(&index, &definition).await.unwrap(), Created::AlreadyThere);
    assert_eq!(cluster.refreshed_count(&index).await.unwrap(), 3);
}

/// A full definition is accepted, and settings can be changed afterwards.
pub async fn cluster_client_keeps_definitions_with_settings(fixture: &impl ClusterFixture) {
    let (cluster, index) = (fixture.cluster(), fixture.index());
    let definition = IndexDefinition {
        settings: json!({"index": {"number_of_shards": "1", "number_of_replicas": "0"}}),
        mappings: json!({"properties": {"n": {"type": "long"}}}),
        aliases: json!({format!("{index}-alias"): {}}),
    };
    cluster.create_index(&index, &definition).await.unwrap();
    if cluster.capability().update_settings {
        let settings = json!({"index": {"refresh_interval": "30s"}});
        cluster.update_settings(&index, &settings).await.unwrap();
        let back = json!({"index": {"refresh_interval": null}});
        cluster.update_settings(&index, &back).await.unwrap();
    }
}

/// The settings of an index are told by flat name, and follow what is changed.
pub async fn cluster_client_tells_settings(fixture: &impl ClusterFixture) {
    let (cluster, index) = (fixture.cluster(), fixture.index());
    let capability = cluster.capability();
    if !capability.index_settings {
        assert_eq!(cluster.index_settings(&index).await.unwrap(), None);
        return;
    }
    let absent = cluster.index_settings(&index).await.unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::NotFound, "{absent}");
    let definition = IndexDefinition {
        settings: json!({"index": {"number_of_shards": "1", "number_of_replicas": "0", "refresh_interval": "7s"}}),
        ..IndexDefinition::default()
    };
    cluster.create_index(&index, &definition).await.unwrap();
    let interval = async || {
        let settings = cluster.index_settings(&index).await.unwrap().unwrap();
        assert_eq!(settings["index.number_of_shards"], "1", "{settings:?}");
        settings.get("index.refresh_interval").cloned()
    };
    assert_eq!(interval().await, Some(json!("7s")));
    if capability.update_settings {
        cluster.update_settings(&index, &json!({"index.refresh_interval": "30s"})).await.unwrap();
        assert_eq!(interval().await, Some(json!("30s")));
        cluster.update_settings(&index, &json!({"index.refresh_interval": null})).await.unwrap();
        let back = interval().await;
        // Gone, or put to what it is by default.
        assert!(back.is_none() || back == Some(json!("1s")), "{back:?}");
    }
}

/// One outcome a document, in order.
pub async fn cluster_client_bulk_says_what_became_of_each_document(fixture: &impl ClusterFixture) {
    let (cluster, index) = with_index(fixture).await;
    let first = bulk(&index, BulkOperation::Index, documents(2..4));
    assert_eq!(cluster.bulk(&first).await.unwrap().items, vec![ItemOutcome::Created; 2]);
    if !cluster.capability().client_ids {
        return;
    }
    let outcome = cluster.bulk(&bulk(&index, BulkOperation::Index, documents(0..5))).await.unwrap();
    let (created, updated) = (ItemOutcome::Created, ItemOutcome::Updated);
    let expected = [created.clone(), created.clone(), updated.clone(), updated, created];
    assert_eq!(outcome.items, expected);
}

/// A bulk that is sent again leaves the same documents: the ground on which a retry stands.
pub async fn cluster_client_replaces_when_a_bulk_is_sent_again(fixture: &impl ClusterFixture) {
    let (cluster, index) = with_index(fixture).await;
    if !cluster.capability().is_idempotent() {
        return;
    }
    let body = bulk(&index, BulkOperation::Index, documents(0..100));
    for _ in 0..3 {
        assert!(cluster.bulk(&body).await.unwrap().is_clean());
    }
    assert_eq!(cluster.refreshed_count(&index).await.unwrap(), 100);
}

/// In create mode a taken id is `Present`, which is no failure.
pub async fn cluster_client_create_mode_leaves_alone_what_is_there(fixture: &impl ClusterFixture) {
    let (cluster, index) = with_index(fixture).await;
    if !cluster.capability().client_ids {
        return;
    }
    cluster.bulk(&bulk(&index, BulkOperation::Index, documents(0..1))).await.unwrap();
    let outcome =
        cluster.bulk(&bulk(&index, BulkOperation::Create, documents(0..2))).await.unwrap();
    assert_eq!(outcome.items, [ItemOutcome::Present, ItemOutcome::Created]);
    assert_eq!(cluster.refreshed_count(&index).await.unwrap(), 2);
}

/// Two documents of one id in one bulk: the second replaces the first.
pub async fn cluster_client_writes_an_id_twice_in_one_bulk(fixture: &impl ClusterFixture) {
    let (cluster, index) = with_index(fixture).await;
    if !cluster.capability().client_ids {
        return;
    }
    let twice = [document(0, "same", b"{}"), document(1, "same", b"{\"a\":1}")];
    let body = bulk(&index, BulkOperation::Index, twice.into_iter().collect());
    let outcome = cluster.bulk(&body).await.unwrap();
    assert_eq!(outcome.items, [ItemOutcome::Created, ItemOutcome::Updated]);
    assert_eq!(cluster.refreshed_count(&index).await.unwrap(), 1);
}

/// Nothing to do is no error.
pub async fn cluster_client_takes_an_empty_bulk(fixture: &impl ClusterFixture) {
    let (cluster, index) = with_index(fixture).await;
    let outcome = cluster.bulk(&bulk(&index, BulkOperation::Index, documents(0..0))).await.unwrap();
    assert!(outcome.items.is_empty() && outcome.is_clean());
}

/// Ids are exact, whatever characters they have.
pub async fn cluster_client_takes_strange_ids(fixture: &impl ClusterFixture) {
    let (cluster, index) = with_index(fixture).await;
    let ids =
        ["é", "e\u{301}", "a/b?c#d", "\"quoted\"", "line\nbreak", "日本語", " ", "%2e", "A", "a"];
    let strange = ids.iter().map(|id| document(0, id, b"{}")).collect();
    let outcome = cluster.bulk(&bulk(&index, BulkOperation::Index, strange)).await.unwrap();
    assert_eq!(outcome.items, vec![ItemOutcome::Created; ids.len()]);
    assert_eq!(cluster.refreshed_count(&index).await.unwrap(), ids.len() as u64);
}

/// Documents that differ in their routing alone are two, where the cluster says so.
pub async fn cluster_client_keeps_routings_apart(fixture: &impl ClusterFixture) {
    let (cluster, index) = with_index(fixture).await;
    if !cluster.capability().routing_in_key {
        return;
    }
    let routed = |routing| DocumentRef { routing, ..document(0, "same", b"{}") };
    let pair = [routed(None), routed(Some("r")), routed(Some("s"))].into_iter().collect();
    cluster.bulk(&bulk(&index, BulkOperation::Index, pair)).await.unwrap();
    assert_eq!(cluster.refreshed_count(&index).await.unwrap(), 3);
}

/// Documents that differ in their type alone are two, where the cluster says so.
pub async fn cluster_client_keeps_types_apart(fixture: &impl ClusterFixture) {
    let (cluster, index) = with_index(fixture).await;
    if !cluster.capability().types_in_key {
        return;
    }
    let typed = |name| DocumentRef { doc_type: Some(name), ..document(0, "same", b"{}") };
    let pair = [typed("book"), typed("page")].into_iter().collect();
    cluster.bulk(&bulk(&index, BulkOperation::Index, pair)).await.unwrap();
    assert_eq!(cluster.refreshed_count(&index).await.unwrap(), 2);
}

/// A bulk to an index that is not there fails and makes none: a mistyped name must not become an index.
pub async fn cluster_client_makes_no_index_by_a_bulk(fixture: &impl ClusterFixture) {
    let (cluster, index) = (fixture.cluster(), fixture.index());
    let body = bulk(&index, BulkOperation::Index, documents(0..1));
    assert_eq!(cluster.bulk(&body).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(!cluster.has_index(&index).await.unwrap());
}

/// Every call that names an absent index says so.
pub async fn cluster_client_knows_absent_indices(fixture: &impl ClusterFixture) {
    let (cluster, index) = (fixture.cluster(), fixture.index());
    assert_eq!(cluster.count(&index).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(cluster.refresh(&index).await.unwrap_err().kind(), ErrorKind::NotFound);
    let change = cluster.update_settings(&index, &json!({})).await;
    if cluster.capability().update_settings {
        assert_eq!(change.unwrap_err().kind(), ErrorKind::NotFound);
    }
}

/// The list has the index with its documents.
pub async fn cluster_client_lists_indices(fixture: &impl ClusterFixture) {
    let (cluster, index) = with_index(fixture).await;
    cluster.bulk(&bulk(&index, BulkOperation::Index, documents(0..7))).await.unwrap();
    cluster.refresh(&index).await.unwrap();
    let rows = cluster.cat_indices().await.unwrap();
    assert!(rows.is_sorted_by(|a, b| a.index <= b.index));
    let row = rows.iter().find(|row| row.index == index).unwrap();
    assert_eq!(row.docs_count, Some(7));
    assert!(row.uuid.as_ref().is_some_and(|uuid| !uuid.is_empty()));
}

/// Many bulks at once lose nothing: what is refused for now is told as such, and is taken when it is sent again.
pub async fn cluster_client_takes_bulks_at_once(fixture: &impl ClusterFixture) {
    let (cluster, index) = with_index(fixture).await;
    let bulks = (0..16).map(|place| {
        let body = bulk(&index, BulkOperation::Index, documents(place * 50..place * 50 + 50));
        let cluster = Arc::clone(&cluster);
        tokio::spawn(async move {
            for _ in 0..100 {
                let outcome = cluster.bulk(&body).await.unwrap();
                if outcome.is_clean() {
                    return true;
                }
                let is_settled = |item: &ItemOutcome| {
                    item.is_acknowledged() || matches!(item, ItemOutcome::Retry(_))
                };
                assert!(outcome.items.iter().all(is_settled), "{outcome:?}");
            }
            false
        })
    });
    for outcome in futures::future::join_all(bulks.collect::<Vec<_>>()).await {
        assert!(outcome.unwrap(), "refused a hundred times");
    }
    assert_eq!(cluster.refreshed_count(&index).await.unwrap(), 800);
}
