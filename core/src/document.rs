//! Documents as they come out of a snapshot, alone and packed in batches.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

/// One live document of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its number within the shard: Lucene document numbers run through the segments in commit order.
    pub number: u32,
    /// `_id`, exact.
    pub id: String,
    /// `_type`, where the source's version had types.
    pub doc_type: Option<Arc<str>>,
    /// `_routing`, where the document has its own.
    pub routing: Option<String>,
    /// `_parent`, for children of Elasticsearch ≤ 5.
    pub parent: Option<String>,
    /// `_source`: the source's bytes, save that a raw newline is a space.
    pub source: Bytes,
}

impl Document {
    /// The same document, borrowed.
    pub fn as_ref(&self) -> DocumentRef<'_> {
        DocumentRef {
            number: self.number,
            id: &self.id,
            doc_type: self.doc_type.as_deref(),
            routing: self.routing.as_deref(),
            parent: self.parent.as_deref(),
            source: &self.source,
        }
    }
}

/// A document inside a [`DocumentBatch`], borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentRef<'a> {
    /// See [`Document::number`].
    pub number: u32,
    /// See [`Document::id`].
    pub id: &'a str,
    /// See [`Document::doc_type`].
    pub doc_type: Option<&'a str>,
    /// See [`Document::routing`].
    pub routing: Option<&'a str>,
    /// See [`Document::parent`].
    pub parent: Option<&'a str>,
    /// See [`Document::source`].
    pub source: &'a [u8],
}

impl From<DocumentRef<'_>> for Document {
    /// A copy that does not keep its batch in memory.
    fn from(document: DocumentRef<'_>) -> Self {
        Self {
            number: document.number,
            id: document.id.to_owned(),
            doc_type: document.doc_type.map(Into::into),
            routing: document.routing.map(str::to_owned),
            parent: document.parent.map(str::to_owned),
            source: Bytes::copy_from_slice(document.source),
        }
    }
}

/// Where the parts of a document lie in the buffer of its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentPlaces<'a> {
    /// See [`Document::id`].
    pub id: Range<usize>,
    /// See [`Document::doc_type`]: it lies elsewhere.
    pub doc_type: Option<&'a str>,
    /// See [`Document::routing`].
    pub routing: Option<Range<usize>>,
    /// See [`Document::parent`].
    pub parent: Option<Range<usize>>,
    /// See [`Document::source`].
    pub source: Range<usize>,
}

#[derive(Clone, Debug)]
struct Entry {
    number: u32,
    id: Range<usize>,
    doc_type: Option<Arc<str>>,
    routing: Option<Range<usize>>,
    parent: Option<Range<usize>>,
    source: Range<usize>,
}

/// Documents in order, packed in one shared buffer: cheap to clone, no allocation a document.
#[derive(Clone, Debug, Default)]
pub struct DocumentBatch {
    data: Bytes,
    entries: Arc<[Entry]>,
}

impl DocumentBatch {
    /// How many documents it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of ids, routings and sources together.
    pub fn bytes(&self) -> usize {
        self.data.len()
    }

    /// Bytes that one of at most so many documents in at most so many bytes takes up.
    #[cfg(feature = "local")]
    pub(crate) fn most_memory(bytes: usize, documents: usize) -> usize {
        bytes.saturating_add(documents.saturating_mul(size_of::<Entry>()))
    }

    /// Bytes that it takes up: small documents take less than the entries that say where they are.
    pub(crate) fn memory(&self) -> usize {
        self.data.len() + self.entries.len() * size_of::<Entry>()
    }

    /// The documents before the one at `middle`, and the rest. Both share this batch's buffer.
    #[must_use]
    pub fn split_at(&self, middle: usize) -> (Self, Self) {
        let middle = middle.min(self.entries.len());
        let (first, second) = self.entries.split_at(middle);
        // Entries lie in the buffer in their order, each beginning with its id.
        let cut = second.first().map_or(self.data.len(), |entry| entry.id.start);
        let moved = |entry: &Entry| {
            let move_range = |range: &Range<usize>| range.start - cut..range.end - cut;
            Entry {
                number: entry.number,
                id: move_range(&entry.id),
                doc_type: entry.doc_type.clone(),
                routing: entry.routing.as_ref().map(move_range),
                parent: entry.parent.as_ref().map(move_range),
                source: move_range(&entry.source),
            }
        };
        let second = second.iter().map(moved).collect();
        (
            Self { data: self.data.slice(..cut), entries: first.into() },
            Self { data: self.data.slice(cut..), entries: second },
        )
    }

