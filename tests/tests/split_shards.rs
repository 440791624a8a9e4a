//! Shards that several work items share: the same documents, balanced books, and checksums that are joined at the end.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use snapfill::controller::{BackfillController, DeepStatus, LocalBackfill, RunEnd};
use snapfill::settings::BackfillSettings;
use snapfill_tests::copy::copy_folder;
use snapfill_tests::fixtures::{FIXTURES, Fixture, assert_same};
use snapfill_tests::target::documents_of;

/// What every Lucene file of version 4.8 and later ends with, before its checksum of eight bytes.
const FOOTER: [u8; 8] = [0xC0, 0x28, 0x93, 0xE8, 0, 0, 0, 0];

fn settings(repository: &Path, target: &Path) -> BackfillSettings {
    BackfillSettings {
        workers: 3,
        split_bytes: Some(1000),
        ..BackfillSettings::new(repository.display().to_string(), "snap-2", target)
    }
}

async fn run(settings: BackfillSettings) -> (RunEnd, DeepStatus) {
    let backfill = LocalBackfill::builder(settings).build().unwrap();
    backfill.start().await.unwrap();
    let end = backfill.wait().await.unwrap();
    (end, backfill.deep_status().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_shard_comes_out_whole() {
    for fixture in FIXTURES {
        let folder = tempfile::tempdir().unwrap();
        let (end, status) = run(settings(&fixture.repository(), folder.path())).await;
        let expected = fixture.expected_with_source("snap-2");
        assert_same(&documents_of(folder.path()).await, &expected, fixture.name);
        assert_ne!(end, RunEnd::Failed, "{}", fixture.name);
        assert!(status.work.items.total > status.work.shards.total, "{}", fixture.name);
        assert_eq!(status.work.shards.completed, fixture.shards("snap-2"), "{}", fixture.name);
        for index in &status.work.indices {
            let index_name = &index.index;
            assert_eq!(index.books.accounted(), index.live, "{} {index_name}", fixture.name);
            assert_eq!(index.books.overwritten, 0, "{} {index_name}", fixture.name);
        }
    }
}

/// Where the checksums of a file and of the files inside it are.
fn checksums(bytes: &[u8]) -> Vec<usize> {
    let footers = bytes.windows(FOOTER.len()).enumerate();
    footers.filter(|(_, window)| *window == FOOTER).map(|(at, _)| at + FOOTER.len()).collect()
}

/// Runs on a damaged repository; whether all was read before the damage was known.
async fn gives_up_what_is_suspect(repository: &Path) -> bool {
    let target = tempfile::tempdir().unwrap();
    let indices = vec!["merged".to_owned()];
    let settings = BackfillSettings { indices, ..settings(repository, target.path()) };
    let backfill = LocalBackfill::builder(settings).build().unwrap();
    if backfill.start().await.is_err() {
        // The checksum of a file that is verified before anything is planned.
        return false;
    }
    let end = backfill.wait().await.unwrap();
    let failed = backfill.deep_status().await.unwrap().work.failed;
    let suspect = failed.iter().filter(|item| item.reason.contains("suspect")).count();
    if suspect > 0 {
        assert_eq!(end, RunEnd::Failed);
        assert!(suspect > 1, "all items that read the segment are given up: {failed:?}");
        assert!(failed[0].reason.contains("segment"), "{failed:?}");
    }
    suspect > 0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checksum_that_only_all_parts_together_can_verify_gives_them_up() {
    let fixture = Fixture::named("elasticsearch-2.4.6");
    let copy = tempfile::tempdir().unwrap();
    let files = copy_folder(&fixture.repository(), copy.path());
    let mut suspects = 0;
    // The segment of this shard has two chunks, and a file of its own for them.
    for file in files.iter().filter(|file| file.starts_with("indices/merged/0")) {
        let file = copy.path().join(file);
        let whole = std::fs::read(&file).unwrap();
        for at in checksums(&whole) {
            let mut damaged = whole.clone();
            damaged[at + 7] ^= 1;
            std::fs::write(&file, damaged).unwrap();
            suspects += usize::from(gives_up_what_is_suspect(copy.path()).await);
        }
        std::fs::write(&file, whole).unwrap();
    }
    assert!(suspects > 0, "no damage reached the end of the run");
}
