//! Keeps the documents of one item that the target refused for good.

use std::sync::Arc;

use super::bulk_sender::Refused;
use super::failure::TransferError;
use crate::Clock;
use crate::cluster::BulkOperation;
use crate::coordination::WorkItem;
use crate::failed::{Attempt, FailedDocument, FailedLog, FailureBudget};
use crate::retry::RetryPolicy;

/// Where failed documents go, and how many may.
#[derive(Debug)]
pub(crate) struct Failures {
    pub(crate) log: FailedLog,
    pub(crate) budget: FailureBudget,
}

/// Keeps the failed documents of one lease of an item.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    pub(crate) failures: Arc<Failures>,
    pub(crate) item: Arc<WorkItem>,
    pub(crate) operation: BulkOperation,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) retry: RetryPolicy,
}

impl Keeper {
    /// Says that the item is sent anew from its checkpoint.
    pub(crate) async fn begin(&self) -> Result<(), TransferError> {
        let begin = || self.failures.log.begin_anew(&self.item);
        self.retry.run(&*self.clock, begin).await.map_err(TransferError::Coordination)
    }

    /// Keeps what was refused of one bulk; only then may it be acknowledged.
    pub(crate) async fn keep(&self, refused: &[Refused]) -> Result<(), TransferError> {
        if refused.is_empty() {
            return Ok(());
        }
        let attempt = Attempt {
            source_index: &self.item.index,
            shard: self.item.shard,
            lease: self.item.lease_version,
            operation: self.operation,
        };
        let documents: Vec<_> = refused
            .iter()
            .map(|Refused { index, document, error }| {
                FailedDocument::new(attempt, index, document, error)
            })
            .collect();
        let keep = || self.failures.log.keep(&documents);
        self.retry.run(&*self.clock, keep).await.map_err(TransferError::Coordination)?;
        // Whoever has more failures than may be is stopped by the target, not by the working state.
        self.failures.budget.spend(&documents).await.map_err(TransferError::Target)
    }
}
