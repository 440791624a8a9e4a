//! One shard of a snapshot.

use std::sync::Arc;

use snapfill_lucene::{Commit, Directory, Segment};

use super::documents::{DocumentStream, DocumentsOptions, read_in_background};
use super::index_metadata::IndexMetadata;
use super::limits::DOCUMENT_BYTES;
use super::shard_files::{ShardFiles, explain_lucene};
use crate::{Error, ErrorKind, Result};

/// One shard, opened for reading.
#[derive(Clone, Debug)]
pub struct Shard {
    pub(crate) metadata: Arc<IndexMetadata>,
    pub(crate) number: u32,
    pub(crate) files: Arc<ShardFiles>,
    pub(crate) commit: Arc<Commit>,
    /// Whether `_recovery_source` stands in for a source that is not stored whole.
    pub(crate) recovery_source: bool,
    /// Larger documents are refused.
    pub(crate) max_document_bytes: u64,
}

/// How much there is in a shard, told by its metadata before a document is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ShardSize {
    /// Document numbers in use, dead ones too.
    pub max_doc: u32,
    /// Deleted documents: hard deletes and soft deletes together.
    pub deleted: u64,
    /// Documents that are not deleted: root documents and nested children.
    pub undeleted: u64,
    /// Bytes of the stored fields, compressed.
    pub stored_bytes: u64,
    /// Bytes of all files of the shard.
    pub total_bytes: u64,
    /// Segments.
    pub segments: u32,
}

impl Shard {
    pub(crate) async fn open(
        files: ShardFiles,
        metadata: Arc<IndexMetadata>,
        number: u32,
    ) -> Result<Self> {
        let files = Arc::new(files);
        let directory = Arc::clone(&files);
        let commit =
            on_blocking_thread(move || Commit::open(&*directory).map_err(explain_lucene)).await;
        let commit = commit.map_err(|error| files.name_blob(error))?;
        let commit = Arc::new(commit);
        let max_document_bytes = DOCUMENT_BYTES;
        Ok(Self { metadata, number, files, commit, recovery_source: false, max_document_bytes })
    }

    pub(crate) fn read_as(self, recovery_source: bool, max_document_bytes: u64) -> Self {
        Self { recovery_source, max_document_bytes, ..self }
    }

    /// The name of its index.
    pub fn index(&self) -> &str {
        &self.metadata.name
    }

    /// The metadata of its index.
    pub fn metadata(&self) -> &IndexMetadata {
        &self.metadata
    }

    /// Its number within the index.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// How much there is in it. Reads the segments' metadata, no documents.
    ///
    /// # Errors
    /// `Corrupt` or `Unsupported`, naming the file.
    pub async fn size(&self) -> Result<ShardSize> {
        let shard = self.clone();
        on_blocking_thread(move || shard.measure()).await.map_err(|error| self.locate(error))
    }

    /// Checks that every file is there and as long as the manifest says. Reads nothing.
    ///
    /// # Errors
    /// `NotFound` or `Corrupt`, naming the file.
    pub async fn check_lengths(&self) -> Result<()> {
        self.files.check_lengths().await.map_err(|error| self.locate(error))
    }

    /// The documents, in order, in batches. Reading goes on in the background as far as the options' memory allows.
    ///
    /// Must be called within a tokio runtime.
    pub fn documents(&self, options: DocumentsOptions) -> DocumentStream {
        read_in_background(self.clone(), options)
    }

    /// Says in which shard an error happened, and in which file of the repository.
    pub(crate) fn locate(&self, error: Error) -> Error {
        self.files
            .name_blob(error)
            .with_context("shard", format!("{}[{}]", self.index(), self.number))
    }

    pub(crate) fn open_segment(&self, ordinal: usize) -> Result<Segment> {
        let commit = self.commit.segments().get(ordinal).ok_or_else(|| {
            Error::new(ErrorKind::Unexpected, format!("no segment {ordinal} in the commit"))
        })?;
        let directory = Arc::clone(&self.files) as Arc<dyn Directory>;
        Segment::open(directory, commit).map_err(explain_lucene)
    }

    fn measure(&self) -> Result<ShardSize> {
        let mut size = ShardSize { total_bytes: self.files.total_bytes(), ..ShardSize::default() };
        for ordinal in 0..self.commit.segments().len() {
            let segment = self.open_segment(ordinal)?;
            size.max_doc = size.max_doc.checked_add(segment.max_doc()).ok_or_else(|| {
                Error::new(
                    ErrorKind::Corrupt,
                    "the segments claim more documents than a shard can hold",
                )
            })?;
            size.deleted += u64::from(segment.max_doc()) - u64::from(segment.live_count());
            size.undeleted += u64::from(segment.live_count());
            size.stored_bytes += segment.stored_bytes();
            size.segments += 1;
        }
        Ok(size)
    }
}

/// Runs a call that blocks where it may; a panic in it becomes an error.
pub(crate) async fn on_blocking_thread<T, F>(call: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    tokio::task::spawn_blocking(call).await.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Unexpected, format!("the reader stopped unexpectedly: {error}")))
    })
}
