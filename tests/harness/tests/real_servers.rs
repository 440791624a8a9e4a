//! What a real server is started for, and what it leaves behind.
#![allow(clippy::expect_used)]

use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use snapfill_harness::{Options, Result, Server, Version, each_version, runs};

/// The type of documents that a version's API asks for.
fn type_of(version: Version) -> &'static str {
    if !version.is_opensearch() && version.major() < 6 { "doc" } else { "_doc" }
}

fn takes_a_snapshot(version: Version) {
    if runs(version) {
        take_a_snapshot(version).expect("a snapshot");
    }
}

each_version!(takes_a_snapshot);

fn take_a_snapshot(version: Version) -> Result<()> {
    let kept = tempfile::tempdir().expect("a temporary folder");
    let mut options = Options::default();
    options.repos = ["one", "two"].map(|name| kept.path().join(name)).into();
    // The folder above them is ours alone, and servers do not run as root.
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(kept.path(), open).expect("a folder of ours");
    let server = Server::start_with(version, &options)?;
    let info = server.call("GET", "/", "")?;
    assert!(version.name().ends_with(info["version"]["number"].as_str().unwrap_or("?")), "{info}");
    let document = format!("/books/{}/1?refresh=true", type_of(version));
    server.call("PUT", &document, r#"{"title":"Emma"}"#)?;
    assert_eq!(server.repo_dir(), options.repos[0]);
    for (number, repo) in options.repos.iter().enumerate() {
        let repository = json!({"type": "fs", "settings": {"location": repo}});
        server.call("PUT", &format!("/_snapshot/repo-{number}"), &repository.to_string())?;
        let path = format!("/_snapshot/repo-{number}/one?wait_for_completion=true");
        let taken = server.call("PUT", &path, "{}")?;
        assert_eq!(taken["snapshot"]["state"], "SUCCESS", "{taken}");
    }

    let http = server.http();
    server.stop()?;
    assert!(http.request("GET", "/", b"").is_err(), "the node still answers");
    for repo in &options.repos {
        let is_catalogue = |name: &str| name == "index" || name.starts_with("index-");
        let files = std::fs::read_dir(repo).expect("the repository stays");
        let names = files.map(|file| file.expect("a file").file_name());
        let names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        assert!(names.iter().any(|name| is_catalogue(name)), "{names:?}");
    }
    Ok(())
}

#[test]
fn what_a_node_wrote_goes_with_it() {
    if !runs(Version::OpenSearch2_19_6) {
        return;
    }
    let server = Server::start(Version::OpenSearch2_19_6).unwrap();
    let repo = server.repo_dir().to_owned();
    assert!(repo.exists());
    server.stop().unwrap();
    assert!(!repo.exists(), "the node's folder is still there");
}

#[test]
fn security_is_refused_where_there_is_no_plugin() {
    let mut options = Options::default();
    options.security = true;
    let error = Server::start_with(Version::OpenSearch3_8_0, &options).unwrap_err();
    assert!(error.to_string().contains("opensearch-2.19.4 has"), "{error}");
}

#[test]
fn a_panic_takes_the_server_along() {
    if !runs(Version::OpenSearch2_19_6) {
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
