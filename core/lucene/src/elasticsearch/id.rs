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
