//! Entries of every kind, written as each format has them, before the entry that is wanted.

use std::sync::Arc;

use super::*;
use crate::MemoryDirectory;
use crate::codec::Id;
use crate::test_writer::{ID, footer, header, string, vint};

/// Writes a `.dvm` with all kinds of entries.
struct Meta {
    bytes: Vec<u8>,
    format: u8,
    version: u32,
}

impl Meta {
    fn little(&self) -> bool {
        self.format == 90
    }

    fn int(&mut self, value: i32) {
        let bytes = if self.little() { value.to_le_bytes() } else { value.to_be_bytes() };
        self.bytes.extend(bytes);
    }

    fn longs(&mut self, values: &[i64]) {
        for value in values {
            let bytes = if self.little() { value.to_le_bytes() } else { value.to_be_bytes() };
            self.bytes.extend(bytes);
        }
    }

    fn documents(&mut self, offset: i64, length: i64) {
        self.longs(&[offset, length]);
        if self.format > 70 {
            self.bytes.extend([0xFF, 0xFF, 9]);
        }
    }

    fn numeric(&mut self, (offset, length): (i64, i64), table: &[i64], values: i64) {
        self.documents(offset, length);
        self.longs(&[values]);
        self.int(if table.is_empty() { -1 } else { table.len() as i32 });
        self.longs(table);
        self.bytes.push(8);
        self.longs(&[0, 1, 99, 7]);
        if self.format > 70 {
            self.longs(&[-1]);
        }
    }

    fn lines(&mut self, count: usize) {
        self.bytes.extend(vec![0x5A; count * 21]);
    }

    /// Offsets of values: `count` of them in blocks of 16.
    fn addresses(&mut self, count: usize) {
        self.longs(&[5]);
        vint(&mut self.bytes, 4);
        self.lines(count.div_ceil(16));
        self.longs(&[6]);
    }

    fn binary(&mut self, compressed: bool, fixed: bool) {
        self.longs(&[1, 2]);
        self.documents(-1, 0);
        self.int(40);
        self.int(3);
        self.int(if fixed { 3 } else { 9 });
        if compressed {
            self.longs(&[5]);
            vint(&mut self.bytes, 20);
            vint(&mut self.bytes, 300);
            vint(&mut self.bytes, 5);
            vint(&mut self.bytes, 4);
            self.lines(2);
            self.longs(&[6]);
        } else if !fixed {
            self.addresses(41);
        }
    }

    fn terms(&mut self, lz4: bool) {
        vint(&mut self.bytes, 100);
        let block_shift = if self.format == 90 || lz4 { 6 } else { 4 };
        match (self.format, lz4) {
            (90, _) => {}
            (_, true) => self.int(0x0006_0001),
            _ => self.int(block_shift),
        }
        self.int(4);
        let blocks = 100_usize.div_ceil(1 << block_shift);
        self.lines(blocks.div_ceil(16));
        self.int(12);
        if self.format == 90 || lz4 {
            self.int(64);
        }
        self.longs(&[1, 2, 3, 4]);
        self.int(3);
        self.lines((1 + 100_usize.div_ceil(8)).div_ceil(16));
        self.longs(&[1, 2, 3, 4]);
    }

    fn sorted(&mut self, lz4: bool) {
        if self.format == 90 {
            self.numeric((-1, 0), &[], 40);
        } else {
            self.documents(-1, 0);
            self.int(40);
            self.bytes.push(7);
            self.longs(&[1, 2]);
        }
        self.terms(lz4);
    }

    fn sorted_numeric(&mut self, single: bool) {
        self.numeric((-1, 0), &[], if single { 40 } else { 90 });
        self.int(40);
        if !single {
            self.addresses(41);
        }
    }

    fn sorted_set(&mut self, lz4: bool) {
        self.bytes.push(1);
        if self.format == 90 {
            self.sorted_numeric(false);
        } else {
            self.documents(-1, 0);
            self.bytes.push(7);
            self.longs(&[1, 2]);
            self.int(40);
            self.addresses(41);
        }
        self.terms(lz4);
    }

    /// Number and kind of the next entry, with a skip index if the field has one.
    fn entry(&mut self, number: i32, kind: u8, skip_indexed: bool) {
        self.int(number);
        self.bytes.push(kind);
        if skip_indexed && self.format == 90 {
            self.longs(&[1, 2, 3, 4]);
            self.int(5);
            self.int(6);
            if self.version >= 2 {
                self.int(7);
            }
        }
    }

