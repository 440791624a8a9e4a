//! Codec framing, and the numbers and strings all formats are made of.

use super::ID;

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

/// A codec header of Lucene 4.
pub fn header_without_id(codec: &str, version: u32) -> Vec<u8> {
    let mut out = header(codec, version, "");
    out.truncate(out.len() - 17);
    out
}
