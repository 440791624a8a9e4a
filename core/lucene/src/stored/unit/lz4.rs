//! LZ4 units, without and with a dictionary.

use super::{Output, check_ratio, dict_layout};
use crate::Result;
use crate::cursor::Cursor;
use crate::limits::LZ4_RATIO;

/// Copies of up to this many bytes are done as one of exactly this many where there is room.
const WIDE: usize = 16;

/// A unit without dictionary. Only where it reaches to the end of the chunk is its compressed length known.
pub(super) fn unit(
    cursor: &mut Cursor<'_>,
    count: usize,
    only: bool,
    output: &mut Output,
) -> Result<()> {
    let input = cursor.rest();
    check_ratio(cursor, count, input.len(), LZ4_RATIO)?;
    let mut consumed = input.len();
    output.append(count, (0, 0), |_, out| {
        if only && count > 0 {
            whole(cursor, input, &[], out)
        } else {
            consumed = decode(input, out).map_err(|what| cursor.corrupt(what))?;
            Ok(())
        }
    })?;
    cursor.bytes(consumed).map(drop)
}

/// A unit with dictionary: the dictionary is the unit's beginning, each block builds on it alone.
pub(super) fn dict_unit(
    cursor: &mut Cursor<'_>,
    count: usize,
    lengths: &mut Vec<u32>,
    output: &mut Output,
) -> Result<()> {
    let (dictionary, block) = dict_layout(cursor, count)?;
    let compressed_dictionary = cursor.vint()? as usize;
    let blocks = count.saturating_sub(dictionary).div_ceil(block.max(1));
    if blocks > cursor.remaining() {
        return Err(cursor.corrupt(format!("{blocks} blocks cannot stand in what is left")));
    }
    lengths.clear();
    for _ in 0..blocks {
        lengths.push(cursor.vint()?);
    }
    let start = output.len();
    append(cursor, compressed_dictionary, dictionary, (start, 0), output)?;
    let mut left = count.saturating_sub(dictionary);
    for compressed in lengths.iter() {
        let now = left.min(block);
        left = left.saturating_sub(now);
        append(cursor, *compressed as usize, now, (start, dictionary), output)?;
    }
    Ok(())
}

fn append(
    cursor: &mut Cursor<'_>,
    compressed: usize,
    count: usize,
    dictionary: (usize, usize),
    output: &mut Output,
) -> Result<()> {
    let input = cursor.bytes(compressed)?;
    check_ratio(cursor, count, compressed, LZ4_RATIO)?;
    if count == 0 {
        // Lucene writes one empty token for an empty dictionary.
        return if matches!(input, [] | [0]) {
            Ok(())
        } else {
            Err(cursor.corrupt("empty LZ4 block"))
        };
    }
    output.append(count, dictionary, |dictionary, out| whole(cursor, input, dictionary, out))
}

/// Decompresses a block of known compressed length.
fn whole(cursor: &Cursor<'_>, input: &[u8], dictionary: &[u8], out: &mut [u8]) -> Result<()> {
    let expected = out.len();
    let written = if dictionary.is_empty() {
        lz4_flex::block::decompress_into(input, out)
    } else {
        lz4_flex::block::decompress_into_with_dict(input, out, dictionary)
    };
    match written {
        Ok(written) if written == expected => Ok(()),
        Ok(written) => Err(cursor.corrupt(format!("LZ4 gave {written} bytes of {expected}"))),
        Err(error) => Err(cursor.corrupt(format!("LZ4: {error}"))),
    }
}

