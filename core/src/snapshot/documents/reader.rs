//! The reading itself: segments in commit order, chunk by chunk, packed into batches.

use std::collections::BTreeMap;
use std::mem;

use snapfill_lucene::{Chunk, DocumentState, ReadPosition, RootDocument, Segment, StoredDocument};

use super::{DocumentsOptions, Outlet, ReadPoint, SegmentPoint, ShardBatch};
use crate::snapshot::limits::CHUNK_SLACK_BYTES;
use crate::snapshot::shard::Shard;
use crate::snapshot::shard_files::explain_lucene;
use crate::snapshot::source::prepare;
use crate::{DocumentBatchBuilder, DocumentRef, Error, ErrorKind, Result, SkipReason};

/// An empty batch goes out after this many dead documents, so that progress is seen in a shard full of them.
const SILENT_DOCUMENTS: u32 = 250_000;

/// Reads from the options' point to the end of the shard. Says how many documents of the whole shard are not deleted, as its
/// segments count them: the other side of the books. None when nobody listens any more.
pub(super) fn read(
    shard: &Shard,
    options: &DocumentsOptions,
    outlet: &Outlet,
) -> Result<Option<u64>> {
    let mut packer = Packer::new(shard, options, outlet);
    let mut base = 0_u32;
    let mut undeleted = 0_u64;
    for ordinal in 0..shard.commit.segments().len() {
        let segment = shard.open_segment(ordinal)?;
        let end = base.checked_add(segment.max_doc()).ok_or_else(|| {
            Error::new(
                ErrorKind::Corrupt,
                "the segments claim more documents than a shard can hold",
            )
        })?;
        if options.from.next < end && !packer.read_segment(&segment, ordinal, base)? {
            return Ok(None);
        }
        undeleted += u64::from(segment.live_count());
        base = end;
    }
    if options.from.next > base {
        return Err(Error::new(
            ErrorKind::State,
            format!("cannot begin at document {}: the shard has {base}", options.from.next),
        ));
    }
    Ok(Some(undeleted))
}

/// Packs documents into batches and hands these out.
struct Packer<'a> {
    options: &'a DocumentsOptions,
    outlet: &'a Outlet,
    without_source: SkipReason,
    document_type: Option<&'a str>,
    /// Types whose documents have a parent.
    child_types: Vec<&'a str>,
    /// `_recovery_source` stands in for the source of this index.
    recovers: bool,
    max_document_bytes: u64,
    may_nest: bool,
    batch: DocumentBatchBuilder,
    /// The first document of the batch.
    first: u32,
    skipped: BTreeMap<SkipReason, u64>,
    counts: SourceCounts,
    nested: u64,
}

/// The segment that is being read.
struct Place<'a> {
    segment: &'a Segment,
    ordinal: u32,
    /// The shard's number of the segment's first document.
    base: u32,
}

/// Where sources came from, when not from `_source` as it is.
#[derive(Default)]
struct SourceCounts {
    converted: u64,
    recovered: u64,
    unrecovered: u64,
}

impl SourceCounts {
    fn note_read(&mut self, recovers: bool, root: &RootDocument<'_>, converted: bool) {
        self.converted += u64::from(converted);
        self.recovered += u64::from(recovers && root.recovery_source.is_some());
        self.unrecovered += u64::from(recovers && root.recovery_source.is_none());
    }

    fn note_skipped(&mut self, recovers: bool, root: &RootDocument<'_>) {
        self.unrecovered += u64::from(recovers && root.recovery_source.is_none());
    }
}

impl Place<'_> {
    fn point(&self, doc: u32, chunk: ReadPosition) -> ReadPoint {
        let crc = chunk.crc.filter(|_| chunk.crc_from == 0);
        let segment = SegmentPoint { ordinal: self.ordinal, doc, offset: chunk.offset, crc };
        ReadPoint { next: self.base + doc, segment: Some(segment) }
    }

    fn end(&self) -> ReadPoint {
        ReadPoint { next: self.base + self.segment.max_doc(), segment: None }
    }
}

impl<'a> Packer<'a> {
    fn new(shard: &'a Shard, options: &'a DocumentsOptions, outlet: &'a Outlet) -> Self {
        Self {
            options,
            outlet,
            without_source: shard.metadata.missing_source_reason(),
            document_type: shard.metadata.document_type().map(|name| &**name),
            child_types: shard.metadata.child_types(),
            max_document_bytes: shard.max_document_bytes,
            recovers: shard.recovery_source && shard.metadata.lacks_source(),
            may_nest: shard.metadata.has_nested_fields(),
            batch: DocumentBatchBuilder::default(),
            first: options.from.next,
            skipped: BTreeMap::new(),
            counts: SourceCounts::default(),
            nested: 0,
        }
    }

