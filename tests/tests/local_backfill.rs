//! A backfill of every fixture into a local target: exactly the expected documents, and books that balance.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use snapfill::controller::{BackfillController, BackfillStatus, Event, LocalBackfill, RunEnd};
use snapfill::settings::BackfillSettings;
use snapfill_tests::fixtures::{FIXTURES, Fixture, Line, assert_same};
use snapfill_tests::target::documents_of;

fn settings(fixture: Fixture, snapshot: &str, target: &Path) -> BackfillSettings {
    let repository = fixture.repository().display().to_string();
    BackfillSettings { workers: 3, ..BackfillSettings::new(repository, snapshot, target) }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fixture_fills_a_target_with_exactly_its_documents() {
    for fixture in FIXTURES {
        for (repository, snapshot) in fixture.snapshots() {
            let what = format!("{} {snapshot}", repository.display());
            let folder = tempfile::tempdir().unwrap();
            let settings = BackfillSettings {
                repository: repository.display().to_string(),
                ..settings(fixture, snapshot, folder.path())
            };
            let backfill = LocalBackfill::builder(settings).build().unwrap();
            backfill.start().await.unwrap();
            let end = backfill.wait().await.unwrap();
            assert_same(
                &documents_of(folder.path()).await,
                &fixture.expected_with_source(snapshot),
                &what,
            );

            let without_source = fixture.expected_without_source(snapshot);
            let expected_end = if without_source.is_empty() {
                RunEnd::Completed
            } else {
                RunEnd::CompletedWithErrors
            };
            assert_eq!(end, expected_end, "{what}");

            let status = backfill.deep_status().await.unwrap();
            let expected_shards: u64 = fixture.shards(snapshot);
            assert_eq!(
                (status.work.shards.completed, status.work.shards.total),
                (expected_shards, expected_shards)
            );
            let mut skipped = BTreeMap::new();
            for index in &status.work.indices {
                assert_eq!(
                    index.books.accounted(),
                    index.live,
                    "{what} {}: the books balance",
                    index.index
                );
                assert_eq!(index.books.overwritten, 0, "{what} {}", index.index);
                if index.books.skipped_total() > 0 {
                    skipped.insert(index.index.clone(), index.books.skipped_total());
                }
            }
            assert_eq!(skipped, without_source, "{what}");
            assert_reported(&backfill, fixture, snapshot, &what).await;
        }
    }
}

/// The report says what the server said, index by index, and finds it in the target.
async fn assert_reported(backfill: &LocalBackfill, fixture: Fixture, snapshot: &str, what: &str) {
    let report = backfill.report().await.unwrap();
    assert_eq!(report.balanced, Some(true), "{what}");
    let by_index = |lines: &[Line]| {
        let mut counts = BTreeMap::<String, u64>::new();
        for line in lines {
            *counts.entry(line.index.clone()).or_default() += 1;
        }
        counts
    };
    let live: BTreeMap<_, _> = report
        .indices
        .iter()
        .filter(|index| index.live > 0)
        .map(|index| (index.index.clone(), index.live))
        .collect();
    assert_eq!(live, by_index(&fixture.expected(snapshot)), "{what}");
    let found: BTreeMap<_, _> = report
        .targets
        .iter()
        .map(|check| (check.targets[0].index.clone(), check.documents.unwrap()))
        .filter(|(_, documents)| *documents > 0)
        .collect();
    assert_eq!(found, by_index(&fixture.expected_with_source(snapshot)), "{what}");
    assert!(report.targets.iter().all(|check| check.difference == Some(0)), "{what}");
    assert!(report.indices.iter().all(|index| index.targets == [index.index.clone()]), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_made_of_an_archive_too_and_of_nothing_else() {
    let fixture = Fixture::named("elasticsearch-8.15.0");
    let folder = tempfile::tempdir().unwrap();
    let backfill =
        LocalBackfill::builder(settings(fixture, "snap-2", folder.path())).build().unwrap();
    let nothing = backfill.report().await.unwrap_err();
    assert_eq!(nothing.kind(), snapfill::ErrorKind::NotFound);
    backfill.start().await.unwrap();
    backfill.wait().await.unwrap();
    let before = backfill.report().await.unwrap();
    let archive = backfill.stop(Some(&folder.path().join("archive"))).await.unwrap().unwrap();
    let after = backfill.report().await.unwrap();
    assert_eq!(after.archive.as_ref(), Some(&archive));
    assert_eq!((after.end, &after.books, after.live), (before.end, &before.books, before.live));
    assert_eq!(after.targets, before.targets);
    assert_eq!(after.settings, before.settings);
    assert!(!before.warnings.is_empty());
    assert_eq!(after.warnings, before.warnings);
    std::fs::remove_file(&archive).unwrap();
    let gone = backfill.report().await.unwrap_err();
    assert_eq!(gone.kind(), snapfill::ErrorKind::NotFound);
    assert!(gone.message().contains(archive.to_str().unwrap()), "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_run_may_be_started_again_and_changes_nothing() {
    let fixture = Fixture::named("opensearch-2.19.6");
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let backfill =
            LocalBackfill::builder(settings(fixture, "snap-2", folder.path())).build().unwrap();
        backfill.start().await.unwrap();
        assert_eq!(backfill.wait().await.unwrap(), RunEnd::CompletedWithErrors);
        assert_eq!(backfill.status().await.unwrap().status, BackfillStatus::Stopped);
    }
    assert_same(
        &documents_of(folder.path()).await,
        &fixture.expected_with_source("snap-2"),
        "twice",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_snapshot_under_the_same_session_is_refused() {
    let fixture = Fixture::named("opensearch-3.8.0");
    let folder = tempfile::tempdir().unwrap();
    let first = LocalBackfill::builder(settings(fixture, "snap-1", folder.path())).build().unwrap();
    first.start().await.unwrap();
    first.wait().await.unwrap();
    let second =
        LocalBackfill::builder(settings(fixture, "snap-2", folder.path())).build().unwrap();
    let refused = second.start().await.unwrap_err();
    assert_eq!(refused.kind(), snapfill::ErrorKind::State);
    assert!(refused.to_string().contains("another session"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pausing_and_going_on_ends_with_the_same_documents() {
    let fixture = Fixture::named("elasticsearch-8.15.0");
    let folder = tempfile::tempdir().unwrap();
    let mut small = settings(fixture, "snap-2", folder.path());
    small.bulk.documents = 7;
    small.bulk.in_flight = 2;
    let backfill = LocalBackfill::builder(small).build().unwrap();
    let mut pauses = 0;
    loop {
        let mut events = backfill.events();
        backfill.start().await.unwrap();
        // Near the end fewer events are left: the end of a worker is the last of them.
        for _ in 0..10 {
            if let Some(Event::WorkerEnded { .. }) = events.next().await {
                break;
            }
        }
        backfill.pause().await.unwrap();
        match backfill.wait().await {
            Ok(end) => {
                assert_eq!(end, RunEnd::CompletedWithErrors);
                break;
            }
            Err(error) => assert_eq!(error.kind(), snapfill::ErrorKind::Cancelled, "{error}"),
        }
        pauses += 1;
    }
    assert!(pauses > 1, "the run was too short to be paused");
    let work = backfill.deep_status().await.unwrap().work;
    assert_eq!(work.books.overwritten, 0, "what was sent again is known as such");
    assert_same(
        &documents_of(folder.path()).await,
        &fixture.expected_with_source("snap-2"),
        "after pauses",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_archives_and_forgets() {
    let fixture = Fixture::named("elasticsearch-7.17.29");
    let folder = tempfile::tempdir().unwrap();
    let backfill =
        LocalBackfill::builder(settings(fixture, "snap-1", folder.path())).build().unwrap();
    backfill.start().await.unwrap();
    backfill.wait().await.unwrap();
    let archives = folder.path().join("archive");
    let archive = backfill.stop(Some(&archives)).await.unwrap().unwrap();
    assert_eq!(backfill.stop(Some(&archives)).await.unwrap(), None);
    assert_eq!(backfill.status().await.unwrap().status, BackfillStatus::NotStarted);
    let batches: serde_json::Value =
        serde_json::from_slice(&std::fs::read(archive).unwrap()).unwrap();
    assert!(batches[0].get("shard_setup").is_some());
    assert_eq!(batches[1].as_object().unwrap().len() as u64, fixture.shards("snap-1"));
}
