//! CBOR to JSON.

use std::borrow::Cow;
use std::fmt;

use cbor4ii::core::dec::{Decode, Read, is_break};
use cbor4ii::core::utils::SliceReader;
use cbor4ii::core::{major, marker, types};

use super::json::JsonText;
use crate::snapshot::limits::NESTING;

/// Marks a document as CBOR and means nothing else.
const SELF_DESCRIBED: [u8; 3] = [0xD9, 0xD9, 0xF7];

/// Tags of numbers beyond 64 bits.
const POSITIVE_BIG_INTEGER: u64 = 2;
const NEGATIVE_BIG_INTEGER: u64 = 3;
const DECIMAL: u64 = 4;

/// Whether the bytes begin as an object in CBOR does.
pub(super) fn is_object(bytes: &[u8]) -> bool {
    let rest = bytes.strip_prefix(&SELF_DESCRIBED).unwrap_or(bytes);
    rest.len() > 1 && rest.first().is_some_and(|first| first >> 5 == major::MAP) || bytes == [0xA0]
}

pub(super) fn to_json(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let bytes = bytes.strip_prefix(&SELF_DESCRIBED).unwrap_or(bytes);
    let mut reader = CborReader { reader: SliceReader::new(bytes), json: JsonText::default() };
    reader.value(0)?;
    match reader.peek() {
        Ok(_) => Err("CBOR: bytes after its end".to_owned()),
        Err(_) => Ok(reader.json.finish()),
    }
}

struct CborReader<'a> {
    reader: SliceReader<'a>,
    json: JsonText,
}

impl CborReader<'_> {
    fn peek(&mut self) -> Result<u8, String> {
        let filled = self.reader.fill(1).map_err(explain)?;
        filled.as_ref().first().copied().ok_or_else(|| "CBOR: it is cut".to_owned())
    }

    fn take<T: for<'de> Decode<'de>>(&mut self) -> Result<T, String> {
        T::decode(&mut self.reader).map_err(explain)
    }

    fn value(&mut self, depth: usize) -> Result<(), String> {
        if depth > NESTING {
            return Err(format!("CBOR: nested deeper than {NESTING}"));
        }
        let first = self.peek()?;
        match first >> 5 {
            major::UNSIGNED | major::NEGATIVE => {
                let number: i128 = self.take()?;
                self.json.raw(&number.to_string());
            }
            major::BYTES => {
                let types::Bytes(bytes): types::Bytes<Vec<u8>> = self.take()?;
                self.json.bytes(&bytes);
            }
            major::STRING => {
                let text: String = self.take()?;
                self.json.text(&text);
            }
            major::ARRAY => self.array(depth)?,
            major::MAP => self.map(depth)?,
            major::TAG => self.tagged(depth)?,
            _ => self.simple(first)?,
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), String> {
        let length = types::Array::len(&mut self.reader).map_err(explain)?;
        let mut count = 0;
        self.json.raw("[");
        while self.has_more(length, count)? {
            if count > 0 {
                self.json.raw(",");
            }
            self.value(depth + 1)?;
            count += 1;
        }
        self.json.raw("]");
        Ok(())
    }

    fn map(&mut self, depth: usize) -> Result<(), String> {
        let length = types::Map::len(&mut self.reader).map_err(explain)?;
        let mut count = 0;
        self.json.raw("{");
        while self.has_more(length, count)? {
            if count > 0 {
                self.json.raw(",");
            }
            self.name()?;
            self.json.raw(":");
            self.value(depth + 1)?;
            count += 1;
        }
        self.json.raw("}");
        Ok(())
    }

    fn has_more(&mut self, length: Option<usize>, count: usize) -> Result<bool, String> {
        match length {
            Some(length) => Ok(count < length),
            None => is_break(&mut self.reader).map(|is_end| !is_end).map_err(explain),
        }
    }

    /// Names are texts; whole numbers become the texts of their digits.
    fn name(&mut self) -> Result<(), String> {
        match self.peek()? >> 5 {
            major::STRING => {
                let name: Cow<'_, str> = Decode::decode(&mut self.reader).map_err(explain)?;
                self.json.text(&name);
                Ok(())
            }
            major::UNSIGNED | major::NEGATIVE => {
                let name: i128 = self.take()?;
                self.json.text(&name.to_string());
                Ok(())
            }
            _ => Err("CBOR: a name that is neither text nor a number".to_owned()),
        }
    }

    fn tagged(&mut self, depth: usize) -> Result<(), String> {
        let tag = types::Tag::tag(&mut self.reader).map_err(explain)?;
        match tag {
            POSITIVE_BIG_INTEGER | NEGATIVE_BIG_INTEGER => {
                let number = self.big_integer(tag)?;
                self.json.big_integer(&number)
            }
            DECIMAL => {
                let parts = types::Array::len(&mut self.reader).map_err(explain)?;
                if parts != Some(2) {
                    return Err("CBOR: a decimal that is no pair".to_owned());
                }
                let exponent: i64 = self.take()?;
                let digits = match self.peek()? >> 5 {
                    major::TAG => {
                        let tag = types::Tag::tag(&mut self.reader).map_err(explain)?;
                        self.big_integer(tag)?
                    }
                    _ => self.take::<i128>()?.to_be_bytes().to_vec(),
                };
                self.json.big_decimal(&digits, exponent.saturating_neg())
            }
            // Other tags say what a value means, not what it is.
            _ => self.value(depth + 1),
        }
    }

    /// The bytes behind a tag as a number with a sign: those of -1 - n stand for n.
    fn big_integer(&mut self, tag: u64) -> Result<Vec<u8>, String> {
        let types::Bytes(bytes): types::Bytes<Vec<u8>> = self.take()?;
        let signed = [vec![0], bytes].concat();
        match tag {
            POSITIVE_BIG_INTEGER => Ok(signed),
            NEGATIVE_BIG_INTEGER => Ok(signed.into_iter().map(|byte| !byte).collect()),
            _ => Err(format!("CBOR: tag {tag} where a whole number must be")),
        }
    }

    fn simple(&mut self, first: u8) -> Result<(), String> {
        match first {
            marker::F16 => {
                let types::F16(bits) = self.take()?;
                self.json.float(half(bits));
            }
            marker::F32 => {
                let value = self.take()?;
                self.json.float(value);
            }
            marker::F64 => {
                let value = self.take()?;
                self.json.double(value);
            }
            marker::TRUE | marker::FALSE => {
                let value: bool = self.take()?;
                self.json.value(&value);
            }
            marker::NULL | marker::UNDEFINED => {
                self.reader.advance(1);
                self.json.raw("null");
            }
            other => return Err(format!("CBOR: byte {other:#04x} where a value must begin")),
        }
        Ok(())
    }
}