    fn read_segment(&mut self, segment: &Segment, ordinal: usize, base: u32) -> Result<bool> {
        let ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
        let place = Place { segment, ordinal, base };
        let mut next = self.options.from.next.saturating_sub(base);
        let mut chunks = segment.documents(self.start(ordinal, next)).map_err(explain_lucene)?;
        chunks.limit_chunk_bytes(self.max_document_bytes.saturating_add(CHUNK_SLACK_BYTES));
        while let Some(chunk) = chunks.next_chunk().map_err(explain_lucene)? {
            for document in chunk.documents() {
                let document = document.map_err(explain_lucene)?;
                if document.doc != next {
                    return Err(gap(&place, next, document.doc));
                }
                if !self.take(&document, &place, &chunk)? {
                    return Ok(false);
                }
                next = document.doc + 1;
            }
        }
        if next != segment.max_doc() {
            return Err(gap(&place, next, segment.max_doc()));
        }
        self.flush(place.end())
    }

    fn start(&self, ordinal: u32, doc: u32) -> ReadPosition {
        match self.options.from.segment {
            Some(point) if point.ordinal == ordinal && point.doc == doc => {
                ReadPosition { doc, offset: point.offset, crc: point.crc, crc_from: 0 }
            }
            _ if doc == 0 => ReadPosition::start(),
            _ => ReadPosition::at(doc),
        }
    }

    /// Takes one document in; hands the batch out first when it is full.
    fn take(
        &mut self,
        document: &StoredDocument<'_>,
        place: &Place<'_>,
        chunk: &Chunk<'_>,
    ) -> Result<bool> {
        let number = place.base + document.doc;
        match &document.state {
            DocumentState::Deleted | DocumentState::SoftDeleted => {
                if number - self.first >= SILENT_DOCUMENTS {
                    return self.flush(place.point(document.doc, chunk.position_before()));
                }
            }
            DocumentState::Nested => self.take_without_id(number, place)?,
            DocumentState::Root(root) => {
                return self.take_root(number, root, document.doc, place, chunk);
            }
        }
        Ok(true)
    }

    /// Nested children have no id, and neither has anything in a time-series index from Elasticsearch 9.3 on. Anything
    /// else without one is a document that would be lost.
    fn take_without_id(&mut self, number: u32, place: &Place<'_>) -> Result<()> {
        if self.without_source == SkipReason::TimeSeries {
            *self.skipped.entry(SkipReason::TimeSeries).or_default() += 1;
            return Ok(());
        }
        if self.may_nest || place.segment.has_nested_path_field() {
            self.nested += 1;
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Unsupported,
            "a live document has no `_id`, and the index has no nested fields that would explain it",
        )
        .with_context("document", number))
    }

    fn take_root(
        &mut self,
        number: u32,
        root: &RootDocument<'_>,
        doc: u32,
        place: &Place<'_>,
        chunk: &Chunk<'_>,
    ) -> Result<bool> {
        let stored = self.stored_source(root);
        let source = match stored.map(|stored| prepare(stored, self.max_document_bytes)) {
            Some(Ok(source)) => source,
            absent => {
                let reason =
                    if absent.is_some() { SkipReason::Undecodable } else { self.without_source };
                *self.skipped.entry(reason).or_default() += 1;
                self.counts.note_skipped(self.recovers, root);
                return Ok(true);
            }
        };
        let converted = source.converted;
        let source = source.line;
        let grown = self.batch.bytes() + source.len() + root.id.len();
        let full =
            self.batch.len() >= self.options.batch_documents || grown > self.options.batch_bytes;
        if full
            && !self.batch.is_empty()
            && !self.flush(place.point(doc, chunk.position_before()))?
        {
            return Ok(false);
        }
        self.counts.note_read(self.recovers, root, converted);
        let doc_type = root.doc_type.or(self.document_type);
        self.batch.push(DocumentRef {
            number,
            id: &root.id,
            doc_type,
            routing: root.routing,
            parent: self.parent(root, doc_type),
            source: &source,
        });
        Ok(true)
    }

    /// The source to send: the stored one, or the original where that was asked for and is still there.
    fn stored_source<'d>(&self, root: &RootDocument<'d>) -> Option<&'d [u8]> {
        let recovered = root.recovery_source.filter(|_| self.recovers);
        recovered.or(root.source)
    }

    /// The parent's id. Elasticsearch 1 and 2 store it behind its type; 5 does not store it, but a child is routed by its
    /// parent's id unless it was given a routing of its own.
    fn parent<'d>(&self, root: &RootDocument<'d>, doc_type: Option<&str>) -> Option<&'d str> {
        match root.parent {
            Some(parent) => Some(parent.split_once('#').map_or(parent, |(_, id)| id)),
            None => root
                .routing
                .filter(|_| doc_type.is_some_and(|name| self.child_types.contains(&name))),
        }
    }

    fn flush(&mut self, end: ReadPoint) -> Result<bool> {
        let batch = ShardBatch {
            documents: self.batch.finish(),
            first: mem::replace(&mut self.first, end.next),
            end,
            skipped: mem::take(&mut self.skipped),
            nested: mem::take(&mut self.nested),
            converted: mem::take(&mut self.counts.converted),
            recovered: mem::take(&mut self.counts.recovered),
            unrecovered: mem::take(&mut self.counts.unrecovered),
            memory: None,
        };
        Ok(self.outlet.send(batch))
    }
}

fn gap(place: &Place<'_>, expected: u32, found: u32) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("document {found} follows where {expected} was expected"),
    )
    .with_context("segment", place.ordinal)
}
