//! Which documents were deleted for good: `.liv` since Lucene 5.0, `.del` before.

mod bit_vector;
mod liv;

use crate::codec::{Id, base36};
use crate::directory::Directory;
use crate::{Error, Result};

/// Which documents were not deleted for good.
#[derive(Clone, Debug)]
pub(crate) enum LiveDocs {
    /// A bit for each document, set while it is live.
    Words(Vec<u64>),
    /// Bytes of such bits, by their index and rising: those with deletions. It is as long as the file, so that a
    /// short one cannot make much of a large number of documents.
    Cleared(Vec<(u32, u8)>),
}

impl LiveDocs {
    /// Whether `doc` was not deleted.
    #[inline]
    pub(crate) fn is_live(&self, doc: u32) -> bool {
        match self {
            Self::Words(words) => {
                words.get((doc >> 6) as usize).is_some_and(|word| word >> (doc & 63) & 1 == 1)
            }
            Self::Cleared(bytes) => {
                let found = bytes.binary_search_by_key(&(doc >> 3), |(index, _)| *index);
                let byte = found.ok().and_then(|at| bytes.get(at));
                byte.is_none_or(|(_, byte)| byte >> (doc & 7) & 1 == 1)
            }
        }
    }

    /// The bits of documents `64 * index` and following, set while they are live.
    pub(crate) fn word(&self, index: usize) -> u64 {
        match self {
            Self::Words(words) => words.get(index).copied().unwrap_or_default(),
            Self::Cleared(bytes) => {
                let of_word = |byte: u32| (byte >> 3) as usize;
                let from = bytes.partition_point(|(byte, _)| of_word(*byte) < index);
                let cleared = bytes.iter().skip(from).take(8);
                let cleared = cleared.take_while(|(byte, _)| of_word(*byte) == index);
                cleared.fold(u64::MAX, |word, (byte, bits)| {
                    word & !(u64::from(!*bits) << (8 * (*byte & 7)))
                })
            }
        }
    }

    /// The number of live documents among `max_doc`. Bits past the last document would be counted, so they cannot
    /// hide a wrong number.
    fn live(&self, max_doc: u32) -> u32 {
        match self {
            Self::Words(words) => {
                words.iter().fold(0, |live, word| live.saturating_add(word.count_ones()))
            }
            Self::Cleared(bytes) => bytes
                .iter()
                .fold(max_doc, |live, (_, byte)| live.saturating_sub(byte.count_zeros())),
        }
    }
}

/// Reads and verifies the live documents of `segment`, which must show `deleted` deletions among `max_doc`.
pub(crate) fn open(
    directory: &dyn Directory,
    (segment, id): (&str, Option<&Id>),
    generation: u64,
    max_doc: u32,
    deleted: u32,
) -> Result<LiveDocs> {
    let suffix = base36(generation);
    let (file, docs) = match id {
        Some(id) => {
            let file = format!("{segment}_{suffix}.liv");
            let docs = liv::open(directory, &file, (id, &suffix), max_doc)?;
            (file, docs)
        }
        None => {
            let file = format!("{segment}_{suffix}.del");
            let docs = bit_vector::open(directory, &file, max_doc)?;
            (file, docs)
        }
    };
    let live = docs.live(max_doc);
    if max_doc.checked_sub(live) != Some(deleted) {
        let what = format!("{live} live of {max_doc} documents, but {deleted} deletions recorded");
        return Err(Error::corrupt(&file, None, what));
    }
    Ok(docs)
}
