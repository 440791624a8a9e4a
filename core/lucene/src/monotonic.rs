//! DirectMonotonic arrays: rising numbers as a straight line a block plus packed differences.

use bytes::Bytes;

use crate::cursor::{Cursor, Endian};
use crate::limits::MAX_MONOTONIC_SHIFT;
use crate::{Error, Result};

/// Bytes of one block's line: minimum, slope, offset, bits a difference.
const BLOCK_BYTES: usize = 21;

/// Widths a difference can have.
const WIDTHS: [u8; 15] = [0, 1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64];

/// An array of rising numbers that is decoded value by value.
#[derive(Clone, Debug)]
pub(crate) struct Monotonic {
    shift: u32,
    blocks: Vec<Block>,
    data: Bytes,
    endian: Endian,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    min: i64,
    slope: f32,
    offset: u64,
    bits: u8,
}

/// The lines of an array, read before it is known where its differences end.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    shift: u32,
    count: usize,
    blocks: Vec<Block>,
}

/// Number of blocks of `count` values; fails where there cannot be that many in the bytes left.
fn block_count(cursor: &Cursor<'_>, shift: u32, count: u64) -> Result<usize> {
    if shift > MAX_MONOTONIC_SHIFT {
        return Err(cursor.corrupt(format!("block shift {shift}")));
    }
    let blocks = count.div_ceil(1 << shift);
    let fitting = cursor.remaining() / BLOCK_BYTES;
    usize::try_from(blocks)
        .ok()
        .filter(|blocks| *blocks <= fitting)
        .ok_or_else(|| cursor.corrupt(format!("{blocks} blocks cannot stand in what is left")))
}

/// Passes over the lines of an array of `count` values.
pub(crate) fn skip_lines(cursor: &mut Cursor<'_>, shift: u32, count: u64) -> Result<()> {
    let blocks = block_count(cursor, shift, count)?;
    cursor.skip(blocks.saturating_mul(BLOCK_BYTES) as u64)
}

impl Lines {
    /// Reads the lines of an array of `count` values.
    pub(crate) fn read(cursor: &mut Cursor<'_>, shift: u32, count: usize) -> Result<Self> {
        let block_count = block_count(cursor, shift, count as u64)?;
        let mut blocks = Vec::with_capacity(block_count);
        for _ in 0..block_count {
            let min = cursor.i64()?;
            let slope = f32::from_bits(cursor.i32()?.cast_unsigned());
            let offset = cursor.non_negative_i64()?;
            let bits = cursor.u8()?;
            if !WIDTHS.contains(&bits) {
                return Err(cursor.corrupt(format!("{bits} bits a value")));
            }
            blocks.push(Block { min, slope, offset, bits });
        }
        Ok(Self { shift, count, blocks })
    }

    /// Joins the lines with their differences; fails if the differences of a block lie outside `data`.
    pub(crate) fn with_data(self, file: &str, data: Bytes, endian: Endian) -> Result<Monotonic> {
        let size = 1_u64 << self.shift;
        let mut left = self.count as u64;
        for block in &self.blocks {
            let values = left.min(size);
            left = left.saturating_sub(values);
            let bytes = values.saturating_mul(block.bits.into()).div_ceil(8);
            let end = block.offset.checked_add(bytes);
            if end.is_none_or(|end| end > data.len() as u64) {
                return Err(Error::corrupt(file, None, "packed numbers outside their range"));
            }
        }
        Ok(Monotonic { shift: self.shift, blocks: self.blocks, data, endian })
    }
}

impl Monotonic {
    /// Value `index`; an index past the end gives nothing useful, and no error.
    pub(crate) fn get(&self, index: usize) -> i64 {
        let Some(block) = self.blocks.get(index >> self.shift) else { return 0 };
        let inside = (index & ((1_usize << self.shift).wrapping_sub(1))) as u64;
        // Java multiplies in single precision; in double precision large blocks come out differently.
        let line = (block.slope * inside as f32) as i64;
        let difference = self.difference(block, inside);
        block.min.wrapping_add(line).wrapping_add(difference.cast_signed())
    }

    fn difference(&self, block: &Block, index: u64) -> u64 {
        if block.bits == 0 {
            return 0;
        }
        let width = u64::from(block.bits);
        let first_bit = index.wrapping_mul(width);
        let start =
            usize::try_from(block.offset.wrapping_add(first_bit >> 3)).unwrap_or(usize::MAX);
        let skipped = (first_bit & 7) as u32;
        // Nine bytes hold any 64 bits that begin inside a byte.
        let mut window = [0_u8; 16];
        let available = self.data.get(start..).unwrap_or_default();
        for (to, from) in window.iter_mut().zip(available.iter().take(9)) {
            *to = *from;
        }
        let mask = u64::MAX >> 64_u32.wrapping_sub(block.bits.into());
        let value = match self.endian {
            Endian::Little => (u128::from_le_bytes(window) >> skipped) as u64,
            Endian::Big => {
                let used = skipped.wrapping_add(block.bits.into());
                (u128::from_be_bytes(window) >> 128_u32.wrapping_sub(used)) as u64
            }
        };
        value & mask
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_writer::{monotonic, monotonic_big_endian};

    fn read(meta: &[u8], data: &[u8], shift: u32, count: usize, endian: Endian) -> Vec<u64> {
        let mut cursor = Cursor::new("test", meta);
        cursor.set_endian(endian);
        let lines = Lines::read(&mut cursor, shift, count).unwrap();
        cursor.expect_end().unwrap();
        let array = lines.with_data("test", data.to_vec().into(), endian).unwrap();
        (0..count).map(|index| array.get(index).cast_unsigned()).collect()
    }

    proptest! {
        #[test]
        fn reads_what_was_written_in_both_byte_orders(
            steps in proptest::collection::vec(0_u64..1 << 40, 1..200),
            scale in 0_u32..40,
            shift in 2_u32..9,
        ) {
            let mut sum = 0_u64;
            let values: Vec<u64> = steps.iter().map(|step| { sum += step >> scale; sum }).collect();
            let (mut meta, mut data) = (Vec::new(), Vec::new());
            monotonic(&mut meta, &mut data, &values, shift);
            prop_assert_eq!(&read(&meta, &data, shift, values.len(), Endian::Little), &values);
            let (mut meta, mut data) = (Vec::new(), Vec::new());
            monotonic_big_endian(&mut meta, &mut data, &values, shift);
            prop_assert_eq!(&read(&meta, &data, shift, values.len(), Endian::Big), &values);
        }

        #[test]
        fn lines_of_garbage_never_panic(
            meta in proptest::collection::vec(any::<u8>(), 0..200),
            data in proptest::collection::vec(any::<u8>(), 0..100),
            shift in 0_u32..40,
            count in 0_usize..5000,
        ) {
            let mut cursor = Cursor::new("test", &meta);
            if let Ok(lines) = Lines::read(&mut cursor, shift, count)
                && let Ok(array) = lines.with_data("test", data.into(), Endian::Big)
            {
                (0..count + 9).for_each(|index| _ = array.get(index));
            }
        }
    }
}
