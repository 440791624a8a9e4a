//! Documents that are changed on their way, into a cluster that is spoken to by HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::small_cluster::{Kind, SmallCluster};
use super::*;
use crate::controller::{BackfillController, LocalBackfill, RunEnd};
use crate::failed::Redrive;
use crate::settings::BackfillSettings;
use crate::{Document, DocumentBatch, Result, SkipReason, SystemClock, Transform, Transformed};

const REPOSITORY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/elasticsearch-8.15.0/repo");

/// Two of the even ones, a failure of every one that ends with 3, none of the other odd ones.
#[derive(Debug)]
struct ByNumber;

#[async_trait]
impl Transform for ByNumber {
    async fn transform(&self, _: &str, _: u32, batch: DocumentBatch) -> Result<Vec<Transformed>> {
        let change = |read: Document| match read.number % 10 {
            3 => Transformed::Failed("ValueError: a three".to_owned()),
            number if number % 2 == 0 => {
                let id = format!("{}-b", read.id);
                let more = Document { id, source: "{\n\"b\": 1}".into(), ..read.clone() };
                Transformed::Documents(vec![read, more])
            }
            _ => Transformed::Documents(Vec::new()),
        };
        Ok(batch.documents().map(change).collect())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_gets_what_is_made_and_the_failures_are_kept() {
    let small = Arc::new(SmallCluster::new(Kind::Domain));
    let answering = Arc::clone(&small);
    let fake = Fake::start(move |seen| Some(answering.answer(seen))).await;
    let cluster = HttpCluster::new(HttpConfig::new([fake.url()]).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = BackfillSettings::new(REPOSITORY, "snap-2", folder.path());
    settings.indices = vec!["shapes".to_owned()];
    settings.bulk.documents = 7;
    let backfill = LocalBackfill::builder(settings)
        .with_cluster(Arc::new(cluster))
        .with_transform(Arc::new(ByNumber))
        .build()
        .unwrap();
    backfill.start().await.unwrap();
    assert_eq!(backfill.wait().await.unwrap(), RunEnd::CompletedWithErrors);

    let work = backfill.deep_status().await.unwrap().work;
    let books = &work.books;
    let there = small.documents("shapes");
    assert_eq!((books.written, books.added * 2), (there.len() as u64, there.len() as u64));
    for (id, source) in &there {
        assert_eq!(id.ends_with("-b"), *source == json!({"b": 1}), "{id}");
        assert!(there.contains_key(&format!("{}-b", id.trim_end_matches("-b"))), "{id}");
    }
    assert!(books.failed > 0 && books.skipped[&SkipReason::Filtered] > 0);
    books.balance(work.indices[0].live).unwrap();

    let mut kept = Vec::new();
    let mut failed = backfill.failed_documents().await.unwrap().documents().await.unwrap();
    while let Some(some) = failed.next().await {
        kept.extend(some.unwrap());
    }
    assert_eq!(kept.len() as u64, books.failed);
    for one in &kept {
        assert_eq!((one.class.as_str(), &*one.reason), ("transform", "ValueError: a three"));
        assert!(one.number % 10 == 3 && !there.contains_key(&one.id), "{one:?}");
    }

    let timeout = std::time::Duration::from_secs(30);
    let clock = Arc::new(SystemClock::new());
    let cluster = Arc::new(HttpCluster::new(HttpConfig::new([fake.url()]).unwrap()).unwrap());
    let log = backfill.failed_documents().await.unwrap();
    let redriven = Redrive::new(log, cluster, clock, timeout).run().await.unwrap();
    assert_eq!((redriven.written, redriven.failed), (0, books.failed));
    assert_eq!(redriven.reasons["transform"], books.failed);
    assert_eq!(small.documents("shapes"), there, "left alone, since they would arrive unchanged");
}
