//! Opens written indices and holds their documents against what was written.
#![allow(dead_code, unreachable_pub, reason = "each user takes its part")]

use std::sync::Arc;

use snapfill_lucene::{
    Commit, Directory, DocumentState, MemoryDirectory, ReadPosition, Result, Segment,
};

use super::writer::{Document, File, Index};

/// Opens the one segment of an index.
pub fn open(files: Vec<File>) -> Result<Segment> {
    let files = files.into_iter().map(|(name, data)| (name, data.into()));
    let directory: Arc<dyn Directory> = Arc::new(files.collect::<MemoryDirectory>());
    let commit = Commit::open(&*directory)?;
    Segment::open(directory, &commit.segments()[0])
}

/// Holds every document against the one written; gives the number of chunks.
pub fn compare(segment: &Segment, index: &Index, documents: &[Document]) -> usize {
    let (mut next, mut chunks) = (0, 0);
    let mut reader = segment.documents(ReadPosition::start()).unwrap();
    while let Some(chunk) = reader.next_chunk().unwrap() {
        chunks += 1;
        assert_eq!(segment.chunk_start(chunk.first_doc()), Some(chunk.first_doc()));
        for document in chunk.documents() {
            let document = document.unwrap();
            assert_eq!(document.doc, next);
            let expected = &documents[next as usize];
            let state = document.state;
            if index.deleted.contains(&next) {
                assert_eq!(state, DocumentState::Deleted, "{next}");
            } else if index.soft_deleted.contains(&next) {
                assert_eq!(state, DocumentState::SoftDeleted, "{next}");
            } else if let Some((id, source)) = expected {
                let DocumentState::Root(root) = state else { panic!("{next}: {state:?}") };
                assert_eq!((&*root.id, root.source), (id.as_str(), Some(&source[..])));
            } else {
                assert_eq!(state, DocumentState::Nested, "{next}");
            }
            next += 1;
        }
    }
    assert_eq!(next as usize, documents.len());
    chunks
}

/// Documents of varied length, each `every`th one without fields.
pub fn documents(count: usize, length: usize, every: usize) -> Vec<Document> {
    let document = |doc: usize| {
        (!doc.is_multiple_of(every)).then(|| {
            let words = (0..length).map(|word| format!("w{} ", word * 7919 * (doc + 13) % 1009));
            (format!("id-{doc}"), words.collect::<String>().into_bytes())
        })
    };
    (0..count).map(document).collect()
}
