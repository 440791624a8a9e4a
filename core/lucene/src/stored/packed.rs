//! Packed integers as chunk headers up to Lucene 8 have them: a bit stream, highest bit first.

use crate::Result;
use crate::cursor::Cursor;

/// Reads `count` numbers into `values`, which is emptied first: `vint` bits a number, then one `vint` for all
/// (0 bits) or the packed numbers. `whole_words`: packed version 0, padded to eight bytes.
pub(super) fn read(
    cursor: &mut Cursor<'_>,
    count: usize,
    whole_words: bool,
    values: &mut Vec<u32>,
) -> Result<()> {
    values.clear();
    let bits = cursor.vint()?;
    match bits {
        0 => {
            let value = cursor.vint()?;
            values.resize(count, value);
            Ok(())
        }
        1..=31 => {
            let data = cursor.bytes(packed_bytes(count, bits, whole_words))?;
            unpack(data, count, bits, values);
            Ok(())
        }
        _ => Err(cursor.corrupt(format!("{bits} bits a number"))),
    }
}

/// Bytes that `count` numbers of `bits` take.
pub(super) fn packed_bytes(count: usize, bits: u32, whole_words: bool) -> usize {
    let bits = count.saturating_mul(bits as usize);
    if whole_words { bits.div_ceil(64).saturating_mul(8) } else { bits.div_ceil(8) }
}

fn unpack(data: &[u8], count: usize, bits: u32, values: &mut Vec<u32>) {
    let mask = (1_u64 << bits).wrapping_sub(1);
    let mut bytes = data.iter();
    let (mut buffer, mut held) = (0_u64, 0_u32);
    for _ in 0..count {
        while held < bits {
            buffer = buffer << 8 | u64::from(bytes.next().copied().unwrap_or_default());
            held = held.wrapping_add(8);
        }
        held = held.wrapping_sub(bits);
        values.push((buffer >> held & mask) as u32);
    }
}

/// One number of `bits` bits at `index` of a packed stream; 0 past its end.
pub(super) fn get(data: &[u8], index: usize, bits: u32) -> u64 {
    let first_bit = (index as u64).saturating_mul(bits.into());
    let start = usize::try_from(first_bit >> 3).unwrap_or(usize::MAX);
    let skipped = (first_bit & 7) as u32;
    let mut window = [0_u8; 16];
    for (to, from) in window.iter_mut().zip(data.get(start..).unwrap_or_default().iter().take(9)) {
        *to = *from;
    }
    if bits == 0 || bits > 64 {
        return 0;
    }
    let shift = 128_u32.saturating_sub(skipped.saturating_add(bits));
    (u128::from_be_bytes(window) >> shift) as u64 & (u64::MAX >> 64_u32.saturating_sub(bits))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_writer::pack;

    proptest! {
        #[test]
        fn reads_what_was_packed(
            bits in 1_u32..=31,
            values in proptest::collection::vec(any::<u32>(), 1..300),
            whole_words: bool,
        ) {
            let values: Vec<u64> = values.iter().map(|v| u64::from(v & ((1 << bits) - 1))).collect();
            let mut data = vec![bits as u8];
            data.extend(pack(&values, bits));
            data.resize(1 + packed_bytes(values.len(), bits, whole_words), 0);
            let mut cursor = Cursor::new("test", &data);
            let mut found = Vec::new();
            read(&mut cursor, values.len(), whole_words, &mut found).unwrap();
            prop_assert_eq!(cursor.remaining(), 0);
            prop_assert!(found.iter().map(|v| u64::from(*v)).eq(values));
        }

        #[test]
        fn gets_single_values_of_any_width(
            bits in 1_u32..=64,
            values in proptest::collection::vec(any::<u64>(), 1..100),
        ) {
            let values: Vec<u64> = values.iter().map(|v| v & (u64::MAX >> (64 - bits))).collect();
            let data = pack(&values, bits);
            for (index, value) in values.iter().enumerate() {
                prop_assert_eq!(get(&data, index, bits), *value);
            }
        }
    }

    #[test]
    fn no_bits_mean_one_number_for_all() {
        let mut found = Vec::new();
        read(&mut Cursor::new("test", &[0, 200, 1]), 3, false, &mut found).unwrap();
        assert_eq!(found, [200; 3]);
    }

    #[test]
    fn more_bits_than_a_number_has_are_refused() {
        let mut found = Vec::new();
        assert!(read(&mut Cursor::new("test", &[32; 99]), 3, false, &mut found).is_err());
        assert!(read(&mut Cursor::new("test", &[31; 9]), 3, false, &mut found).is_err());
    }
}