/// A number of 16 bits.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1F), f32::from(bits & 0x3FF));
    sign * match exponent {
        0 => fraction * 2.0_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2.0_f32.powi(exponent - 15),
    }
}

fn explain(error: impl fmt::Display) -> String {
    format!("CBOR: {error}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn converted(value: &[u8]) -> Result<String, String> {
        let document = [b"\xA1\x61v", value].concat();
        to_json(&document).map(|json| String::from_utf8(json).unwrap())
    }

    #[test]
    fn values_keep_what_they_are() {
        for (bytes, expected) in [
            (&b"\x1B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"[..], "18446744073709551615"),
            (b"\x3B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "-18446744073709551616"),
            (b"\xC2\x49\x01\0\0\0\0\0\0\0\0", "18446744073709551616"),
            (b"\xC3\x49\x01\0\0\0\0\0\0\0\0", "-18446744073709551617"),
            (b"\xC4\x82\x21\x19\x04\xD2", "1234e-2"),
            (b"\xC4\x82\x02\xC2\x41\x05", "5e2"),
            (b"\xFA\x3D\xCC\xCC\xCD", "0.1"),
            (b"\xFB\x3F\xB9\x99\x99\x99\x99\x99\x9A", "0.1"),
            (b"\xF9\x3C\x00", "1.0"),
            (b"\xF9\xC0\x00", "-2.0"),
            (b"\xF9\x7C\x00", "\"Infinity\""),
            (b"\xF4", "false"),
            (b"\xF6", "null"),
            (b"\xF7", "null"),
            (b"\x43\x01\x02\xFF", "\"AQL/\""),
            (b"\x7F\x61a\x61b\xFF", "\"ab\""),
            (b"\xC1\x05", "5"),
            (b"\x9F\x01\xA0\xFF", "[1,{}]"),
            (b"\xBF\x01\x02\x61x\x80\xFF", "{\"1\":2,\"x\":[]}"),
        ] {
            assert_eq!(converted(bytes), Ok(format!("{{\"v\":{expected}}}")), "{bytes:x?}");
        }
    }

    #[test]
    fn the_mark_of_cbor_may_stand_before_an_object() {
        assert!(is_object(b"\xD9\xD9\xF7\xA1\x61v\x01") && is_object(b"\xA0"));
        assert!(!is_object(b"\xD9\xD9\xF7\x01") && !is_object(b"\xBF") && !is_object(b"{}"));
        assert_eq!(to_json(b"\xD9\xD9\xF7\xA1\x61v\x01").unwrap(), b"{\"v\":1}");
    }

    #[test]
    fn what_is_damaged_is_refused() {
        let deep = [0x81_u8; 100_000];
        for bytes in [
            &b""[..],
            b"\xFF",
            b"\x62a",
            b"\x9F\x01",
            b"\x5B\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
            b"\x9B\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
            b"\x01\x02",
            b"\xC4\x01",
            b"\x61\xFF",
            &deep,
        ] {
            assert!(converted(bytes).is_err(), "{:x?}", &bytes[..bytes.len().min(20)]);
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = converted(&bytes);
        }
    }
}
