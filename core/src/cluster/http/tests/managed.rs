//! What the services behind a cluster tell of it: CloudWatch of a domain, Serverless of a collection.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::fake::Seen;
use super::signed::{NOW, example, forbidden, is_genuine};
use super::small_cluster::{Kind, SmallCluster};
use super::*;
use crate::cluster::aws::{AwsCluster, AwsCredentials, AwsService, FixedCredentials};
use crate::cluster::{ClusterHealth, HealthStatus, IndexDefinition};
use crate::{ErrorKind, ManualClock};

/// CloudWatch, as far as it is asked: the newest figure of each metric.
async fn cloudwatch(figures: &'static [(&'static str, f64)]) -> Fake {
    Fake::start(move |seen| {
        if !is_genuine(seen, "monitoring") {
            return Some(forbidden("not signed"));
        }
        let operation = seen.header("x-amz-target");
        assert_eq!(operation, Some("GraniteServiceVersion20100801.GetMetricData"));
        assert_eq!(seen.header("content-type"), Some("application/x-amz-json-1.0"));
        let question: Value = serde_json::from_slice(&seen.body).unwrap();
        let results = question["MetricDataQueries"].as_array().unwrap().iter().map(|query| {
            let name = query["MetricStat"]["Metric"]["MetricName"].as_str().unwrap_or_default();
            let found = figures.iter().find(|(known, _)| *known == name);
            let values: Vec<f64> =
                found.into_iter().flat_map(|(_, value)| [*value, 99.0]).collect();
            json!({"Id": query["Id"], "StatusCode": "Complete", "Values": values})
        });
        let results: Vec<Value> = results.collect();
        Some(Reply::new(200, &json!({"MetricDataResults": results}).to_string()))
    })
    .await
}

const FIGURES: &[(&str, f64)] = &[
    ("ClusterStatus.red", 0.0),
    ("ClusterStatus.yellow", 1.0),
    ("CPUUtilization", 71.6),
    ("JVMMemoryPressure", 83.2),
    ("ThreadpoolWriteQueue", 12.0),
    ("FreeStorageSpace", 2048.0),
    ("ClusterIndexWritesBlocked", 0.0),
];

