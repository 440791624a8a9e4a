//! A segment: everything that reading its documents takes, opened and checked.

use std::ops::Range;
use std::sync::Arc;

use crate::commit::SegmentCommit;
use crate::compound::SegmentDirectory;
use crate::directory::Directory;
use crate::doc_values::{self, DocSet};
use crate::field_infos::{self, FieldInfos};
use crate::live_docs::{self, LiveDocs};
use crate::segment_info;
use crate::stored::{ReadPosition, StoredDocuments, StoredFields};
use crate::{Error, Result};

/// A segment of a commit, open for reading.
///
/// Cheap to clone; readers made of it are independent of each other.
#[derive(Clone)]
pub struct Segment {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) directory: SegmentDirectory,
    pub(crate) fields: FieldInfos,
    pub(crate) stored: StoredFields,
    pub(crate) max_doc: u32,
    name: String,
    lucene: [u32; 3],
    live_docs: Option<LiveDocs>,
    soft_deleted: DocSet,
    hard_deleted_count: u32,
    soft_deleted_count: u32,
}

/// Whether a document is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Liveness {
    Live,
    Deleted,
    SoftDeleted,
}

impl Inner {
    #[inline]
    pub(crate) fn liveness(&self, doc: u32) -> Liveness {
        if self.live_docs.as_ref().is_some_and(|live| !live.is_live(doc)) {
            Liveness::Deleted
        } else if self.soft_deleted.contains(doc) {
            Liveness::SoftDeleted
        } else {
            Liveness::Live
        }
    }

    #[inline]
    pub(crate) fn is_live(&self, doc: u32) -> bool {
        self.liveness(doc) == Liveness::Live
    }
}

impl Segment {
    /// Opens a segment: reads `.si`, `.cfe`, `.fnm`, `.liv` or `.del`, the soft deletes, the chunk index and the header of
    /// the `.fdt`. Each of these files is checked whole, and all against each other: ids, counts, extents.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unsupported`] naming the format, or [`Error::Source`].
    pub fn open(directory: Arc<dyn Directory>, commit: &SegmentCommit) -> Result<Self> {
        let name = commit.name.as_str();
        let id = commit.id.as_ref();
        let info = segment_info::open(&*directory, name, id)?;
        let directory = if info.compound {
            SegmentDirectory::compound(directory, name, id)?
        } else {
            SegmentDirectory::plain(directory)
        };
        let fields = field_infos::open(&directory, name, commit.field_infos_gen, id)?;
        let live_docs = match commit.del_gen {
            Some(generation) => Some(live_docs::open(
                &directory,
                (name, id),
                generation,
                info.max_doc,
                commit.del_count,
            )?),
            None if commit.del_count == 0 => None,
            None => {
                let what = format!("{} deletions, but no file of them", commit.del_count);
                return Err(Error::corrupt(name, None, what));
            }
        };
        let soft_deleted = doc_values::soft_deleted(&directory, (name, id), &fields, info.max_doc)?;
        let soft_deleted_count = count_soft_deleted(commit, &soft_deleted, live_docs.as_ref())?;
        let stored = StoredFields::open(&directory, (name, id), info.max_doc)?;
        let inner = Inner {
            directory,
            fields,
            stored,
            max_doc: info.max_doc,
            name: name.to_owned(),
            lucene: info.lucene,
            live_docs,
            soft_deleted,
            hard_deleted_count: commit.del_count,
            soft_deleted_count,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Name of the segment, such as `_0`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Version of Lucene that wrote the segment.
    #[must_use]
    pub fn lucene_version(&self) -> [u32; 3] {
        self.inner.lucene
    }

    /// Name of the format of its stored fields, as their file has it.
    #[must_use]
    pub fn stored_format(&self) -> &'static str {
        self.inner.stored.format.name
    }

    /// Number of documents, deleted ones included; documents are numbered from 0 to this.
    #[must_use]
    pub fn max_doc(&self) -> u32 {
        self.inner.max_doc
    }

    /// Number of documents deleted for good.
    #[must_use]
    pub fn hard_deleted(&self) -> u32 {
        self.inner.hard_deleted_count
    }

    /// Number of softly deleted documents, those deleted for good not counted again.
    #[must_use]
    pub fn soft_deleted(&self) -> u32 {
        self.inner.soft_deleted_count
    }

    /// Number of live documents, nested ones included: all less the deleted of both kinds.
    #[must_use]
    pub fn live_count(&self) -> u32 {
        self.max_doc().saturating_sub(self.hard_deleted()).saturating_sub(self.soft_deleted())
    }

    /// Whether the segment has a field `_nested_path`, as every index with nested documents made by
    /// Elasticsearch 8 or OpenSearch 2 and later has: the proof that documents without id may be nested ones.
    /// For older indices only the mapping can tell.
    #[must_use]
    pub fn has_nested_path_field(&self) -> bool {
        self.inner.fields.has_nested_path()
    }

    /// Length of the `.fdt`, in bytes.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        self.inner.stored.length
    }