    fn write(format: u8, version: u32, wanted: (i64, i64)) -> Vec<u8> {
        let codec = format!("Lucene{format}DocValuesMetadata");
        let bytes = header(&codec, version, &format!("Lucene{format}_0"));
        let mut meta = Self { bytes, format, version };
        let compressed = format == 80 && version >= 1;
        meta.entry(1, 0, true);
        meta.numeric((-2, 0), &[4, 5, 6], 0);
        meta.entry(2, 1, false);
        meta.binary(compressed, false);
        meta.entry(3, 1, false);
        meta.binary(format == 80 && version == 1, true);
        for (number, lz4) in [(4, false), (5, format == 80)] {
            meta.entry(number, 2, true);
            meta.sorted(lz4);
            meta.entry(number + 2, 3, false);
            meta.sorted_set(lz4);
            meta.entry(number + 4, 3, false);
            meta.bytes.push(0);
            meta.sorted(lz4);
        }
        meta.entry(10, 4, false);
        meta.sorted_numeric(true);
        meta.entry(11, 4, false);
        meta.sorted_numeric(false);
        meta.entry(12, 0, false);
        meta.numeric(wanted, &[], 3);
        meta.int(-1);
        footer(meta.bytes)
    }
}

/// Field infos to match: 1, 4 and 5 have a skip index, 2 is compressed, 12 marks soft deletes.
fn fields(format: u8) -> FieldInfos {
    let mut out = header("Lucene94FieldInfos", 2, "");
    vint(&mut out, 12);
    for number in 1..=12 {
        string(&mut out, &format!("field {number}"));
        vint(&mut out, number);
        let soft = number == 12;
        out.extend([if soft { 8 } else { 0 }, 0, 1, u8::from(matches!(number, 1 | 4 | 5))]);
        out.extend((-1_i64).to_le_bytes());
        let format = format!("Lucene{format}");
        let attributes: &[(&str, &str)] = match number {
            2 => &[("Lucene80DocValuesFormat.mode", "BEST_COMPRESSION")],
            12 => &[
                ("PerFieldDocValuesFormat.format", &format),
                ("PerFieldDocValuesFormat.suffix", "0"),
            ],
            _ => &[],
        };
        vint(&mut out, attributes.len() as u64);
        for (key, value) in attributes {
            string(&mut out, key);
            string(&mut out, value);
        }
        out.extend([0; 4]);
    }
    let mut directory = MemoryDirectory::new();
    directory.insert("_0.fnm", footer(out));
    crate::field_infos::open(&directory, "_0", None, Some(&ID)).unwrap()
}

/// A sparse block (documents 5 and 64), a dense one (its first 5 000 documents) and a full one.
fn blocks(format: u8, ranks: bool) -> Vec<u8> {
    let mut out = header(&format!("Lucene{format}DocValuesData"), 0, &format!("Lucene{format}_0"));
    let mut words: Vec<u16> = vec![0, 1, 5, 64];
    words.extend([1, 5000 - 1]);
    let little = format == 90;
    let put = |out: &mut Vec<u8>, word: u16| {
        out.extend(if little { word.to_le_bytes() } else { word.to_be_bytes() });
    };
    words.into_iter().for_each(|word| put(&mut out, word));
    if ranks {
        out.extend([0xAB; 256]);
    }
    for word in 0..1024_u64 {
        // The first 5 000 documents of the block.
        let bits = match word {
            0..=77 => u64::MAX,
            78 => 0xFF,
            _ => 0,
        };
        out.extend(if little { bits.to_le_bytes() } else { bits.to_be_bytes() });
    }
    [2, 0xFFFF, 0x7FFF, 0, 0xFFFF].into_iter().for_each(|word| put(&mut out, word));
    footer(out)
}

fn open(format: u8, version: u32, max_doc: u32) -> Result<DocSet> {
    let data = blocks(format, format > 70);
    let start =
        header(&format!("Lucene{format}DocValuesData"), 0, &format!("Lucene{format}_0")).len();
    let length = data.len() - 16 - start;
    let meta = Meta::write(format, version, (start as i64, length as i64));
    let mut directory = MemoryDirectory::new();
    directory.insert(format!("_0_Lucene{format}_0.dvm"), meta);
    directory.insert(format!("_0_Lucene{format}_0.dvd"), data);
    let id: &Id = &ID;
    soft_deleted(&*Arc::new(directory), ("_0", Some(id)), &fields(format), max_doc)
}

