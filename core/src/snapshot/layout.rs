//! How the blobs of one snapshot are named and wrapped.
//!
//! A repository that was used by several versions holds snapshots of several layouts: each snapshot has its own, told
//! by which of its blobs is there.

use bytes::Bytes;

use super::frame::{decompress, unframe};
use crate::Result;

/// How the blobs of one snapshot are named and wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Elasticsearch 1: `snapshot-<name>`, text as it is or compressed with LZF.
    Bare,
    /// Everything since: `snap-<uuid>.dat` in a codec frame. Before Elasticsearch 5 the name stands for the uuid.
    Framed,
}

impl Layout {
    /// Newest first: where both blobs are there, the newer one holds.
    pub(crate) const ALL: [Self; 2] = [Self::Framed, Self::Bare];

    /// The blob that describes a snapshot, at the root and in each shard's folder.
    pub(crate) fn snapshot_blob(self, uuid: &str) -> String {
        match self {
            Self::Bare => format!("snapshot-{uuid}"),
            Self::Framed => format!("snap-{uuid}.dat"),
        }
    }

    /// The blob with an index's metadata, in the index's folder.
    pub(crate) fn index_blob(self, uuid: &str) -> String {
        match self {
            Self::Bare => format!("snapshot-{uuid}"),
            Self::Framed => format!("meta-{uuid}.dat"),
        }
    }

    /// The snapshot's name or uuid in the name of a blob at the root, and the layout that names it so.
    pub(crate) fn of_snapshot_blob(blob: &str) -> Option<(Self, &str)> {
        let framed = blob.strip_prefix("snap-").and_then(|rest| rest.strip_suffix(".dat"));
        let bare = || blob.strip_prefix("snapshot-").map(|name| (Self::Bare, name));
        framed.map(|name| (Self::Framed, name)).or_else(bare).filter(|(_, name)| !name.is_empty())
    }

    /// The document in a blob, taken out of its frame and its compression.
    pub(crate) fn unwrap(self, blob: &Bytes, codec: &str) -> Result<Bytes> {
        match self {
            Self::Bare => decompress(blob.clone()),
            Self::Framed => unframe(blob, codec),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_tells_the_snapshot_and_its_layout() {
        for (blob, expected) in [
            ("snap-a.dat", Some((Layout::Framed, "a"))),
            ("snapshot-a.dat", Some((Layout::Bare, "a.dat"))),
            ("snapshot-snap-1", Some((Layout::Bare, "snap-1"))),
            ("snap-", None),
            ("snapshot-", None),
            ("meta-a.dat", None),
            ("snap-a.dat.tmp", None),
        ] {
            assert_eq!(Layout::of_snapshot_blob(blob), expected, "{blob}");
        }
    }
}
