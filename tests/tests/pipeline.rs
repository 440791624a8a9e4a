//! What may not happen on the way from a snapshot to a target, over real snapshots that were damaged.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use snapfill::cluster::{ClusterClient, LocalCluster};
use snapfill::controller::{BackfillController, LocalBackfill, RunEnd, Work};
use snapfill::settings::BackfillSettings;
use snapfill::testkit::{BulkFault, FaultyCluster};
use snapfill::{ErrorKind, SystemClock};
use snapfill_tests::fixtures::Fixture;

const FIXTURE: &str = "opensearch-2.19.6";

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// A copy of a fixture, to be damaged, and a run of it.
struct Damaged {
    folder: tempfile::TempDir,
}

impl Damaged {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&Fixture::named(FIXTURE).repository(), &folder.path().join("repo"));
        Self { folder }
    }

    /// The data files of the shard that has the largest one.
    fn data_of_a_shard(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        files(&self.folder.path().join("repo/indices"), &mut found);
        let is_data = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("__"))
        };
        found.retain(is_data);
        let largest = found.iter().max_by_key(|path| path.metadata().unwrap().len()).unwrap();
        let shard = largest.parent().unwrap().to_owned();
        found.retain(|path| path.parent() == Some(&shard));
        found
    }

    fn settings(&self) -> BackfillSettings {
        let repository = self.folder.path().join("repo").display().to_string();
        let target = self.folder.path().join("target");
        BackfillSettings { workers: 2, ..BackfillSettings::new(repository, "snap-2", target) }
    }

    /// Plans the run while everything is well, then lets `damage` happen to each data file of a shard, and runs to the end.
    async fn run(&self, damage: impl Fn(&Path)) -> (RunEnd, Work) {
        let local = Arc::new(LocalCluster::open(self.settings().target).unwrap());
        let refusing = FaultyCluster::new(local, Arc::new(SystemClock::new()))
            .on_bulk(|_, _| BulkFault::Refused(ErrorKind::Auth));
        let planner = LocalBackfill::builder(self.settings())
            .with_cluster(Arc::new(refusing))
            .build()
            .unwrap();
        planner.start().await.unwrap();
        assert_eq!(planner.wait().await.unwrap_err().kind(), ErrorKind::Auth);

        self.data_of_a_shard().iter().for_each(|file| damage(file));
        let backfill = LocalBackfill::builder(self.settings()).build().unwrap();
        backfill.start().await.unwrap();
        let ended = backfill.wait().await.unwrap();
        (ended, backfill.deep_status().await.unwrap().work)
    }
}

/// Every shard is done with books that balance, or failed with a reason; never done without its documents.
async fn assert_honest(damaged: &Damaged, work: &Work) {
    assert_eq!(work.shards.completed + work.shards.failed, work.shards.total);
    assert_eq!(work.failed.len() as u64, work.shards.failed);
    let cluster = LocalCluster::open_existing(damaged.folder.path().join("target")).unwrap();
    for index in &work.indices {
        let there = cluster.count(&index.index).await.unwrap();
        assert!(there >= index.books.written, "{}: {there} documents", index.index);
        if index.shards.failed == 0 {
            assert_eq!(index.books.accounted(), index.live, "{}", index.index);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_shard_fails_with_the_file_and_the_others_complete() {
    let damaged = Damaged::new();
    let flip = |file: &Path| {
        let mut bytes = std::fs::read(file).unwrap();
        bytes.iter_mut().step_by(50).for_each(|byte| *byte ^= 0x55);
        std::fs::write(file, bytes).unwrap();
    };
    let (end, work) = damaged.run(flip).await;
    assert_eq!(end, RunEnd::Failed);
    assert_eq!(work.shards.failed, 1);
    assert!(work.failed[0].reason.contains("file: "), "{}", work.failed[0].reason);
    assert_honest(&damaged, &work).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_whose_files_are_gone_fails_and_the_others_complete() {
    let damaged = Damaged::new();
    let (end, work) = damaged.run(|file| std::fs::remove_file(file).unwrap()).await;
    assert_eq!(end, RunEnd::Failed);
    assert_eq!(work.shards.failed, 1);
    assert!(work.failed[0].reason.contains("not there"), "{}", work.failed[0].reason);
    assert_honest(&damaged, &work).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_whose_files_are_cut_off_fails_and_the_others_complete() {
    let damaged = Damaged::new();
    let cut = |file: &Path| {
        let bytes = std::fs::read(file).unwrap();
        std::fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    };
    let (end, work) = damaged.run(cut).await;
    assert_eq!(end, RunEnd::Failed);
    assert_eq!(work.shards.failed, 1);
    assert_honest(&damaged, &work).await;
}

/// The incumbent logs documents without a source and completes the shard.
#[tokio::test(flavor = "multi_thread")]
async fn documents_without_a_source_are_in_the_books_by_reason() {
    let damaged = Damaged::new();
    let (end, work) = damaged.run(|_| ()).await;
    assert_eq!(end, RunEnd::CompletedWithErrors);
    let without = work.indices.iter().find(|index| index.index == "nosource").unwrap();
    assert_eq!((without.books.written, without.books.skipped_by_loss(), without.live), (0, 10, 10));
    assert_eq!(work.skips().into_iter().map(|(_, count)| count).sum::<u64>(), 10);
    assert_honest(&damaged, &work).await;
}
