use super::*;
use crate::{Repository, RepositoryOptions};
use snapfill_tests::fixtures::FIXTURES;

fn fixture() -> Arc<Repository> {
    let fixture = FIXTURES.iter().find(|fixture| fixture.name == "opensearch-3.8.0").unwrap();
    let folder = fixture.repositories()[0].folder.to_str().unwrap().to_owned();
    Repository::new(folder, RepositoryOptions::default())
}

fn block<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    runtime::wait(work, || Ok(()))
}

fn read_all(stream: &Arc<DocumentStream>, max: u32) -> Result<Vec<Document>> {
    let mut all = Vec::new();
    while let Some(batch) = block(Arc::clone(stream).next_batch(max))? {
        assert!(batch.count() <= max.into());
        all.extend(batch.documents());
    }
    Ok(all)
}

fn stream(index: Option<&str>, shard: Option<u32>) -> Arc<DocumentStream> {
    fixture().snapshot("snap-2".to_owned()).documents(index.map(str::to_owned), shard)
}

#[test]
fn small_batches_give_the_same_documents_as_large_ones() {
    let key = |one: &Document| (one.index.clone(), one.shard, one.id.clone(), one.source.clone());
    let large: Vec<_> = read_all(&stream(None, None), 10_000).unwrap().iter().map(key).collect();
    let small: Vec<_> = read_all(&stream(None, None), 3).unwrap().iter().map(key).collect();
    assert!(large.len() > 100, "{}", large.len());
    assert_eq!(large, small);
}

#[test]
fn an_index_and_a_shard_are_chosen_and_what_is_not_there_is_said() {
    let shapes = read_all(&stream(Some("shapes"), None), 1000).unwrap();
    assert!(!shapes.is_empty() && shapes.iter().all(|one| one.index == "shapes"));
    let first = read_all(&stream(Some("shapes"), Some(0)), 1000).unwrap();
    assert!(!first.is_empty() && first.iter().all(|one| one.shard == 0));
    for absent in [stream(Some("nothing"), None), stream(None, Some(99))] {
        assert_eq!(read_all(&absent, 10).unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[test]
fn a_call_that_was_cancelled_loses_no_document() {
    let expected = read_all(&stream(Some("shapes"), None), 7).unwrap().len();
    let cancelled = stream(Some("shapes"), None);
    let mut count = 0;
    for round in 0.. {
        let mut calls = round % 5;
        let give_up = || match calls {
            0 => Err(SnapfillError::new(ErrorKind::Cancelled, "enough")),
            _ => {
                calls -= 1;
                Ok(())
            }
        };
        let work = Arc::clone(&cancelled).next_batch(7);
        // Polled once, and dropped if that is not enough: the harshest cancellation there is.
        let got = match round % 2 {
            0 => block(async { futures::FutureExt::now_or_never(work).transpose() }),
            _ => runtime::wait(work, give_up).map(Some),
        };
        match got {
            Ok(Some(Some(batch))) => count += usize::try_from(batch.count()).unwrap(),
            Ok(Some(None)) => break,
            Ok(None) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::Cancelled),
        }
    }
    assert_eq!(count, expected);
}

#[test]
fn a_closed_stream_gives_no_more_and_a_batch_of_none_is_refused() {
    let documents = stream(None, None);
    assert!(block(Arc::clone(&documents).next_batch(1)).unwrap().is_some());
    block(Arc::clone(&documents).close()).unwrap();
    assert!(block(Arc::clone(&documents).next_batch(1)).unwrap().is_none());
    assert_eq!(block(documents.next_batch(0)).unwrap_err().kind(), ErrorKind::Config);
}
