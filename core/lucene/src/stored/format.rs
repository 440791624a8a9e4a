//! The formats of stored fields, told apart by the header of the `.fdt`.
//!
//! The segment's codec is of no interest: k-NN, vendors' and custom codecs all write one of these.

use crate::codec::{self, Header, Id};
use crate::cursor::Cursor;
use crate::directory::{self, Directory};
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

/// Where the chunk index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IndexKind {
    /// A `.fdx` of packed blocks (Lucene 5.0 to 8.4).
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
    /// Bits of a chunk's token that are flags.
    pub(crate) token_flags: u32,
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
pub(crate) fn open(directory: &dyn Directory, file: &str, id: &Id) -> Result<Head> {
    let length = directory::length(directory, file)?;
    let data = directory::read_range(directory, file, 0..length.min(STORED_HEADER_BYTES))?;
    let mut cursor = Cursor::new(file, &data);
    let name = codec::header(&mut cursor.clone())?;
    if name.codec.starts_with("Lucene4") {
        return Err(name.unknown(file));
    }
    let header = codec::index_header(&mut cursor, id, "")?;
    let mut format = of(file, header)?;
    if matches!(format.index, IndexKind::Blocks) || format.version == 2 && is_lucene50(&format) {
        format.chunk_size = Some(cursor.vint()?);
        format.numbers = packed_version(&mut cursor)?;
    }
    let length = cursor.position();
    let crc = crc32fast::hash(data.get(..length).unwrap_or_default());
    Ok(Head { format, length: length as u64, crc })
}

fn is_lucene50(format: &Format) -> bool {
    format.name.starts_with("Lucene50")
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
    use Compression::{Deflate, DeflateDict, Lz4, Lz4Dict, Zstd};
    let version = header.version;
    let (name, compression, known) = match header.codec {
        "Lucene50StoredFieldsFastData" => ("Lucene50StoredFieldsFastData", Lz4, 0..=2),
        "Lucene50StoredFieldsHighData" => ("Lucene50StoredFieldsHighData", Deflate, 0..=2),
        "Lucene87StoredFieldsFastData" => ("Lucene87StoredFieldsFastData", Lz4Dict, 3..=4),
        "Lucene87StoredFieldsHighData" => ("Lucene87StoredFieldsHighData", DeflateDict, 3..=4),
        "Lucene90StoredFieldsFastData" => ("Lucene90StoredFieldsFastData", Lz4Dict, 1..=1),
        "Lucene90StoredFieldsHighData" => ("Lucene90StoredFieldsHighData", DeflateDict, 1..=1),
        "ZstdStoredFields814" => ("ZstdStoredFields814", Zstd, 1..=1),
        _ => return Err(Error::unsupported(file, format!("stored fields {}", header.codec))),
    };
    header.require_version(file, known)?;
    let packed = Numbers::Packed { whole_words: false };
    let (numbers, token_flags, index) = match (header.codec, version) {
        (codec, 0 | 1) if codec.starts_with("Lucene50") => (packed, 1, IndexKind::Blocks),
        (codec, _) if codec.starts_with("Lucene50") => (packed, 1, IndexKind::Lucene85),
        (codec, 3) if codec.starts_with("Lucene87") => (packed, 1, IndexKind::Lucene85),
        (codec, _) if codec.starts_with("Lucene87") => (packed, 2, IndexKind::Lucene85),
        _ => (Numbers::Ints, 2, IndexKind::Lucene90),
    };
    Ok(Format { name, version, compression, numbers, token_flags, index, chunk_size: None })
}
