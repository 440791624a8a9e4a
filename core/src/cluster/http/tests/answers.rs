//! What answers mean.

use std::time::Duration;

use super::*;
use crate::cluster::{Distribution, HealthStatus, ItemOutcome};
use crate::{Error, ErrorKind};

/// What a bulk is answered with, and nothing else.
async fn bulk_answered(reply: Reply) -> crate::Result<crate::cluster::BulkOutcome> {
    let fake = Fake::start(move |seen| seen.is_bulk().then(|| reply.clone())).await;
    cluster(&fake).bulk(&two_documents()).await
}

async fn refused(status: u16, error_type: &str) -> Error {
    let body =
        format!(r#"{{"error":{{"type":"{error_type}","reason":"so it is"}},"status":{status}}}"#);
    bulk_answered(Reply::new(status, &body)).await.unwrap_err()
}

#[tokio::test]
async fn every_refusal_has_its_kind() {
    use ErrorKind::{Auth, Config, Conflict, NotFound, RateLimited, Unavailable, Unexpected};
    let table = [
        (401, "security_exception", Auth, false),
        (403, "security_exception", Auth, false),
        (403, "cluster_block_exception", Unavailable, true),
        (429, "es_rejected_execution_exception", RateLimited, true),
        (429, "circuit_breaking_exception", RateLimited, true),
        (408, "x", Unavailable, true),
        (502, "x", Unavailable, true),
        (503, "master_not_discovered_exception", Unavailable, true),
        (504, "x", Unavailable, true),
        (404, "index_not_found_exception", NotFound, false),
        (404, "x", Config, false),
        (409, "version_conflict_engine_exception", Conflict, true),
        (400, "illegal_argument_exception", Config, false),
        (500, "null_pointer_exception", Unexpected, true),
        (500, "node_closed_exception", Unavailable, true),
        (302, "x", Config, false),
    ];
    for (status, name, kind, retryable) in table {
        let error = refused(status, name).await;
        assert_eq!(
            (error.kind(), error.is_retryable()),
            (kind, retryable),
            "{status} {name}: {error}"
        );
        let text = error.to_string();
        assert!(text.contains("so it is") && text.contains("POST /books/_bulk"), "{text}");
    }
}

#[tokio::test]
async fn the_wish_to_wait_is_carried_along() {
    let busy = bulk_answered(Reply::new(429, "").header("retry-after: 17")).await.unwrap_err();
    assert_eq!(busy.retry_after(), Some(Duration::from_secs(17)));
    assert_eq!(refused(429, "x").await.retry_after(), None);
}

#[tokio::test]
async fn an_answer_that_is_cut_off_may_be_asked_for_again() {
    let whole = r#"{"items":[{"index":{"status":201}},{"index":{"status":201}}]}"#;
    for at in [0, 1, 20, whole.len() - 1] {
        let error = bulk_answered(Reply::new(200, whole).cut(at)).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true), "{error}");
    }
    for nonsense in ["", "<html>", "{}", r#"{"items":[]}"#, "null"] {
        let error = bulk_answered(Reply::new(200, nonsense)).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true), "{error}");
    }
}

#[tokio::test]
async fn a_request_that_is_too_large_is_no_error_but_an_outcome() {
    let outcome = bulk_answered(Reply::new(413, "<html>\n too big</html>")).await.unwrap();
    let [ItemOutcome::TooLarge(error), ItemOutcome::TooLarge(_)] = &outcome.items[..] else {
        panic!("{outcome:?}");
    };
    assert_eq!(error.error_type, "request_entity_too_large");
    assert!(error.reason.contains("too big"));
}

