//! Documents that a function of the host changes.

use super::*;
use crate::{Document, DocumentBatch, Transformed};

/// Leaves the odd ones out, says of the first of each batch that it cannot, and keeps the others.
#[derive(Debug)]
struct Halving {
    fails_all: bool,
}

impl Transform for Halving {
    fn transform(&self, batch: DocumentBatch) -> Result<Vec<Transformed>> {
        assert_eq!(batch.index(), "shapes");
        if self.fails_all {
            return Err(crate::SnapfillError::new(ErrorKind::State, "the interpreter ends"));
        }
        let answers = batch.documents().into_iter().enumerate().map(|(place, read)| match place {
            0 => Transformed::Failed("ValueError: not this one".to_owned()),
            1 => Transformed::Documents(vec![Document { index: "elsewhere".to_owned(), ..read }]),
            place if place % 2 == 0 => {
                let copy = Document { id: format!("{}-copy", read.id), ..read.clone() };
                Transformed::Documents(vec![read, copy])
            }
            _ => Transformed::Documents(Vec::new()),
        });
        Ok(answers.collect())
    }
}

#[test]
fn a_function_of_the_host_changes_documents() {
    let folder = tempfile::tempdir().unwrap();
    let options = BackfillOptions { indices: vec!["shapes".into()], ..options(folder.path()) };
    let transform = Arc::new(Halving { fails_all: false });
    let backfill = Backfill::with_transform(options.clone(), Some(transform)).unwrap();
    block(Arc::clone(&backfill).start()).unwrap();
    assert_eq!(block(Arc::clone(&backfill).wait()).unwrap(), "completed_with_errors");
    let deep = block(backfill.deep_status()).unwrap();
    let (books, shapes) = (&deep.work.books, &deep.work.indices[0]);
    assert!(books.failed >= 2 && books.added > 0 && books.skipped["filtered"] > 0, "{books:?}");
    assert_eq!(books.written, books.added * 2);
    let accounted = books.written + books.failed + books.skipped["filtered"] - books.added;
    assert_eq!(accounted, shapes.live);

    let without = Backfill::new(options).unwrap();
    let error = block(without.start()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.to_string().contains("transform"), "{error}");
}

#[test]
fn a_function_that_cannot_go_on_ends_the_run_with_its_word() {
    let folder = tempfile::tempdir().unwrap();
    let options = BackfillOptions { indices: vec!["shapes".into()], ..options(folder.path()) };
    let transform = Arc::new(Halving { fails_all: true });
    let backfill = Backfill::with_transform(options, Some(transform)).unwrap();
    block(Arc::clone(&backfill).start()).unwrap();
    let error = block(backfill.wait()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.to_string().contains("the interpreter ends"), "{error}");
}

#[test]
fn workers_elsewhere_cannot_call_a_function_of_the_host() {
    let kubernetes = KubernetesFleet { deployment: "workers".into(), ..KubernetesFleet::default() };
    let options = BackfillOptions {
        target: "https://cluster".into(),
        repository: Some("s3://bucket/backup".into()),
        snapshot: Some("nightly".into()),
        kubernetes: Some(kubernetes),
        ..BackfillOptions::default()
    };
    let transform = Arc::new(Halving { fails_all: false });
    let error = Backfill::with_transform(options, Some(transform)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("a transform is a function of this process"), "{error}");
}