/// Decodes an LZ4 block of unknown compressed length until `out` is full; gives the bytes it took.
fn decode(input: &[u8], out: &mut [u8]) -> std::result::Result<usize, &'static str> {
    const SHORT: &str = "the LZ4 block ends too early";
    const LONG: &str = "the LZ4 block holds more than it should";
    let (mut read, mut written) = (0_usize, 0_usize);
    loop {
        let token = *input.get(read).ok_or(SHORT)?;
        read = read.saturating_add(1);
        let literals = length(input, &mut read, token >> 4).ok_or(SHORT)?;
        let (source, target) = (input.get(read..), out.get_mut(written..));
        let (source, target) = (source.ok_or(SHORT)?, target.ok_or(LONG)?);
        match (source.first_chunk::<WIDE>(), target.first_chunk_mut::<WIDE>()) {
            (Some(source), Some(target)) if literals <= WIDE => *target = *source,
            _ => {
                let source = source.get(..literals).ok_or(SHORT)?;
                target.get_mut(..literals).ok_or(LONG)?.copy_from_slice(source);
            }
        }
        read = read.saturating_add(literals);
        written = written.saturating_add(literals);
        if written == out.len() {
            return Ok(read);
        }
        let distance = match input.get(read..read.saturating_add(2)) {
            Some(&[low, high]) => usize::from(u16::from_le_bytes([low, high])),
            _ => return Err(SHORT),
        };
        read = read.saturating_add(2);
        let count = length(input, &mut read, token & 15).ok_or(SHORT)?.saturating_add(4);
        if distance == 0 || distance > written {
            return Err("an LZ4 match begins before the block");
        }
        repeat(out, written, distance, count).ok_or(LONG)?;
        written = written.saturating_add(count);
        if written == out.len() {
            return Ok(read);
        }
    }
}

/// A length: four bits of the token, extended by bytes while they are full.
fn length(input: &[u8], read: &mut usize, nibble: u8) -> Option<usize> {
    let mut length = usize::from(nibble);
    if nibble == 15 {
        loop {
            let byte = *input.get(*read)?;
            *read = read.saturating_add(1);
            length = length.saturating_add(usize::from(byte));
            if byte != 255 {
                break;
            }
        }
    }
    Some(length)
}

/// Writes `count` bytes at `written`, each equal to the one `distance` before it.
fn repeat(out: &mut [u8], written: usize, distance: usize, count: usize) -> Option<()> {
    let end = written.checked_add(count).filter(|end| *end <= out.len())?;
    let from = written.checked_sub(distance)?;
    if distance >= WIDE && count <= WIDE && out.len().saturating_sub(written) >= WIDE {
        out.copy_within(from..from.saturating_add(WIDE), written);
        return Some(());
    }
    // Each round doubles what can be copied, as the bytes repeat with the distance.
    let mut at = written;
    while at < end {
        let step = at.saturating_sub(from).min(end.saturating_sub(at));
        out.copy_within(from..from.saturating_add(step), at);
        at = at.saturating_add(step);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes with repeats near and far, short and long, as documents have them.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40),
            (any::<u8>(), 1_usize..2000).prop_map(|(byte, count)| vec![byte; count]),
            (proptest::collection::vec(any::<u8>(), 1..20), 1_usize..80)
                .prop_map(|(part, count)| part.repeat(count)),
        ];
        proptest::collection::vec(part, 0..20).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn decodes_what_an_encoder_wrote_and_stops_where_it_ended(
            data in text(),
            behind in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut block = lz4_flex::block::compress(&data);
            let length = block.len();
            block.extend(&behind);
            let mut out = vec![0; data.len()];
            prop_assert_eq!(decode(&block, &mut out), Ok(length));
            prop_assert_eq!(out, data);
        }

        #[test]
        fn garbage_is_an_error_or_bytes_but_never_a_panic(
            block in proptest::collection::vec(any::<u8>(), 0..300),
            length in 0_usize..2000,
        ) {
            let mut out = vec![0; length];
            if let Ok(consumed) = decode(&block, &mut out) {
                prop_assert!(consumed <= block.len());
            }
        }

        #[test]
        fn agrees_with_the_other_decoder(block in proptest::collection::vec(0_u8..40, 0..200)) {
            let mut theirs = vec![0; 4096];
            if let Ok(length) = lz4_flex::block::decompress_into(&block, &mut theirs) {
                let mut ours = vec![0; length];
                let decoded = decode(&block, &mut ours);
                prop_assert!(decoded.is_ok(), "{:?}", decoded);
                prop_assert_eq!(&ours[..], &theirs[..length]);
            }
        }
    }

    #[test]
    fn damage_is_told_apart() {
        let mut out = [0; 32];
        assert!(decode(&[], &mut out).unwrap_err().contains("too early"));
        assert!(decode(&[0x10, 7, 0, 0], &mut out).unwrap_err().contains("before the block"));
        assert!(decode(&[0x1F, 7, 1, 0, 255, 0], &mut out).unwrap_err().contains("more than"));
        assert!(decode(&[0x10, 7, 9, 0], &mut out).unwrap_err().contains("before the block"));
    }

    #[test]
    fn an_empty_block_is_one_token() {
        assert_eq!(decode(&[0, 9, 9], &mut []), Ok(1));
    }
}