#[test]
fn every_kind_of_entry_is_passed_over_in_every_version() {
    let versions = [(70, 0), (80, 0), (80, 1), (80, 2), (90, 0), (90, 1), (90, 2)];
    for (format, version) in versions {
        let set = open(format, version, 3 * 65536).unwrap();
        let found: Vec<u32> = set.iter().collect();
        let expected: Vec<u32> =
            [5, 64].into_iter().chain(65536..65536 + 5000).chain(2 * 65536..3 * 65536).collect();
        assert_eq!(found, expected, "Lucene{format} version {version}");
    }
}

#[test]
fn a_document_past_the_last_one_is_refused() {
    let error = open(90, 0, 3 * 65536 - 1).unwrap_err().to_string();
    assert!(error.contains("past the last one"), "{error}");
}

#[test]
fn unknown_formats_and_versions_are_named() {
    let error = open(90, 3, 3 * 65536).unwrap_err();
    assert!(matches!(&error, Error::Unsupported { what, .. } if what.contains("version 3")));
    let mut directory = MemoryDirectory::new();
    directory.insert("_0_Lucene90_0.dvm", footer(header("ES87TSDB", 0, "Lucene90_0")));
    let error = soft_deleted(&directory, ("_0", Some(&ID)), &fields(90), 9).unwrap_err();
    assert!(matches!(&error, Error::Unsupported { what, .. } if what.contains("ES87TSDB")));
}

#[test]
fn a_missing_entry_is_an_error() {
    let mut bytes = header("Lucene90DocValuesMetadata", 0, "Lucene90_0");
    bytes.extend((-1_i32).to_le_bytes());
    let mut directory = MemoryDirectory::new();
    directory.insert("_0_Lucene90_0.dvm", footer(bytes));
    assert!(soft_deleted(&directory, ("_0", Some(&ID)), &fields(90), 9).is_err());
}

/// Reads blocks of these documents, written one by one.
fn listed(blocks: &[(u16, &[u16])], max_doc: u32) -> Result<DocSet> {
    let mut data = Vec::new();
    let mut put = |number: u16| data.extend(number.to_le_bytes());
    for (number, docs) in blocks {
        put(*number);
        put(docs.len() as u16 - 1);
        docs.iter().for_each(|doc| put(*doc));
    }
    [0x7FFF, 0].into_iter().for_each(put);
    let place = disi::Place { offset: 0, length: data.len() as u64, rank_power: None };
    disi::read("test", place, &data, crate::cursor::Endian::Little, max_doc)
}

#[test]
fn many_blocks_of_one_document_take_little_memory() {
    let blocks: Vec<(u16, &[u16])> = (0..0x7FF0).map(|number| (number, &[9][..])).collect();
    let trial = snapfill_damage::Trial::bounded(4 << 20);
    trial.run(|| listed(&blocks, (1 << 31) - 129));
}

#[test]
fn documents_out_of_order_are_refused() {
    assert!(listed(&[(0, &[4, 5])], 70_000).is_ok());
    assert!(listed(&[(0, &[5, 4])], 70_000).is_err());
    assert!(listed(&[(0, &[5, 5])], 70_000).is_err());
    let long: Vec<u16> = (0..300).map(|doc| doc * 3).collect();
    let set = listed(&[(1, &long)], 70_000).unwrap();
    assert_eq!(set.iter().collect::<Vec<_>>(), (0..300).map(|d| 65536 + d * 3).collect::<Vec<_>>());
}

#[test]
fn counting_by_words_counts_documents() {
    let other = |word: usize| (word as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let in_other = |doc: &u32| other((*doc >> 6) as usize) >> (doc & 63) & 1 == 1;
    for max_doc in [3 * 65536, 3 * 65536 + 1, 4 * 65536 - 1] {
        let set = open(90, 0, max_doc).unwrap();
        for set in [set, DocSet::all(max_doc), DocSet::none()] {
            assert_eq!(set.count(other) as usize, set.iter().filter(in_other).count());
            assert_eq!(set.count(|_| u64::MAX) as usize, set.iter().count());
        }
    }
    // The claim of a file of forty bytes.
    assert_eq!(DocSet::all((1 << 31) - 129).count(|_| u64::MAX), (1 << 31) - 129);
}
