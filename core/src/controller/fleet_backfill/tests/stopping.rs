//! A backfill that is stopped half way, and the ways back.

use std::path::PathBuf;

use super::*;
use crate::cluster::{BulkOperation, ClusterClient};

impl Bench {
    fn archives(&self) -> PathBuf {
        self.dir.path().join("archives")
    }

    /// Brings a run as far as the target takes it, and stops it: some bulks, of 40 documents at least and of half at most.
    async fn stopped_half_way(&self) -> PathBuf {
        let backfill = self.over(self.cluster().on_bulk(|bulk, _| match bulk {
            0..8 => BulkFault::None,
            _ => BulkFault::Refused(ErrorKind::Unavailable),
        }));
        backfill.start().await.unwrap();
        let half = async {
            while backfill.deep_status().await.unwrap().work.books.written < 40 {
                tokio::task::yield_now().await;
            }
            backfill.stop(Some(&self.archives())).await.unwrap().unwrap()
        };
        self.in_time(half).await
    }

    /// Its documents as text, by index and id.
    async fn documents(&self) -> Vec<String> {
        let target = LocalCluster::open(self.dir.path()).unwrap();
        let mut found = Vec::new();
        for index in target.cat_indices().await.unwrap() {
            let mut scan = target.scan(&index.index).await.unwrap();
            while let Some(page) = scan.next_batch().await.unwrap() {
                found.extend(page.documents().map(|document| {
                    let source = String::from_utf8_lossy(&document.source).into_owned();
                    format!("{} {} {:?} {source}", index.index, document.id, document.routing)
                }));
            }
        }
        found.sort();
        found
    }

    async fn ended(&self, backfill: &LocalBackfill) -> RunEnd {
        backfill.start().await.unwrap();
        self.in_time(backfill.wait()).await.unwrap()
    }
}

#[tokio::test]
async fn what_was_stopped_half_way_is_restored_and_comes_to_the_same_end() {
    let whole = Bench::new();
    assert_eq!(whole.ended(&whole.over(whole.cluster())).await, RunEnd::Completed);
    let bench = Bench::new();
    let archive = bench.stopped_half_way().await;
    let before = bench.documents().await.len();
    let expected = whole.documents().await;
    assert!(before >= 40 && before < expected.len());

    let backfill = bench.over(bench.cluster());
    let refused = backfill.start().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::State);
    for part in [archive.to_str().unwrap(), "--from-scratch", "pause"] {
        assert!(refused.message().contains(part), "no `{part}` in {refused}");
    }
    backfill.restore(&archive).await.unwrap();
    let work = backfill.deep_status().await.unwrap().work;
    assert!(work.books.written >= 40 && work.shards.completed < 7 && work.shards.in_progress == 0);
    assert_eq!(bench.ended(&backfill).await, RunEnd::Completed);
    assert!(bench.documents().await == expected);
    let work = backfill.deep_status().await.unwrap().work;
    assert_eq!(work.books.written as usize, expected.len());
    assert_eq!(work.books.accounted(), work.indices.iter().map(|index| index.live).sum::<u64>());
    assert_eq!(work.books.overwritten, 0, "what was sent before the stop is known as such");
}

#[tokio::test]
async fn a_restore_is_refused_for_another_run_and_where_there_is_one() {
    let bench = Bench::new();
    let archive = bench.stopped_half_way().await;
    let mut settings = bench.settings();
    settings.operation = BulkOperation::Create;
    let other = bench.build(settings.clone(), bench.cluster());
    assert_eq!(other.restore(&archive).await.unwrap_err().kind(), ErrorKind::State);
    settings.snapshot = "snap-1".to_owned();
    let other = bench.build(settings, bench.cluster());
    let error = other.restore(&archive).await.unwrap_err();
    assert!(error.message().contains("snap-1"), "{error}");
    let backfill = bench.over(bench.cluster());
    backfill.restore(&archive).await.unwrap();
    let again = backfill.restore(&archive).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::State);
    assert!(again.message().contains("already"), "{again}");
}

