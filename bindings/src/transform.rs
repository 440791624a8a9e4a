//! A function of the host that changes documents on their way.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use snapfill::ErrorKind;

use crate::{Document, DocumentBatch, Result, SnapfillError};

/// A function of the host that changes documents on their way; [`snapfill::Transform`] says what it must keep to.
///
/// It is called with a batch, from threads on which it may block: to take the interpreter's lock once, or to wait for what the
/// host's own thread answers. Several of these threads call it at once.
pub trait Transform: fmt::Debug + Send + Sync {
    /// What becomes of each document of the batch: one answer for each, in their order.
    ///
    /// # Errors
    /// What makes going on pointless: it ends the worker. What is wrong with one document is [`Transformed::Failed`].
    fn transform(&self, batch: DocumentBatch) -> Result<Vec<Transformed>>;
}

/// What became of one document.
#[derive(Clone, Debug)]
pub enum Transformed {
    /// What is written in its place; none: it is left out, and counted as `filtered`. Index, shard and type cannot be changed.
    Documents(Vec<Document>),
    /// It could not be transformed, and why.
    Failed(String),
}

/// The function as the core calls it.
pub(crate) fn of_host(transform: Arc<dyn Transform>) -> Arc<dyn snapfill::Transform> {
    Arc::new(OfHost(transform))
}

#[derive(Debug)]
struct OfHost(Arc<dyn Transform>);

#[async_trait]
impl snapfill::Transform for OfHost {
    async fn transform(
        &self,
        index: &str,
        shard: u32,
        documents: snapfill::DocumentBatch,
    ) -> snapfill::Result<Vec<snapfill::Transformed>> {
        let batch = DocumentBatch::new(index.to_owned(), shard, documents);
        let transform = Arc::clone(&self.0);
        let answers = tokio::task::spawn_blocking(move || transform.transform(batch)).await;
        let answers = answers.map_err(|error| {
            let message = format!("the transform stopped unexpectedly: {error}");
            snapfill::Error::new(ErrorKind::Unexpected, message)
        })?;
        let answers = answers.map_err(|error| as_core(&error))?;
        Ok(answers.into_iter().map(|answer| made(index, answer)).collect())
    }
}

fn as_core(error: &SnapfillError) -> snapfill::Error {
    snapfill::Error::new(error.kind(), error.to_string())
}

fn made(index: &str, answer: Transformed) -> snapfill::Transformed {
    match answer {
        Transformed::Failed(reason) => snapfill::Transformed::Failed(reason),
        Transformed::Documents(made) => match made.iter().find(|one| one.index != index) {
            Some(moved) => snapfill::Transformed::Failed(format!(
                "the transform gave a document of the index `{}`; what is made of a document of `{index}` must be of it, too",
                moved.index
            )),
            None => snapfill::Transformed::Documents(made.into_iter().map(document).collect()),
        },
    }
}

/// The number is that of the document that was read, which the core knows.
fn document(made: Document) -> snapfill::Document {
    snapfill::Document {
        number: 0,
        id: made.id,
        doc_type: made.doc_type.map(Into::into),
        routing: made.routing,
        parent: made.parent,
        source: made.source.into(),
    }
}
