//! A cursor over borrowed bytes: the integers, strings, maps and sets all formats are made of.
//!
//! Its errors name the file and the byte. Byte order belongs to the format, so the cursor carries it.

use crate::{Error, Result};

/// Byte order of the fixed-width integers of a format's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endian {
    /// Every format up to Lucene 8.
    Big,
    /// The formats named `Lucene90…` and later.
    Little,
}

/// Reads forward through bytes that begin at `base` of `file`.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    file: &'a str,
    base: u64,
    data: &'a [u8],
    position: usize,
    endian: Endian,
}

macro_rules! fixed_width {
    ($($name:ident: $type:ty, $width:literal;)*) => {$(
        #[doc = concat!("Reads ", $width, " bytes in the format's byte order.")]
        pub(crate) fn $name(&mut self) -> Result<$type> {
            let bytes = self.array::<$width>()?;
            Ok(match self.endian {
                Endian::Big => <$type>::from_be_bytes(bytes),
                Endian::Little => <$type>::from_le_bytes(bytes),
            })
        }
    )*};
}

impl<'a> Cursor<'a> {
    /// A big-endian cursor over the beginning of `file`.
    pub(crate) fn new(file: &'a str, data: &'a [u8]) -> Self {
        Self::at(file, 0, data)
    }

    /// A big-endian cursor over bytes that stand at `base` of `file`.
    pub(crate) fn at(file: &'a str, base: u64, data: &'a [u8]) -> Self {
        Self { file, base, data, position: 0, endian: Endian::Big }
    }

    /// Reads the following integers in this order.
    pub(crate) fn set_endian(&mut self, endian: Endian) {
        self.endian = endian;
    }

