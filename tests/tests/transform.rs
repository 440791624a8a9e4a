//! Documents changed on their way, from a real snapshot into a folder and into a cluster, also over a crash.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use snapfill::controller::{BackfillController, LocalBackfill, RunEnd};
use snapfill::settings::BackfillSettings;
use snapfill::{Document, DocumentBatch, ErrorKind, Result, SkipReason, Transform, Transformed};
use snapfill_tests::fixtures::Fixture;
use snapfill_tests::target::documents_of;

const INDEX: &str = "shapes";
const FIXTURE: &str = "opensearch-3.8.0";

/// Names the target of the process that is killed.
const TARGET: &str = "SNAPFILL_TEST_TRANSFORM_TARGET";

/// What becomes of a document, by its id alone: every fourth is left out, every fourth becomes two, every fourth is changed.
fn kind_of(id: &str) -> u32 {
    id.bytes().map(u32::from).sum::<u32>() % 4
}

/// Ids and sources of what is made of a document; a source of `None` is the one that was read.
fn made_of(id: &str) -> Vec<(String, Option<String>)> {
    match kind_of(id) {
        0 => Vec::new(),
        1 => {
            vec![(id.to_owned(), None), (format!("{id}-more"), Some("{\"more\": true}".to_owned()))]
        }
        2 => vec![(id.to_owned(), Some(format!("{{\n\"id\": {id:?}}}")))],
        _ => vec![(id.to_owned(), None)],
    }
}

#[derive(Debug, Default)]
struct ById {
    calls: AtomicUsize,
    /// The call at which the process dies.
    dies_at: Option<usize>,
}

#[async_trait]
impl Transform for ById {
    async fn transform(&self, _: &str, _: u32, batch: DocumentBatch) -> Result<Vec<Transformed>> {
        if Some(self.calls.fetch_add(1, Ordering::SeqCst)) == self.dies_at {
            std::process::abort();
        }
        let change = |read: Document| {
            let made = made_of(&read.id).into_iter().map(|(id, source)| {
                let source = source.map_or_else(|| read.source.clone(), Into::into);
                Document { id, source, ..read.clone() }
            });
            Transformed::Documents(made.collect())
        };
        Ok(batch.documents().map(change).collect())
    }
}

fn backfill(target: &Path, transform: ById) -> LocalBackfill {
    let repository = Fixture::named(FIXTURE).repository().display().to_string();
    let mut settings = BackfillSettings::new(repository, "snap-2", target);
    settings.indices = vec![INDEX.to_owned()];
    settings.bulk.documents = 7;
    settings.bulk.in_flight = 2;
    settings.bulk.checkpoint_bytes = 0;
    LocalBackfill::builder(settings).with_transform(Arc::new(transform)).build().unwrap()
}

/// Every document of the target, by id, is what is made of the snapshot's, and the books say so.
async fn assert_transformed(backfill: &LocalBackfill, target: &Path) {
    let read = Fixture::named(FIXTURE).expected_with_source("snap-2");
    let read: Vec<_> = read.into_iter().filter(|line| line.index == INDEX).collect();
    let mut expected = BTreeMap::new();
    for line in &read {
        for (id, source) in made_of(&line.id) {
            let source = source.map(|source| source.replace('\n', " "));
            expected.insert(id, source.or_else(|| line.source.clone()).unwrap());
        }
    }
    let found = documents_of(target).await.into_iter();
    let found: BTreeMap<_, _> = found.map(|line| (line.id, line.source.unwrap())).collect();
    assert_eq!(found, expected);

    let count = |kind: u32| read.iter().filter(|line| kind_of(&line.id) == kind).count() as u64;
    let work = backfill.deep_status().await.unwrap().work;
    let books = &work.books;
    assert_eq!((books.written, books.added), (expected.len() as u64, count(1)));
    assert_eq!((books.skipped[&SkipReason::Filtered], books.overwritten), (count(0), 0));
    assert_eq!(work.indices[0].live, read.len() as u64);
    books.balance(work.indices[0].live).unwrap();
    let report = backfill.report().await.unwrap();
    assert_eq!((report.balanced, report.targets[0].difference), (Some(true), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_gets_what_is_made_and_no_one_else_goes_on_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let run = backfill(folder.path(), ById::default());
    run.start().await.unwrap();
    assert_eq!(run.wait().await.unwrap(), RunEnd::Completed);
    assert_transformed(&run, folder.path()).await;

    let later = LocalBackfill::attach(folder.path(), "").await.unwrap();
    assert_eq!(later.deep_status().await.unwrap().end, Some(RunEnd::Completed));
    let error = later.start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.message().contains("go on with it from that program"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_a_transform_is_not_gone_on_with_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let repository = Fixture::named(FIXTURE).repository().display().to_string();
    let mut settings = BackfillSettings::new(repository, "snap-2", folder.path());
    settings.indices = vec![INDEX.to_owned()];
    let run = LocalBackfill::builder(settings).build().unwrap();
    run.start().await.unwrap();
    run.wait().await.unwrap();
    let error = backfill(folder.path(), ById::default()).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.message().contains("begun without a transform"), "{error}");
}

/// The process that is killed while documents are transformed, and others are on their way.
#[tokio::test(flavor = "multi_thread")]
async fn process_that_is_killed() {
    let Some(target) = std::env::var_os(TARGET) else { return };
    let run = backfill(Path::new(&target), ById { dies_at: Some(6), ..ById::default() });
    run.start().await.unwrap();
    run.wait().await.unwrap();
    unreachable!("it dies before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_goes_on_and_the_books_balance() {
    let folder = tempfile::tempdir().unwrap();
    let killed = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "process_that_is_killed"])
        .env(TARGET, folder.path())
        .output()
        .unwrap();
    assert!(!killed.status.success());
    let run = backfill(folder.path(), ById::default());
    let before = run.deep_status().await.unwrap();
    assert!(before.planned && before.end.is_none(), "{before:?}");
    run.start().await.unwrap();
    assert_eq!(run.wait().await.unwrap(), RunEnd::Completed);
    assert_transformed(&run, folder.path()).await;
}