#[tokio::test]
async fn from_scratch_begins_anew_and_goes_on_by_the_same_word() {
    let bench = Bench::new();
    bench.stopped_half_way().await;
    let before = bench.documents().await.len() as u64;
    let anew = || {
        let settings = BackfillSettings { from_scratch: true, ..bench.settings() };
        bench.build(settings, bench.cluster())
    };
    // Interrupted when it is planned.
    anew().shared.prepare().await.unwrap();
    let second = anew();
    second.start().await.unwrap();
    // The clock stands still, so that no lease runs out and nothing is sent twice.
    assert_eq!(second.wait().await.unwrap(), RunEnd::Completed);
    let books = second.deep_status().await.unwrap().work.books;
    assert_eq!(books.overwritten, before, "documents that were there are written again");
    assert_eq!(books.written as usize, bench.documents().await.len());
    // It does not end a run that was begun otherwise.
    let other = Bench::new();
    let usual = other.over(other.cluster());
    other.ended(&usual).await;
    let settings = BackfillSettings { from_scratch: true, ..other.settings() };
    let error = other.build(settings, other.cluster()).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.message().contains("backfill stop"), "{error}");
}

#[tokio::test]
async fn failures_of_an_earlier_run_are_outvoted_by_the_one_from_scratch() {
    let bench = Bench::new();
    let refusing = || {
        bench.cluster().on_document(|_, document| {
            (document.number == 3).then(|| ItemOutcome::Failed(Box::default()))
        })
    };
    let first = bench.over(refusing());
    assert_eq!(bench.ended(&first).await, RunEnd::CompletedWithErrors);
    let failed = async |backfill: &LocalBackfill| {
        backfill.failed_documents().await.unwrap().summary().await.unwrap().total
    };
    let many = failed(&first).await;
    assert!(many > 0);
    first.reset(Some(&bench.archives())).await.unwrap().unwrap();
    let again = bench.over(refusing());
    assert_eq!(bench.ended(&again).await, RunEnd::CompletedWithErrors);
    assert_eq!(failed(&again).await, many, "those of the first run do not count beside them");
    again.stop(Some(&bench.archives())).await.unwrap().unwrap();
    let settings = BackfillSettings { from_scratch: true, ..bench.settings() };
    let mended = bench.build(settings, bench.cluster());
    assert_eq!(bench.ended(&mended).await, RunEnd::Completed);
    assert_eq!(failed(&mended).await, 0);
}

#[tokio::test]
async fn a_reset_lets_the_session_begin_anew_also_after_a_stop() {
    let bench = Bench::new();
    bench.stopped_half_way().await;
    let backfill = bench.over(bench.cluster());
    assert_eq!(backfill.start().await.unwrap_err().kind(), ErrorKind::State);
    assert_eq!(backfill.reset(None).await.unwrap(), None);
    assert_eq!(bench.ended(&backfill).await, RunEnd::Completed);
    let archive = backfill.reset(Some(&bench.archives())).await.unwrap().unwrap();
    assert!(archive.is_file());
    assert_eq!(bench.ended(&backfill).await, RunEnd::Completed);
}

#[tokio::test]
async fn workers_of_another_process_stop_when_the_run_is_stopped() {
    let bench = Bench::new();
    let (filling, stopping) = (bench.slow(), bench.slow());
    filling.start().await.unwrap();
    // Seen from outside: it has announced itself.
    while stopping.status().await.unwrap().fleet.running == 0 {
        tokio::task::yield_now().await;
    }
    let refused = stopping.archive(Some(&bench.archives())).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::State);
    // Marked while the clock stands still, which runs ahead of the disk afterwards.
    stopping.shared.coordinator.stop().await.unwrap();
    let folder = bench.archives();
    let both = async { tokio::join!(filling.wait(), stopping.stop(Some(&folder))) };
    let (ended, archive) = bench.in_time(both).await;
    let error = ended.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(error.message().contains("was stopped"), "{error}");
    let there = bench.documents().await.len();
    assert!(there < 200, "they did not work on to the end: {there}");
    stopping.restore(&archive.unwrap().unwrap()).await.unwrap();
    assert_eq!(bench.ended(&stopping).await, RunEnd::Completed);
    assert_eq!(stopping.deep_status().await.unwrap().work.books.overwritten, 0);
}
