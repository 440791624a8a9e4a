//! Fuzz targets of what only this module sees: the numbers of a chunk's header and single units.

use snapfill_damage::{Program, Trial};

use super::unit::{Compression, Decompressor, Output};
use super::{ints, packed};
use crate::cursor::Cursor;
use crate::fuzzing::{EXECUTIONS, MEMORY, PROGRAM_BYTES};
use crate::test_writer::{self, stored_fields_ints, vint};

#[test]
fn fuzz_packed_ints() {
    let trial = Trial::bounded(MEMORY);
    let originals = [31_u32, 7, 1].map(|bits| {
        let mut data = Vec::new();
        let numbers: Vec<u32> = (0..200).map(|n: u32| (n * 7919) & ((1 << bits) - 1)).collect();
        test_writer::packed(&mut data, &numbers);
        data
    });
    bolero::check!().with_iterations(EXECUTIONS).with_max_len(PROGRAM_BYTES).for_each(
        |program: &[u8]| {
            let mut program = Program::new(program);
            let mut data = program.choose(&originals).clone();
            let (count, whole_words) = (program.below(400), program.byte().is_multiple_of(2));
            let (index, bits) = (program.below(1 << 16), u32::from(program.byte() % 70));
            program.edit(&mut data);
            trial.run(|| {
                packed::get(&data, index, bits);
                packed::read(&mut Cursor::new("fuzz", &data), count, whole_words, &mut Vec::new())
            });
        },
    );
}

#[test]
fn fuzz_stored_fields_ints() {
    let trial = Trial::bounded(MEMORY);
    let originals = [0xFF_u32, 0xFFFF, 0x7FFF_FFFF].map(|most| {
        let mut data = Vec::new();
        let numbers: Vec<u32> = (0..300).map(|n: u32| n.wrapping_mul(0x9E37_79B1) & most).collect();
        stored_fields_ints(&mut data, &numbers);
        data
    });
    bolero::check!().with_iterations(EXECUTIONS).with_max_len(PROGRAM_BYTES).for_each(
        |program: &[u8]| {
            let mut program = Program::new(program);
            let mut data = program.choose(&originals).clone();
            let count = program.below(600);
            program.edit(&mut data);
            trial.run(|| ints::read(&mut Cursor::new("fuzz", &data), count, &mut Vec::new()));
        },
    );
}

const TEXT: &[u8] = b"{\"user\":\"anna\",\"message\":\"one line of many lines\",\"n\":1}";

/// A unit that was compressed this way, and the length of what it holds.
fn unit(compression: Compression) -> (Vec<u8>, usize) {
    let text = TEXT.repeat(40);
    let (dictionary, rest) = text.split_at(TEXT.len() * 4);
    let mut data = Vec::new();
    let (lz4, deflate) = (lz4_flex::block::compress, test_writer::deflate);
    match compression {
        Compression::Lz4 => data = lz4(&text),
        Compression::Lz4Dict => {
            let parts = [lz4(dictionary), lz4_flex::block::compress_with_dict(rest, dictionary)];
            for number in [dictionary.len(), rest.len(), parts[0].len(), parts[1].len()] {
                vint(&mut data, number as u64);
            }
            data.extend(parts.concat());
        }
        Compression::DeflateDict => {
            vint(&mut data, dictionary.len() as u64);
            vint(&mut data, rest.len() as u64);
            for part in [deflate(dictionary, &[]), deflate(rest, dictionary)] {
                vint(&mut data, part.len() as u64);
                data.extend(part);
            }
        }
        _ => {
            let whole = match compression {
                Compression::Deflate => deflate(&text, &[]),
                _ => zstd::bulk::compress(&text, 1).unwrap(),
            };
            vint(&mut data, whole.len() as u64);
            data.extend(whole);
        }
    }
    (data, text.len())
}

/// Decompresses a damaged unit, into the length it had or another.
fn run(trial: &Trial, compression: Compression, whole: &(Vec<u8>, usize), program: &[u8]) {
    let mut program = Program::new(program);
    let mut data = whole.0.clone();
    let only = program.byte().is_multiple_of(2);
    let count = match program.byte() % 4 {
        0 => program.below(1 << 16),
        1 => usize::from(program.short()) << 8,
        _ => whole.1,
    };
    program.edit(&mut data);
    trial.run(|| {
        let mut output = Output::default();
        Decompressor::new(compression).unit(
            &mut Cursor::new("fuzz", &data),
            count,
            only,
            &mut output,
        )
    });
}

macro_rules! units {
    ($($name:ident: $compression:ident;)*) => {$(
        #[test]
        fn $name() {
            let (trial, whole) = (Trial::bounded(MEMORY), unit(Compression::$compression));
            let mut output = Output::default();
            Decompressor::new(Compression::$compression)
                .unit(&mut Cursor::new("fuzz", &whole.0), whole.1, true, &mut output)
                .unwrap();
            bolero::check!()
                .with_iterations(EXECUTIONS)
                .with_max_len(PROGRAM_BYTES)
                .for_each(|program: &[u8]| run(&trial, Compression::$compression, &whole, program));
        }
    )*};
}

units! {
    fuzz_lz4_unit: Lz4;
    fuzz_lz4_dictionary_unit: Lz4Dict;
    fuzz_deflate_unit: Deflate;
    fuzz_deflate_dictionary_unit: DeflateDict;
    fuzz_zstd_unit: Zstd;
}
