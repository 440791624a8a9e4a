//! LZF, the compression of Elasticsearch 1: chunks of at most 64 KiB, each for itself.
//!
//! A chunk is `ZV`, a type, and the length of what follows as two bytes. Type 0 is plain; type 1 has the length of the
//! content as two more bytes before it.

use bytes::Bytes;

use crate::{Error, ErrorKind, Result};

/// What every chunk begins with.
const MAGIC: [u8; 2] = *b"ZV";

/// Copies of nine bytes and more have their length in a byte of its own.
const LONG_COPY: u8 = 7;

/// Whether the bytes begin as LZF does.
pub(crate) fn is_lzf(bytes: &[u8]) -> bool {
    matches!(bytes, [b'Z', b'V', 0 | 1, ..])
}

/// Undoes the compression of all chunks. `limit` bounds what comes out.
pub(crate) fn decompress(compressed: &[u8], limit: usize) -> Result<Bytes> {
    let mut out = Vec::new();
    let mut rest = compressed;
    while !rest.is_empty() {
        let offset = compressed.len() - rest.len();
        rest = chunk(rest, &mut out).map_err(|what| {
            Error::new(ErrorKind::Corrupt, format!("LZF: {what}")).with_context("offset", offset)
        })?;
        if out.len() > limit {
            let what = format!("LZF: the document grows past {limit} bytes");
            return Err(Error::new(ErrorKind::Corrupt, what));
        }
    }
    Ok(out.into())
}

/// Decompresses the first chunk and returns what follows it.
fn chunk<'a>(bytes: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], String> {
    let (magic, rest) = bytes.split_first_chunk::<2>().ok_or("the last chunk is cut")?;
    if *magic != MAGIC {
        return Err("no chunk where one must begin".to_owned());
    }
    let (kind, rest) = rest.split_first().ok_or("the last chunk is cut")?;
    let (length, rest) = take_length(rest)?;
    match kind {
        0 => {
            let (content, rest) = split(rest, length)?;
            out.extend_from_slice(content);
            Ok(rest)
        }
        1 => {
            let (expected, rest) = take_length(rest)?;
            let (content, rest) = split(rest, length)?;
            let start = out.len();
            expand(content, out, start, start + expected)?;
            match out.len() - start {
                found if found == expected => Ok(rest),
                found => Err(format!("{found} bytes in a chunk of {expected}")),
            }
        }
        other => Err(format!("chunk of unknown type {other}")),
    }
}

fn take_length(bytes: &[u8]) -> Result<(usize, &[u8]), String> {
    let (length, rest) = bytes.split_first_chunk::<2>().ok_or("the last chunk is cut")?;
    Ok((usize::from(u16::from_be_bytes(*length)), rest))
}

fn split(bytes: &[u8], length: usize) -> Result<(&[u8], &[u8]), String> {
    bytes
        .split_at_checked(length)
        .ok_or_else(|| format!("a chunk of {length} bytes, of which {} are there", bytes.len()))
}

/// Runs of literals and copies of what came before, from `start` of the output to `end`.
fn expand(mut input: &[u8], out: &mut Vec<u8>, start: usize, end: usize) -> Result<(), String> {
    while let Some((&control, rest)) = input.split_first() {
        input = rest;
        if control < 32 {
            let (literals, rest) = split(input, usize::from(control) + 1)?;
            out.extend_from_slice(literals);
            input = rest;
        } else {
            let mut length = usize::from(control >> 5);
            if control >> 5 == LONG_COPY {
                let (&more, rest) = input.split_first().ok_or("a copy is cut")?;
                length += usize::from(more);
                input = rest;
            }
            let (&low, rest) = input.split_first().ok_or("a copy is cut")?;
            input = rest;
            let distance = (usize::from(control & 31) << 8 | usize::from(low)) + 1;
            copy(out, start, distance, length + 2)?;
        }
        if out.len() > end {
            return Err(format!("a chunk grows past its {} bytes", end - start));
        }
    }
    Ok(())
}

