//! `.dvm`: walks the entries of all doc-values fields up to the wanted one (Lucene70, 80 and 90).

use super::disi::Place;
use crate::codec::{self, Id};
use crate::cursor::{Cursor, Endian};
use crate::field_infos::FieldInfos;
use crate::monotonic::skip_lines;
use crate::{Error, Result};

/// Which documents have a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Documents {
    /// None has.
    None,
    /// Each has.
    All,
    /// Those listed at this place of the `.dvd`.
    Some(Place),
}

/// A numeric field that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numeric {
    pub(super) format: Format,
    pub(super) documents: Documents,
}

/// The format of a `.dvm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Lucene70,
    /// With its version: binary values are compressed in 1, by field attribute from 2 on.
    Lucene80(u32),
    /// With its version: skip-index entries are longer from 2 on.
    Lucene90(u32),
}

impl Format {
    fn of(file: &str, header: codec::Header<'_>) -> Result<Self> {
        let version = header.version;
        let (format, known) = match header.codec {
            "Lucene70DocValuesMetadata" => (Self::Lucene70, 0..=0),
            "Lucene80DocValuesMetadata" => (Self::Lucene80(version), 0..=2),
            "Lucene90DocValuesMetadata" => (Self::Lucene90(version), 0..=2),
            _ => return Err(header.unknown(file)),
        };
        header.require_version(file, known)?;
        Ok(format)
    }

    /// Name in the header of the `.dvd`.
    pub(super) fn data_codec(self) -> &'static str {
        match self {
            Self::Lucene70 => "Lucene70DocValuesData",
            Self::Lucene80(_) => "Lucene80DocValuesData",
            Self::Lucene90(_) => "Lucene90DocValuesData",
        }
    }

    pub(super) fn endian(self) -> Endian {
        match self {
            Self::Lucene90(_) => Endian::Little,
            _ => Endian::Big,
        }
    }
}

/// Walks to the numeric field `wanted`; it must be there.
pub(super) fn find_numeric(
    file: &str,
    data: &[u8],
    (id, suffix): (Option<&Id>, &str),
    fields: &FieldInfos,
    wanted: u32,
) -> Result<Numeric> {
    let mut cursor = codec::body(file, data);
    let header = codec::index_header(&mut cursor, id, suffix)?;
    let format = Format::of(file, header)?;
    cursor.set_endian(format.endian());
    let mut walker = Walker { cursor, format, fields };
    loop {
        let number = walker.cursor.i32()?;
        if number == -1 {
            let what = format!("no doc values of the soft-deletes field, number {wanted}");
            return Err(Error::corrupt(file, None, what));
        }
        let number = u32::try_from(number)
            .map_err(|_| walker.cursor.corrupt(format!("field number {number}")))?;
        let kind = walker.cursor.u8()?;
        if number == wanted {
            if kind != 0 {
                return Err(walker.cursor.corrupt("the soft-deletes field is not numeric"));
            }
            walker.skip_index(number)?;
            let documents = walker.documents()?;
            return Ok(Numeric { format, documents });
        }
        walker.entry(number, kind)?;
    }
}

struct Walker<'a> {
    cursor: Cursor<'a>,
    format: Format,
    fields: &'a FieldInfos,
}

