//! Indices that a real cluster has already: what `plan` says of their settings, and what the load
//! changes and puts back.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use snapfill::SystemClock;
use snapfill::cluster::{HttpCluster, HttpConfig};
use snapfill::controller::{BackfillController, LocalBackfill, RunEnd};
use snapfill::preparation::LoadSettings;
use snapfill::settings::BackfillSettings;
use snapfill::testkit::{BulkFault, FaultyCluster};
use snapfill_harness::{Http, Server, Version, runs};
use snapfill_tests::fixtures::Fixture;

fn settings_of(http: Http) -> [Value; 2] {
    let answer = http.call("GET", "/routed/_settings?flat_settings=true", "").unwrap();
    ["index.refresh_interval", "index.number_of_replicas"]
        .map(|name| answer["routed"]["settings"][name].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_there_is_loaded_without_refresh_and_put_back() {
    if !runs(Version::OpenSearch2_19_6) {
        return;
    }
    let server = Server::start(Version::OpenSearch2_19_6).unwrap();
    server.call("PUT", "/_ingest/pipeline/nothing", r#"{"processors":[]}"#).unwrap();
    let made = json!({"settings": {"number_of_shards": 5, "number_of_replicas": 1, "refresh_interval": "30s",
        "final_pipeline": "nothing"}});
    server.call("PUT", "/routed", &made.to_string()).unwrap();
    let http = server.http();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let cluster = HttpCluster::new(HttpConfig::new([server.url()]).unwrap()).unwrap();
    let watching = {
        let seen = Arc::clone(&seen);
        FaultyCluster::new(Arc::new(cluster), Arc::new(SystemClock::new())).on_bulk(move |_, _| {
            seen.lock().unwrap().push(settings_of(http));
            BulkFault::None
        })
    };
    let state = tempfile::tempdir().unwrap();
    let repository = Fixture::named("opensearch-2.19.6").repository().display().to_string();
    let mut settings = BackfillSettings::new(repository, "snap-2", state.path());
    settings.indices = vec!["routed".to_owned()];
    settings.load = LoadSettings { disable_refresh: true, defer_replicas: true };
    let backfill =
        LocalBackfill::builder(settings).with_cluster(Arc::new(watching)).build().unwrap();
    let plan = backfill.plan().await.unwrap();
    let warnings = &plan.targets.first().unwrap().warnings;
    assert!(warnings.iter().any(|text| text.contains("final pipeline `nothing`")), "{warnings:?}");
    backfill.start().await.unwrap();
    assert_eq!(backfill.wait().await.unwrap(), RunEnd::Completed);
    let seen = seen.lock().unwrap().clone();
    assert!(!seen.is_empty() && seen.iter().all(|seen| *seen == ["-1", "0"]), "{seen:?}");
    assert_eq!(settings_of(http), ["30s", "1"]);
}
