//! Writes Lucene 9 indices of one segment: as many chunks as wanted, any liveness, both compressions.
//!
//! What the committed shards are too small for. Shared by the tests and the benchmark.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each user takes its part; it is for tests"
)]

use std::collections::BTreeSet;

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
}

impl Mode {
    fn is_old(self) -> bool {
        matches!(self, Self::Lucene86 | Self::Lucene86High)
    }
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
    /// How stored fields are compressed.
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
}

impl Index {
    /// The settings of Lucene's default codec, or its best-compression one.
    pub fn new(mode: Mode) -> Self {
        let (chunk_size, chunk_docs) = match mode {
            Mode::Fast => (80 * 1024, 1024),
            Mode::High => (480 * 1024, 4096),
            Mode::Zstd => (240 * 1024, 2048),
            Mode::Lucene86 => (16 * 1024, 128),
            Mode::Lucene86High => (60 * 1024, 512),
        };
        let (deleted, soft_deleted) = (BTreeSet::new(), BTreeSet::new());
        Self { mode, chunk_size, chunk_docs, shift: 10, deleted, soft_deleted }
    }

    /// Writes an index of these documents, each an id and a source, or no fields at all.
    pub fn write(&self, documents: &[Option<(String, Vec<u8>)>]) -> (Vec<File>, Vec<Unit>) {
        let max_doc = documents.len() as u32;
        let mut units = Vec::new();
        let mut files = self.stored_fields(documents, &mut units);
        files.push(("_0.si".into(), segment_info(max_doc)));
        files.push(("_0.fnm".into(), field_infos(!self.soft_deleted.is_empty())));
        if !self.deleted.is_empty() {
            files.push(("_0_1.liv".into(), live_docs(max_doc, &self.deleted)));
        }
        if !self.soft_deleted.is_empty() {
            let (meta, data) = soft_deletes(max_doc, &self.soft_deleted);
            files.push(("_0_Lucene90_0.dvm".into(), meta));
            files.push(("_0_Lucene90_0.dvd".into(), data));
        }
        let soft = self.soft_deleted.difference(&self.deleted).count() as u32;
        files.push(("segments_1".into(), commit(self.deleted.len() as u32, soft)));
        (files, units)
    }

