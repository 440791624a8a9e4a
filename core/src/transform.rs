//! Changing documents on their way.

use std::fmt;

use async_trait::async_trait;

use crate::{Document, DocumentBatch, Result};

/// A function from each document of a snapshot to what is written in its place: the document changed, several, or none.
///
/// It is called with many documents at once, and by all workers of the process at the same time. What it gives is written
/// under the ids that it gives, so it must give the same for the same document whenever it is asked: after a crash, or when a
/// lease is lost, the documents that were not acknowledged are read and transformed again, and only equal ids make that no
/// harm. What was transformed once is sent again, where it has to be, without asking again.
#[async_trait]
pub trait Transform: fmt::Debug + Send + Sync {
    /// What becomes of each of `documents`, which are of one shard of the snapshot's `index`: one answer for each, in their
    /// order. Dropping the future is a stop; what it would have given is not written.
    ///
    /// # Errors
    /// What makes going on pointless: it ends the worker, and nothing of the batch is written. What is wrong with one document
    /// alone is [`Transformed::Failed`].
    async fn transform(
        &self,
        index: &str,
        shard: u32,
        documents: DocumentBatch,
    ) -> Result<Vec<Transformed>>;
}

/// What a [`Transform`] made of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transformed {
    /// What is written in its place. None: it is skipped by request and counted as [`crate::SkipReason::Filtered`].
    ///
    /// Ids, routings, parents and sources are taken as they are given; number and type stay those of the document that was
    /// read. Several need ids that differ. A source that is not the one that was read must be a JSON object.
    Documents(Vec<Document>),
    /// It could not be transformed, and why. It is kept with the failed documents, as it was read.
    Failed(String),
}

impl Transformed {
    /// The type of error under which failed documents of a transform are kept.
    pub const ERROR_TYPE: &str = "transform";
}
