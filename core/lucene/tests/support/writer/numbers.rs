//! Arrays of numbers: chunk headers of both kinds and DirectMonotonic.

use super::codec::vint;

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
