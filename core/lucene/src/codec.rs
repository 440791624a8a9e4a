//! Codec framing: the header and footer around every file of an index, and its CRC-32.
//!
//! Header: magic, codec name, version; since Lucene 5.0 also the segment's id and a suffix. Footer: magic,
//! algorithm, CRC-32 of everything before. Both are big-endian in every version.
//!
//! Lucene 4.0 to 4.7 wrote no footers (but one checksum, of the commit). Nothing can verify such files; what their
//! readers check is the structure: every length inside the file, every file read to its very end, the numbers of
//! one file held against those of the others. The same goes for `.fdt` files of these versions.

use bytes::Bytes;

use crate::cursor::Cursor;
use crate::directory::{Directory, read_whole};
use crate::{Error, Result};

const HEADER_MAGIC: i32 = 0x3FD7_6C17;
const FOOTER_MAGIC: u32 = 0xC028_93E8;

/// Bytes of a footer: magic, algorithm, checksum.
pub(crate) const FOOTER_BYTES: usize = 16;

/// Bytes of a footer that its own checksum covers.
pub(crate) const FOOTER_CHECKED_BYTES: usize = 8;

/// The id of a segment or commit.
pub(crate) type Id = [u8; 16];

/// What a header says of its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<'a> {
    /// Name of the format: what readers are chosen by.
    pub(crate) codec: &'a str,
    /// Version of the format.
    pub(crate) version: u32,
}

impl Header<'_> {
    /// Whether it is a format of Lucene 4, whose files carry no id.
    fn is_lucene4(&self) -> bool {
        self.codec.starts_with("Lucene4")
            || matches!(self.codec, "CompoundFileWriterEntries" | "BitVector")
    }

    /// Whether the files of this format end with a footer: all do, except some of Lucene 4.
    pub(crate) fn has_footer(&self) -> bool {
        match self.codec {
            "Lucene40SegmentInfo" | "Lucene40FieldInfos" | "Lucene42FieldInfos" => false,
            "Lucene46SegmentInfo" | "Lucene46FieldInfos" | "CompoundFileWriterEntries" => {
                self.version >= 1
            }
            "Lucene41StoredFieldsData" | "Lucene41StoredFieldsIndex" | "BitVector" => {
                self.version >= 2
            }
            // What Lucene 4 made of a segment of Lucene 3. It is not read, but named.
            codec => !codec.starts_with("Lucene3x"),
        }
    }

    /// Fails unless the version is one of `known`.
    pub(crate) fn require_version(
        &self,
        file: &str,
        known: std::ops::RangeInclusive<u32>,
    ) -> Result<()> {
        if known.contains(&self.version) {
            return Ok(());
        }
        Err(Error::unsupported(file, format!("{} version {}", self.codec, self.version)))
    }

    /// The error for a format nobody here knows.
    pub(crate) fn unknown(&self, file: &str) -> Error {
        Error::unsupported(file, format!("{} version {}", self.codec, self.version))
    }
}

/// Reads a header without id.
pub(crate) fn header<'a>(cursor: &mut Cursor<'a>) -> Result<Header<'a>> {
    let magic = cursor.i32()?;
    if magic != HEADER_MAGIC {
        return Err(cursor.corrupt(format!("codec header expected, {magic:#010x} found")));
    }
    let codec = cursor.string()?;
    let version = cursor.non_negative_i32()?;
    Ok(Header { codec, version })
}

/// Reads what follows the header since Lucene 5.0: the id of the segment or commit and the suffix.
pub(crate) fn id_and_suffix<'a>(cursor: &mut Cursor<'a>) -> Result<(Id, &'a str)> {
    let id = cursor.array()?;
    let length = cursor.u8()?;
    let suffix = cursor.bytes(length.into())?;
    let suffix = std::str::from_utf8(suffix).map_err(|_| cursor.corrupt("suffix is not UTF-8"))?;
    Ok((id, suffix))
}