    /// Offset of the next byte in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.base.saturating_add(self.position as u64)
    }

    /// Bytes read so far.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// Bytes left.
    pub(crate) fn remaining(&self) -> usize {
        self.data.len().saturating_sub(self.position)
    }

    /// The bytes left, without reading them.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.data.get(self.position..).unwrap_or_default()
    }

    /// The file's name.
    pub(crate) fn file(&self) -> &'a str {
        self.file
    }

    /// An error about the bytes at hand.
    #[cold]
    pub(crate) fn corrupt(&self, what: impl Into<String>) -> Error {
        Error::corrupt(self.file, Some(self.offset()), what)
    }

    /// An error about the format at hand.
    #[cold]
    pub(crate) fn unsupported(&self, what: impl Into<String>) -> Error {
        Error::unsupported(self.file, what)
    }

    /// Fails unless every byte was read.
    pub(crate) fn expect_end(&self) -> Result<()> {
        match self.remaining() {
            0 => Ok(()),
            rest => Err(self.corrupt(format!("{rest} bytes too many"))),
        }
    }

    /// The next `count` bytes.
    #[inline]
    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        let end = self.position.checked_add(count);
        match end.and_then(|end| self.data.get(self.position..end)) {
            Some(bytes) => {
                self.position = self.position.saturating_add(count);
                Ok(bytes)
            }
            None => {
                Err(self.corrupt(format!("{count} bytes expected, {} are left", self.remaining())))
            }
        }
    }

    /// Passes over `count` bytes.
    pub(crate) fn skip(&mut self, count: u64) -> Result<()> {
        let count = usize::try_from(count).map_err(|_| self.corrupt("length out of range"))?;
        self.bytes(count).map(drop)
    }

    /// The next `N` bytes.
    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.bytes(N)?;
        <[u8; N]>::try_from(bytes).map_err(|_| self.corrupt("bytes missing"))
    }

    /// The next byte.
    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8> {
        match self.data.get(self.position) {
            Some(byte) => {
                self.position = self.position.saturating_add(1);
                Ok(*byte)
            }
            None => Err(self.corrupt("one byte more expected")),
        }
    }

    fixed_width! {
        u16: u16, 2;
        i32: i32, 4;
        i64: i64, 8;
    }

    /// An `i32` that may not be negative.
    pub(crate) fn non_negative_i32(&mut self) -> Result<u32> {
        let value = self.i32()?;
        u32::try_from(value).map_err(|_| self.corrupt(format!("negative number {value}")))
    }

    /// An `i64` that may not be negative.
    pub(crate) fn non_negative_i64(&mut self) -> Result<u64> {
        let value = self.i64()?;
        u64::try_from(value).map_err(|_| self.corrupt(format!("negative number {value}")))
    }

    /// A number of 7-bit groups, low group first, of at most `max_bytes` bytes and `bits` bits.
    fn variable(&mut self, max_bytes: u32, bits: u32) -> Result<u64> {
        let mut value = 0_u64;
        for group in 0..max_bytes {
            let byte = self.u8()?;
            let low = u64::from(byte & 0x7F);
            let shift = group.saturating_mul(7);
            // The last group may have fewer bits left than it brings.
            if shift.saturating_add(7) > bits && low >> bits.saturating_sub(shift) != 0 {
                return Err(self.corrupt("number too large"));
            }
            value |= low << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.corrupt("number does not end"))
    }

    /// A number below 128 takes one byte: the usual case, worth a way of its own.
    #[inline]
    fn short(&mut self) -> Option<u8> {
        let byte = self.data.get(self.position).copied().filter(|byte| *byte < 0x80)?;
        self.position = self.position.saturating_add(1);
        Some(byte)
    }

    /// A variable-length integer, 32 bits, not negative as Java sees it.
    #[inline]
    pub(crate) fn vint(&mut self) -> Result<u32> {
        if let Some(byte) = self.short() {
            return Ok(byte.into());
        }
        // No more than 31 bits come back.
        Ok(self.variable(5, 31)? as u32)
    }

    /// A variable-length integer, all 32 bits (zig-zag numbers use them).
    pub(crate) fn vint_bits(&mut self) -> Result<u32> {
        Ok(self.variable(5, 32)? as u32)
    }

    /// A variable-length integer of up to nine bytes, not negative.
    #[inline]
    pub(crate) fn vlong(&mut self) -> Result<u64> {
        if let Some(byte) = self.short() {
            return Ok(byte.into());
        }
        self.variable(9, 63)
    }

    /// A string: length in bytes, then UTF-8.
    pub(crate) fn string(&mut self) -> Result<&'a str> {
        let length = self.vint()? as usize;
        let bytes = self.bytes(length)?;
        std::str::from_utf8(bytes).map_err(|_| self.corrupt("text is not UTF-8"))
    }

    /// A count of things that take at least `least` bytes each, so that no more than fit are believed.
    pub(crate) fn count(&mut self, wide: bool, least: usize) -> Result<usize> {
        let count = if wide { self.non_negative_i32()? } else { self.vint()? } as usize;
        if count > self.remaining() / least.max(1) {
            let left = self.remaining();
            return Err(self.corrupt(format!("{count} entries cannot stand in {left} bytes")));
        }
        Ok(count)
    }

    /// Passes over a map of strings, handing each pair to `each`. `wide`: the count is an `i32`.
    pub(crate) fn map(&mut self, wide: bool, mut each: impl FnMut(&'a str, &'a str)) -> Result<()> {
        for _ in 0..self.count(wide, 2)? {
            let key = self.string()?;
            each(key, self.string()?);
        }
        Ok(())
    }

    /// Passes over a set of strings. `wide`: the count is an `i32`.
    pub(crate) fn set(&mut self, wide: bool) -> Result<()> {
        for _ in 0..self.count(wide, 1)? {
            self.string()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_writer::vint;

    proptest! {
        #[test]
        fn variable_numbers_round_trip(value: u64) {
            let mut data = Vec::new();
            vint(&mut data, value >> 1);
            prop_assert_eq!(Cursor::new("test", &data).vlong().unwrap(), value >> 1);
            data.clear();
            vint(&mut data, value & 0xFFFF_FFFF);
            prop_assert_eq!(Cursor::new("test", &data).vint_bits().unwrap(), value as u32);
            prop_assert_eq!(Cursor::new("test", &data).vint().is_ok(), value as u32 >> 31 == 0);
        }
    }

    #[test]
    fn numbers_too_long_or_too_large_are_refused() {
        assert!(Cursor::new("test", &[0xFF; 4]).vint_bits().is_err());
        assert!(Cursor::new("test", &[0xFF, 0xFF, 0xFF, 0xFF, 0x1F]).vint_bits().is_err());
        assert!(Cursor::new("test", &[0x80; 10]).vlong().is_err());
        assert_eq!(
            Cursor::new("test", &[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]).vint_bits().unwrap(),
            u32::MAX
        );
    }

    #[test]
    fn counts_are_held_against_the_bytes_left() {
        assert!(Cursor::new("test", &[3, 0, 0, 0]).count(false, 1).is_ok());
        assert!(Cursor::new("test", &[3, 0, 0, 0]).count(false, 2).is_err());
        assert!(Cursor::new("test", &[0x7F, 0xFF, 0xFF, 0xFF]).count(true, 1).is_err());
    }

    #[test]
    fn errors_name_file_and_offset() {
        let mut cursor = Cursor::at("_0.fnm", 40, &[1, 2]);
        cursor.u8().unwrap();
        let error = cursor.bytes(2).unwrap_err().to_string();
        assert_eq!(error, "_0.fnm at byte 41: 2 bytes expected, 1 are left");
    }
}
