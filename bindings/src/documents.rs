//! Documents of a snapshot, pulled in batches.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use snapfill::snapshot::{DocumentsOptions, SnapshotDocuments};
use snapfill::{DocumentRef, ErrorKind, SkipReason};

use crate::convert::counts_by_name;
use crate::{Result, SnapfillError, Snapshot, runtime};

/// One document of a snapshot.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Document {
    /// The index it is of.
    pub index: String,
    /// The shard it is of.
    pub shard: u32,
    /// `_id`, exact.
    pub id: String,
    /// `_routing`, where it has its own.
    pub routing: Option<String>,
    /// `_type`, where the source's version had types.
    pub doc_type: Option<String>,
    /// `_parent`, for children of Elasticsearch 5 and before.
    pub parent: Option<String>,
    /// `_source`, byte for byte, save that a raw newline is a space.
    pub source: Vec<u8>,
}

/// Neighbouring documents of one shard, in one shared buffer.
#[derive(Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct DocumentBatch {
    index: String,
    shard: u32,
    documents: snapfill::DocumentBatch,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl DocumentBatch {
    /// The index they are of.
    pub fn index(&self) -> String {
        self.index.clone()
    }

    /// The shard they are of.
    pub fn shard(&self) -> u32 {
        self.shard
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.documents.len() as u64
    }

    /// Bytes of their sources.
    pub fn source_bytes(&self) -> u64 {
        self.documents.source_bytes()
    }

    /// Copies of them, in order.
    pub fn documents(&self) -> Vec<Document> {
        let document = |document: DocumentRef<'_>| Document {
            index: self.index.clone(),
            shard: self.shard,
            id: document.id.to_owned(),
            routing: document.routing.map(str::to_owned),
            doc_type: document.doc_type.map(str::to_owned),
            parent: document.parent.map(str::to_owned),
            source: document.source.to_vec(),
        };
        self.documents.iter().map(document).collect()
    }
}

impl DocumentBatch {
    /// Documents of one shard of an index.
    pub(crate) fn new(index: String, shard: u32, documents: snapfill::DocumentBatch) -> Self {
        Self { index, shard, documents }
    }

    /// The documents where they lie, in order: for bindings that copy them into values of their own language.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = DocumentRef<'_>> {
        self.documents.iter()
    }

    /// The batch itself: cheap to clone, its buffer shared.
    pub fn shared(&self) -> &snapfill::DocumentBatch {
        &self.documents
    }
}

/// Documents of a snapshot. One caller at a time pulls batches from it.
#[derive(Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct DocumentStream {
    snapshot: Arc<Snapshot>,
    index: Option<String>,
    shard: Option<u32>,
    reading: tokio::sync::Mutex<Reading>,
    /// Beside the reader, so that it can be asked while a batch is waited for.
    skipped: Mutex<BTreeMap<SkipReason, u64>>,
}

#[derive(Debug)]
enum Reading {
    NotBegun,
    Begun {
        documents: Box<SnapshotDocuments>,
        /// What a caller wanted fewer of than were read.
        left: Option<DocumentBatch>,
    },
    Closed,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl DocumentStream {
    /// The next documents, `max` of them or fewer; none when all have come. A cancelled call loses no document.
    ///
    /// # Errors
    /// What opening the snapshot fails with; `NotFound` for an index or shard that is not there; `Corrupt` or `Unsupported`,
    /// naming the file; `Config` when `max` is 0.
    pub async fn next_batch(self: Arc<Self>, max: u32) -> Result<Option<Arc<DocumentBatch>>> {
        if max == 0 {
            return Err(SnapfillError::new(ErrorKind::Config, "a batch of 0 documents is none"));
        }
        runtime::run(async move {
            let batch = self.next(usize::try_from(max).unwrap_or(usize::MAX)).await?;
            Ok(batch.map(Arc::new))
        })
        .await
    }

    /// Live documents that had no source to give, by reason, of those read so far; `shard_missing` counts shards.
    pub fn skipped(&self) -> HashMap<String, u64> {
        counts_by_name(&self.skipped.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Stops reading and lets go of everything. No batch comes afterwards.
    pub async fn close(self: Arc<Self>) -> Result<()> {
        runtime::run(async move {
            *self.reading.lock().await = Reading::Closed;
            Ok(())
        })
        .await
    }
}

impl DocumentStream {
    pub(crate) fn of(
        snapshot: Arc<Snapshot>,
        index: Option<String>,
        shard: Option<u32>,
    ) -> Arc<Self> {
        let (reading, skipped) = (tokio::sync::Mutex::new(Reading::NotBegun), Mutex::default());
        Arc::new(Self { snapshot, index, shard, reading, skipped })
    }

    async fn next(&self, max: usize) -> Result<Option<DocumentBatch>> {
        let mut reading = self.reading.lock().await;
        if let Reading::NotBegun = *reading {
            let snapshot = self.snapshot.opened().await?;
            let options = DocumentsOptions::default();
            let documents = snapshot.documents(self.index.as_deref(), self.shard, options);
            *reading = Reading::Begun { documents: Box::new(documents), left: None };
        }
        let Reading::Begun { documents, left } = &mut *reading else { return Ok(None) };
        let batch = match left.take() {
            Some(batch) => batch,
            None => match self.read(documents).await? {
                Some(batch) => batch,
                None => return Ok(None),
            },
        };
        if batch.documents.len() <= max {
            return Ok(Some(batch));
        }
        let DocumentBatch { index, shard, documents } = batch;
        let (wanted, rest) = documents.split_at(max);
        *left = Some(DocumentBatch { index: index.clone(), shard, documents: rest });
        Ok(Some(DocumentBatch { index, shard, documents: wanted }))
    }

    /// A batch that holds documents: one that tells only of skipped ones is noted and passed over.
    async fn read(&self, documents: &mut SnapshotDocuments) -> Result<Option<DocumentBatch>> {
        loop {
            let next = documents.next().await.transpose();
            self.note(documents);
            let Some((place, batch)) = next? else { return Ok(None) };
            if !batch.documents.is_empty() {
                let snapfill::snapshot::PlaceOfBatch { index, shard } = place;
                // The reader's memory is free from here on: what a caller keeps is the caller's.
                return Ok(Some(DocumentBatch { index, shard, documents: batch.documents }));
            }
        }
    }

    fn note(&self, documents: &SnapshotDocuments) {
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner).clone_from(documents.skipped());
    }
}

#[cfg(test)]
mod tests;
