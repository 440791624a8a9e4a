//! Repositories of every layout: before catalogues, with hashed paths, with shards elsewhere, with shards missing.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use snapfill::controller::{BackfillController, LocalBackfill, Plan, RunEnd};
use snapfill::settings::BackfillSettings;
use snapfill::snapshot::{DocumentsOptions, Repository, RepositoryOptions, Snapshot};
use snapfill::{ErrorKind, SkipReason};
use snapfill_tests::fixtures::{FIXTURES, Fixture, SNAPSHOTS, expected_by_id, folder};
use snapfill_tests::target::documents_of;

const PATHS: &str = "opensearch-2.19.6-paths";
const SHALLOW: &str = "opensearch-2.19.6-shallow";

fn text(path: PathBuf) -> String {
    path.to_str().unwrap().to_owned()
}

fn partial(base: Option<&str>) -> RepositoryOptions {
    RepositoryOptions {
        allow_partial: true,
        base_path: base.map(str::to_owned),
        ..RepositoryOptions::default()
    }
}

fn remote(location: PathBuf, base: Option<&str>) -> RepositoryOptions {
    RepositoryOptions {
        remote_store: Some(text(location)),
        remote_store_base_path: base.map(str::to_owned),
        ..RepositoryOptions::default()
    }
}

async fn open(location: PathBuf, options: RepositoryOptions) -> snapfill::Result<Snapshot> {
    Repository::open_with(&text(location), options).await?.snapshot("s1").await
}

