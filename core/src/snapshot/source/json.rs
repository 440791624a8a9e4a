//! JSON text, written value by value. Numbers keep every digit that they were stored with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// Bytes of the largest whole number that is written out: its digits take time that grows with their square.
const NUMBER_BYTES: usize = 1024;

/// The largest scale of a decimal that is written out.
const DECIMAL_SCALE: i64 = 100_000;

/// JSON text in the making. Whoever writes puts the brackets and commas.
#[derive(Debug, Default)]
pub(super) struct JsonText {
    out: Vec<u8>,
}

impl JsonText {
    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }

    pub(super) fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// Takes back what was written after `len` bytes.
    pub(super) fn truncate(&mut self, len: usize) {
        self.out.truncate(len);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.value(&text);
    }

    /// Bytes are base64 text in JSON, as servers show them.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.text(&STANDARD.encode(bytes));
    }

    /// Numbers, truth values and null, as they are written in JSON.
    pub(super) fn value(&mut self, value: &impl Serialize) {
        // Into memory, and of values that have a JSON form: it cannot fail.
        let _ = serde_json::to_writer(&mut self.out, value);
    }

    pub(super) fn double(&mut self, value: f64) {
        match unspeakable(value) {
            Some(name) => self.text(name),
            None => self.value(&value),
        }
    }

    /// A number of 32 bits has fewer digits than the same of 64.
    pub(super) fn float(&mut self, value: f32) {
        match unspeakable(value.into()) {
            Some(name) => self.text(name),
            None => self.value(&value),
        }
    }

    /// A whole number of any size: big-endian, two's complement.
    pub(super) fn big_integer(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.big_decimal(bytes, 0)
    }

    /// A whole number of any size divided by a power of ten.
    pub(super) fn big_decimal(&mut self, unscaled: &[u8], scale: i64) -> Result<(), String> {
        if unscaled.len() > NUMBER_BYTES || scale.abs() > DECIMAL_SCALE {
            return Err("a number of too many digits".to_owned());
        }
        let is_negative = unscaled.first().is_some_and(|first| first & 0x80 != 0);
        let magnitude = if is_negative { negated(unscaled) } else { unscaled.to_vec() };
        if is_negative {
            self.raw("-");
        }
        self.raw(&digits(&magnitude));
        if scale != 0 {
            self.raw(&format!("e{}", -scale));
        }
        Ok(())
    }
}

/// Numbers that JSON has no form for are the texts that servers show for them.
fn unspeakable(value: f64) -> Option<&'static str> {
    match value {
        value if value.is_nan() => Some("NaN"),
        value if value == f64::INFINITY => Some("Infinity"),
        value if value == f64::NEG_INFINITY => Some("-Infinity"),
        _ => None,
    }
}

fn negated(bytes: &[u8]) -> Vec<u8> {
    let mut negated: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
    for byte in negated.iter_mut().rev() {
        let (sum, carry) = byte.overflowing_add(1);
        *byte = sum;
        if !carry {
            return negated;
        }
    }
    // Only zero carries that far, and zero is not negative.
    negated
}

/// Decimal digits of a big-endian number without sign.
fn digits(magnitude: &[u8]) -> String {
    const BASE: u64 = 1_000_000_000;
    let mut limbs: Vec<u64> = vec![0];
    for byte in magnitude {
        let mut carry = u64::from(*byte);
        for limb in &mut limbs {
            let value = *limb * 256 + carry;
            *limb = value % BASE;
            carry = value / BASE;
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let mut text = limbs.pop().unwrap_or_default().to_string();
    for limb in limbs.iter().rev() {
        text.push_str(&format!("{limb:09}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut JsonText)) -> String {
        let mut json = JsonText::default();
        write(&mut json);
        String::from_utf8(json.finish()).unwrap()
    }

    #[test]
    fn floats_have_the_digits_of_their_width() {
        assert_eq!(written(|json| json.float(0.1)), "0.1");
        assert_eq!(written(|json| json.double(0.1)), "0.1");
        assert_eq!(written(|json| json.double(0.1_f32.into())), "0.10000000149011612");
        assert_eq!(written(|json| json.double(f64::NAN)), "\"NaN\"");
        assert_eq!(written(|json| json.float(f32::NEG_INFINITY)), "\"-Infinity\"");
    }

    #[test]
    fn decimals_keep_their_digits() {
        assert_eq!(written(|json| json.big_decimal(&[0x04, 0xD2], 2).unwrap()), "1234e-2");
        assert_eq!(written(|json| json.big_decimal(&[0xFF], -3).unwrap()), "-1e3");
        assert!(JsonText::default().big_integer(&[1; 2000]).is_err());
        assert!(JsonText::default().big_decimal(&[1], i64::from(i32::MAX)).is_err());
    }

    proptest! {
        #[test]
        fn whole_numbers_are_written_out(number in any::<i128>()) {
            let text = written(|json| json.big_integer(&number.to_be_bytes()).unwrap());
            prop_assert_eq!(text, number.to_string());
        }
    }
}