    /// The sources, sharing the batch's buffer, in order.
    #[cfg(feature = "http")]
    pub(crate) fn shared_sources(&self) -> impl ExactSizeIterator<Item = Bytes> + '_ {
        self.entries.iter().map(|entry| self.data.slice(entry.source.clone()))
    }

    /// Bytes of the sources alone.
    pub fn source_bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.source.len() as u64).sum()
    }

    /// The documents, borrowed, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = DocumentRef<'_>> {
        self.entries.iter().map(|entry| DocumentRef {
            number: entry.number,
            id: self.text(&entry.id),
            doc_type: entry.doc_type.as_deref(),
            routing: entry.routing.as_ref().map(|range| self.text(range)),
            parent: entry.parent.as_ref().map(|range| self.text(range)),
            source: self.data.get(entry.source.clone()).unwrap_or_default(),
        })
    }

    /// The buffer that ids, routings, parents and sources lie in.
    pub fn data(&self) -> &Bytes {
        &self.data
    }

    /// Where the documents lie in [`DocumentBatch::data`], in order: for those who pass the buffer on as it is.
    pub fn places(&self) -> impl ExactSizeIterator<Item = DocumentPlaces<'_>> {
        self.entries.iter().map(|entry| DocumentPlaces {
            id: entry.id.clone(),
            doc_type: entry.doc_type.as_deref(),
            routing: entry.routing.clone(),
            parent: entry.parent.clone(),
            source: entry.source.clone(),
        })
    }

    /// The documents, owned, in order. Sources share the batch's buffer.
    pub fn documents(&self) -> impl ExactSizeIterator<Item = Document> + '_ {
        self.entries.iter().map(|entry| Document {
            number: entry.number,
            id: self.text(&entry.id).to_owned(),
            doc_type: entry.doc_type.clone(),
            routing: entry.routing.as_ref().map(|range| self.text(range).to_owned()),
            parent: entry.parent.as_ref().map(|range| self.text(range).to_owned()),
            source: self.data.slice(entry.source.clone()),
        })
    }

    fn text(&self, range: &Range<usize>) -> &str {
        // Ranges are only made by the builder, over text that it copied in whole.
        self.data
            .get(range.clone())
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

impl<'a> FromIterator<DocumentRef<'a>> for DocumentBatch {
    fn from_iter<I: IntoIterator<Item = DocumentRef<'a>>>(documents: I) -> Self {
        let mut builder = DocumentBatchBuilder::default();
        for document in documents {
            builder.push(document);
        }
        builder.finish()
    }
}

/// Packs documents into a [`DocumentBatch`].
#[derive(Debug, Default)]
pub struct DocumentBatchBuilder {
    data: Vec<u8>,
    entries: Vec<Entry>,
    types: Option<Arc<str>>,
    /// Bytes of the last batch: the next one is likely as large, and need not grow step by step.
    last: usize,
}

impl DocumentBatchBuilder {
    /// Adds a copy of `document`.
    pub fn push(&mut self, document: DocumentRef<'_>) {
        if self.entries.is_empty() {
            // A document that makes up most of a batch is likely to be alone in it.
            let likely = self.last + self.last / 8;
            let own = document.id.len() + document.source.len();
            self.data.reserve(if own > self.last / 2 { own } else { likely });
        }
        let id = self.append(document.id.as_bytes());
        let routing = document.routing.map(|text| self.append(text.as_bytes()));
        let parent = document.parent.map(|text| self.append(text.as_bytes()));
        let source = self.append(document.source);
        let doc_type = document.doc_type.map(|name| self.shared_type(name));
        self.entries.push(Entry { number: document.number, id, doc_type, routing, parent, source });
    }

    /// Documents so far.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none so far.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes so far.
    pub fn bytes(&self) -> usize {
        self.data.len()
    }

    /// The batch; the builder is empty afterwards.
    pub fn finish(&mut self) -> DocumentBatch {
        self.last = self.data.len();
        DocumentBatch {
            data: std::mem::take(&mut self.data).into(),
            entries: std::mem::take(&mut self.entries).into(),
        }
    }

    fn append(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.data.len();
        self.data.extend_from_slice(bytes);
        start..self.data.len()
    }

    /// Neighbours mostly share their type: one allocation then serves them all.
    fn shared_type(&mut self, name: &str) -> Arc<str> {
        match &self.types {
            Some(known) if &**known == name => Arc::clone(known),
            _ => Arc::clone(self.types.insert(name.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(number: u32, id: &'static str) -> DocumentRef<'static> {
        DocumentRef {
            number,
            id,
            doc_type: Some("_doc"),
            routing: Some("r"),
            parent: None,
            source: b"{}",
        }
    }

    #[test]
    fn what_goes_in_comes_out() {
        let batch: DocumentBatch = [sample(3, "a"), sample(9, "é")].into_iter().collect();
        assert_eq!(batch.len(), 2);
        assert_eq!(batch.iter().nth(1), Some(sample(9, "é")));
        let owned: Vec<Document> = batch.documents().collect();
        assert_eq!(owned[0].routing.as_deref(), Some("r"));
        assert_eq!(owned[1].source, Bytes::from_static(b"{}"));
    }

    #[test]
    fn the_parts_of_a_batch_are_the_batch() {
        let documents = [sample(3, "a"), sample(4, "bcd"), sample(9, "é")];
        let batch: DocumentBatch = documents.into_iter().collect();
        for middle in 0..5 {
            let (first, second) = batch.split_at(middle);
            assert_eq!(first.len(), middle.min(3));
            assert_eq!(first.bytes() + second.bytes(), batch.bytes());
            assert!(first.iter().chain(second.iter()).eq(batch.iter()));
            let source = |one: DocumentPlaces<'_>| second.data().get(one.source).unwrap().to_vec();
            assert!(second.places().map(source).eq(second.iter().map(|one| one.source.to_vec())));
            let (third, _) = second.split_at(1);
            assert_eq!(third.iter().next(), second.iter().next());
        }
    }

    #[test]
    fn an_emptied_builder_starts_anew() {
        let mut builder = DocumentBatchBuilder::default();
        builder.push(sample(1, "x"));
        assert_eq!(builder.finish().len(), 1);
        assert!(builder.is_empty() && builder.bytes() == 0);
    }
}