    /// Number of chunks.
    #[must_use]
    pub fn chunk_count(&self) -> usize {
        self.inner.stored.index.chunks()
    }

    /// First document of the chunk that holds `doc`: where ranges of documents may be cut. `None` past the end.
    #[must_use]
    pub fn chunk_start(&self, doc: u32) -> Option<u32> {
        let index = &self.inner.stored.index;
        let chunk = index.chunk_of(doc);
        (chunk < index.chunks()).then(|| index.first_doc(chunk))
    }

    /// First document of the first chunk that begins at byte `offset` of the `.fdt` or after it; the number of documents where
    /// none does.
    #[must_use]
    pub fn doc_from_offset(&self, offset: u64) -> u32 {
        let index = &self.inner.stored.index;
        index.first_doc(index.chunk_from(offset))
    }

    /// Number of live documents among `docs`, nested ones included. Looks at each of them.
    #[must_use]
    pub fn live_count_in(&self, docs: Range<u32>) -> u32 {
        let docs = docs.start..docs.end.min(self.max_doc());
        let live = docs.filter(|doc| self.inner.is_live(*doc)).count();
        u32::try_from(live).unwrap_or(u32::MAX)
    }

    /// Offset in the `.fdt` of the chunk that holds `doc`; the end of the last chunk for documents past the end.
    #[must_use]
    pub fn chunk_offset(&self, doc: u32) -> u64 {
        let index = &self.inner.stored.index;
        index.pointer(index.chunk_of(doc))
    }

    /// The stored documents, in sequence, from the chunk that holds `start.doc`.
    ///
    /// # Errors
    /// [`Error::Position`] when `start` is not where a chunk of this segment begins.
    pub fn documents(&self, start: ReadPosition) -> Result<StoredDocuments> {
        StoredDocuments::new(Arc::clone(&self.inner), start)
    }

    /// Verifies the checksum of the `.fdt`, given the position after its last chunk with the checksum of all
    /// bytes before: what [`ReadPosition::join`] makes of ranges that were read apart.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it differs, [`Error::Position`] when `end` is not such a position.
    pub fn verify_stored_checksum(&self, end: ReadPosition) -> Result<()> {
        let stored = &self.inner.stored;
        match end.crc {
            Some(crc) if end.crc_from == 0 && end.offset == stored.index.max_pointer() => {
                stored.verify(&self.inner.directory, crc)
            }
            _ => Err(Error::position(&stored.file, "not the end with all bytes before it read")),
        }
    }
}

/// Counts the softly deleted documents that are not deleted for good, and holds them against the commit.
fn count_soft_deleted(
    commit: &SegmentCommit,
    soft_deleted: &DocSet,
    live_docs: Option<&LiveDocs>,
) -> Result<u32> {
    // By words, not by documents: a few bytes may claim that two billion are deleted.
    let count = soft_deleted.count(|word| live_docs.map_or(u64::MAX, |live| live.word(word)));
    match commit.soft_del_count {
        Some(recorded) if recorded != count => {
            let what = format!("{recorded} soft deletions recorded, {count} found");
            Err(Error::corrupt(&commit.name, None, what))
        }
        _ => Ok(count),
    }
}
