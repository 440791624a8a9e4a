//! Formats that no committed shard has: Lucene 4.1 to 4.9, older chunk indices, OpenSearch's zstd, Lucene70 marks.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test panics")]

#[path = "support/compare.rs"]
mod compare;
#[path = "support/writer.rs"]
mod writer;

use std::collections::BTreeSet;

use compare::{compare, documents, open};
use proptest::prelude::*;
use snapfill_lucene::{Error, ReadPosition, Result};
use writer::lucene4::{RELEASES, bit_vector};
use writer::{Document, File, Index, Mode};

/// Every way of storing fields that is written here, but Lucene 4's.
const CUSTOM: [Mode; 6] = [
    Mode::ZstdDict,
    Mode::ZstdBlocks,
    Mode::Lucene50(0),
    Mode::Lucene50(1),
    Mode::Lucene50High(0),
    Mode::Lucene50High(1),
];

/// Reads everything; gives the number of documents.
fn read_all(files: &[File]) -> Result<usize> {
    let segment = open(files.to_vec())?;
    let mut reader = segment.documents(ReadPosition::start())?;
    let mut count = 0;
    while let Some(chunk) = reader.next_chunk()? {
        for document in chunk.documents() {
            document?;
            count += 1;
        }
    }
    Ok(count)
}

fn modes() -> impl Iterator<Item = Mode> {
    RELEASES.into_iter().map(Mode::Lucene41).chain(CUSTOM)
}

#[test]
fn many_chunks_slices_and_empty_documents_in_every_format() {
    for mode in modes() {
        let mut index = Index::new(mode);
        (index.chunk_size, index.chunk_docs) = (2000, 50);
        let mut documents = documents(900, 9, 11);
        documents[7] = Some(("large".into(), b"0123456789 and more ".repeat(2000)));
        index.deleted = (0..900).step_by(13).collect();
        for (sparse, compound) in [(false, false), (true, true)] {
            (index.sparse, index.compound) = (sparse, compound);
            let segment = open(index.write(&documents).0).unwrap();
            assert!(compare(&segment, &index, &documents) > 17, "{mode:?}");
            assert_eq!(segment.hard_deleted(), 70, "{mode:?}");
        }
        let empty: Vec<Document> = vec![None; 300];
        let index = Index::new(mode);
        compare(&open(index.write(&empty).0).unwrap(), &index, &empty);
    }
}

#[test]
fn soft_deletes_in_every_doc_values_format() {
    let count = 4 * 65536 + 100;
    let documents: Vec<Document> = vec![None; count as usize];
    for format in [70, 80, 90] {
        let mut index = Index::new(Mode::Fast);
        index.doc_values = format;
        let sparse = (0..65536).step_by(97);
        let dense = (65536..2 * 65536).filter(|doc| doc % 3 != 0);
        index.soft_deleted = sparse.chain(dense).chain(2 * 65536..3 * 65536).collect();
        compare(&open(index.write(&documents).0).unwrap(), &index, &documents);
        index.soft_deleted = (0..count).collect();
        let segment = open(index.write(&documents).0).unwrap();
        assert_eq!(segment.live_count(), 0, "Lucene{format}");
    }
}

#[test]
fn formats_that_are_not_read_are_named() {
    let documents = documents(3, 3, 9);
    let refused = |old: &str, new: &str, mode: Mode, file: &str| {
        let (mut files, _) = Index::new(mode).write(&documents);
        let (_, data) = files.iter_mut().find(|(name, _)| name == file).unwrap();
        let at = data.windows(old.len()).position(|bytes| bytes == old.as_bytes()).unwrap();
        data.splice(at - 1..at + old.len(), [&[new.len() as u8], new.as_bytes()].concat());
        if let Mode::Fast = mode {
            let body = data[..data.len() - 16].to_vec();
            *data = writer::footer(body);
        }
        match open(files).err().unwrap() {
            Error::Unsupported { what, .. } => assert!(what.contains(new), "{what}"),
            other => panic!("{new}: {other}"),
        }
    };
    let lucene90 = "Lucene90StoredFieldsFastData";
    for name in ["QatStoredFieldsLz4", "QatStoredFieldsDeflate", "QatStoredFieldsZstd"] {
        refused(lucene90, name, Mode::Fast, "_0.fdt");
    }
    let oldest = Mode::Lucene41(RELEASES[0]);
    refused("Lucene41StoredFieldsData", "Lucene40StoredFieldsData", oldest, "_0.fdt");
    refused("Lucene40SegmentInfo", "Lucene3xSegmentInfo", oldest, "_0.si");
}

#[test]
fn bit_vectors_from_before_version_1_are_named() {
    let mut index = Index::new(Mode::Lucene41(RELEASES[0]));
    index.deleted = [1].into();
    let (mut files, _) = index.write(&documents(20, 3, 99));
    let headerless = [&[0, 0, 0, 20, 0, 0, 0, 1][..], &[2, 0, 0]].concat();
    for data in [headerless, bit_vector(0, 20, &index.deleted, false)] {
        files.iter_mut().find(|(name, _)| name == "_0_1.del").unwrap().1 = data;
        match open(files.clone()).err().unwrap() {
            Error::Unsupported { what, .. } => assert_eq!(what, "BitVector before version 1"),
            other => panic!("{other}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_written_is_read(
        sizes in proptest::collection::vec(0_usize..400, 1..300),
        deleted in proptest::collection::btree_set(0_u32..300, 0..40),
        chunk_size in 200_usize..4000,
        chunk_docs in 1_usize..130,
        sparse: bool,
        compound: bool,
    ) {
        let document = |(doc, size): (usize, &usize)| {
            (*size > 0).then(|| (format!("d{doc}"), format!("{doc} ").repeat(*size).into_bytes()))
        };
        let documents: Vec<Document> = sizes.iter().enumerate().map(document).collect();
        let deleted: BTreeSet<u32> =
            deleted.into_iter().filter(|doc| (*doc as usize) < documents.len()).collect();
        for mode in modes() {
            let mut index = Index::new(mode);
            (index.chunk_size, index.chunk_docs) = (chunk_size, chunk_docs);
            (index.sparse, index.compound) = (sparse, compound);
            index.deleted = deleted.clone();
            compare(&open(index.write(&documents).0).unwrap(), &index, &documents);
        }
    }

    /// Flipped and cut files, with checksums made right again: an error or documents, but never a panic; without
    /// that, in files with a checksum, always an error.
    #[test]
    fn damage_is_an_error_or_harmless(
        mode in 0_usize..14,
        file in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        value: u8,
        repaired: bool,
        cut: bool,
    ) {
        let mode = modes().nth(mode).unwrap();
        let mut index = Index::new(mode);
        (index.chunk_size, index.chunk_docs, index.sparse) = (1000, 20, value & 1 == 0);
        index.deleted = (0..120).step_by(17).collect();
        let (mut files, _) = index.write(&documents(120, 9, 11));
        let checked = !matches!(mode, Mode::Lucene41(release) if release.commit < 2);
        let (_, data) = file.get_mut(&mut files[..]);
        let end = data.len() - if checked { 16 } else { 0 };
        let position = at.index(end);
        let changed = cut || data[position] != value;
        if cut {
            data.truncate(position);
        } else {
            data[position] = value;
        }
        if repaired && checked && !cut {
            data.truncate(end);
            *data = writer::footer(std::mem::take(data));
        }
        let outcome = read_all(&files);
        if changed && checked && (cut || !repaired) {
            prop_assert!(outcome.is_err());
        } else if let Ok(count) = outcome {
            prop_assert_eq!(count, 120);
        }
    }
}