/// A domain that shows its colour or not even that, and CloudWatch.
async fn domain(shows_colour: bool) -> Fake {
    Fake::start(move |seen| match seen.target.split('?').next() {
        Some("/_cluster/health") if shows_colour => {
            Some(Reply::new(200, r#"{"status":"green","number_of_data_nodes":3}"#))
        }
        Some("/_cluster/health" | "/_nodes/stats/thread_pool,jvm,fs,os") => {
            Some(forbidden("User: u is not authorized to perform: es:ESHttpGet"))
        }
        _ => None,
    })
    .await
}

fn watched(
    domain: &Fake,
    cloudwatch: &Fake,
    account: Option<&str>,
    clock: &ManualClock,
) -> HttpCluster {
    let credentials = AwsCredentials { account_id: account.map(str::to_owned), ..example() };
    AwsCluster::new(AwsService::Domain, "eu-west-1", Arc::new(FixedCredentials(credentials)))
        .with_domain("books", None)
        .with_management_endpoint(Url::parse(&cloudwatch.url()).unwrap())
        .connect(HttpConfig::new([domain.url()]).unwrap(), Arc::new(clock.clone()))
        .unwrap()
}

#[tokio::test]
async fn cloudwatch_tells_what_the_domain_does_not_show() {
    let (cloudwatch, clock) = (cloudwatch(FIGURES).await, ManualClock::new(NOW));
    let seen = ClusterHealth {
        cpu_percent: Some(72),
        heap_percent: Some(83),
        write_queue: Some(12),
        free_disk_bytes: Some(2 << 30),
        writes_blocked: Some(false),
        ..ClusterHealth::of(HealthStatus::Yellow)
    };
    let closed = domain(false).await;
    let cluster = watched(&closed, &cloudwatch, Some("123456789012"), &clock);
    assert_eq!(cluster.health().await.unwrap(), seen);
    // What the domain shows is newer.
    let half_open = domain(true).await;
    let cluster = watched(&half_open, &cloudwatch, Some("123456789012"), &clock);
    let status = HealthStatus::Green;
    let expected = ClusterHealth { status, data_nodes: Some(3), ..seen };
    assert_eq!(cluster.health().await.unwrap(), expected);

    let asked = question(&cloudwatch.last());
    let dimensions = &asked["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"];
    let filed = json!([{"Name": "DomainName", "Value": "books"}, {"Name": "ClientId", "Value": "123456789012"}]);
    assert_eq!(*dimensions, filed);
    assert_eq!(asked["EndTime"], NOW.as_secs());
    assert_eq!(asked["StartTime"], NOW.as_secs() - 600);
    assert!(!format!("{cluster:?}").contains("wJalr"));
}

fn question(seen: &Seen) -> Value {
    serde_json::from_slice(&seen.body).unwrap()
}

#[tokio::test]
async fn cloudwatch_is_asked_once_a_minute() {
    let (cloudwatch, clock) = (cloudwatch(FIGURES).await, ManualClock::new(NOW));
    let domain = domain(true).await;
    let cluster = watched(&domain, &cloudwatch, Some("1"), &clock);
    for (after, asked) in [(0, 1), (59, 1), (1, 2)] {
        clock.advance(Duration::from_secs(after));
        cluster.health().await.unwrap();
        assert_eq!(cloudwatch.seen().len(), asked, "after {after} s more");
    }
}

#[tokio::test]
async fn metrics_are_searched_for_where_the_account_is_not_known() {
    let (cloudwatch, clock) = (cloudwatch(&[]).await, ManualClock::new(NOW));
    let domain = domain(true).await;
    let cluster = watched(&domain, &cloudwatch, None, &clock);
    let health = cluster.health().await.unwrap();
    assert_eq!((health.status, health.heap_percent), (HealthStatus::Green, None));
    let asked = question(&cloudwatch.last());
    assert_eq!(
        asked["MetricDataQueries"][3]["Expression"],
        "SEARCH('{AWS/ES,ClientId,DomainName} MetricName=\"JVMMemoryPressure\" DomainName=\"books\"', 'Maximum', 60)"
    );
}

#[tokio::test]
async fn a_domain_that_nobody_shows_is_an_error_that_names_both_reasons() {
    let (cloudwatch, clock) = (cloudwatch(&[]).await, ManualClock::new(NOW));
    let domain = domain(false).await;
    let cluster = watched(&domain, &cloudwatch, Some("1"), &clock);
    let error = cluster.health().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    let text = error.to_string();
    assert!(text.contains("es:ESHttpGet") && text.contains("no figures of the domain"), "{text}");
}

#[tokio::test]
async fn a_domain_that_shows_all_is_not_looked_up() {
    let (cloudwatch, clock) = (cloudwatch(FIGURES).await, ManualClock::new(NOW));
    let stats = json!({"nodes": {"a": {"thread_pool": {"write": {"queue": 0, "rejected": 0}},
        "jvm": {"mem": {"heap_used_percent": 40}}, "os": {"cpu": {"percent": 17}}}}});
    let open = Fake::start(move |seen| match seen.target.split('?').next() {
        Some("/_cluster/health") => Some(Reply::new(200, r#"{"status":"green"}"#)),
        Some("/_nodes/stats/thread_pool,jvm,fs,os") => Some(Reply::new(200, &stats.to_string())),
        _ => None,
    })
    .await;
    let health = watched(&open, &cloudwatch, Some("1"), &clock).health().await.unwrap();
    assert_eq!((health.heap_percent, health.cpu_percent), (Some(40), Some(17)));
    assert!(cloudwatch.seen().is_empty());
}

/// Serverless's own API.
async fn collections(reply: Reply) -> Fake {
    Fake::start(move |seen| {
        assert!(is_genuine(seen, "aoss"));
        let operation = seen.header("x-amz-target");
        assert_eq!(operation, Some("OpenSearchServerless.BatchGetCollection"));
        assert_eq!(question(seen), json!({"ids": ["07tjusf2h91cunochc"]}));
        Some(reply.clone())
    })
    .await
}

#[tokio::test]
async fn a_collections_type_tells_whose_ids_documents_get() {
    let of_type =
        |name: &str| Reply::new(200, &json!({"collectionDetails": [{"type": name}]}).to_string());
    let table = [
        (of_type("SEARCH"), false),
        (of_type("TIMESERIES"), true),
        (of_type("VECTORSEARCH"), true),
        (of_type("TOMORROW"), false),
        (Reply::new(200, r#"{"collectionDetails":[]}"#), false),
        (Reply::new(400, r#"{"__type":"AccessDeniedException","message":"no"}"#), false),
    ];
    for (place, (reply, gives_ids)) in table.into_iter().enumerate() {
        let small = SmallCluster::new(if gives_ids { Kind::TimeSeries } else { Kind::Search });
        let fake = Fake::start(move |seen| Some(small.answer(seen))).await;
        let management = collections(reply).await;
        let source = Arc::new(FixedCredentials(example()));
        let cluster = AwsCluster::new(AwsService::Serverless, "eu-west-1", source)
            .with_collection("07tjusf2h91cunochc")
            .with_management_endpoint(Url::parse(&management.url()).unwrap())
            .connect(HttpConfig::new([fake.url()]).unwrap(), Arc::new(ManualClock::new(NOW)))
            .unwrap();
        cluster.info().await.unwrap();
        assert_eq!(cluster.capability().client_ids, !gives_ids, "{place}");
        cluster.create_index("books", &IndexDefinition::default()).await.unwrap();
        assert!(cluster.bulk(&two_documents()).await.unwrap().is_clean());
        assert_eq!(management.seen().len(), 1, "asked once");
    }
}
