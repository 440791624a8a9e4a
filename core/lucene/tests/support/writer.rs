//! Writes indices of one segment: as many chunks as wanted, any liveness, every compression, Lucene 4 to 9.
//!
//! What the committed shards are too small for. Shared by the tests and the benchmark.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each user takes its part; it is for tests"
)]

use std::collections::BTreeSet;

#[path = "writer/codec.rs"]
mod codec;
#[path = "writer/doc_values.rs"]
mod doc_values;
#[path = "writer/lucene4.rs"]
pub mod lucene4;
#[path = "writer/lucene9.rs"]
mod lucene9;
#[path = "writer/numbers.rs"]
mod numbers;
#[path = "writer/stored.rs"]
mod stored;
#[path = "writer/units.rs"]
mod units;

#[allow(unused_imports, reason = "each user takes its part")]
pub use codec::{footer, header, string, vint};
#[allow(unused_imports, reason = "each user takes its part")]
pub use numbers::{monotonic, monotonic_big_endian, pack, packed, stored_fields_ints};
#[allow(unused_imports, reason = "each user takes its part")]
pub use units::deflate;

/// An id and a source, or no fields at all.
pub type Document = Option<(String, Vec<u8>)>;

/// A file by its name.
pub type File = (String, Vec<u8>);

/// The id of every segment written here.
pub const ID: [u8; 16] = *b"synthetic segmen";

/// How stored fields are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// LZ4 with dictionary.
    Fast,
    /// DEFLATE with dictionary.
    High,
    /// One zstd frame.
    Zstd,
    /// LZ4 without dictionary, as Lucene 8.5 and 8.6 framed it.
    Lucene86,
    /// DEFLATE without dictionary, likewise.
    Lucene86High,
    /// A zstd frame a block, with dictionary: OpenSearch.
    ZstdDict,
    /// A zstd frame a block: OpenSearch.
    ZstdBlocks,
    /// LZ4 with an index in blocks, versions 0 and 1.
    Lucene50(u32),
    /// DEFLATE with an index in blocks, versions 0 and 1.
    Lucene50High(u32),
    /// A whole index of a release of Lucene 4.
    Lucene41(lucene4::Release),
}

/// A unit as it was compressed, for measuring a bare decompressor.
pub struct Unit {
    /// Compressed dictionary and its length.
    pub dictionary: (Vec<u8>, usize),
    /// Compressed blocks and their lengths.
    pub blocks: Vec<(Vec<u8>, usize)>,
}

/// An index to be written.
pub struct Index {
    pub mode: Mode,
    /// A chunk is closed when it has this many bytes. A larger document makes a sliced chunk.
    pub chunk_size: usize,
    /// A chunk is closed when it has this many documents.
    pub chunk_docs: usize,
    /// Block shift of the chunk index.
    pub shift: u32,
    /// Documents deleted for good.
    pub deleted: BTreeSet<u32>,
    /// Documents deleted softly.
    pub soft_deleted: BTreeSet<u32>,
    /// Format of the doc values that say so: 70, 80 or 90.
    pub doc_values: u8,
    /// Lucene 4: whether deletions are written sparse, and files into a `.cfs`.
    pub sparse: bool,
    pub compound: bool,
}

impl Index {
    /// The settings of Lucene's default codec, or its best-compression one.
    pub fn new(mode: Mode) -> Self {
        let (chunk_size, chunk_docs) = match mode {
            Mode::Fast => (80 * 1024, 1024),
            Mode::High => (480 * 1024, 4096),
            Mode::Zstd | Mode::ZstdDict | Mode::ZstdBlocks => (240 * 1024, 2048),
            Mode::Lucene86High | Mode::Lucene50High(_) => (60 * 1024, 512),
            Mode::Lucene86 | Mode::Lucene50(_) | Mode::Lucene41(_) => (16 * 1024, 128),
        };
        let (deleted, soft_deleted) = (BTreeSet::new(), BTreeSet::new());
        Self {
            mode,
            chunk_size,
            chunk_docs,
            shift: 10,
            deleted,
            soft_deleted,
            doc_values: 90,
            sparse: false,
            compound: false,
        }
    }

    /// Writes an index of these documents, each an id and a source, or no fields at all.
    pub fn write(&self, documents: &[Document]) -> (Vec<File>, Vec<Unit>) {
        let max_doc = documents.len() as u32;
        let mut units = Vec::new();
        let mut files = self.stored_fields(documents, &mut units);
        if let Mode::Lucene41(release) = self.mode {
            return (lucene4::surround(self, release, files, max_doc), units);
        }
        let soft = !self.soft_deleted.is_empty();
        files.push(("_0.si".into(), lucene9::segment_info(max_doc)));
        files.push(("_0.fnm".into(), lucene9::field_infos(soft, self.doc_values)));
        if !self.deleted.is_empty() {
            files.push(("_0_1.liv".into(), lucene9::live_docs(max_doc, &self.deleted)));
        }
        if soft {
            let (meta, data) =
                doc_values::soft_deletes(self.doc_values, max_doc, &self.soft_deleted);
            files.push((format!("_0_Lucene{}_0.dvm", self.doc_values), meta));
            files.push((format!("_0_Lucene{}_0.dvd", self.doc_values), data));
        }
        let soft = self.soft_deleted.difference(&self.deleted).count() as u32;
        files.push(("segments_1".into(), lucene9::commit(self.deleted.len() as u32, soft)));
        (files, units)
    }
}
