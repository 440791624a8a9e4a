//! What surrounds stored fields in Lucene 9: `.si`, `.fnm`, `.liv` and the commit.

use std::collections::BTreeSet;

use super::ID;
use super::codec::{footer, header, string, vint};

pub fn segment_info(max_doc: u32) -> Vec<u8> {
    let mut out = header("Lucene90SegmentInfo", 0, "");
    for part in [9_u32, 12, 0] {
        out.extend(part.to_le_bytes());
    }
    out.push(0); // no oldest version
    out.extend(max_doc.to_le_bytes());
    out.extend([0xFF, 0xFF, 0, 0, 0, 0]); // no compound file, no blocks, no maps and sets
    footer(out)
}

pub fn field_infos(soft_deletes: bool, doc_values: u8) -> Vec<u8> {
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
            string(&mut out, &format!("Lucene{doc_values}"));
            string(&mut out, "PerFieldDocValuesFormat.suffix");
            string(&mut out, "0");
        }
        out.extend([0, 0, 0, 0]); // no points, no vectors
    }
    footer(out)
}

pub fn live_docs(max_doc: u32, deleted: &BTreeSet<u32>) -> Vec<u8> {
    let mut out = header("Lucene90LiveDocs", 0, "1");
    for word in 0..max_doc.div_ceil(64) {
        let docs = (word * 64..max_doc).take(64).filter(|doc| !deleted.contains(doc));
        let bits = docs.fold(0_u64, |bits, doc| bits | 1 << (doc % 64));
        out.extend(bits.to_le_bytes());
    }
    footer(out)
}

pub fn commit(deleted: u32, soft_deleted: u32) -> Vec<u8> {
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
