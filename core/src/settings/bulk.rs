//! How documents are sent to the target.

use std::collections::BTreeSet;
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
    /// takes well. A worker holds no more than `bytes` × (`in_flight` + 1) and the one document or chunk that is decoded: with
    /// the usual settings less than 100 MB in all, with larger documents about ten of them.
    pub in_flight: usize,
    /// Types of exceptions that count as success, such as `version_conflict_engine_exception`: the document is counted as
    /// present.
    pub allowed_exceptions: BTreeSet<String>,
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
            allowed_exceptions: BTreeSet::new(),
            timeout: Duration::from_secs(30),
            checkpoint_bytes: 32 << 20,
            limits: RateLimits::default(),
        }
    }
}
