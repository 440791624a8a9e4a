//! `.liv`: words of 64 documents (Lucene 5.0 and later).

use super::LiveDocs;
use crate::Result;
use crate::codec::{self, Id};
use crate::cursor::Endian;
use crate::directory::Directory;

/// Reads and verifies a `.liv`.
pub(super) fn open(
    directory: &dyn Directory,
    file: &str,
    (id, suffix): (&Id, &str),
    max_doc: u32,
) -> Result<LiveDocs> {
    let data = codec::read_verified(directory, file)?;
    let mut cursor = codec::body(file, &data);
    let header = codec::index_header(&mut cursor, Some(id), suffix)?;
    let endian = match header.codec {
        "Lucene50LiveDocs" => Endian::Big,
        "Lucene90LiveDocs" => Endian::Little,
        _ => return Err(header.unknown(file)),
    };
    header.require_version(file, 0..=0)?;
    cursor.set_endian(endian);
    let count = max_doc.div_ceil(64) as usize;
    if cursor.remaining() != count.saturating_mul(8) {
        let what = format!("{} bytes of bits for {max_doc} documents", cursor.remaining());
        return Err(cursor.corrupt(what));
    }
    let mut words = Vec::with_capacity(count);
    for _ in 0..count {
        words.push(cursor.i64()?.cast_unsigned());
    }
    Ok(LiveDocs::Words(words))
}
