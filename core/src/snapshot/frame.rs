//! The codec frame around a metadata blob and the compression inside it.
//!
//! A blob is a Lucene codec header, a body, and a footer with the CRC-32 of all before it. The body is plain, raw
//! DEFLATE behind `DFL\0`, or zstd behind `ZSTD\0`.

use std::io::Read;

use bytes::{Buf, Bytes};

use super::limits::{METADATA_DOCUMENT_BYTES, ZSTD_WINDOW_LOG};
use crate::{Error, ErrorKind, Result};

const HEADER_MAGIC: u32 = 0x3FD7_6C17;
const FOOTER_MAGIC: u32 = 0xC028_93E8;
const FOOTER_BYTES: usize = 16;
const VERSION: u32 = 1;

/// Takes the frame off, checks it, and undoes the compression.
pub(crate) fn unframe(blob: &Bytes, codec: &str) -> Result<Bytes> {
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
    if version != VERSION {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("version {version} of the `{codec}` blob format; {VERSION} is known"),
        ));
    }
    decompress(rest)
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
    if let Some(deflated) = body.strip_prefix(b"DFL\0") {
        return read_limited(flate2::read::DeflateDecoder::new(deflated), "DEFLATE");
    }
    if let Some(frames) = body.strip_prefix(b"ZSTD\0") {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(frames)
            .map_err(|error| corrupt(0, format!("zstd: {error}")))?;
        decoder
            .window_log_max(ZSTD_WINDOW_LOG)
            .map_err(|error| corrupt(0, format!("zstd: {error}")))?;
        return read_limited(decoder, "zstd");
    }
    Ok(body)
}

fn read_limited(reader: impl Read, what: &str) -> Result<Bytes> {
    let mut document = Vec::new();
    let limit = METADATA_DOCUMENT_BYTES as u64;
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
mod tests {
    use super::*;
    use bytes::BufMut;
    use std::io::Write;

    fn framed(codec: &str, body: &[u8]) -> Vec<u8> {
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

    #[test]
    fn plain_deflate_and_zstd_bodies_come_out_alike() {
        let body = b"{\"a\":1}".repeat(100);
        let mut zstd_body = b"ZSTD\0".to_vec();
        zstd_body.extend(zstd::encode_all(&body[..], 1).unwrap());
        for inner in [body.clone(), deflated(&body), zstd_body] {
            assert_eq!(unframe(&framed("snapshot", &inner).into(), "snapshot").unwrap(), body);
        }
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
