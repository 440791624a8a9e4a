//! The formats of stored fields, told apart by the header of the `.fdt`.
//!
//! The segment's codec is of no interest: k-NN, vendors' and custom codecs all write one of these.
//!
//! Not read, and refused by name: `Lucene40StoredFieldsData` (Lucene 4.0, no chunks) and the formats of Intel QAT.

use crate::codec::{self, FOOTER_BYTES, Header, Id};
use crate::cursor::Cursor;
use crate::directory::{self, Directory};
use crate::elasticsearch::NumberCoding;
use crate::limits::STORED_HEADER_BYTES;
use crate::stored::unit::Compression;
use crate::{Error, Result};

/// How the numbers of a chunk's header are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Packed integers; `whole_words` in their version 0.
    Packed { whole_words: bool },
    /// `StoredFieldsInts`.
    Ints,
}

/// What the second number of a chunk's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// The documents alone; chunks of twice the chunk size are sliced, but in version 0 (Lucene 4.1 to 4.10).
    Lucene41 { slices: bool },
    /// The documents above this many flags, of which the lowest marks slices.
    Flags(u32),
}

/// Where the chunk index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IndexKind {
    /// A `.fdx` of packed blocks (Lucene 4.1 to 8.4).
    Blocks,
    /// `.fdm` and `.fdx`, big-endian (Lucene 8.5 to 8.11).
    Lucene85,
    /// `.fdm` and `.fdx`, little-endian (Lucene 9.0 and later).
    Lucene90,
}

/// A format of stored fields, with what its header says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    /// Name of the format.
    pub(crate) name: &'static str,
    /// Version of the format.
    pub(crate) version: u32,
    /// How each unit is compressed.
    pub(crate) compression: Compression,
    /// How the numbers of a chunk's header are coded; from the `.fdm` where that has it.
    pub(crate) numbers: Numbers,
    /// How a chunk's token is read.
    pub(crate) token: Token,
    /// How the numbers among the fields of a document are coded.
    pub(crate) values: NumberCoding,
    /// Where the chunk index is.
    pub(crate) index: IndexKind,
    /// Bytes a slice of a large chunk holds; from the `.fdm` where that has it.
    pub(crate) chunk_size: Option<u32>,
}

/// The beginning of a `.fdt`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) format: Format,
    /// Bytes before the first chunk.
    pub(crate) length: u64,
    /// CRC-32 of those bytes.
    pub(crate) crc: u32,
}

/// Reads the header of the `.fdt`.
pub(crate) fn open(directory: &dyn Directory, file: &str, id: Option<&Id>) -> Result<Head> {
    let length = directory::length(directory, file)?;
    let data = directory::read_range(directory, file, 0..length.min(STORED_HEADER_BYTES))?;
    let mut cursor = Cursor::new(file, &data);
    let header = codec::index_header(&mut cursor, id, "")?;
    let mut format = of(file, header)?;
    if format.sizes_in_header() {
        // Version 0 of the oldest format had no slices and so no size of them.
        let has_size = format.token != Token::Lucene41 { slices: false };
        format.chunk_size = Some(if has_size { cursor.vint()? } else { 0 });
        format.numbers = packed_version(&mut cursor)?;
    }
    let length = cursor.position();
    let crc = crc32fast::hash(data.get(..length).unwrap_or_default());
    Ok(Head { format, length: length as u64, crc })
}

impl Format {
    /// Whether chunk size and version of packed integers stand in the `.fdt`, not in the `.fdm`.
    fn sizes_in_header(&self) -> bool {
        self.index == IndexKind::Blocks || self.name.starts_with("Lucene50")
    }

    /// Bytes of the footer of the `.fdt`: none before Lucene 4.8.
    pub(crate) fn footer_bytes(&self) -> u64 {
        let header = Header { codec: self.name, version: self.version };
        if header.has_footer() { FOOTER_BYTES as u64 } else { 0 }
    }

    /// Whether two counts of chunks stand between the last chunk and the footer.
    pub(crate) fn has_counts(&self) -> bool {
        self.name.starts_with("Lucene50") && self.version >= 1
    }
}

/// Reads the version of packed integers.
pub(crate) fn packed_version(cursor: &mut Cursor<'_>) -> Result<Numbers> {
    match cursor.vint()? {
        0 => Ok(Numbers::Packed { whole_words: true }),
        1 | 2 => Ok(Numbers::Packed { whole_words: false }),
        other => Err(cursor.unsupported(format!("packed integers version {other}"))),
    }
}

fn of(file: &str, header: Header<'_>) -> Result<Format> {
    use Compression::{Deflate, DeflateDict, Lz4, Lz4Dict, Zstd, ZstdBlocks, ZstdDict};
    let (name, compression, known) = match header.codec {
        "Lucene41StoredFieldsData" => ("Lucene41StoredFieldsData", Lz4, 0..=2),
        "Lucene50StoredFieldsFastData" => ("Lucene50StoredFieldsFastData", Lz4, 0..=2),
        "Lucene50StoredFieldsHighData" => ("Lucene50StoredFieldsHighData", Deflate, 0..=2),
        "Lucene87StoredFieldsFastData" => ("Lucene87StoredFieldsFastData", Lz4Dict, 3..=4),
        "Lucene87StoredFieldsHighData" => ("Lucene87StoredFieldsHighData", DeflateDict, 3..=4),
        "Lucene90StoredFieldsFastData" => ("Lucene90StoredFieldsFastData", Lz4Dict, 1..=1),
        "Lucene90StoredFieldsHighData" => ("Lucene90StoredFieldsHighData", DeflateDict, 1..=1),
        // Elasticsearch, then OpenSearch.
        "ZstdStoredFields814" => ("ZstdStoredFields814", Zstd, 1..=1),
        "CustomStoredFieldsZstd" => ("CustomStoredFieldsZstd", ZstdDict, 1..=1),
        "CustomStoredFieldsZstdNoDict" => ("CustomStoredFieldsZstdNoDict", ZstdBlocks, 1..=1),
        _ => return Err(Error::unsupported(file, format!("stored fields {}", header.codec))),
    };
    header.require_version(file, known)?;
    let version = header.version;
    let packed = Numbers::Packed { whole_words: false };
    let line = header.codec.get(..8).unwrap_or_default();
    let (numbers, token, index) = match (line, version) {
        ("Lucene41", _) => (packed, Token::Lucene41 { slices: version >= 1 }, IndexKind::Blocks),
        ("Lucene50", 0 | 1) => (packed, Token::Flags(1), IndexKind::Blocks),
        ("Lucene50", _) | ("Lucene87", 3) => (packed, Token::Flags(1), IndexKind::Lucene85),
        ("Lucene87", _) => (packed, Token::Flags(2), IndexKind::Lucene85),
        _ => (Numbers::Ints, Token::Flags(2), IndexKind::Lucene90),
    };
    let values = if line == "Lucene41" { NumberCoding::Fixed } else { NumberCoding::Variable };
    Ok(Format { name, version, compression, numbers, token, values, index, chunk_size: None })
}