async fn greeted(greeting: &'static str) -> crate::Result<crate::cluster::ClusterInfo> {
    let fake = Fake::start(move |seen| match seen.target.as_str() {
        "/" => Some(Reply::new(200, greeting)),
        "/_nodes?filter_path=nodes.*.version" => {
            Some(Reply::new(200, r#"{"nodes":{"a":{"version":"1.3.20"},"b":{"version":"1.3.6"}}}"#))
        }
        _ => None,
    })
    .await;
    cluster(&fake).info().await
}

#[tokio::test]
async fn servers_are_known_by_what_they_say() {
    let elastic =
        r#"{"cluster_name":"c","version":{"number":"6.8.23"},"tagline":"You Know, for Search"}"#;
    let info = greeted(elastic).await.unwrap();
    assert_eq!((info.distribution, info.version.as_str()), (Distribution::Elasticsearch, "6.8.23"));
    let info = greeted(fake::GREETING).await.unwrap();
    assert_eq!((info.distribution, info.version.as_str()), (Distribution::OpenSearch, "2.19.6"));
    assert_eq!((info.name.as_str(), info.uuid.as_str()), ("c", "u"));
}

#[tokio::test]
async fn an_opensearch_in_disguise_is_known_by_its_nodes() {
    let disguised = r#"{"cluster_name":"c","version":{"number":"7.10.2","lucene_version":"8.10.1"},
        "tagline":"The OpenSearch Project: https://opensearch.org/"}"#;
    let info = greeted(disguised).await.unwrap();
    assert_eq!((info.distribution, info.version.as_str()), (Distribution::OpenSearch, "1.3.6"));
}

#[tokio::test]
async fn what_this_build_does_not_fill_is_refused_by_name() {
    let refused = [
        (
            r#"{"version":{"number":"10.0.0"},"tagline":"You Know, for Search"}"#,
            "Elasticsearch 10.0.0",
        ),
        (
            r#"{"version":{"number":"0.90.1"},"tagline":"You Know, for Search"}"#,
            "Elasticsearch 0.90.1",
        ),
        (r#"{"version":{"number":"4.1.0","distribution":"opensearch"}}"#, "OpenSearch 4.1.0"),
        (r#"{"version":{"number":"1.0","distribution":"manticore"}}"#, "manticore"),
        (r#"{"hello":"world"}"#, "neither OpenSearch nor Elasticsearch"),
        ("<html>", "neither OpenSearch nor Elasticsearch"),
    ];
    for (greeting, part) in refused {
        let error = greeted(greeting).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_bulk_to_an_absent_index_is_not_even_sent() {
    let fake = Fake::start(|seen| (seen.method == "HEAD").then(|| Reply::new(404, ""))).await;
    let error = cluster(&fake).bulk(&two_documents()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(fake.seen().iter().all(|seen| !seen.is_bulk()));
}

#[tokio::test]
async fn the_index_is_looked_for_once_and_again_after_it_was_missed() {
    let fake = Fake::start(|seen| {
        let missed = r#"{"items":[{"index":{"status":404,"error":{"type":"index_not_found_exception"}}},{"index":{"status":201}}]}"#;
        (seen.is_bulk() && seen.body.len() > 70).then(|| Reply::new(200, missed))
    })
    .await;
    let cluster = cluster(&fake);
    let looks = || fake.seen().iter().filter(|seen| seen.method == "HEAD").count();
    cluster.bulk(&two_documents()).await.unwrap();
    cluster.bulk(&two_documents()).await.unwrap();
    assert_eq!(looks(), 1);
    let longer = bulk("books", BulkOperation::Index, documents(1000..1002));
    assert_eq!(cluster.bulk(&longer).await.unwrap_err().kind(), ErrorKind::NotFound);
    cluster.bulk(&two_documents()).await.unwrap();
    assert_eq!(looks(), 2);
}

#[tokio::test]
async fn health_tells_how_full_the_fullest_queue_is_and_the_colour_of_one_index() {
    let fake = Fake::start(|seen| {
        let body = match seen.target.as_str() {
            "/_cluster/health/books?timeout=1s" => r#"{"status":"yellow"}"#,
            "/_cluster/health" => r#"{"status":"red"}"#,
            target if target.starts_with("/_nodes/stats") => {
                r#"{"nodes":{"a":{"thread_pool":{"write":{"queue":9500,"rejected":3}},"jvm":{"mem":{"heap_used_percent":71}}}}}"#
            }
            target if target.starts_with("/_nodes/thread_pool") => {
                r#"{"nodes":{"a":{"thread_pool":{"write":{"queue_size":10000}}}}}"#
            }
            _ => return None,
        };
        Some(Reply::new(200, body))
    })
    .await;
    let cluster = cluster(&fake);
    let health = cluster.health().await.unwrap();
    assert_eq!((health.status, health.write_queue_percent), (HealthStatus::Red, Some(95)));
    assert_eq!((health.write_queue, health.heap_percent), (Some(9500), Some(71)));
    assert_eq!(cluster.index_health("books").await.unwrap(), Some(HealthStatus::Yellow));
    assert_eq!(cluster.index_health("a,b").await.unwrap_err().kind(), ErrorKind::Config);
}
