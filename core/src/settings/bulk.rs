//! How documents are sent to the target.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::RateLimits;

/// How documents are sent to the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BulkSettings {
    /// Bytes of one bulk request; a larger document has a request to itself.
    pub bytes: usize,
    /// Documents of one bulk request.
    pub documents: usize,
    /// Bulk requests of one worker that may be out at a time, at most: it begins with fewer, and sends as many as the target
    /// takes well. A worker reads no more than `bytes` × (`in_flight` + 2) ahead: with the usual settings 60 MiB, and less than
    /// 100 MB in all.
    pub in_flight: usize,
    /// How long one bulk request may take.
    pub timeout: Duration,
    /// The checkpoint is written at least once for so many settled source bytes.
    pub checkpoint_bytes: u64,
    /// Ceilings of what this process sends. Those of a run that was begun with others are kept unless some are said here.
    pub limits: RateLimits,
}

impl Default for BulkSettings {
    fn default() -> Self {
        Self {
            bytes: 10 << 20,
            documents: 10_000,
            in_flight: 4,
            timeout: Duration::from_secs(30),
            checkpoint_bytes: 32 << 20,
            limits: RateLimits::default(),
        }
    }
}
