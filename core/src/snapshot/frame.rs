//! The codec frame around a metadata blob and the compression inside it.
//!
//! A blob is a Lucene codec header, a body, and a footer with the CRC-32 of all before it. The body is plain, raw
//! DEFLATE behind `DFL\0`, zstd behind `ZSTD\0`, or LZF, whose chunks say what they are.

use std::io::Read;
use std::ops::RangeInclusive;

use bytes::{Buf, Bytes};

use super::limits::{
    METADATA_DOCUMENT_BYTES, METADATA_FREE_BYTES, METADATA_RATIO, ZSTD_WINDOW_LOG,
};
use super::lzf;
use crate::{Error, ErrorKind, Result};

const HEADER_MAGIC: u32 = 0x3FD7_6C17;
const FOOTER_MAGIC: u32 = 0xC028_93E8;
const FOOTER_BYTES: usize = 16;
const VERSION: u32 = 1;

/// Takes the frame off, checks it, and undoes the compression.
pub(crate) fn unframe(blob: &Bytes, codec: &str) -> Result<Bytes> {
    decompress(framed_content(blob, codec, VERSION..=VERSION)?)
}

/// Takes the frame off and checks it.
pub(crate) fn framed_content(
    blob: &Bytes,
    codec: &str,
    known: RangeInclusive<u32>,
) -> Result<Bytes> {
    let content_end = check_footer(blob)?;
    let mut rest = blob.slice(..content_end);
    let magic = take_u32(&mut rest)?;
    if magic != HEADER_MAGIC {
        return Err(corrupt(
            0,
            format!("magic number {magic:#010x} in place of {HEADER_MAGIC:#010x}"),
        ));
    }
    let found = take_name(&mut rest)?;
    if found != codec.as_bytes() {
        let found = String::from_utf8_lossy(&found).into_owned();
        return Err(corrupt(4, format!("codec `{found}` in place of `{codec}`")));
    }
    let version = take_u32(&mut rest)?;
    if !known.contains(&version) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "version {version} of the `{codec}` blob format; up to {} is known",
                known.end()
            ),
        ));
    }
    Ok(rest)
}

fn check_footer(blob: &Bytes) -> Result<usize> {
    let content_end = blob
        .len()
        .checked_sub(FOOTER_BYTES)
        .ok_or_else(|| corrupt(blob.len(), "too short for a checksum footer".to_owned()))?;
    let mut footer = blob.slice(content_end..);
    let (magic, algorithm, expected) = (footer.get_u32(), footer.get_u32(), footer.get_u64());
    if magic != FOOTER_MAGIC || algorithm != 0 {
        return Err(corrupt(
            content_end,
            "no checksum footer where one must be; the file is cut or damaged".to_owned(),
        ));
    }
    let actual = u64::from(crc32fast::hash(&blob.slice(..blob.len() - 8)));
    if actual != expected {
        return Err(corrupt(
            content_end,
            format!(
                "the checksum of the content is {actual:#010x}, the file says {expected:#010x}"
            ),
        ));
    }
    Ok(content_end)
}

fn take_u32(rest: &mut Bytes) -> Result<u32> {
    rest.try_get_u32().map_err(|_| corrupt(0, "the header is cut".to_owned()))
}

/// A name is at most 127 bytes long in every blob that servers write: its length is one byte.
fn take_name(rest: &mut Bytes) -> Result<Bytes> {
    let length =
        usize::from(rest.try_get_u8().map_err(|_| corrupt(4, "the header is cut".to_owned()))?);
    if length > 127 || length > rest.len() {
        return Err(corrupt(4, format!("a codec name of {length} bytes")));
    }
    Ok(rest.split_to(length))
}

/// Undoes the compression that the first bytes announce.
pub(crate) fn decompress(body: Bytes) -> Result<Bytes> {
    let limit = body.len().saturating_mul(METADATA_RATIO).max(METADATA_FREE_BYTES);
    decompress_within(body, limit.min(METADATA_DOCUMENT_BYTES))
}