/// Reads the header of a segment's file. Since Lucene 5.0 it is checked that the file belongs to the segment `id`
/// and has this `suffix`; a segment without id consists of files without.
pub(crate) fn index_header<'a>(
    cursor: &mut Cursor<'a>,
    id: Option<&Id>,
    suffix: &str,
) -> Result<Header<'a>> {
    let header = header(cursor)?;
    if header.is_lucene4() != id.is_none() {
        let what = if id.is_some() { "with" } else { "without" };
        let what = format!("{} version {} in a segment {what} id", header.codec, header.version);
        return Err(cursor.unsupported(what));
    }
    let Some(id) = id else { return Ok(header) };
    let (found_id, found_suffix) = id_and_suffix(cursor)?;
    if found_id != *id {
        return Err(cursor.corrupt("belongs to another segment: its id differs"));
    }
    if found_suffix != suffix {
        return Err(cursor.corrupt(format!("suffix {suffix:?} expected, {found_suffix:?} found")));
    }
    Ok(header)
}

/// Reads a whole file and verifies its checksum, where its format has one.
pub(crate) fn read_verified(directory: &dyn Directory, file: &str) -> Result<Bytes> {
    let data = read_whole(directory, file)?;
    if ends_with_footer(&data) {
        verify(file, &data)?;
    }
    Ok(data)
}

/// Verifies the footer and checksum of a whole file.
pub(crate) fn verify(file: &str, data: &[u8]) -> Result<()> {
    let Some(split) = data.len().checked_sub(FOOTER_BYTES) else {
        return Err(Error::corrupt(file, None, "too short for a codec footer"));
    };
    let (body, footer) = data.split_at_checked(split).unwrap_or_default();
    let checked = footer.get(..FOOTER_CHECKED_BYTES).unwrap_or_default();
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(body);
    hasher.update(checked);
    check_footer(file, split as u64, footer, hasher.finalize())
}

/// Checks the 16 bytes of a footer at `offset` against the `computed` checksum of all before its last field.
pub(crate) fn check_footer(file: &str, offset: u64, footer: &[u8], computed: u32) -> Result<()> {
    let stored = footer_checksum(file, offset, footer)?;
    if stored != computed {
        return Err(Error::corrupt(
            file,
            None,
            format!("checksum {stored:08x} recorded, {computed:08x} computed"),
        ));
    }
    Ok(())
}

/// The checksum a footer at `offset` records.
fn footer_checksum(file: &str, offset: u64, footer: &[u8]) -> Result<u32> {
    let mut cursor = Cursor::at(file, offset, footer);
    let magic = cursor.i32()?.cast_unsigned();
    let algorithm = cursor.i32()?;
    if magic != FOOTER_MAGIC || algorithm != 0 {
        return Err(Error::corrupt(
            file,
            Some(offset),
            format!("codec footer expected, {magic:#010x} {algorithm:#x} found"),
        ));
    }
    let checksum = cursor.i64()?;
    cursor.expect_end()?;
    u32::try_from(checksum)
        .map_err(|_| Error::corrupt(file, Some(offset), "checksum has more than 32 bits"))
}

/// Whether a file with this beginning must end with a footer. A damaged header does not get it out of that.
fn ends_with_footer(data: &[u8]) -> bool {
    header(&mut Cursor::new("", data)).map_or(true, |header| header.has_footer())
}

/// A cursor over a file's bytes without its footer.
pub(crate) fn body<'a>(file: &'a str, data: &'a [u8]) -> Cursor<'a> {
    let footer = if ends_with_footer(data) { FOOTER_BYTES } else { 0 };
    let end = data.len().saturating_sub(footer);
    Cursor::new(file, data.get(..end).unwrap_or_default())
}

/// A generation as file names carry it: base 36, lower case.
pub(crate) fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % 36).unwrap_or_default();
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}
