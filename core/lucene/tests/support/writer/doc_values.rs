//! Doc values of the soft-deletes field, in the formats Lucene70, 80 and 90.

use std::collections::BTreeSet;

use super::codec::{footer, header};

/// The byte order and the extras of a format.
#[derive(Clone, Copy)]
struct Format(u8);

impl Format {
    fn bytes<const N: usize>(self, little: [u8; N]) -> [u8; N] {
        let mut bytes = little;
        if self.0 < 90 {
            bytes.reverse();
        }
        bytes
    }
}

/// Writes `.dvm` and `.dvd`.
pub fn soft_deletes(number: u8, max_doc: u32, docs: &BTreeSet<u32>) -> (Vec<u8>, Vec<u8>) {
    let format = Format(number);
    let suffix = format!("Lucene{number}_0");
    let mut data = header(&format!("Lucene{number}DocValuesData"), 0, &suffix);
    let (offset, length) = if docs.len() == max_doc as usize {
        (-1, 0)
    } else {
        let start = data.len();
        doc_set(format, &mut data, docs);
        (start as i64, (data.len() - start) as i64)
    };
    let mut meta = header(&format!("Lucene{number}DocValuesMetadata"), 0, &suffix);
    meta.extend(format.bytes(2_u32.to_le_bytes()));
    meta.push(0);
    meta.extend(format.bytes(offset.to_le_bytes()));
    meta.extend(format.bytes(length.to_le_bytes()));
    if number > 70 {
        meta.extend((-1_i16).to_le_bytes());
        meta.push(9);
    }
    meta.extend(format.bytes((docs.len() as u64).to_le_bytes()));
    meta.extend((-1_i32).to_le_bytes());
    meta.push(0);
    meta.extend([0; 4 * 8]);
    if number > 70 {
        meta.extend([0; 8]);
    }
    meta.extend((-1_i32).to_le_bytes());
    (footer(meta), footer(data))
}

/// A set of documents as doc values store it, since Lucene 8 with ranks of 512 documents.
fn doc_set(format: Format, out: &mut Vec<u8>, docs: &BTreeSet<u32>) {
    let blocks: BTreeSet<u32> = docs.iter().map(|doc| doc >> 16).collect();
    for block in blocks {
        let members: Vec<u16> =
            docs.range(block << 16..=block << 16 | 0xFFFF).map(|doc| *doc as u16).collect();
        out.extend(format.bytes((block as u16).to_le_bytes()));
        out.extend(format.bytes(((members.len() - 1) as u16).to_le_bytes()));
        if members.len() <= 4095 {
            members.iter().for_each(|doc| out.extend(format.bytes(doc.to_le_bytes())));
        } else if members.len() < 65536 {
            if format.0 > 70 {
                out.extend([0xEE; 256]); // ranks, which a reader from the front does not need
            }
            let mut words = vec![0_u64; 1024];
            members.iter().for_each(|doc| words[usize::from(*doc >> 6)] |= 1 << (doc & 63));
            words.iter().for_each(|word| out.extend(format.bytes(word.to_le_bytes())));
        }
    }
    for word in [0x7FFF_u16, 0, 0xFFFF] {
        out.extend(format.bytes(word.to_le_bytes()));
    }
}
