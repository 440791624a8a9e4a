//! Repositories in buckets of S3, read through a real server's requests.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use serde_json::Value;
use snapfill::snapshot::{
    DocumentsOptions, Repository, RepositoryOptions, S3Options, Shard, Snapshot,
};
use snapfill::{ErrorKind, Result};
use snapfill_harness::{S3Call, S3Fault, S3Server};
use snapfill_tests::fixtures::{Fixture, Line, assert_same, expected_by_id, folder};

/// A bucket that takes requests without a signature: a test can give no keys to its own process.
const BUCKET: &str = "open-books";

fn options(server: &S3Server) -> RepositoryOptions {
    let s3 = S3Options {
        endpoint: Some(server.url().to_owned()),
        anonymous: true,
        ..S3Options::default()
    };
    RepositoryOptions { s3, ..RepositoryOptions::default() }
}

/// A server that holds the repository of a fixture.
fn holding(fixture: &str, prefix: &str) -> S3Server {
    let server = S3Server::start().unwrap();
    server.upload(BUCKET, prefix, &Fixture::named(fixture).repository()).unwrap();
    server
}

async fn open(server: &S3Server, location: &str, snapshot: &str) -> Result<Snapshot> {
    Repository::open_with(location, options(server)).await?.snapshot(snapshot).await
}

async fn documents(snapshot: &Snapshot) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for index in snapshot.indices().await? {
        for shard in snapshot.shards(&index).await? {
            lines.extend(documents_of(&shard).await?);
        }
    }
    lines.sort();
    Ok(lines)
}

async fn documents_of(shard: &Shard) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    let mut batches = shard.documents(DocumentsOptions::default());
    while let Some(batch) = batches.next().await {
        lines.extend(batch?.documents.documents().map(|document| Line {
            index: shard.index().to_owned(),
            doc_type: document.doc_type.map(|name| name.to_string()),
            id: document.id,
            routing: document.routing,
            parent: document.parent,
            source: Some(String::from_utf8(document.source.to_vec()).unwrap()),
        }));
    }
    Ok(lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_equal_those_of_a_folder_wherever_in_the_bucket_they_are() {
    for (fixture, prefix, location) in [
        ("elasticsearch-1.7.6", "", "s3://open-books"),
        ("elasticsearch-8.19.21", "nightly", "s3://open-books/nightly/"),
        ("opensearch-3.8.0", "a/b c+d", "s3://open-books/a/b c+d"),
    ] {
        let server = holding(fixture, prefix);
        let snapshot = open(&server, location, "snap-2").await.unwrap();
        let read = documents(&snapshot).await.unwrap();
        assert_same(&read, &Fixture::named(fixture).expected_with_source("snap-2"), fixture);
        assert_eq!(snapshot.repository(), location);
        assert_eq!(snapshot.repository_url(), location.trim_end_matches('/'));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hashed_paths_and_remote_stores_are_found_in_buckets() {
    let server = S3Server::start().unwrap();
    server.upload(BUCKET, "p", &folder("opensearch-2.19.6-paths").join("prefix")).unwrap();
    server.upload(BUCKET, "s", &folder("opensearch-2.19.6-shallow")).unwrap();
    let paths = RepositoryOptions {
        base_path: Some("q/w".to_owned()),
        allow_partial: true,
        ..options(&server)
    };
    let shallow = RepositoryOptions {
        remote_store: Some("s3://open-books/s/rs".to_owned()),
        remote_store_base_path: Some("bp/x".to_owned()),
        ..options(&server)
    };
    for (location, options, fixture) in [
        ("s3://open-books/p", paths, "opensearch-2.19.6-paths"),
        ("s3://open-books/s/snap", shallow, "opensearch-2.19.6-shallow"),
    ] {
        let repository = Repository::open_with(location, options).await.unwrap();
        let snapshot = repository.snapshot("s1").await.unwrap();
        let read = documents(&snapshot).await.unwrap();
        let expected = expected_by_id(fixture);
        assert_eq!(read.len(), expected.len());
        for line in read {
            assert_eq!(line.value().as_ref(), expected.get(&line.id), "{}", line.id);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_costs_few_requests_and_none_of_them_is_a_listing() {
    let server = holding("opensearch-2.19.6", "r");
    let snapshot = open(&server, "s3://open-books/r", "snap-2").await.unwrap();
    let opened = server.calls();
    assert_eq!(opened.iter().filter(|call| call.is_list()).count(), 1, "{opened:?}");
    assert_eq!(opened.len(), 3, "the catalogue's name, the catalogue, the snapshot: {opened:?}");

    let index = snapshot.index("shapes").await.unwrap();
    let shard = snapshot.shard_of(&index, 0).await.unwrap();
    let found = server.calls();
    assert_eq!(found.len(), 2, "the index's metadata, the shard's manifest: {found:?}");

    let documents = documents_of(&shard).await.unwrap();
    assert!(!documents.is_empty());
    let read = server.calls();
    assert!(read.iter().all(|call| call.method == "GET" && call.range.is_some()), "{read:?}");
    let files: BTreeSet<_> = read.iter().map(|call| &call.path).collect();
    assert!(read.len() <= 3 * files.len(), "{} for {}: {read:?}", read.len(), files.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_troubles_are_sat_out() {
    let server = holding("opensearch-2.19.6", "r");
    let trouble = [S3Fault::Refusal(503, "SlowDown"), S3Fault::Refusal(500, "InternalError")];
    server.fail_next(trouble);
    let snapshot = open(&server, "s3://open-books/r", "snap-2").await.unwrap();
    let index = snapshot.index("best").await.unwrap();
    let shard = snapshot.shard_of(&index, 0).await.unwrap();
    server.fail_next([S3Fault::Cut, S3Fault::Refusal(503, "SlowDown"), S3Fault::Cut]);
    let read = documents_of(&shard).await.unwrap();
    assert_eq!(server.faults_left(), 0);
    let expected: Vec<_> = Fixture::named("opensearch-2.19.6")
        .expected("snap-2")
        .into_iter()
        .filter(|line| line.index == "best")
        .collect();
    let mut read = read;
    read.sort();
    assert_same(&read, &expected, "best");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_not_ours_is_said_at_once() {
    let server = holding("opensearch-2.19.6", "r");
    let refused = async |location| open(&server, location, "snap-2").await.unwrap_err();
    let error = refused("s3://open-shelf/r").await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("there is no bucket `open-shelf`"), "{error}");
    let error = refused("s3://open-books/elsewhere").await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("is no snapshot repository"), "{error}");

    server.bucket("closed").unwrap();
    let _ = server.calls();
    let error = refused("s3://closed/r").await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(!error.is_retryable());
    let asked: Vec<S3Call> = server.calls();
    assert!(asked.len() <= 3, "no refusal is asked for again: {asked:?}");

    server.fail_next([S3Fault::Refusal(400, "ExpiredToken"); 3]);
    let error = refused("s3://open-books/r").await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.message().contains("have expired"), "{error}");
}

#[test]
fn options_of_buckets_are_data_without_the_profile() {
    let s3 = S3Options { profile: Some("mine".into()), path_style: true, ..S3Options::default() };
    let written: Value = serde_json::to_value(&s3).unwrap();
    assert_eq!(written.get("profile"), None);
    assert_eq!(written["pathStyle"], true);
}
