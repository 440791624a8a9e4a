//! A stored `_source` becomes what may be sent: one line of JSON.
//!
//! Nearly every source is JSON and passes untouched. Old versions could store it compressed; and a client may send
//! SMILE, CBOR or YAML, which is stored as it came and has to be converted.
//!
//! | file | subject |
//! |---|---|
//! | `line` | JSON text made to fit one line |
//! | `json` | a writer of JSON text that loses no digit of a number |
//! | `smile`, `cbor`, `yaml` | conversions |

mod cbor;
mod json;
mod line;
mod smile;
mod yaml;

use std::borrow::Cow;

use bytes::Bytes;

pub(crate) use line::one_line;

use super::frame::decompress_within;

/// A source that may be sent.
#[derive(Debug)]
pub(crate) struct Prepared<'a> {
    /// One line of JSON.
    pub(crate) line: Cow<'a, [u8]>,
    /// It was stored in another form.
    pub(crate) converted: bool,
}

/// Makes a stored source fit to be sent. A compressed one may unpack to `most` bytes.
///
/// # Errors
/// What is wrong with it, when it cannot be.
pub(crate) fn prepare(stored: &[u8], most: u64) -> Result<Prepared<'_>, String> {
    if let Some(line) = one_line(stored) {
        return Ok(Prepared { line, converted: false });
    }
    let unpacked = unpack(stored, most)?;
    if let Some(line) = one_line(&unpacked) {
        let line = Cow::Owned(line.into_owned());
        return Ok(Prepared { line, converted: false });
    }
    let converted = match &unpacked[..] {
        [b':', b')', b'\n', ..] => smile::to_json(&unpacked)?,
        [b'-', b'-', b'-', ..] => yaml::to_json(&unpacked)?,
        bytes if cbor::is_object(bytes) => cbor::to_json(bytes)?,
        _ => return Err("neither JSON nor SMILE, CBOR or YAML".to_owned()),
    };
    Ok(Prepared { line: Cow::Owned(converted), converted: true })
}

/// Undoes the compression that Elasticsearch 1 and 2 could store sources with.
fn unpack(stored: &[u8], most: u64) -> Result<Bytes, String> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let unpacked = decompress_within(Bytes::copy_from_slice(stored), most);
    unpacked.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn json_passes_untouched() {
        let source = b"{ \"n\" : 1.10, \"n\": 1e400 }";
        let prepared = prepare(source, 1 << 20).unwrap();
        assert!(matches!(prepared.line, Cow::Borrowed(_)) && !prepared.converted);
    }

    #[test]
    fn compressed_json_is_what_was_compressed() {
        let source = b"{\"n\": 1.10}".to_vec();
        let deflated = b"DFL\0".to_vec();
        let mut encoder = flate2::write::DeflateEncoder::new(deflated, Default::default());
        encoder.write_all(&source).unwrap();
        let lzf = super::super::lzf::tests::compress(&source);
        for stored in [encoder.finish().unwrap(), lzf] {
            let prepared = prepare(&stored, 1 << 20).unwrap();
            assert_eq!(&*prepared.line, &source[..]);
            assert!(!prepared.converted);
        }
    }

    #[test]
    fn other_forms_are_converted_compressed_or_not() {
        let smile = serde_smile::to_vec(&serde_json::json!({"a": [1, "x"]})).unwrap();
        let cbor = b"\xBF\x61a\x82\x01\x61x\xFF".to_vec();
        let yaml = b"---\na:\n- 1\n- x\n".to_vec();
        let packed = super::super::lzf::tests::compress(&smile);
        for stored in [smile, cbor, yaml, packed] {
            let prepared = prepare(&stored, 1 << 20).unwrap();
            assert_eq!(std::str::from_utf8(&prepared.line).unwrap(), r#"{"a":[1,"x"]}"#);
            assert!(prepared.converted);
        }
    }

    #[test]
    fn what_cannot_be_understood_is_an_error() {
        for stored in
            [&b""[..], b" ", b"[1]", b"x", b":)\n", b"---\n- 1\n", b"\xBF", b"ZV\x01", b"DFL\0\xFF"]
        {
            assert!(prepare(stored, 1 << 20).is_err(), "{stored:?}");
        }
    }
}
