//! Where reading stands, and the checksum of what was read.

/// Where reading of a segment's `.fdt` stands, and the checksum of the bytes read so far.
///
/// It is all that a checkpoint needs: given back to [`Segment::documents`](crate::Segment::documents), reading
/// goes on with the chunk that holds `doc`, and the checksum of the whole file can still be verified at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReadPosition {
    /// The next document, counted from 0 within the segment.
    pub doc: u32,
    /// Offset in the `.fdt` of the chunk that holds `doc`; without meaning where `crc` is `None`.
    pub offset: u64,
    /// CRC-32 of the bytes `crc_from..offset`; `None` when nothing is known, as in [`ReadPosition::at`].
    pub crc: Option<u32>,
    /// Offset of the first byte that `crc` covers: 0 when it covers all before `offset`.
    pub crc_from: u64,
}

impl ReadPosition {
    /// The beginning of a segment.
    #[must_use]
    pub fn start() -> Self {
        Self { doc: 0, offset: 0, crc: Some(0), crc_from: 0 }
    }

    /// Document `doc`, with no bytes read before it. The checksum then begins at the chunk that holds it, or
    /// covers the file from its beginning if that is the first chunk.
    #[must_use]
    pub fn at(doc: u32) -> Self {
        Self { doc, offset: 0, crc: None, crc_from: 0 }
    }

    /// Whether nothing of the file was read, whatever the document.
    pub(super) fn is_beginning(&self) -> bool {
        Self { doc: 0, ..*self } == Self::start()
    }

    /// Joins two ranges that were read apart: `self` where the first ended, `next` where the second did. `None`
    /// unless the second range begins where the first ends.
    #[must_use]
    pub fn join(self, next: Self) -> Option<Self> {
        let (first, second) = (self.crc?, next.crc?);
        if next.crc_from != self.offset {
            return None;
        }
        let mut hasher = crc32fast::Hasher::new_with_initial(first);
        let length = next.offset.checked_sub(next.crc_from)?;
        hasher.combine(&crc32fast::Hasher::new_with_initial_len(second, length));
        Some(Self { crc: Some(hasher.finalize()), crc_from: self.crc_from, ..next })
    }
}
