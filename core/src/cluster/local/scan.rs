//! All documents of an index, in pages.

use futures::stream::{self, Stream, StreamExt, TryStreamExt};

use super::database::Database;
use super::documents;
use crate::{Document, DocumentBatch, Error, Result};

/// Reads all documents of an index in the order they were first written, a few megabytes at a time.
///
/// Each page sees the index as it is then; a document that is replaced keeps its place, one written meanwhile comes last.
#[derive(Debug)]
pub struct LocalScan {
    database: Database,
    index: i64,
    after: i64,
}

impl LocalScan {
    pub(super) fn new(database: Database, index: i64) -> Self {
        Self { database, index, after: i64::MIN }
    }

    /// The next documents, or none when all were read.
    ///
    /// # Errors
    /// `Io` when the file cannot be read.
    pub async fn next_batch(&mut self) -> Result<Option<DocumentBatch>> {
        let (index, after) = (self.index, self.after);
        let (batch, last) =
            self.database.read("read", move |file| documents::page(file, index, after)).await?;
        self.after = last;
        Ok(Some(batch).filter(|batch| !batch.is_empty()))
    }

    /// The documents one by one.
    pub fn into_stream(self) -> impl Stream<Item = Result<Document>> + Send {
        stream::try_unfold(self, |mut scan| async move {
            let batch = scan.next_batch().await?;
            Ok::<_, Error>(batch.map(|batch| (batch, scan)))
        })
        .map_ok(|batch: DocumentBatch| {
            let documents: Vec<Result<Document>> = batch.documents().map(Ok).collect();
            stream::iter(documents)
        })
        .try_flatten()
        .boxed()
    }
}
