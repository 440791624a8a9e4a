//! Parts of files that have a parser of their own: numbers, lines, fields, ids.

use bytes::Bytes;
use snapfill_damage::{Program, Trial};

use super::{EXECUTIONS, MEMORY, PROGRAM_BYTES};
use crate::cursor::{Cursor, Endian};
use crate::elasticsearch::{NumberCoding, document};
use crate::field_infos::FieldInfos;
use crate::monotonic::Lines;
use crate::test_writer::{Index, Mode};

#[test]
fn fuzz_variable_numbers() {
    let trial = Trial::bounded(MEMORY);
    bolero::check!().with_iterations(EXECUTIONS).with_max_len(PROGRAM_BYTES).for_each(
        |data: &[u8]| {
            trial.run(|| {
                let mut cursor = Cursor::new("fuzz", data);
                while cursor.remaining() > 0 {
                    match cursor.rest().len() % 7 {
                        0 => cursor.vint().map(drop)?,
                        1 => cursor.vint_bits().map(drop)?,
                        2 => cursor.vlong().map(drop)?,
                        3 => cursor.string().map(drop)?,
                        4 => cursor.map(data[0].is_multiple_of(2), |_, _| ())?,
                        5 => cursor.set(data[0].is_multiple_of(2))?,
                        _ => cursor.count(data[0].is_multiple_of(2), 3).map(drop)?,
                    }
                }
                Ok::<_, crate::Error>(())
            });
        },
    );
}

#[test]
fn fuzz_monotonic_numbers() {
    let trial = Trial::bounded(MEMORY);
    let entries: Vec<u64> = (0..50_u64).map(|n| n * n).collect();
    let mut index = Index::new(Mode::Fast);
    index.shift = 4;
    let (meta, data) = index.index(50, &entries, &entries);
    bolero::check!().with_iterations(EXECUTIONS).with_max_len(PROGRAM_BYTES).for_each(
        |program: &[u8]| {
            let mut program = Program::new(program);
            let (mut meta, mut data) = (meta.clone(), data.clone());
            let (shift, count) = (u32::from(program.byte() % 24), usize::from(program.short()));
            let skip = program.below(meta.len());
            let endian =
                if program.byte().is_multiple_of(2) { Endian::Little } else { Endian::Big };
            program.edit(&mut meta);
            program.edit(&mut data);
            trial.run(|| {
                let mut cursor = Cursor::new("fuzz", meta.get(skip..).unwrap_or_default());
                cursor.set_endian(endian);
                let lines = Lines::read(&mut cursor, shift, count)?;
                let numbers = lines.with_data("fuzz", Bytes::from(data), endian)?;
                for at in [0, count / 2, count, count + (1 << shift)] {
                    numbers.get(at);
                }
                Ok::<_, crate::Error>(())
            });
        },
    );
}

/// A field of each kind, as stored in a document: number and kind, then the value.
fn fields() -> Vec<u8> {
    let mut data = vec![1, 4, 0xFF];
    data.extend(b"abc");
    data.extend([1 << 3, 3, b'a', b'#', b'b', 2 << 3 | 1, 2]);
    data.extend(b"{}");
    data.extend([3 << 3 | 2, 0x85, 1, 3 << 3 | 3, 0x81, 3 << 3 | 3, 0xFF, 1, 2, 3, 4]);
    data.extend([3 << 3 | 4, 0x61, 0x80, 1, 3 << 3 | 5, 0xFE, 1, 2, 3, 4, 3 << 3 | 5, 0x90]);
    data
}

#[test]
fn fuzz_document_fields() {
    let trial = Trial::bounded(MEMORY);
    let names = ["_id", "_uid", "_source", "number", "_routing", "_parent", "_recovery_source"];
    let infos = FieldInfos::named(&names);
    let original = fields();
    document(&infos, NumberCoding::Variable, 9, Some(&original)).unwrap();
    bolero::check!().with_iterations(EXECUTIONS).with_max_len(PROGRAM_BYTES).for_each(
        |program: &[u8]| {
            let mut program = Program::new(program);
            let count = u32::from(program.byte() % 12);
            let coding = *program.choose(&[NumberCoding::Variable, NumberCoding::Fixed]);
            let mut data = original.clone();
            program.edit(&mut data);
            trial.run(|| document(&infos, coding, count, Some(&data)).map(drop));
            // As an id, too: the first field is one, and its length is what it takes.
            let mut id = vec![1, program.rest().len() as u8];
            id.extend(program.rest());
            trial.run(|| document(&infos, coding, 1, Some(&id)).map(drop));
        },
    );
}
