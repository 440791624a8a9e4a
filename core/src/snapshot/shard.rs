//! One shard of a snapshot.

use std::sync::Arc;

use snapfill_lucene::{Commit, Directory, ReadPosition, Segment};

use super::documents::{DocumentStream, DocumentsOptions, SegmentPart, read_in_background};
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

    /// Where to cut the shard into `pieces` ranges of about as many stored bytes each: the first document numbers of all but
    /// the first, rising. Ranges are cut where chunks begin, so there may be fewer.
    ///
    /// # Errors
    /// As [`Shard::size`].
    pub async fn cuts(&self, pieces: u32) -> Result<Vec<u32>> {
        let shard = self.clone();
        on_blocking_thread(move || shard.cut(pieces)).await.map_err(|error| self.locate(error))
    }

    /// Verifies the checksums of segments whose stored fields were read in parts, by different readers maybe.
    ///
    /// # Errors
    /// `Corrupt` when a checksum differs or a part is missing, with a context `segment` and the documents that are suspect.
    pub async fn verify_parts(&self, parts: Vec<SegmentPart>) -> Result<()> {
        let shard = self.clone();
        let verified = on_blocking_thread(move || shard.verify(parts)).await;
        verified.map_err(|error| self.locate(error))
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

    fn cut(&self, pieces: u32) -> Result<Vec<u32>> {
        let segments: Vec<Segment> = (0..self.commit.segments().len())
            .map(|ordinal| self.open_segment(ordinal))
            .collect::<Result<_>>()?;
        let total: u64 = segments.iter().map(Segment::stored_bytes).sum();
        let mut cuts = std::collections::BTreeSet::new();
        let (mut docs_before, mut bytes_before, mut piece) = (0_u32, 0_u64, 1_u32);
        for segment in &segments {
            let end = bytes_before + segment.stored_bytes();
            while piece < pieces {
                let place = u128::from(total) * u128::from(piece) / u128::from(pieces);
                let place = u64::try_from(place).unwrap_or(u64::MAX);
                if place >= end {
                    break;
                }
                cuts.insert(
                    docs_before.saturating_add(segment.doc_from_offset(place - bytes_before)),
                );
                piece += 1;
            }
            docs_before = docs_before.saturating_add(segment.max_doc());
            bytes_before = end;
        }
        cuts.remove(&0);
        cuts.remove(&docs_before);
        Ok(cuts.into_iter().collect())
    }

    fn verify(&self, mut parts: Vec<SegmentPart>) -> Result<()> {
        parts.sort_by_key(|part| (part.ordinal, part.from));
        for of_segment in parts.chunk_by(|one, next| one.ordinal == next.ordinal) {
            let Some(first) = of_segment.first() else { continue };
            let segment =
                self.open_segment(usize::try_from(first.ordinal).unwrap_or(usize::MAX))?;
            let Some(end) = joined(of_segment) else {
                let message =
                    "the checksums of its parts cannot be joined: some part was not read whole";
                return Err(
                    Error::new(ErrorKind::Corrupt, message).with_context("segment", segment.name())
                );
            };
            segment
                .verify_stored_checksum(end)
                .map_err(|error| explain_lucene(error).with_context("segment", segment.name()))?;
        }
        Ok(())
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

/// Joins the parts of one segment, from its first byte on.
fn joined(parts: &[SegmentPart]) -> Option<ReadPosition> {
    let mut positions = parts.iter().map(|part| ReadPosition {
        doc: 0,
        offset: part.to,
        crc: Some(part.crc),
        crc_from: part.from,
    });
    let first = positions.next()?;
    positions.try_fold(first, ReadPosition::join)
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
