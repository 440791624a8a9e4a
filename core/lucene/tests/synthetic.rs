//! Segments larger than the committed ones: many chunks, slices, all kinds of liveness, bombs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test panics")]

#[path = "support/compare.rs"]
mod compare;
#[path = "support/writer.rs"]
mod writer;

use std::collections::BTreeSet;

use compare::{compare, documents, open};
use snapfill_lucene::{Error, ReadPosition};
use writer::{Document, Index, Mode};

const MODES: [Mode; 5] = [Mode::Fast, Mode::High, Mode::Zstd, Mode::Lucene86, Mode::Lucene86High];

#[test]
fn many_chunks_in_many_blocks_of_the_index() {
    for mode in MODES {
        let mut index = Index::new(mode);
        (index.chunk_size, index.chunk_docs, index.shift) = (3000, 150, 2);
        let documents = documents(5000, 9, 11);
        let segment = open(index.write(&documents).0).unwrap();
        assert!(compare(&segment, &index, &documents) > 80);
        assert_eq!(segment.live_count(), 5000);
    }
}

#[test]
fn a_document_far_above_the_chunk_size_comes_in_slices() {
    for mode in MODES {
        let mut index = Index::new(mode);
        index.chunk_size = 2000;
        let mut documents = documents(40, 30, 9);
        documents[7] = Some(("large".into(), b"0123456789 and more ".repeat(5000)));
        documents[8] = None;
        let segment = open(index.write(&documents).0).unwrap();
        compare(&segment, &index, &documents);
    }
}

#[test]
fn documents_without_fields_only() {
    for mode in MODES {
        let index = Index::new(mode);
        let documents = vec![None; 3000];
        compare(&open(index.write(&documents).0).unwrap(), &index, &documents);
    }
}

#[test]
fn soft_deletes_in_sparse_dense_full_and_absent_blocks() {
    let count = 5 * 65536 + 100;
    let documents: Vec<Document> = vec![None; count as usize];
    let mut index = Index::new(Mode::Fast);
    let sparse = (0..65536).step_by(97);
    let dense = (65536..2 * 65536).filter(|doc| doc % 3 != 0);
    let full = 3 * 65536..4 * 65536;
    let last = [count - 1];
    index.soft_deleted = sparse.chain(dense).chain(full).chain(last).collect();
    index.deleted = (0..count).step_by(1000).collect();
    let segment = open(index.write(&documents).0).unwrap();
    compare(&segment, &index, &documents);
    let soft = index.soft_deleted.difference(&index.deleted).count() as u32;
    assert_eq!(segment.soft_deleted(), soft);
    assert_eq!(segment.hard_deleted(), index.deleted.len() as u32);
    let all: BTreeSet<u32> = (0..count).collect();
    index.soft_deleted = all;
    let segment = open(index.write(&documents).0).unwrap();
    assert_eq!(segment.live_count(), 0);
    compare(&segment, &index, &documents);
}

#[test]
fn windows_cover_a_file_larger_than_one_of_them() {
    let index = Index::new(Mode::Fast);
    // Noise does not compress, so that the file is as long as the documents.
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as u8
    };
    let documents: Vec<Document> = (0..180)
        .map(|doc| Some((doc.to_string(), (0..60_000).map(|_| noise()).collect())))
        .collect();
    let segment = open(index.write(&documents).0).unwrap();
    assert!(segment.stored_bytes() > 2 * snapfill_lucene::limits::WINDOW_BYTES);
    assert!(compare(&segment, &index, &documents) > 50);
}

#[test]
fn deleted_chunks_are_not_decompressed_but_still_checked() {
    let mut index = Index::new(Mode::High);
    (index.chunk_size, index.chunk_docs) = (2000, 50);
    let documents = documents(500, 9, 1000);
    index.deleted = (100..400).collect();
    let (mut files, _) = index.write(&documents);
    compare(&open(files.clone()).unwrap(), &index, &documents);
    let (_, fdt) = files.iter_mut().find(|(name, _)| name == "_0.fdt").unwrap();
    let middle = fdt.len() / 2;
    fdt[middle] ^= 1;
    let segment = open(files).unwrap();
    let mut reader = segment.documents(ReadPosition::start()).unwrap();
    let error = loop {
        match reader.next_chunk() {
            Ok(chunk) => assert!(chunk.is_some(), "the damage went unnoticed"),
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, Error::Corrupt { file, .. } if file == "_0.fdt"), "{error}");
    assert!(reader.next_chunk().unwrap().is_none(), "an error is final");
}

#[test]
fn a_small_unit_cannot_claim_to_be_large() {
    for (mode, what) in [
        (Mode::Fast, "cannot stand for"),
        (Mode::High, "cannot stand for"),
        (Mode::Zstd, "is not 1073741824 bytes long"),
    ] {
        let index = Index::new(mode);
        let documents = vec![Some(("a".to_owned(), b"{}".to_vec()))];
        let (mut files, _) = index.write(&documents);
        let (_, fdt) = files.iter_mut().find(|(name, _)| name == "_0.fdt").unwrap();
        // docBase 0, token 1 << 2, two fields, then the length: a gigabyte instead.
        let start = fdt.windows(3).rposition(|bytes| bytes == [0, 4, 2]).unwrap() + 3;
        let mut large = Vec::new();
        writer::vint(&mut large, 1 << 30);
        let chunk_end = fdt.len() - 16;
        let unit = match mode {
            Mode::Fast => vec![0, 0x80, 0x80, 0x80, 0x80, 4, 1, 1, 0, 0],
            Mode::Zstd => {
                let frame = zstd::bulk::compress(b"{}", 1).unwrap();
                [vec![frame.len() as u8], frame].concat()
            }
            _ => vec![0, 0x80, 0x80, 0x80, 0x80, 4, 0, 2, 3, 0],
        };
        fdt.splice(start..chunk_end, large.into_iter().chain(unit));
        let grown = fdt.len() - 16;
        let body = fdt[..grown].to_vec();
        *fdt = writer::footer(body);
        let (fdm, fdx) = {
            let first = start as u64 - 3;
            index.index(1, &[0, 1], &[first, grown as u64])
        };
        for (name, data) in [("_0.fdm", fdm), ("_0.fdx", fdx)] {
            let file = files.iter_mut().find(|(found, _)| found == name).unwrap();
            file.1 = writer::footer(data);
        }
        let segment = open(files).unwrap();
        let mut reader = segment.documents(ReadPosition::start()).unwrap();
        let error = reader.next_chunk().map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn a_chunk_above_the_callers_limit_is_refused() {
    let index = Index::new(Mode::Fast);
    let documents = vec![Some(("a".to_owned(), vec![b' '; 100_000]))];
    let segment = open(index.write(&documents).0).unwrap();
    let mut reader = segment.documents(ReadPosition::start()).unwrap();
    reader.limit_chunk_bytes(100_000);
    assert!(matches!(reader.next_chunk(), Err(Error::TooLarge { limit: 100_000, .. })));
    let mut reader = segment.documents(ReadPosition::start()).unwrap();
    reader.limit_chunk_bytes(100_100);
    assert!(reader.next_chunk().unwrap().is_some());
}