impl Walker<'_> {
    /// Passes over an entry.
    fn entry(&mut self, number: u32, kind: u8) -> Result<()> {
        self.skip_index(number)?;
        match kind {
            0 => self.numeric().map(drop),
            1 => self.binary(number),
            2 => self.sorted(),
            3 => self.sorted_set(),
            4 => self.sorted_numeric(),
            _ => Err(self.cursor.unsupported(format!("doc-values type {kind}"))),
        }
    }

    /// What Lucene 10 puts before the entry of a field with a skip index.
    fn skip_index(&mut self, number: u32) -> Result<()> {
        let Format::Lucene90(version) = self.format else { return Ok(()) };
        if !self.fields.has_skip_index(number) {
            return Ok(());
        }
        self.cursor.skip(if version >= 2 { 4 * 8 + 3 * 4 } else { 4 * 8 + 2 * 4 })
    }

    /// The place of the documents that have a value.
    fn documents(&mut self) -> Result<Documents> {
        let offset = self.cursor.i64()?;
        let length = self.cursor.i64()?;
        let rank_power = if self.format == Format::Lucene70 {
            None
        } else {
            self.cursor.skip(2)?; // entries of the jump table
            match self.cursor.u8()? {
                0xFF => None,
                power @ 7..=15 => Some(power),
                power => return Err(self.cursor.corrupt(format!("rank power {power}"))),
            }
        };
        match (offset, length) {
            (-2, _) => Ok(Documents::None),
            (-1, _) => Ok(Documents::All),
            (offset, length) => {
                let (Ok(offset), Ok(length)) = (u64::try_from(offset), u64::try_from(length))
                else {
                    return Err(self.cursor.corrupt("negative place of documents"));
                };
                Ok(Documents::Some(Place { offset, length, rank_power }))
            }
        }
    }

    /// Gives the number of values.
    fn numeric(&mut self) -> Result<u64> {
        self.documents()?;
        let values = self.cursor.non_negative_i64()?;
        let table = self.cursor.i32()?;
        self.cursor.skip(u64::try_from(table).unwrap_or(0).saturating_mul(8))?;
        let jump_table = if self.format == Format::Lucene70 { 0 } else { 8 };
        self.cursor.skip(1 + 4 * 8 + jump_table)?;
        Ok(values)
    }

    fn binary(&mut self, number: u32) -> Result<()> {
        let compressed = match self.format {
            Format::Lucene80(1) => true,
            Format::Lucene80(2..) => self.fields.has_compressed_binary(number),
            _ => false,
        };
        self.cursor.skip(16)?;
        self.documents()?;
        let docs = self.cursor.non_negative_i32()?;
        let (min, max) = (self.cursor.i32()?, self.cursor.i32()?);
        if min >= max && !(compressed && docs > 0) {
            return Ok(());
        }
        self.cursor.skip(8)?;
        let values = if compressed {
            let chunks = self.cursor.vint()?;
            self.cursor.vint()?;
            self.cursor.vint()?;
            u64::from(chunks)
        } else {
            u64::from(docs).saturating_add(1)
        };
        let shift = self.cursor.vint()?;
        skip_lines(&mut self.cursor, shift, values)?;
        self.cursor.skip(8)
    }

    fn sorted(&mut self) -> Result<()> {
        if let Format::Lucene90(_) = self.format {
            self.numeric()?;
        } else {
            self.documents()?;
            self.cursor.skip(4 + 1 + 2 * 8)?;
        }
        self.terms()
    }

    fn sorted_set(&mut self) -> Result<()> {
        match self.cursor.u8()? {
            0 => return self.sorted(),
            1 => {}
            other => return Err(self.cursor.corrupt(format!("mark {other} of a sorted set"))),
        }
        if let Format::Lucene90(_) = self.format {
            self.sorted_numeric()?;
        } else {
            self.documents()?;
            self.cursor.skip(1 + 2 * 8)?;
            let docs = self.cursor.non_negative_i32()?;
            self.addresses(docs)?;
        }
        self.terms()
    }

    fn sorted_numeric(&mut self) -> Result<()> {
        let values = self.numeric()?;
        let docs = self.cursor.non_negative_i32()?;
        if u64::from(docs) == values { Ok(()) } else { self.addresses(docs) }
    }

    /// Where each document's values begin.
    fn addresses(&mut self, docs: u32) -> Result<()> {
        self.cursor.skip(8)?;
        let shift = self.cursor.vint()?;
        skip_lines(&mut self.cursor, shift, u64::from(docs).saturating_add(1))?;
        self.cursor.skip(8)
    }

    fn terms(&mut self) -> Result<()> {
        let size = self.cursor.vlong()?;
        let (block_shift, lz4) = match self.format {
            Format::Lucene70 => (self.shift()?, false),
            Format::Lucene80(_) => match self.cursor.i32()? {
                // Lucene 8.5 to 8.11 write this code in place of the shift for LZ4 blocks of 64 terms.
                0x0006_0001 => (6, true),
                shift => (self.check_shift(i64::from(shift))?, false),
            },
            Format::Lucene90(_) => (6, true),
        };
        let shift = self.shift()?;
        skip_lines(&mut self.cursor, shift, size.div_ceil(1 << block_shift))?;
        // Longest term, for LZ4 also the longest block, then places of terms and addresses.
        let longest = if lz4 { 2 * 4 } else { 4 };
        self.cursor.skip(longest + 4 * 8)?;
        let index_shift = self.shift()?;
        let indexed = size.div_ceil(1 << index_shift).saturating_add(1);
        skip_lines(&mut self.cursor, shift, indexed)?;
        self.cursor.skip(4 * 8)
    }

    fn shift(&mut self) -> Result<u32> {
        let shift = self.cursor.i32()?;
        self.check_shift(shift.into())
    }

    fn check_shift(&self, shift: i64) -> Result<u32> {
        u32::try_from(shift)
            .ok()
            .filter(|shift| *shift < 32)
            .ok_or_else(|| self.cursor.corrupt(format!("shift {shift}")))
    }
}
