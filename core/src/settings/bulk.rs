//! How documents are sent to the target.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How documents are sent to the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BulkSettings {
    /// Bytes of one bulk request; a larger document has a request to itself.
    pub bytes: usize,
    /// Documents of one bulk request.
    pub documents: usize,
    /// Bulk requests of one worker that may be out at a time.
    pub in_flight: usize,
    /// How long one bulk request may take.
    pub timeout: Duration,
    /// The checkpoint is written at least once for so many settled source bytes.
    pub checkpoint_bytes: u64,
}

impl Default for BulkSettings {
    fn default() -> Self {
        Self {
            bytes: 10 << 20,
            documents: 10_000,
            in_flight: 4,
            timeout: Duration::from_secs(30),
            checkpoint_bytes: 32 << 20,
        }
    }
}
