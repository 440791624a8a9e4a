//! How fast workers are.

use serde::{Deserialize, Serialize};

/// How fast a worker, or all of them, came forward in the last minute; each a second unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Rate {
    /// Documents that were settled.
    pub documents: u64,
    /// Bytes of their sources.
    pub bytes: u64,
    /// Bytes of stored fields that were done: what the rest is estimated with.
    pub stored: u64,
    /// Bulks that the target refused for the time being, or did not answer in time, in that minute.
    pub rejected: u64,
}

impl Rate {
    /// Whether nothing is known.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Adds another worker's.
    pub fn add(&mut self, other: Self) {
        self.documents += other.documents;
        self.bytes += other.bytes;
        self.stored += other.stored;
        self.rejected += other.rejected;
    }
}
