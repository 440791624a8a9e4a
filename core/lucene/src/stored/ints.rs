//! `StoredFieldsInts`: the integers of chunk headers since Lucene 9.0.
//!
//! Blocks of 128 numbers are transposed so that Java's vector units read them fast; the rest is plain.

use crate::Result;
use crate::cursor::Cursor;

const BLOCK: usize = 128;

/// Reads `count` numbers into `values`, which is emptied first: a byte of bits a number, then one `vint` for
/// all (0 bits) or numbers of 8, 16 or 32 bits.
pub(super) fn read(cursor: &mut Cursor<'_>, count: usize, values: &mut Vec<u32>) -> Result<()> {
    values.clear();
    let bits = cursor.u8()?;
    match bits {
        0 => {
            let value = cursor.vint()?;
            values.resize(count, value);
        }
        8 | 16 | 32 => {
            let width = usize::from(bits / 8);
            let data = cursor.bytes(count.saturating_mul(width))?;
            let blocks = data.chunks_exact(BLOCK.saturating_mul(width));
            let rest = blocks.remainder();
            blocks.for_each(|block| transposed(block, u32::from(bits), values));
            values.extend(rest.chunks_exact(width).map(plain));
        }
        _ => return Err(cursor.corrupt(format!("{bits} bits a number"))),
    }
    if values.iter().any(|value| *value > i32::MAX as u32) {
        return Err(cursor.corrupt("negative number"));
    }
    Ok(())
}

/// A little-endian number of up to four bytes.
fn plain(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte))
}

/// A block: word `w` holds, from its highest bits down, the numbers `w`, `w + words`, `w + 2 words`, …
fn transposed(block: &[u8], bits: u32, values: &mut Vec<u32>) {
    let per_word = 64 / bits;
    let mask = u64::MAX >> 64_u32.saturating_sub(bits);
    for group in 1..=per_word {
        let shift = 64_u32.saturating_sub(bits.saturating_mul(group));
        values.extend(block.chunks_exact(8).map(|word| {
            let word = <[u8; 8]>::try_from(word).map_or(0, u64::from_le_bytes);
            (word >> shift & mask) as u32
        }));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_writer::stored_fields_ints;

    proptest! {
        #[test]
        fn reads_what_was_written(
            bits in 0_u32..=31,
            values in proptest::collection::vec(any::<u32>(), 1..700),
        ) {
            let values: Vec<u32> = values.iter().map(|value| value & ((1_u32 << bits) - 1)).collect();
            let mut data = Vec::new();
            stored_fields_ints(&mut data, &values);
            let mut cursor = Cursor::new("test", &data);
            let mut found = vec![1, 2, 3];
            read(&mut cursor, values.len(), &mut found).unwrap();
            prop_assert_eq!(cursor.remaining(), 0);
            prop_assert_eq!(found, values);
        }
    }

    #[test]
    fn negative_numbers_and_other_widths_are_refused() {
        let mut found = Vec::new();
        assert!(read(&mut Cursor::new("test", &[32, 0, 0, 0, 0x80]), 1, &mut found).is_err());
        assert!(read(&mut Cursor::new("test", &[24, 0, 0, 0]), 1, &mut found).is_err());
        assert!(read(&mut Cursor::new("test", &[16, 0, 0]), 2, &mut found).is_err());
    }
}
