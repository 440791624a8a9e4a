//! A bulk request and what became of each of its documents.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::DocumentBatch;

/// What a bulk request does with a document whose id is already there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum BulkOperation {
    /// Replaces it.
    #[default]
    Index,
    /// Leaves it alone.
    Create,
}

/// One bulk request: documents for one index.
#[derive(Clone, Debug)]
pub struct BulkBody {
    /// The index that receives them.
    pub index: Arc<str>,
    /// What to do with ids that are already there.
    pub operation: BulkOperation,
    /// The documents.
    pub documents: DocumentBatch,
}

/// What became of the documents of a bulk request, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkOutcome {
    /// One outcome a document.
    pub items: Vec<ItemOutcome>,
}

impl BulkOutcome {
    /// Whether every document was taken: none is to be sent again, none failed.
    pub fn is_clean(&self) -> bool {
        self.items.iter().all(ItemOutcome::is_acknowledged)
    }
}

/// What became of one document of a bulk request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemOutcome {
    /// Written; its id was free.
    Created,
    /// Written; it replaced a document of the same id.
    Updated,
    /// Left alone; its id was taken (create mode).
    Present,
    /// Not written for a passing reason: send it again.
    Retry(Box<ItemError>),
    /// Not looked at, since the request as a whole was longer than the target takes: send it in shorter ones. Then every
    /// document of the request has this outcome.
    TooLarge(Box<ItemError>),
    /// Refused for good.
    Failed(Box<ItemError>),
}

impl ItemOutcome {
    /// Whether the document is in the target.
    pub fn is_acknowledged(&self) -> bool {
        matches!(self, Self::Created | Self::Updated | Self::Present)
    }
}

/// Why the target did not take a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemError {
    /// The HTTP status of the item.
    pub status: u16,
    /// The target's word for it: `mapper_parsing_exception`, …
    pub error_type: String,
    /// The target's explanation.
    pub reason: String,
}

impl fmt::Display for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            0 => write!(f, "{}: {}", self.error_type, self.reason),
            status => write!(f, "{} ({status}): {}", self.error_type, self.reason),
        }
    }
}
