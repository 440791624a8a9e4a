//! Sets of documents as doc values store them: blocks of 65 536 documents, sparse, dense or full.

use crate::cursor::{Cursor, Endian};
use crate::{Error, Result};

/// Most documents of a block that are listed one by one.
const SPARSE_DOCS: u32 = 4095;

/// Up to so many documents stay a list: a bit set takes 8 KiB, of which a few bytes of input must not ask for many.
const LISTED_DOCS: u32 = 256;

/// Number of the block that ends the list.
const END: u16 = 0x7FFF;

/// Words of 64 bits in a dense block.
const WORDS: usize = 1024;

/// Where a set is stored in a `.dvd`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) length: u64,
    /// Documents a rank entry stands for, as a power of two; `None` when dense blocks have no ranks.
    pub(super) rank_power: Option<u8>,
}

/// A set of documents of one segment.
#[derive(Clone, Debug)]
pub(crate) struct DocSet {
    /// One entry for each 65 536 documents.
    blocks: Vec<Block>,
    max_doc: u32,
}

#[derive(Clone, Debug)]
enum Block {
    Empty,
    Full,
    /// Rising, relative to the block's first document.
    List(Box<[u16]>),
    Bits(Box<[u64]>),
}

impl DocSet {
    /// The empty set.
    pub(crate) fn none() -> Self {
        Self { blocks: Vec::new(), max_doc: 0 }
    }

    /// The set of all documents.
    pub(super) fn all(max_doc: u32) -> Self {
        Self { blocks: vec![Block::Full; block_count(max_doc)], max_doc }
    }

    /// Whether `doc` is in the set.
    #[inline]
    pub(crate) fn contains(&self, doc: u32) -> bool {
        match self.blocks.get((doc >> 16) as usize) {
            None | Some(Block::Empty) => false,
            Some(Block::Full) => true,
            Some(Block::List(docs)) => docs.binary_search(&(doc as u16)).is_ok(),
            Some(Block::Bits(words)) => {
                let word = words.get((doc >> 6 & 1023) as usize);
                word.is_some_and(|word| word >> (doc & 63) & 1 == 1)
            }
        }
    }

    /// How many documents of the set are also in another one, of which `other` gives the bits of documents
    /// `64 * index` and following.
    pub(crate) fn count(&self, other: impl Fn(usize) -> u64) -> u32 {
        let mut count = 0_u32;
        for (number, block) in self.blocks.iter().enumerate() {
            let first = number.saturating_mul(WORDS);
            let word = |index: usize| other(first.saturating_add(index));
            let found: u32 = match block {
                Block::Empty => 0,
                Block::Full => {
                    let words = (0..WORDS).map(|at| word(at) & self.existing(first, at));
                    words.map(u64::count_ones).sum()
                }
                Block::List(docs) => {
                    let bits = docs.iter().map(|doc| word(usize::from(doc >> 6)) >> (doc & 63) & 1);
                    bits.fold(0, |sum, bit| sum.saturating_add(bit as u32))
                }
                Block::Bits(words) => {
                    words.iter().zip(0..).map(|(bits, at)| (bits & word(at)).count_ones()).sum()
                }
            };
            count = count.saturating_add(found);
        }
        count
    }

    /// The bits of 64 documents of a block, set where there is such a document.
    fn existing(&self, first_word: usize, word: usize) -> u64 {
        let first = (first_word.saturating_add(word) as u64).saturating_mul(64);
        match u64::from(self.max_doc).saturating_sub(first) {
            0 => 0,
            left @ 1..64 => (1_u64 << left).wrapping_sub(1),
            _ => u64::MAX,
        }
    }

    /// The documents of the set, rising.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.max_doc).filter(|doc| self.contains(*doc))
    }
}

fn block_count(max_doc: u32) -> usize {
    max_doc.div_ceil(1 << 16) as usize
}

/// Reads the set stored in `data`, which begins at `place`.
pub(super) fn read(
    file: &str,
    place: Place,
    data: &[u8],
    endian: Endian,
    max_doc: u32,
) -> Result<DocSet> {
    let mut cursor = Cursor::at(file, place.offset, data);
    cursor.set_endian(endian);
    let mut set = DocSet { blocks: vec![Block::Empty; block_count(max_doc)], max_doc };
    let mut next = 0;
    // A jump table may follow the last block; it only speeds up skipping.
    loop {
        let number = cursor.u16()?;
        let cardinality = u32::from(cursor.u16()?).saturating_add(1);
        if number == END {
            return Ok(set);
        }
        if u32::from(number) < next {
            return Err(cursor.corrupt("blocks of documents out of order"));
        }
        next = u32::from(number).saturating_add(1);
        let block = read_block(&mut cursor, cardinality, place.rank_power)?;
        let first = u32::from(number) << 16;
        if last(&block).and_then(|last| first.checked_add(last)).is_none_or(|doc| doc >= max_doc) {
            return Err(Error::corrupt(file, Some(cursor.offset()), "document past the last one"));
        }
        if let Some(slot) = set.blocks.get_mut(usize::from(number)) {
            *slot = block;
        }
    }
}

fn read_block(cursor: &mut Cursor<'_>, cardinality: u32, rank_power: Option<u8>) -> Result<Block> {
    if cardinality > u32::from(u16::MAX) {
        return Ok(Block::Full);
    }
    if cardinality <= LISTED_DOCS {
        return list(cursor, cardinality);
    }
    let mut words = vec![0_u64; WORDS].into_boxed_slice();
    if cardinality <= SPARSE_DOCS {
        for _ in 0..cardinality {
            let doc = cursor.u16()?;
            if let Some(word) = words.get_mut(usize::from(doc >> 6)) {
                *word |= 1 << (doc & 63);
            }
        }
    } else {
        if let Some(power) = rank_power {
            cursor.skip(1024 >> power.saturating_sub(7))?;
        }
        for word in &mut words {
            *word = cursor.i64()?.cast_unsigned();
        }
    }
    let found: u32 = words.iter().map(|word| word.count_ones()).sum();
    if found != cardinality {
        let what = format!("{cardinality} documents in a block, {found} found");
        return Err(cursor.corrupt(what));
    }
    Ok(Block::Bits(words))
}

fn list(cursor: &mut Cursor<'_>, cardinality: u32) -> Result<Block> {
    let mut docs = Vec::with_capacity(cardinality as usize);
    for _ in 0..cardinality {
        let doc = cursor.u16()?;
        if docs.last().is_some_and(|last| *last >= doc) {
            return Err(cursor.corrupt("documents of a block out of order"));
        }
        docs.push(doc);
    }
    Ok(Block::List(docs.into_boxed_slice()))
}

/// The last document of a block, relative to its first.
fn last(block: &Block) -> Option<u32> {
    match block {
        Block::Empty => None,
        Block::Full => Some(0xFFFF),
        Block::List(docs) => docs.last().copied().map(u32::from),
        Block::Bits(words) => {
            let index = words.iter().rposition(|word| *word != 0)?;
            let bit = 63_u32.saturating_sub(words.get(index)?.leading_zeros());
            u32::try_from(index).ok()?.checked_mul(64)?.checked_add(bit)
        }
    }
}