    fn stored_fields(
        &self,
        documents: &[Option<(String, Vec<u8>)>],
        units: &mut Vec<Unit>,
    ) -> Vec<File> {
        let name = match self.mode {
            Mode::Fast => "Lucene90StoredFieldsFastData",
            Mode::High => "Lucene90StoredFieldsHighData",
            Mode::Zstd => "ZstdStoredFields814",
            Mode::Lucene86 => "Lucene50StoredFieldsFastData",
            Mode::Lucene86High => "Lucene50StoredFieldsHighData",
        };
        let old = self.mode.is_old();
        let mut fdt = header(name, if old { 2 } else { 1 }, "");
        if old {
            vint(&mut fdt, self.chunk_size as u64);
            vint(&mut fdt, 2); // version of packed integers
        }
        let (mut docs, mut pointers) = (Vec::new(), Vec::new());
        let (mut chunk, mut fields, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        for (doc, document) in documents.iter().enumerate() {
            let before = chunk.len();
            fields.push(if document.is_some() { 2_u32 } else { 0 });
            if let Some((id, source)) = document {
                encode_document(&mut chunk, id, source);
            }
            lengths.push((chunk.len() - before) as u32);
            let last = doc + 1 == documents.len();
            if chunk.len() >= self.chunk_size || lengths.len() >= self.chunk_docs || last {
                docs.push((doc + 1 - lengths.len()) as u64);
                pointers.push(fdt.len() as u64);
                let numbers = [&fields[..], &lengths[..]];
                self.chunk(&mut fdt, *docs.last().unwrap(), &chunk, numbers, units);
                chunk.clear();
                fields.clear();
                lengths.clear();
            }
        }
        docs.push(documents.len() as u64);
        pointers.push(fdt.len() as u64);
        if old {
            vint(&mut fdt, docs.len() as u64 - 1);
            vint(&mut fdt, 1);
        }
        let (fdm, fdx) = self.index(documents.len(), &docs, &pointers);
        vec![
            ("_0.fdt".into(), footer(fdt)),
            ("_0.fdm".into(), footer(fdm)),
            ("_0.fdx".into(), footer(fdx)),
        ]
    }

    fn chunk(
        &self,
        out: &mut Vec<u8>,
        first: u64,
        chunk: &[u8],
        [fields, lengths]: [&[u32]; 2],
        units: &mut Vec<Unit>,
    ) {
        let sliced = chunk.len() >= 2 * self.chunk_size;
        vint(out, first);
        let flags = if self.mode.is_old() { 1 } else { 2 };
        vint(out, (fields.len() as u64) << flags | u64::from(sliced));
        if fields.len() == 1 {
            vint(out, fields[0].into());
            vint(out, lengths[0].into());
        } else if self.mode.is_old() {
            packed(out, fields);
            packed(out, lengths);
        } else {
            stored_fields_ints(out, fields);
            stored_fields_ints(out, lengths);
        }
        let slice = if sliced { self.chunk_size } else { chunk.len().max(1) };
        for part in chunk.chunks(slice) {
            let unit = self.unit(part);
            write_unit(out, self.mode, &unit);
            units.push(unit);
        }
    }

    fn unit(&self, data: &[u8]) -> Unit {
        let (dictionary, block) = match self.mode {
            Mode::Fast => {
                let dictionary = (data.len() / 160).min(65535);
                (dictionary, (data.len() - dictionary).div_ceil(10))
            }
            Mode::High => {
                let dictionary = data.len() / 60;
                (dictionary, (data.len() - dictionary).div_ceil(10))
            }
            Mode::Zstd | Mode::Lucene86 | Mode::Lucene86High => (0, data.len()),
        };
        let (dictionary, rest) = data.split_at(dictionary);
        let compress = |data: &[u8], dictionary: &[u8]| match self.mode {
            Mode::Lucene86 => lz4_flex::block::compress(data),
            Mode::Fast if dictionary.is_empty() => lz4_flex::block::compress(data),
            Mode::Fast => lz4_flex::block::compress_with_dict(data, dictionary),
            Mode::High | Mode::Lucene86High => deflate(data, dictionary),
            Mode::Zstd => zstd::bulk::compress(data, 1).unwrap(),
        };
        let blocks =
            rest.chunks(block.max(1)).map(|block| (compress(block, dictionary), block.len()));
        let blocks = blocks.collect();
        Unit { dictionary: (compress(dictionary, &[]), dictionary.len()), blocks }
    }

    /// Writes the chunk index, without footers.
    pub fn index(&self, max_doc: usize, docs: &[u64], pointers: &[u64]) -> (Vec<u8>, Vec<u8>) {
        let old = self.mode.is_old();
        let codec = if old { "Lucene85FieldsIndex" } else { "Lucene90FieldsIndex" };
        let mut fdx = header(&format!("{codec}Idx"), 0, "");
        let mut fdm = header(&format!("{codec}Meta"), u32::from(!old), "");
        let int = |n: usize| if old { (n as u32).to_be_bytes() } else { (n as u32).to_le_bytes() };
        let long = |n: usize| if old { (n as u64).to_be_bytes() } else { (n as u64).to_le_bytes() };
        let array = if old { monotonic_big_endian } else { monotonic };
        if !old {
            vint(&mut fdm, self.chunk_size as u64);
        }
        for number in [max_doc, self.shift as usize, docs.len()] {
            fdm.extend(int(number));
        }
        fdm.extend(long(fdx.len()));
        array(&mut fdm, &mut fdx, docs, self.shift);
        fdm.extend(long(fdx.len()));
        array(&mut fdm, &mut fdx, pointers, self.shift);
        fdm.extend(long(fdx.len()));
        fdm.extend(long(*pointers.last().unwrap() as usize));
        if !old {
            vint(&mut fdm, docs.len() as u64 - 1);
            vint(&mut fdm, 0);
            vint(&mut fdm, 0);
        }
        (fdm, fdx)
    }
}

fn encode_document(out: &mut Vec<u8>, id: &str, source: &[u8]) {
    vint(out, 1); // field 0, bytes
    vint(out, id.len() as u64 + 1);
    out.push(0xFF);
    out.extend(id.as_bytes());
    vint(out, 1 << 3 | 1); // field 1, bytes
    vint(out, source.len() as u64);
    out.extend(source);
}

fn write_unit(out: &mut Vec<u8>, mode: Mode, unit: &Unit) {
    let block = unit.blocks.iter().map(|(_, length)| *length).max().unwrap_or(0);
    if matches!(mode, Mode::Fast | Mode::High) {
        vint(out, unit.dictionary.1 as u64);
        vint(out, block as u64);
    }
    match mode {
        Mode::Fast => {
            vint(out, unit.dictionary.0.len() as u64);
            unit.blocks.iter().for_each(|(data, _)| vint(out, data.len() as u64));
            out.extend(&unit.dictionary.0);
            unit.blocks.iter().for_each(|(data, _)| out.extend(data));
        }
        Mode::High => {
            let dictionary: &[u8] = if unit.dictionary.1 == 0 { &[] } else { &unit.dictionary.0 };
            vint(out, dictionary.len() as u64);
            out.extend(dictionary);
            for (data, _) in &unit.blocks {
                vint(out, data.len() as u64);
                out.extend(data);
            }
        }
        Mode::Lucene86 => unit.blocks.iter().for_each(|(data, _)| out.extend(data)),
        Mode::Zstd | Mode::Lucene86High => {
            for (data, _) in &unit.blocks {
                vint(out, data.len() as u64);
                out.extend(data);
            }
        }
    }
}

/// A raw DEFLATE stream.
pub fn deflate(data: &[u8], dictionary: &[u8]) -> Vec<u8> {
    let mut compress = flate2::Compress::new(flate2::Compression::default(), false);
    if !dictionary.is_empty() {
        compress.set_dictionary(dictionary).unwrap();
    }
    let mut out = Vec::with_capacity(data.len() + 1024);
    compress.compress_vec(data, &mut out, flate2::FlushCompress::Finish).unwrap();
    assert_eq!(compress.total_in(), data.len() as u64);
    out
}

/// A variable-length integer.
pub fn vint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A string.
pub fn string(out: &mut Vec<u8>, text: &str) {
    vint(out, text.len() as u64);
    out.extend(text.as_bytes());
}

/// Numbers as Lucene 9 writes them in a chunk's header.
pub fn stored_fields_ints(out: &mut Vec<u8>, values: &[u32]) {
    if values.iter().all(|value| *value == values[0]) {
        out.push(0);
        return vint(out, values[0].into());
    }
    let bits = match values.iter().max().unwrap() {
        0..=0xFF => 8_usize,
        0x100..=0xFFFF => 16,
        _ => 32,
    };
    out.push(bits as u8);
    let mut blocks = values.chunks_exact(128);
    for block in &mut blocks {
        let words = 128 * bits / 64;
        for word in 0..words {
            let parts = (0..64 / bits).map(|part| u64::from(block[part * words + word]));
            let value = parts.fold(0_u64, |value, part| value.wrapping_shl(bits as u32) | part);
            out.extend(value.to_le_bytes());
        }
    }
    for value in blocks.remainder() {
        out.extend(&value.to_le_bytes()[..bits / 8]);
    }
}

/// A block of a DirectMonotonic array.
struct Line {
    min: i64,
    slope: f32,
    bits: u32,
    differences: Vec<u64>,
}

fn lines(values: &[u64], shift: u32) -> Vec<Line> {
    let line = |block: &[u64]| {
        let (first, last) = (block[0], block[block.len() - 1]);
        let slope = (last - first) as f32 / (block.len() - 1).max(1) as f32;
        let line = |index: usize| (slope * index as f32) as i64;
        let differences: Vec<i64> =
            block.iter().enumerate().map(|(i, v)| (v - first) as i64 - line(i)).collect();
        let low = *differences.iter().min().unwrap();
        let differences: Vec<u64> = differences.iter().map(|d| (d - low) as u64).collect();
        let needed = 64 - differences.iter().max().unwrap().leading_zeros();
        let widths = [0, 1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64];
        let bits = *widths.iter().find(|width| **width >= needed).unwrap();
        Line { min: first as i64 + low, slope, bits, differences }
    };
    values.chunks(1 << shift).map(line).collect()
}

/// A DirectMonotonic array, little-endian: the lines to `meta`, the differences to `data`.
pub fn monotonic(meta: &mut Vec<u8>, data: &mut Vec<u8>, values: &[u64], shift: u32) {
    let start = data.len();
    for line in lines(values, shift) {
        meta.extend(line.min.to_le_bytes());
        meta.extend(line.slope.to_bits().to_le_bytes());
        meta.extend(((data.len() - start) as u64).to_le_bytes());
        meta.push(line.bits as u8);
        let (mut buffer, mut held) = (0_u128, 0);
        for difference in line.differences {
            buffer |= u128::from(difference) << held;
            held += line.bits;
            while held >= 8 {
                data.push(buffer as u8);
                buffer >>= 8;
                held -= 8;
            }
        }
        if held > 0 {
            data.push(buffer as u8);
        }
    }
}

/// The same, big-endian: differences highest bit first.
pub fn monotonic_big_endian(meta: &mut Vec<u8>, data: &mut Vec<u8>, values: &[u64], shift: u32) {
    let start = data.len();
    for line in lines(values, shift) {
        meta.extend(line.min.to_be_bytes());
        meta.extend(line.slope.to_bits().to_be_bytes());
        meta.extend(((data.len() - start) as u64).to_be_bytes());
        meta.push(line.bits as u8);
        data.extend(pack(&line.differences, line.bits));
    }
}

/// Packs numbers highest bit first, as Lucene up to 8 does.
pub fn pack(values: &[u64], bits: u32) -> Vec<u8> {
    let digits = values.iter().flat_map(|v| (0..bits).rev().map(move |bit| (v >> bit & 1) as u8));
    let digits: Vec<u8> = digits.collect();
    let byte =
        |bits: &[u8]| bits.iter().enumerate().fold(0, |byte, (i, bit)| byte | bit << (7 - i));
    digits.chunks(8).map(byte).collect()
}

/// Numbers as Lucene up to 8 writes them in a chunk's header.
pub fn packed(out: &mut Vec<u8>, values: &[u32]) {
    if values.iter().all(|value| *value == values[0]) {
        out.push(0);
        return vint(out, values[0].into());
    }
    let bits = 32 - values.iter().max().unwrap().leading_zeros();
    vint(out, bits.into());
    let values: Vec<u64> = values.iter().map(|value| u64::from(*value)).collect();
    out.extend(pack(&values, bits));
}

/// A codec header with id.
pub fn header(codec: &str, version: u32, suffix: &str) -> Vec<u8> {
    let mut out = 0x3FD7_6C17_u32.to_be_bytes().to_vec();
    string(&mut out, codec);
    out.extend(version.to_be_bytes());
    out.extend(ID);
    out.push(suffix.len() as u8);
    out.extend(suffix.as_bytes());
    out
}

/// Appends a codec footer.
pub fn footer(mut data: Vec<u8>) -> Vec<u8> {
    data.extend(0xC028_93E8_u32.to_be_bytes());
    data.extend([0; 4]);
    let crc = crc32fast::hash(&data);
    data.extend(u64::from(crc).to_be_bytes());
    data
}

fn segment_info(max_doc: u32) -> Vec<u8> {
    let mut out = header("Lucene90SegmentInfo", 0, "");
    for part in [9_u32, 12, 0] {
        out.extend(part.to_le_bytes());
    }
    out.push(0); // no oldest version
    out.extend(max_doc.to_le_bytes());
    out.extend([0xFF, 0xFF, 0, 0, 0, 0]); // no compound file, no blocks, no maps and sets
    footer(out)
}

fn field_infos(soft_deletes: bool) -> Vec<u8> {
    let mut out = header("Lucene94FieldInfos", 2, "");
    let names: &[&str] =
        if soft_deletes { &["_id", "_source", "__soft_deletes"] } else { &["_id", "_source"] };
    vint(&mut out, names.len() as u64);
    for (number, name) in names.iter().enumerate() {
        let marks = *name == "__soft_deletes";
        string(&mut out, name);
        vint(&mut out, number as u64);
        out.extend([if marks { 8 } else { 0 }, 0, u8::from(marks), 0]);
        out.extend((-1_i64).to_le_bytes());
        vint(&mut out, if marks { 2 } else { 0 });
        if marks {
            string(&mut out, "PerFieldDocValuesFormat.format");
            string(&mut out, "Lucene90");
            string(&mut out, "PerFieldDocValuesFormat.suffix");
            string(&mut out, "0");
        }
        out.extend([0, 0, 0, 0]); // no points, no vectors
    }
    footer(out)
}

fn live_docs(max_doc: u32, deleted: &BTreeSet<u32>) -> Vec<u8> {
    let mut out = header("Lucene90LiveDocs", 0, "1");
    for word in 0..max_doc.div_ceil(64) {
        let docs = (word * 64..max_doc).take(64).filter(|doc| !deleted.contains(doc));
        let bits = docs.fold(0_u64, |bits, doc| bits | 1 << (doc % 64));
        out.extend(bits.to_le_bytes());
    }
    footer(out)
}

fn soft_deletes(max_doc: u32, docs: &BTreeSet<u32>) -> (Vec<u8>, Vec<u8>) {
    let mut data = header("Lucene90DocValuesData", 0, "Lucene90_0");
    let (offset, length) = if docs.len() == max_doc as usize {
        (-1, 0)
    } else {
        let start = data.len();
        doc_set(&mut data, docs);
        (start as i64, (data.len() - start) as i64)
    };
    let mut meta = header("Lucene90DocValuesMetadata", 0, "Lucene90_0");
    meta.extend(2_u32.to_le_bytes());
    meta.push(0);
    meta.extend(offset.to_le_bytes());
    meta.extend(length.to_le_bytes());
    meta.extend((-1_i16).to_le_bytes());
    meta.push(9);
    meta.extend((docs.len() as u64).to_le_bytes());
    meta.extend((-1_i32).to_le_bytes());
    meta.push(0);
    meta.extend([0; 5 * 8]);
    meta.extend((-1_i32).to_le_bytes());
    (footer(meta), footer(data))
}

/// A set of documents as doc values store it, with ranks of 512 documents.
fn doc_set(out: &mut Vec<u8>, docs: &BTreeSet<u32>) {
    let blocks: BTreeSet<u32> = docs.iter().map(|doc| doc >> 16).collect();
    for block in blocks {
        let members: Vec<u16> =
            docs.range(block << 16..=block << 16 | 0xFFFF).map(|doc| *doc as u16).collect();
        out.extend((block as u16).to_le_bytes());
        out.extend(((members.len() - 1) as u16).to_le_bytes());
        if members.len() <= 4095 {
            members.iter().for_each(|doc| out.extend(doc.to_le_bytes()));
        } else if members.len() < 65536 {
            out.extend([0xEE; 256]); // ranks, which a reader from the front does not need
            let mut words = vec![0_u64; 1024];
            members.iter().for_each(|doc| words[usize::from(*doc >> 6)] |= 1 << (doc & 63));
            words.iter().for_each(|word| out.extend(word.to_le_bytes()));
        }
    }
    out.extend(0x7FFF_u16.to_le_bytes());
    out.extend(0_u16.to_le_bytes());
    out.extend(0xFFFF_u16.to_le_bytes());
}

fn commit(deleted: u32, soft_deleted: u32) -> Vec<u8> {
    let mut out = header("segments", 10, "1");
    out.extend([9, 12, 0, 9]);
    out.extend(1_u64.to_be_bytes());
    out.push(1);
    out.extend(1_u32.to_be_bytes());
    out.extend([9, 12, 0]);
    string(&mut out, "_0");
    out.extend(ID);
    string(&mut out, "Lucene912");
    out.extend(if deleted > 0 { 1_i64 } else { -1 }.to_be_bytes());
    out.extend(deleted.to_be_bytes());
    out.extend((-1_i64).to_be_bytes());
    out.extend((-1_i64).to_be_bytes());
    out.extend(soft_deleted.to_be_bytes());
    out.extend([0, 0]); // no commit id, no field-infos files
    out.extend(0_u32.to_be_bytes());
    out.push(0); // no user data
    footer(out)
}
