//! What surrounds stored fields in Lucene 4: no ids, and until 4.8 no checksums.

use std::collections::BTreeSet;

use super::codec::{footer, header_without_id, string, vint};
use super::{File, Index};

/// The formats that releases of Lucene 4 wrote together, each with its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    pub segment_info: (&'static str, u32),
    pub field_infos: (&'static str, u32),
    pub compound: u32,
    pub fdt: u32,
    pub bit_vector: u32,
    pub commit: u32,
}

/// All of them, and the last as Lucene 5.0, 5.1 and 5.3 list such a segment in their commits.
pub const RELEASES: [Release; 8] = [
    release(("Lucene40SegmentInfo", 0), ("Lucene40FieldInfos", 0), [0, 0, 1, 0]),
    release(("Lucene40SegmentInfo", 0), ("Lucene42FieldInfos", 0), [0, 1, 1, 0]),
    release(("Lucene46SegmentInfo", 0), ("Lucene46FieldInfos", 0), [0, 1, 1, 1]),
    release(("Lucene46SegmentInfo", 1), ("Lucene46FieldInfos", 1), [1, 2, 2, 2]),
    release(("Lucene46SegmentInfo", 1), ("Lucene46FieldInfos", 2), [1, 2, 2, 3]),
    release(("Lucene46SegmentInfo", 1), ("Lucene46FieldInfos", 2), [1, 2, 2, 4]),
    release(("Lucene46SegmentInfo", 1), ("Lucene46FieldInfos", 2), [1, 2, 2, 5]),
    release(("Lucene46SegmentInfo", 1), ("Lucene46FieldInfos", 2), [1, 2, 2, 6]),
];

const fn release(
    segment_info: (&'static str, u32),
    field_infos: (&'static str, u32),
    [compound, fdt, bit_vector, commit]: [u32; 4],
) -> Release {
    Release { segment_info, field_infos, compound, fdt, bit_vector, commit }
}

/// The files of an index around its stored fields.
pub fn surround(index: &Index, release: Release, stored: Vec<File>, max_doc: u32) -> Vec<File> {
    let mut files = stored;
    files.push(("_0.fnm".into(), field_infos(release)));
    if index.compound {
        files = compound(release, files);
    }
    files.push(("_0.si".into(), segment_info(release, max_doc, index.compound)));
    if !index.deleted.is_empty() {
        let bits = bit_vector(release.bit_vector, max_doc, &index.deleted, index.sparse);
        files.push(("_0_1.del".into(), bits));
    }
    files.push(("segments_1".into(), commit(release.commit, index.deleted.len() as u32)));
    files
}

fn finish(data: Vec<u8>, checked: bool) -> Vec<u8> {
    if checked { footer(data) } else { data }
}

/// A number of strings as an `i32`, then the strings.
fn strings(out: &mut Vec<u8>, count: u32, texts: &[&str]) {
    out.extend(count.to_be_bytes());
    texts.iter().for_each(|text| string(out, text));
}

fn segment_info(release: Release, max_doc: u32, compound: bool) -> Vec<u8> {
    let (codec, version) = release.segment_info;
    let mut out = header_without_id(codec, version);
    string(&mut out, "4.6");
    out.extend(max_doc.to_be_bytes());
    out.push(if compound { 1 } else { 0xFF });
    strings(&mut out, 1, &["os", "any"]);
    if codec == "Lucene40SegmentInfo" {
        strings(&mut out, 0, &[]);
    }
    strings(&mut out, 2, &["_0.fdt", "_0.fdx"]);
    finish(out, version >= 1)
}

fn field_infos(release: Release) -> Vec<u8> {
    let (codec, version) = release.field_infos;
    let mut out = header_without_id(codec, version);
    let names = ["_uid", "_source", "number"];
    vint(&mut out, names.len() as u64);
    for (number, name) in names.iter().enumerate() {
        string(&mut out, name);
        vint(&mut out, number as u64);
        out.extend([0x59, 0x10]);
        if codec == "Lucene46FieldInfos" {
            out.extend((-1_i64).to_be_bytes());
        }
        strings(&mut out, 1, &["PerFieldPostingsFormat.format", "Lucene41"]);
    }
    finish(out, version >= 1)
}

fn compound(release: Release, files: Vec<File>) -> Vec<File> {
    let checked = release.compound >= 1;
    let mut cfs = header_without_id("CompoundFileWriterData", release.compound);
    let mut cfe = header_without_id("CompoundFileWriterEntries", release.compound);
    vint(&mut cfe, files.len() as u64);
    for (name, data) in files {
        string(&mut cfe, name.strip_prefix("_0").unwrap());
        cfe.extend((cfs.len() as u64).to_be_bytes());
        cfe.extend((data.len() as u64).to_be_bytes());
        cfs.extend(data);
    }
    vec![("_0.cfs".into(), finish(cfs, checked)), ("_0.cfe".into(), finish(cfe, checked))]
}

/// A `.del`; `sparse`: only the bytes with deletions. Versions below 1 only begin like one.
pub fn bit_vector(version: u32, max_doc: u32, deleted: &BTreeSet<u32>, sparse: bool) -> Vec<u8> {
    let mut out = (-2_i32).to_be_bytes().to_vec();
    out.extend(header_without_id("BitVector", version));
    let mut bytes = vec![0_u8; max_doc.div_ceil(8) as usize];
    let live = (0..max_doc).filter(|doc| !deleted.contains(doc));
    live.for_each(|doc| bytes[(doc >> 3) as usize] |= 1 << (doc & 7));
    if sparse {
        out.extend((-1_i32).to_be_bytes());
    }
    out.extend(max_doc.to_be_bytes());
    out.extend((max_doc - deleted.len() as u32).to_be_bytes());
    if sparse {
        let with_deletions: BTreeSet<u32> = deleted.iter().map(|doc| doc >> 3).collect();
        let mut last = 0;
        for index in with_deletions {
            vint(&mut out, (index - last).into());
            out.push(bytes[index as usize]);
            last = index;
        }
    } else {
        out.extend(bytes);
    }
    finish(out, version >= 2)
}

fn commit(format: u32, deleted: u32) -> Vec<u8> {
    let mut out = match format {
        0..=3 => header_without_id("segments", format),
        _ => super::codec::header("segments", format, "1"),
    };
    if format >= 6 {
        out.extend([5, 5, 0]);
    }
    out.extend([0; 8 + 4]);
    out.extend(1_u32.to_be_bytes());
    if format >= 6 {
        out.extend([4, 10, 0]);
    }
    string(&mut out, "_0");
    if format >= 4 {
        out.push(0); // no id
    }
    string(&mut out, "Lucene410");
    out.extend(if deleted > 0 { 1_i64 } else { -1 }.to_be_bytes());
    out.extend(deleted.to_be_bytes());
    out.extend(vec![0xFF; if format >= 1 { 8 } else { 0 }]);
    out.extend(vec![0xFF; if format >= 3 { 8 } else { 0 }]);
    match format {
        0 => {}
        1 | 2 => out.extend([0; 4]),
        3 | 4 => out.extend([0; 8]),
        _ => out.extend([0; 5]),
    }
    out.extend(vec![0; if format < 5 { 4 } else { 1 }]); // no user data
    if format >= 2 {
        return footer(out);
    }
    let crc = u64::from(crc32fast::hash(&out));
    out.extend(crc.to_be_bytes());
    out
}
