//! The reading itself: segments in commit order, chunk by chunk, packed into batches.

use std::collections::BTreeMap;
use std::mem;
use std::ops::Range;

use snapfill_lucene::{Chunk, DocumentState, ReadPosition, RootDocument, Segment, StoredDocument};

use super::{DocumentsOptions, Outlet, ReadPoint, SegmentPart, SegmentPoint, ShardBatch};
use crate::snapshot::limits::CHUNK_SLACK_BYTES;
use crate::snapshot::shard::Shard;
use crate::snapshot::shard_files::explain_lucene;
use crate::snapshot::source::prepare;
use crate::{DocumentBatchBuilder, DocumentRef, Error, ErrorKind, Result, SkipReason};

/// An empty batch goes out after this many dead documents, so that progress is seen in a shard full of them.
const SILENT_DOCUMENTS: u32 = 250_000;

/// Reads from the options' point to the end of the range. Says how many documents of the whole range are not deleted, as its
/// segments count them: the other side of the books. None when nobody listens any more.
pub(super) fn read(
    shard: &Shard,
    options: &DocumentsOptions,
    outlet: &Outlet,
) -> Result<Option<u64>> {
    let mut packer = Packer::new(shard, options, outlet);
    let range = options.range.clone().unwrap_or(0..u32::MAX);
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
        let within = range.start.max(base)..range.end.min(end);
        if !within.is_empty() {
            let place = Place::new(&segment, ordinal, base, within.clone())?;
            if options.from.next < within.end && !packer.read_segment(&place)? {
                return Ok(None);
            }
            undeleted += u64::from(place.live_count());
        }
        base = end;
    }
    let asked = options.range.as_ref().map_or(0, |range| range.end).max(options.from.next);
    if asked > base {
        let message = format!("cannot read to document {asked}: the shard has {base}");
        return Err(Error::new(ErrorKind::State, message));
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
    /// What every point from now on says of the first segment.
    head: Option<SegmentPart>,
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
    /// The segment's documents that are meant.
    docs: Range<u32>,
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

impl<'a> Place<'a> {
    /// The place of documents `within` of the shard, which must be cut where chunks begin.
    fn new(segment: &'a Segment, ordinal: usize, base: u32, within: Range<u32>) -> Result<Self> {
        let docs = within.start - base..within.end - base;
        for doc in [docs.start, docs.end] {
            if segment.chunk_start(doc).is_some_and(|start| start != doc) {
                let message =
                    format!("cannot cut a shard at document {}: no chunk begins there", base + doc);
                return Err(Error::new(ErrorKind::State, message));
            }
        }
        let ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
        Ok(Self { segment, ordinal, base, docs })
    }

    fn point(&self, doc: u32, chunk: ReadPosition) -> ReadPoint {
        let ReadPosition { offset, crc, crc_from, .. } = chunk;
        let segment = SegmentPoint { ordinal: self.ordinal, doc, offset, crc, crc_from };
        ReadPoint { next: self.base + doc, segment: Some(segment), head: None }
    }

    /// Whether the range holds the segment to its last document.
    fn reaches_end(&self) -> bool {
        self.docs.end == self.segment.max_doc()
    }

    /// What was read of a segment that the range begins within, when reading stands at its end.
    fn part(&self, end: ReadPosition) -> Option<SegmentPart> {
        let ReadPosition { offset: to, crc, crc_from: from, .. } = end;
        (self.docs.start > 0).then_some(SegmentPart { ordinal: self.ordinal, from, to, crc: crc? })
    }

    fn live_count(&self) -> u32 {
        if self.docs.start == 0 && self.reaches_end() {
            return self.segment.live_count();
        }
        self.segment.live_count_in(self.docs.clone())
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
            first: options.range.as_ref().map_or(0, |range| range.start).max(options.from.next),
            head: options.from.head,
            skipped: BTreeMap::new(),
            counts: SourceCounts::default(),
            nested: 0,
        }
    }

    fn read_segment(&mut self, place: &Place<'_>) -> Result<bool> {
        let mut next = self.options.from.next.saturating_sub(place.base).max(place.docs.start);
        let from = self.start(place.ordinal, next);
        let mut chunks = place.segment.documents(from).map_err(explain_lucene)?;
        chunks.limit_chunk_bytes(self.max_document_bytes.saturating_add(CHUNK_SLACK_BYTES));
        chunks.set_range_end(place.docs.end);
        let mut last = None;
        while let Some(chunk) = chunks.next_chunk().map_err(explain_lucene)? {
            for document in chunk.documents() {
                let document = document.map_err(explain_lucene)?;
                if document.doc != next {
                    return Err(gap(place, next, document.doc));
                }
                if !self.take(&document, place, &chunk)? {
                    return Ok(false);
                }
                next = document.doc + 1;
            }
            last = Some(chunk.position_after());
        }
        if next != place.docs.end {
            return Err(gap(place, next, place.docs.end));
        }
        self.end_segment(place, last)
    }

    fn end_segment(&mut self, place: &Place<'_>, last: Option<ReadPosition>) -> Result<bool> {
        let at = |position| place.point(place.docs.end, position);
        if !place.reaches_end() {
            return self.flush(last.map_or(self.options.from, at));
        }
        self.head = self.head.or(last.and_then(|position| place.part(position)));
        let next = place.base + place.docs.end;
        self.flush(ReadPoint { next, segment: None, head: None })
    }

    fn start(&self, ordinal: u32, doc: u32) -> ReadPosition {
        match self.options.from.segment {
            Some(point) if point.ordinal == ordinal && point.doc == doc => {
                let SegmentPoint { offset, crc, crc_from, .. } = point;
                ReadPosition { doc, offset, crc, crc_from }
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
        let end = ReadPoint { head: self.head, ..end };
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
