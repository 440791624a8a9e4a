//! Every document of every fixture comes out of the reader, and nothing else.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use snapfill::snapshot::{DocumentsOptions, Repository};
use snapfill_tests::fixtures::{FIXTURES, Line, assert_same};

struct Read {
    lines: Vec<Line>,
    skipped: BTreeMap<String, u64>,
}

async fn read(repository: &Path, snapshot: &str, batch_bytes: usize) -> Read {
    let repository = Repository::open(repository.to_str().unwrap()).await.unwrap();
    let snapshot = repository.snapshot(snapshot).await.unwrap();
    let mut read = Read { lines: Vec::new(), skipped: BTreeMap::new() };
    for name in snapshot.index_names() {
        let index = snapshot.index(name).await.unwrap();
        for number in 0..index.metadata.shards().unwrap() {
            let shard = snapshot.shard_of(&index, number).await.unwrap();
            shard.check_lengths().await.unwrap();
            let size = shard.size().await.unwrap();
            let mut batches =
                shard.documents(DocumentsOptions { batch_bytes, ..DocumentsOptions::default() });
            let mut accounted = 0;
            let mut next = 0;
            while let Some(batch) = batches.next().await {
                let batch = batch.unwrap();
                assert_eq!(batch.first, next, "batches follow each other");
                next = batch.end.next;
                let skipped: u64 = batch.skipped.values().sum();
                accounted += batch.documents.len() as u64 + batch.nested + skipped;
                if skipped > 0 {
                    *read.skipped.entry(name.to_owned()).or_default() += skipped;
                }
                read.lines.extend(batch.documents.documents().map(|document| Line {
                    index: name.to_owned(),
                    doc_type: document.doc_type.map(|name| name.to_string()),
                    id: document.id,
                    routing: document.routing,
                    parent: document.parent,
                    source: Some(String::from_utf8(document.source.to_vec()).unwrap()),
                }));
            }
            assert_eq!(next, size.max_doc);
            assert_eq!(
                accounted, size.undeleted,
                "{name}[{number}]: every live document is accounted for"
            );
        }
    }
    read.lines.sort();
    read
}

#[tokio::test(flavor = "multi_thread")]
async fn all_fixtures_equal_their_expected_documents() {
    for fixture in FIXTURES {
        for (repository, snapshot) in fixture.snapshots() {
            let what = format!("{} {snapshot}", repository.display());
            let read = read(&repository, snapshot, 64 << 10).await;
            assert_same(&read.lines, &fixture.expected_with_source(snapshot), &what);
            assert_eq!(read.skipped, fixture.expected_without_source(snapshot), "{what}");
        }
    }
}
