//! The binary form of `_id` since Elasticsearch 6.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What the first byte of the binary form says: text, decimal digits; an escape before other bytes.
const TEXT: u8 = 0xFF;
const DIGITS: u8 = 0xFE;
const ESCAPE: u8 = 0xFD;

/// Reads the binary form of an id.
///
/// Ids that look like decimal digits are two digits a byte, ids that look like URL-safe base64 are the bytes it
/// stands for, all others UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    match bytes {
        [] => Err("empty _id".to_owned()),
        [TEXT, text @ ..] => {
            std::str::from_utf8(text).map(Cow::Borrowed).map_err(|_| "_id is not UTF-8".to_owned())
        }
        [DIGITS, digits @ ..] => decode_digits(digits).map(Cow::Owned),
        // The escape stands before bytes whose first could be taken for one of the marks.
        [ESCAPE, raw @ ..] | raw => Ok(Cow::Owned(URL_SAFE_NO_PAD.encode(raw))),
    }
}

/// Two digits a byte, the high half first; a low half of 15 ends a number of odd length.
fn decode_digits(bytes: &[u8]) -> Result<String, String> {
    let mut id = String::with_capacity(bytes.len().saturating_mul(2));
    for (index, byte) in bytes.iter().enumerate() {
        let (high, low) = (byte >> 4, byte & 15);
        let last = index.saturating_add(1) == bytes.len();
        let digit = |half: u8| (half < 10).then(|| char::from(b'0'.wrapping_add(half)));
        id.push(digit(high).ok_or("numeric _id holds no digit")?);
        match digit(low) {
            Some(low) => id.push(low),
            None if low == 15 && last => {}
            None => return Err("numeric _id holds no digit".to_owned()),
        }
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Writes an id as Elasticsearch does: digits, else base64 in its one canonical form, else text.
    fn encode(id: &str) -> Vec<u8> {
        if id.bytes().all(|byte| byte.is_ascii_digit()) {
            let digits: Vec<u8> = id.bytes().map(|byte| byte - b'0').collect();
            let pair = |pair: &[u8]| pair[0] << 4 | pair.get(1).unwrap_or(&15);
            return std::iter::once(DIGITS).chain(digits.chunks(2).map(pair)).collect();
        }
        match URL_SAFE_NO_PAD.decode(id) {
            Ok(bytes) if bytes[0] >= ESCAPE => [vec![ESCAPE], bytes].concat(),
            Ok(bytes) => bytes,
            Err(_) => [&[TEXT], id.as_bytes()].concat(),
        }
    }

    proptest! {
        #[test]
        fn decodes_what_was_encoded(
            id in prop_oneof![
                "[0-9]{1,40}",
                "[0-9a-zA-Z_-]{1,24}",
                "[\\-_/]{1,8}",
                any::<String>().prop_filter("ids are not empty", |id| !id.is_empty()),
                proptest::collection::vec(any::<u8>(), 1..24).prop_map(|b| URL_SAFE_NO_PAD.encode(b)),
            ],
        ) {
            let binary = encode(&id);
            prop_assert_eq!(decode(&binary).unwrap(), id);
        }

        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            drop(decode(&bytes));
        }
    }

    #[test]
    fn known_forms() {
        assert_eq!(decode(&[0xFE, 0x01, 0x2F]).unwrap(), "012");
        assert_eq!(decode(&[0xFF, b'a', b'#']).unwrap(), "a#");
        assert_eq!(decode(&[0xFD, 0xFF, 0xFF, 0xFF]).unwrap(), "____");
        assert_eq!(decode(&[0, 0, 0]).unwrap(), "AAAA");
    }

    #[test]
    fn damaged_forms_are_refused() {
        for bytes in [&[][..], &[0xFE, 0xA1], &[0xFE, 0x1F, 0x11], &[0xFE, 0x1B], &[0xFF, 0xC0]] {
            assert!(decode(bytes).is_err(), "{bytes:x?}");
        }
    }
}
