//! What a transform made of a batch, checked and counted before it is sent.

use std::collections::HashSet;
use std::sync::Arc;

use serde::de::IgnoredAny;

use super::bulk_sender::{Refused, Settled};
use crate::cluster::ItemError;
use crate::preparation::Route;
use crate::snapshot::one_line;
use crate::{
    Document, DocumentBatch, DocumentBatchBuilder, Error, ErrorKind, Result, SkipReason, Transform,
    Transformed,
};

/// Has the documents of one item transformed.
#[derive(Clone, Debug)]
pub(super) struct Transforming {
    pub(super) transform: Arc<dyn Transform>,
    /// The index of the snapshot, and the shard.
    pub(super) index: Arc<str>,
    pub(super) shard: u32,
    pub(super) route: Route,
    /// Bytes and documents of a request: several documents of one may make more than were read.
    pub(super) batch_size: (usize, usize),
}

/// What is to be sent in place of a batch, and what is settled already: what was left out, and what could not be
/// transformed.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) batches: Vec<DocumentBatch>,
    pub(super) settled: Settled,
}

impl Made {
    /// A batch that goes as it is.
    pub(super) fn untouched(documents: DocumentBatch) -> Self {
        Self { batches: vec![documents], ..Self::default() }
    }
}

impl Transforming {
    /// Transforms a batch.
    ///
    /// # Errors
    /// What the transform fails with; `Unexpected` when it does not say what becomes of each document.
    pub(super) async fn apply(&self, documents: DocumentBatch) -> Result<Made> {
        let answers = self.transform.transform(&self.index, self.shard, documents.clone()).await?;
        if answers.len() != documents.len() {
            let message = format!(
                "the transform gave {} answers for {} documents; it must give one for each",
                answers.len(),
                documents.len()
            );
            return Err(
                Error::new(ErrorKind::Unexpected, message).with_context("index", &*self.index)
            );
        }
        let mut packing = Packing { size: self.batch_size, ..Packing::default() };
        let mut settled = Settled::default();
        for (read, answer) in documents.documents().zip(answers) {
            let made = match answer {
                Transformed::Documents(made) => checked(&read, made),
                Transformed::Failed(reason) => Err(reason),
            };
            match made {
                Ok(made) if made.is_empty() => settled.books.skip(SkipReason::Filtered, 1),
                Ok(made) => {
                    settled.books.added += made.len() as u64 - 1;
                    made.iter().for_each(|document| packing.push(document));
                }
                Err(reason) => self.fail(&mut settled, read, reason),
            }
        }
        Ok(Made { batches: packing.finish(), settled })
    }

    fn fail(&self, settled: &mut Settled, document: Document, reason: String) {
        let index = self.route.index_of(document.doc_type.as_deref().unwrap_or("_doc"));
        let error = ItemError { status: 0, error_type: Transformed::ERROR_TYPE.to_owned(), reason };
        settled.books.failed += 1;
        settled.failed.push(Refused { index, document, error });
    }
}

/// The documents that were made of one, as they may be sent; or why none of them can be.
fn checked(read: &Document, made: Vec<Document>) -> Result<Vec<Document>, String> {
    let mut ids = HashSet::new();
    if let Some(twice) = made.iter().find(|document| !ids.insert(&document.id)) {
        return Err(format!(
            "the transform gave two documents of the id `{}`; each needs an id of its own",
            twice.id
        ));
    }
    made.into_iter().map(|document| fitted(read, document)).collect()
}

/// A document that was made, with what stays of the one that was read.
fn fitted(read: &Document, made: Document) -> Result<Document, String> {
    if made.id.is_empty() && !read.id.is_empty() {
        return Err("the transform gave a document without an id".to_owned());
    }
    let source = if made.source == read.source { made.source } else { object(&made)? };
    Ok(Document { number: read.number, doc_type: read.doc_type.clone(), source, ..made })
}

/// The source as one line, which must be a JSON object.
fn object(made: &Document) -> Result<bytes::Bytes, String> {
    let refuse = |why: &dyn std::fmt::Display| {
        format!("the source that the transform gave `{}` is not a JSON object: {why}", made.id)
    };
    serde_json::from_slice::<IgnoredAny>(&made.source).map_err(|error| refuse(&error))?;
    std::str::from_utf8(&made.source).map_err(|error| refuse(&error))?;
    let line = one_line(&made.source).ok_or_else(|| refuse(&"it does not begin with `{`"))?;
    Ok(match line {
        std::borrow::Cow::Borrowed(_) => made.source.clone(),
        std::borrow::Cow::Owned(line) => line.into(),
    })
}

/// Documents in batches of at most so many bytes and documents, as far as one document allows.
#[derive(Debug, Default)]
struct Packing {
    size: (usize, usize),
    open: DocumentBatchBuilder,
    full: Vec<DocumentBatch>,
}

impl Packing {
    fn push(&mut self, document: &Document) {
        let (bytes, documents) = self.size;
        let grown = self.open.bytes() + document.id.len() + document.source.len();
        if !self.open.is_empty() && (grown > bytes || self.open.len() >= documents) {
            self.full.push(self.open.finish());
        }
        self.open.push(document.as_ref());
    }

    fn finish(mut self) -> Vec<DocumentBatch> {
        if !self.open.is_empty() {
            self.full.push(self.open.finish());
        }
        self.full
    }
}

#[cfg(test)]
mod tests;