/// Undoes the compression that the first bytes announce, of what becomes no more than `limit` bytes.
pub(crate) fn decompress_within(body: Bytes, limit: usize) -> Result<Bytes> {
    if lzf::is_lzf(&body) {
        return lzf::decompress(&body, limit);
    }
    if let Some(deflated) = body.strip_prefix(b"DFL\0") {
        return inflate(deflated, limit);
    }
    if let Some(frames) = body.strip_prefix(b"ZSTD\0") {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(frames)
            .map_err(|error| corrupt(0, format!("zstd: {error}")))?;
        decoder
            .window_log_max(ZSTD_WINDOW_LOG)
            .map_err(|error| corrupt(0, format!("zstd: {error}")))?;
        return read_limited(decoder, "zstd", limit);
    }
    Ok(body)
}

/// Raw DEFLATE to its end; the zero byte that some writers add may follow it.
fn inflate(deflated: &[u8], limit: usize) -> Result<Bytes> {
    let mut decoder = flate2::bufread::DeflateDecoder::new(deflated);
    let document = read_limited(&mut decoder, "DEFLATE", limit)?;
    match decoder.into_inner() {
        [] | [0] => Ok(document),
        rest => Err(corrupt(
            deflated.len() - rest.len(),
            format!("DEFLATE: {} bytes after its end", rest.len()),
        )),
    }
}

fn read_limited(reader: impl Read, what: &str, limit: usize) -> Result<Bytes> {
    let mut document = Vec::new();
    let limit = limit as u64;
    let read = reader.take(limit + 1).read_to_end(&mut document);
    let read = read.map_err(|error| corrupt(0, format!("{what}: {error}")))?;
    if read as u64 > limit {
        return Err(corrupt(0, format!("{what}: the document grows past {limit} bytes")));
    }
    Ok(document.into())
}

fn corrupt(offset: usize, what: String) -> Error {
    Error::new(ErrorKind::Corrupt, what).with_context("offset", offset)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use bytes::BufMut;
    use std::io::Write;

    /// A document in a frame, uncompressed.
    pub(in crate::snapshot) fn framed(codec: &str, body: &[u8]) -> Vec<u8> {
        let mut blob = Vec::new();
        blob.put_u32(HEADER_MAGIC);
        blob.put_u8(codec.len() as u8);
        blob.put_slice(codec.as_bytes());
        blob.put_u32(VERSION);
        blob.put_slice(body);
        blob.put_u32(FOOTER_MAGIC);
        blob.put_u32(0);
        let crc = crc32fast::hash(&blob);
        blob.put_u64(crc.into());
        blob
    }

    fn deflated(body: &[u8]) -> Vec<u8> {
        let mut encoder =
            flate2::write::DeflateEncoder::new(b"DFL\0".to_vec(), flate2::Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn zstandard(body: &[u8]) -> Vec<u8> {
        [b"ZSTD\0".to_vec(), zstd::encode_all(body, 1).unwrap()].concat()
    }

    #[test]
    fn every_compression_of_a_body_comes_out_alike() {
        let body = b"{\"a\":1}".repeat(100);
        let inners = [
            body.clone(),
            deflated(&body),
            [deflated(&body), vec![0]].concat(),
            zstandard(&body),
            lzf::tests::compress(&body),
        ];
        for inner in inners {
            assert_eq!(unframe(&framed("snapshot", &inner).into(), "snapshot").unwrap(), body);
            assert_eq!(decompress(inner.into()).unwrap(), body);
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let body = vec![b' '; 100_000];
        for inner in [deflated(&body), zstandard(&body), lzf::tests::compress(&body)] {
            assert!(inner.len() < 5000);
            let error = decompress_within(inner.into(), 50_000).unwrap_err();
            assert!(error.message().contains("grows past 50000 bytes"), "{error}");
        }
    }

    #[test]
    fn what_follows_the_end_of_deflate_is_noticed() {
        let error = decompress([deflated(b"{}"), b"more".to_vec()].concat().into()).unwrap_err();
        assert!(error.message().contains("4 bytes after its end"), "{error}");
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_noticed() {
        let whole = framed("metadata", &deflated(b"{\"k\":\"some text\"}"));
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x10;
            assert!(unframe(&damaged.into(), "metadata").is_err(), "byte {place}");
            assert!(unframe(&whole[..place].to_vec().into(), "metadata").is_err(), "cut {place}");
        }
    }

    #[test]
    fn another_codec_is_refused_by_name() {
        let error = unframe(&framed("metadata", b"{}").into(), "snapshot").unwrap_err();
        assert!(error.to_string().contains("`metadata` in place of `snapshot`"));
    }
}
