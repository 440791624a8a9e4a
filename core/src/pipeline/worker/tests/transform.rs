//! Documents that are changed on their way: transformed once, however often they are sent, and never passed by the
//! checkpoint before all that was made of them is there.

use std::sync::atomic::AtomicUsize;

use async_trait::async_trait;

use super::*;
use crate::cluster::ItemError;
use crate::{Document, DocumentBatch, SkipReason, Transformed};

/// Every third document is dropped, the others become two; the second of each says how often it was made.
#[derive(Debug, Default)]
struct Doubling {
    calls: AtomicUsize,
    fails: bool,
}

fn copy_of(id: &str) -> String {
    format!("{id}-copy")
}

#[async_trait]
impl Transform for Doubling {
    async fn transform(
        &self,
        index: &str,
        _: u32,
        documents: DocumentBatch,
    ) -> Result<Vec<Transformed>> {
        assert_eq!(index, INDEX);
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.fails {
            return Err(crate::Error::new(ErrorKind::Unexpected, "the interpreter is gone"));
        }
        let double = |read: Document| match read.number % 3 {
            0 => Transformed::Documents(Vec::new()),
            _ => {
                let copy = Document { id: copy_of(&read.id), source: "{}".into(), ..read.clone() };
                Transformed::Documents(vec![read, copy])
            }
        };
        Ok(documents.documents().map(double).collect())
    }
}

impl Bench {
    fn transforming(&self, name: &str, cluster: &Arc<FaultyCluster>) -> (Player, Arc<Doubling>) {
        let (mut player, transform) = (self.player(name, cluster), Arc::new(Doubling::default()));
        player.worker.transform = Some(Arc::clone(&transform) as _);
        player.worker.bulk.in_flight = 1;
        (player, transform)
    }

    async fn assert_doubled(&self) {
        let mut expected: Vec<String> = self.expected[0]
            .iter()
            .filter(|(number, _)| *number % 3 != 0)
            .flat_map(|(_, (id, _))| [id.clone(), copy_of(id)])
            .collect();
        expected.sort();
        let mut found = Vec::new();
        let mut scan = self.target.scan(INDEX).await.unwrap();
        while let Some(page) = scan.next_batch().await.unwrap() {
            found.extend(page.iter().map(|document| document.id.to_owned()));
        }
        found.sort();
        assert_eq!(found, expected);
        let work = self.work().await;
        assert_eq!(work.end(), Some(RunEnd::Completed));
        let written = expected.len() as u64;
        assert_eq!((work.books.written, work.books.added), (written, written / 2));
        let dropped = self.count(0) as u64 - written / 2;
        assert_eq!(work.books.skipped[&SkipReason::Filtered], dropped);
        assert_eq!((work.books.overwritten, work.books.failed), (0, 0));
        assert_eq!(work.books.accounted(), self.count(0) as u64);
    }
}

#[tokio::test]
async fn one_becomes_none_or_several_and_the_books_balance() {
    let bench = Bench::new(1).await;
    let (player, _) = bench.transforming("first", &Arc::new(bench.faulty()));
    assert_eq!(player.run().await.unwrap().unwrap(), WorkerEnd::NothingLeft);
    bench.assert_doubled().await;
}

#[tokio::test]
async fn what_is_sent_again_is_not_transformed_again() {
    let bench = Bench::new(1).await;
    let refused = AtomicUsize::new(0);
    // Of two documents of one number the second is refused for now, three times.
    let cluster = Arc::new(bench.faulty().on_document(move |_, document| {
        let is_copy = document.id.ends_with("-copy");
        let again = is_copy && refused.fetch_add(1, Ordering::SeqCst) < 3;
        again.then(|| {
            let (error_type, reason) = ("es_rejected_execution_exception".into(), "busy".into());
            ItemOutcome::Retry(Box::new(ItemError { status: 429, error_type, reason }))
        })
    }));
    let (player, transform) = bench.transforming("first", &cluster);
    assert_eq!(player.run().await.unwrap().unwrap(), WorkerEnd::NothingLeft);
    bench.assert_doubled().await;
    assert_eq!(transform.calls.load(Ordering::SeqCst), bench.bulks[0].len());
}

#[tokio::test]
async fn the_checkpoint_waits_for_all_that_was_made_of_a_document() {
    let bench = Bench::new(1).await;
    let middle = bench.middle(0);
    // Small requests: what was made of one batch goes in several, and the last of one never ends.
    let cluster = Arc::new(bench.faulty().on_bulk(move |_, body| {
        let copy = body.documents.iter().any(|one| one.id.ends_with("-copy"));
        let is_silent = copy && body.documents.iter().any(|one| one.number > middle);
        if is_silent { BulkFault::Silence } else { BulkFault::None }
    }));
    let (player, _) = bench.transforming("first", &cluster);
    let running = player.run();
    bench.until_item(0, |item| item.checkpoint.next == middle).await;
    others_run().await;
    let item = bench.item(0).await;
    assert_eq!(item.checkpoint.next, middle);
    assert_eq!(item.books.accounted(), bench.expected[0].range(..middle).count() as u64);
    running.abort();
    let _ = running.await;
    let (player, _) = bench.transforming("second", &Arc::new(bench.faulty()));
    let running = player.run();
    bench.clock_runs_until(&running).await;
    assert_eq!(running.await.unwrap().unwrap(), WorkerEnd::NothingLeft);
    bench.assert_doubled().await;
}

#[tokio::test]
async fn a_transform_that_cannot_go_on_ends_the_worker_and_not_the_item() {
    let bench = Bench::new(1).await;
    let mut player = bench.player("first", &Arc::new(bench.faulty()));
    player.worker.transform = Some(Arc::new(Doubling { fails: true, ..Doubling::default() }));
    let error = player.run().await.unwrap().unwrap_err();
    assert!(error.message().contains("the interpreter is gone"), "{error}");
    let item = bench.item(0).await;
    assert_eq!((item.attempts, item.quarantined, item.checkpoint.next), (0, false, 0));
}
