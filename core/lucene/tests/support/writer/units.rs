//! Units of stored fields: chunks or slices of them, compressed in each way.

use super::codec::vint;
use super::{Mode, Unit};

/// Compresses the bytes of a unit.
pub fn compress(mode: Mode, data: &[u8]) -> Unit {
    let (dictionary, block) = match mode {
        Mode::Fast => split(data.len(), (data.len() / 160).min(65535)),
        Mode::High | Mode::ZstdDict => split(data.len(), data.len() / 60),
        Mode::ZstdBlocks => split(data.len(), 0),
        _ => (0, data.len()),
    };
    let (dictionary, rest) = data.split_at(dictionary);
    let compress = |data: &[u8], dictionary: &[u8]| match mode {
        Mode::Fast if !dictionary.is_empty() => {
            lz4_flex::block::compress_with_dict(data, dictionary)
        }
        Mode::Fast | Mode::Lucene86 | Mode::Lucene41(_) | Mode::Lucene50(_) => {
            lz4_flex::block::compress(data)
        }
        Mode::High | Mode::Lucene86High | Mode::Lucene50High(_) => deflate(data, dictionary),
        Mode::ZstdDict => zstd_with(data, dictionary),
        Mode::Zstd | Mode::ZstdBlocks => zstd::bulk::compress(data, 1).unwrap(),
    };
    let blocks = rest.chunks(block.max(1)).map(|block| (compress(block, dictionary), block.len()));
    let blocks = blocks.collect();
    Unit { dictionary: (compress(dictionary, &[]), dictionary.len()), blocks }
}

/// Ten blocks after the dictionary.
fn split(length: usize, dictionary: usize) -> (usize, usize) {
    (dictionary, (length - dictionary).div_ceil(10))
}

/// Writes a unit as its format frames it.
pub fn write(out: &mut Vec<u8>, mode: Mode, unit: &Unit) {
    let block = unit.blocks.iter().map(|(_, length)| *length).max().unwrap_or(0);
    if matches!(mode, Mode::Fast | Mode::High | Mode::ZstdDict) {
        vint(out, unit.dictionary.1 as u64);
    }
    if matches!(mode, Mode::Fast | Mode::High | Mode::ZstdDict | Mode::ZstdBlocks) {
        vint(out, block as u64);
    }
    let dictionary: &[u8] = if unit.dictionary.1 == 0 { &[] } else { &unit.dictionary.0 };
    match mode {
        Mode::Fast => {
            vint(out, unit.dictionary.0.len() as u64);
            unit.blocks.iter().for_each(|(data, _)| vint(out, data.len() as u64));
            out.extend(&unit.dictionary.0);
            unit.blocks.iter().for_each(|(data, _)| out.extend(data));
        }
        Mode::High | Mode::ZstdDict => {
            sized(out, dictionary);
            unit.blocks.iter().for_each(|(data, _)| sized(out, data));
        }
        Mode::Lucene86 | Mode::Lucene41(_) | Mode::Lucene50(_) => {
            unit.blocks.iter().for_each(|(data, _)| out.extend(data));
        }
        Mode::Zstd | Mode::ZstdBlocks | Mode::Lucene86High | Mode::Lucene50High(_) => {
            unit.blocks.iter().for_each(|(data, _)| sized(out, data));
        }
    }
}

fn sized(out: &mut Vec<u8>, data: &[u8]) {
    vint(out, data.len() as u64);
    out.extend(data);
}

pub fn deflate(data: &[u8], dictionary: &[u8]) -> Vec<u8> {
    let mut compress = flate2::Compress::new(flate2::Compression::default(), false);
    if !dictionary.is_empty() {
        compress.set_dictionary(dictionary).unwrap();
    }
    let mut out = Vec::with_capacity(data.len() + 1024);
    compress.compress_vec(data, &mut out, flate2::FlushCompress::Finish).unwrap();
    assert_eq!(compress.total_in(), data.len() as u64);
    out
}

fn zstd_with(data: &[u8], dictionary: &[u8]) -> Vec<u8> {
    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, dictionary).unwrap();
    compressor.compress(data).unwrap()
}