/// The source of a copy may overlap what it writes.
fn copy(out: &mut Vec<u8>, start: usize, distance: usize, length: usize) -> Result<(), String> {
    let from = out
        .len()
        .checked_sub(distance)
        .filter(|from| *from >= start)
        .ok_or_else(|| format!("a copy from {distance} bytes back, before the chunk"))?;
    for place in from..from + length {
        let byte = out.get(place).copied().ok_or("a copy from nowhere")?;
        out.push(byte);
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 1 << 20;

    /// A small writer: at each place the longest of the copies that a naive search finds, else a literal.
    pub(crate) fn compress(data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for chunk in data.chunks(60_000) {
            let body = compress_chunk(chunk);
            if body.len() < chunk.len() {
                out.extend(*b"ZV\x01");
                out.extend((body.len() as u16).to_be_bytes());
                out.extend((chunk.len() as u16).to_be_bytes());
                out.extend(body);
            } else {
                out.extend(*b"ZV\0");
                out.extend((chunk.len() as u16).to_be_bytes());
                out.extend(chunk);
            }
        }
        out
    }

    fn compress_chunk(data: &[u8]) -> Vec<u8> {
        let (mut out, mut literals, mut at) = (Vec::new(), Vec::new(), 0);
        while at < data.len() {
            let (distance, length) = longest(data, at);
            if length < 3 {
                literals.push(data[at]);
                at += 1;
                continue;
            }
            flush(&mut literals, &mut out);
            let (code, back) = (length - 2, distance - 1);
            let high = (back >> 8) as u8;
            if code < 7 {
                out.push((code as u8) << 5 | high);
            } else {
                out.extend([7 << 5 | high, (code - 7) as u8]);
            }
            out.push(back as u8);
            at += length;
        }
        flush(&mut literals, &mut out);
        out
    }

    fn longest(data: &[u8], at: usize) -> (usize, usize) {
        let reach = |from: usize| {
            let most = (data.len() - at).min(264);
            (0..most).take_while(|step| data[from + step] == data[at + step]).count()
        };
        (at.saturating_sub(8192)..at)
            .rev()
            .take(300)
            .map(|from| (at - from, reach(from)))
            .max_by_key(|(_, length)| *length)
            .unwrap_or((1, 0))
    }

    fn flush(literals: &mut Vec<u8>, out: &mut Vec<u8>) {
        for run in literals.chunks(32) {
            out.push(run.len() as u8 - 1);
            out.extend(run);
        }
        literals.clear();
    }

    fn data() -> impl Strategy<Value = Vec<u8>> {
        let some = prop::collection::vec(any::<u8>(), 0..400);
        let few = prop::collection::vec(0_u8..3, 0..3000);
        let repeated = (prop::collection::vec(any::<u8>(), 1..20), 1_usize..200)
            .prop_map(|(piece, times)| piece.repeat(times));
        prop_oneof![some, few, repeated]
    }

    proptest! {
        #[test]
        fn what_was_compressed_comes_out(data in data()) {
            prop_assert_eq!(decompress(&compress(&data), LIMIT).unwrap(), data);
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut framed = b"ZV\x01\0\xB0\x0F\xFF".to_vec();
            framed.extend(&bytes);
            let _ = decompress(&framed, LIMIT);
            let _ = decompress(&bytes, LIMIT);
        }
    }

    #[test]
    fn several_chunks_follow_each_other() {
        let data: Vec<u8> = (0..150_000_u32).map(|n| (n / 7) as u8).collect();
        let compressed = compress(&data);
        assert!(compressed.len() < data.len());
        assert_eq!(decompress(&compressed, LIMIT).unwrap(), data);
    }

    #[test]
    fn every_cut_is_noticed_and_growth_is_bounded() {
        let compressed = compress(&b"abcabcabcabc, and so on".repeat(9));
        for place in 1..compressed.len() {
            assert!(decompress(&compressed[..place], LIMIT).is_err(), "cut at {place}");
        }
        assert!(decompress(&compressed, 100).unwrap_err().message().contains("grows past"));
        let back = b"ZV\x01\0\x02\0\x04\x40\x00";
        assert!(decompress(back, LIMIT).unwrap_err().message().contains("before the chunk"));
    }
}
