//! `.liv`: a bit for each document, set while it is live (Lucene 5.0 and later).

use crate::codec::{self, Id, base36};
use crate::cursor::Endian;
use crate::directory::Directory;
use crate::{Error, Result};

/// Which documents were not deleted for good.
#[derive(Clone, Debug)]
pub(crate) struct LiveDocs {
    words: Vec<u64>,
}

impl LiveDocs {
    /// Whether `doc` was not deleted.
    #[inline]
    pub(crate) fn is_live(&self, doc: u32) -> bool {
        self.words.get((doc >> 6) as usize).is_some_and(|word| word >> (doc & 63) & 1 == 1)
    }

    /// The bits of 64 documents, set while they are live.
    pub(crate) fn word(&self, index: usize) -> u64 {
        self.words.get(index).copied().unwrap_or_default()
    }
}

/// Reads and verifies the live documents of `segment`, which must show `deleted` deletions among `max_doc`.
pub(crate) fn open(
    directory: &dyn Directory,
    (segment, id): (&str, &Id),
    generation: u64,
    max_doc: u32,
    deleted: u32,
) -> Result<LiveDocs> {
    let suffix = base36(generation);
    let file = format!("{segment}_{suffix}.liv");
    let data = codec::read_verified(directory, &file)?;
    let mut cursor = codec::body(&file, &data);
    let header = codec::index_header(&mut cursor, id, &suffix)?;
    let endian = match header.codec {
        "Lucene50LiveDocs" => Endian::Big,
        "Lucene90LiveDocs" => Endian::Little,
        _ => return Err(header.unknown(&file)),
    };
    header.require_version(&file, 0..=0)?;
    cursor.set_endian(endian);
    let count = max_doc.div_ceil(64) as usize;
    if cursor.remaining() != count.saturating_mul(8) {
        let what = format!("{} bytes of bits for {max_doc} documents", cursor.remaining());
        return Err(cursor.corrupt(what));
    }
    let mut words = Vec::with_capacity(count);
    let mut live = 0_u32;
    for _ in 0..count {
        let word = cursor.i64()?.cast_unsigned();
        live = live.saturating_add(word.count_ones());
        words.push(word);
    }
    // Bits past the last document would be counted, so they cannot hide a wrong number.
    let found = max_doc.checked_sub(live);
    if found != Some(deleted) {
        let what = format!("{live} live of {max_doc} documents, but {deleted} deletions recorded");
        return Err(Error::corrupt(&file, None, what));
    }
    Ok(LiveDocs { words })
}