/// The documents of index `a` by id.
async fn documents(snapshot: &Snapshot) -> snapfill::Result<BTreeMap<String, Value>> {
    let mut found = BTreeMap::new();
    for number in 0..2 {
        let shard = snapshot.shard("a", number).await?;
        shard.check_lengths().await?;
        let mut batches = shard.documents(DocumentsOptions::default());
        while let Some(batch) = batches.next().await {
            for document in batch?.documents.documents() {
                let source = serde_json::from_slice(&document.source).unwrap();
                assert_eq!(found.insert(document.id, source), None);
            }
        }
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn hashed_paths_lead_to_the_shards() {
    let expected = expected_by_id(PATHS);
    for (kind, location, base) in [
        ("prefix", "prefix", Some("q/w")),
        ("infix", "infix", Some("q/w")),
        ("infix", "infix", Some("/q/w/")),
        ("infix", "infix/q/w", None),
        ("infix", "infix/q", Some("w")),
    ] {
        let snapshot = open(folder(PATHS).join(location), partial(base)).await.unwrap();
        assert_eq!(documents(&snapshot).await.unwrap(), expected, "{kind} {location} {base:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_beside_the_base_path_need_it_said() {
    let snapshot = open(folder(PATHS).join("prefix/q/w"), partial(None)).await.unwrap();
    let error = documents(&snapshot).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("--base-path"), "{error}");
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// A cluster setting may put a prefix before the hash; then only `snapshot_shard_paths` knows.
#[tokio::test(flavor = "multi_thread")]
async fn paths_with_a_prefix_of_their_own_are_looked_up() {
    let own = tempfile::tempdir().unwrap();
    copy(&folder(PATHS).join("infix"), own.path());
    let root = own.path().join("q/w");
    let written = root.join("snapshot_shard_paths/snapshot_path_4oSfkrukTLGZ7Qf9aDtPtw.a.2.2.1");
    let paths = std::fs::read_to_string(&written).unwrap();
    for hash in ["z00011110001011", "l01111011011110"] {
        std::fs::rename(root.join(hash), root.join(format!("own{hash}"))).unwrap();
    }
    let paths = paths.replace("q/w/z", "q/w/ownz").replace("q/w/l", "q/w/ownl");
    std::fs::write(&written, paths).unwrap();
    let snapshot = open(own.path().to_owned(), partial(Some("q/w"))).await.unwrap();
    assert_eq!(documents(&snapshot).await.unwrap(), expected_by_id(PATHS));
    std::fs::remove_file(&written).unwrap();
    let error = documents(&snapshot).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_snapshot_is_read_when_that_is_allowed() {
    let options = RepositoryOptions { base_path: Some("q/w".to_owned()), ..Default::default() };
    let refused = open(folder(PATHS).join("infix"), options).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Incomplete);
    assert!(refused.message().contains("un[0]"), "{refused}");
    assert!(refused.message().contains("--allow-partial"), "{refused}");

    let snapshot = open(folder(PATHS).join("infix"), partial(Some("q/w"))).await.unwrap();
    assert!(snapshot.missing("un", 0).is_some() && snapshot.missing("a", 0).is_none());
    assert_eq!(snapshot.shard("un", 0).await.unwrap_err().kind(), ErrorKind::Incomplete);
    let plan = Plan::make(&snapshot, &[]).await.unwrap();
    let missing: Vec<_> = plan.migrated().map(|index| (&*index.name, &*index.missing)).collect();
    assert_eq!(missing, [("a", &[][..]), ("un", &[0])]);
    assert!(plan.indices[1].warnings[0].contains("shard 0"), "{:?}", plan.indices[1].warnings);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_reports_the_shards_that_a_partial_snapshot_lacks() {
    let target = tempfile::tempdir().unwrap();
    let settings = BackfillSettings {
        repository_options: partial(Some("q/w")),
        ..BackfillSettings::new(text(folder(PATHS).join("prefix")), "s1", target.path())
    };
    let backfill = LocalBackfill::builder(settings).build().unwrap();
    backfill.start().await.unwrap();
    assert_eq!(backfill.wait().await.unwrap(), RunEnd::CompletedWithErrors);
    let work = backfill.deep_status().await.unwrap().work;
    assert_eq!((work.shards.total, work.shards.completed), (3, 3));
    let expected = expected_by_id(PATHS);
    assert_eq!(work.books.written, expected.len() as u64);
    assert_eq!(work.books.skipped, BTreeMap::from([(SkipReason::ShardMissing, 1)]));
    for index in &work.indices {
        assert_eq!(index.books.accounted(), index.live, "{}", index.index);
    }
    let written: BTreeMap<_, _> = documents_of(target.path())
        .await
        .into_iter()
        .map(|line| (line.id.clone(), line.value().unwrap()))
        .collect();
    assert_eq!(written, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn shallow_snapshots_are_read_from_the_remote_store() {
    let expected = expected_by_id(SHALLOW);
    for (location, base) in [("rs", Some("bp/x")), ("rs/bp/x", None), ("rs/bp", Some("x"))] {
        let options = remote(folder(SHALLOW).join(location), base);
        let snapshot = open(folder(SHALLOW).join("snap"), options).await.unwrap();
        assert_eq!(documents(&snapshot).await.unwrap(), expected, "{location} {base:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shallow_snapshot_says_what_it_needs() {
    let location = folder(SHALLOW).join("snap");
    let alone = open(location.clone(), RepositoryOptions::default()).await.unwrap();
    let error = documents(&alone).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("--remote-store"), "{error}");

    let astray = open(location, remote(folder(SHALLOW).join("rs"), None)).await.unwrap();
    let error = documents(&astray).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("no lock"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_before_catalogues_list_their_snapshots() {
    for (name, version) in [("elasticsearch-1.7.6", "1.7.6"), ("elasticsearch-2.4.6", "2.4.6")] {
        let fixture = Fixture::named(name);
        for repository in fixture.repositories() {
            let opened = Repository::open(&text(repository.folder.clone())).await.unwrap();
            let listed = opened.snapshots();
            let names: Vec<_> = listed.iter().map(|summary| &*summary.name).collect();
            assert_eq!(names, repository.snapshots, "{name}");
            for summary in &listed {
                assert_eq!(summary.state, Some("SUCCESS"));
                assert_eq!(summary.version.as_deref(), Some(version));
            }
        }
    }
}

/// Settings, mappings and aliases as the server had them, whatever the layout.
#[tokio::test(flavor = "multi_thread")]
async fn index_metadata_is_what_the_server_said() {
    for fixture in &FIXTURES[..4] {
        let name = fixture.name;
        for repository in fixture.repositories() {
            let opened = Repository::open(&text(repository.folder.clone())).await.unwrap();
            let snapshot = opened.snapshot(SNAPSHOTS[1]).await.unwrap();
            let expected = fixture.indices();
            let names: Vec<_> = expected.keys().map(String::as_str).collect();
            assert_eq!(snapshot.index_names(), names, "{name}");
            for (index, expected) in &expected {
                let found = snapshot.index(index).await.unwrap();
                let settings = &expected["settings"]["index"];
                assert_eq!(found.metadata.setting("index.uuid"), settings["uuid"].as_str());
                assert_eq!(u64::from(found.metadata.shards().unwrap()), expected["_shards"]);
                let aliases: Vec<_> = found.metadata.aliases.as_object().unwrap().keys().collect();
                let named: Vec<_> = expected["aliases"].as_object().unwrap().keys().collect();
                assert_eq!(aliases, named, "{name} {index}");
                let mappings = expected["mappings"].as_object().unwrap();
                let mapping = match mappings.len() {
                    1 => mappings.values().next().unwrap().clone(),
                    _ => expected["mappings"].clone(),
                };
                assert_eq!(found.metadata.mappings, mapping, "{name} {index}");
            }
        }
    }
}

/// Documents of one index: how many came, how many by `_recovery_source`, how many lacked it, how many were skipped.
async fn recovery(fixture: &str, index: &str, recovery_source: bool) -> [u64; 4] {
    let options = RepositoryOptions { recovery_source, ..RepositoryOptions::default() };
    let location = text(folder(fixture).join("repo"));
    let repository = Repository::open_with(&location, options).await.unwrap();
    let snapshot = repository.snapshot("snap-2").await.unwrap();
    let found = snapshot.index(index).await.unwrap();
    let mut counts = [0; 4];
    for number in 0..found.metadata.shards().unwrap() {
        let shard = snapshot.shard_of(&found, number).await.unwrap();
        let mut batches = shard.documents(DocumentsOptions::default());
        while let Some(batch) = batches.next().await {
            let batch = batch.unwrap();
            let skipped = batch.skipped.values().sum();
            let more = [batch.documents.len() as u64, batch.recovered, batch.unrecovered, skipped];
            counts = std::array::from_fn(|place| counts[place] + more[place]);
            for document in batch.documents.iter() {
                serde_json::from_slice::<Value>(document.source).unwrap();
            }
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recovery_source_is_taken_only_when_asked_for_and_counted() {
    assert_eq!(recovery("elasticsearch-8.15.0", "synthetic", false).await, [0, 0, 0, 39]);
    let [read, recovered, lacking, skipped] =
        recovery("elasticsearch-8.15.0", "synthetic", true).await;
    assert!(recovered > 0, "{recovered}");
    assert_eq!((read, skipped, read + skipped), (recovered, lacking, 39));
    // An index with a whole source has no use for it.
    assert_eq!(recovery("elasticsearch-8.15.0", "merged", true).await, [130, 0, 0, 0]);
    // What was never there is counted as such.
    assert_eq!(recovery("elasticsearch-9.5.3", "logsdb", true).await, [0, 0, 30, 30]);
}
