//! Starts real servers, so it belongs to the full tier.

use serde_json::json;
use snapfill_harness::{Result, Server, Version, is_full_tier};

fn takes_a_snapshot(version: Version) -> Result<()> {
    if !is_full_tier() {
        return Ok(());
    }
    let server = Server::start(version)?;
    let info = server.call("GET", "/", "")?;
    assert!(version.name().ends_with(info["version"]["number"].as_str().unwrap_or("?")), "{info}");
    server.call("PUT", "/books/_doc/1?refresh=true", r#"{"title":"Emma"}"#)?;
    let repository = json!({"type": "fs", "settings": {"location": server.repo_dir()}});
    server.call("PUT", "/_snapshot/repo", &repository.to_string())?;
    let taken = server.call("PUT", "/_snapshot/repo/one?wait_for_completion=true", "{}")?;
    assert_eq!(taken["snapshot"]["state"], "SUCCESS", "{taken}");
    assert!(server.repo_dir().join("index.latest").exists());

    let (http, repo) = (server.http(), server.repo_dir().to_owned());
    server.stop()?;
    assert!(http.request("GET", "/", b"").is_err(), "the node still answers");
    assert!(!repo.exists(), "the node's folder is still there");
    Ok(())
}

#[test]
fn elasticsearch_7_10_takes_a_snapshot() -> Result<()> {
    takes_a_snapshot(Version::Elasticsearch7_10_2)
}

#[test]
fn elasticsearch_7_17_takes_a_snapshot() -> Result<()> {
    takes_a_snapshot(Version::Elasticsearch7_17_29)
}

#[test]
fn elasticsearch_8_15_takes_a_snapshot() -> Result<()> {
    takes_a_snapshot(Version::Elasticsearch8_15_0)
}

#[test]
fn elasticsearch_8_19_takes_a_snapshot() -> Result<()> {
    takes_a_snapshot(Version::Elasticsearch8_19_21)
}

#[test]
fn elasticsearch_9_takes_a_snapshot() -> Result<()> {
    takes_a_snapshot(Version::Elasticsearch9_5_3)
}

#[test]
fn opensearch_1_takes_a_snapshot() -> Result<()> {
    takes_a_snapshot(Version::OpenSearch1_3_20)
}

#[test]
fn opensearch_2_takes_a_snapshot() -> Result<()> {
    takes_a_snapshot(Version::OpenSearch2_19_6)
}

#[test]
fn opensearch_3_takes_a_snapshot() -> Result<()> {
    takes_a_snapshot(Version::OpenSearch3_8_0)
}

#[test]
fn a_panic_takes_the_server_along() {
    if !is_full_tier() {
        return;
    }
    let server = Server::start(Version::OpenSearch2_19_6).unwrap();
    let http = server.http();
    let outcome = std::panic::catch_unwind(move || {
        let _server = server;
        panic!("as a failing test would");
    });
    assert!(outcome.is_err());
    assert!(http.request("GET", "/", b"").is_err(), "the node outlived the panic");
}
