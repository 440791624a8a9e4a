//! Keeps the documents of one item that the target refused for good.

use std::sync::Arc;

use super::bulk_sender::{BulkSender, Refused};
use super::failure::TransferError;
use crate::ErrorKind;
use crate::coordination::{Progress, WorkItem};
use crate::failed::{Attempt, FailedDocument, FailedLog, FailureBudget, LeaseKey};

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
}

impl Keeper {
    /// Says that the item is sent anew from its checkpoint.
    pub(crate) async fn begin(&self, sender: &BulkSender) -> Result<(), TransferError> {
        let begin = || self.failures.log.begin_anew(&self.item);
        sender.retry.run(&*sender.clock, begin).await.map_err(TransferError::Coordination)
    }

    /// Keeps what was refused of one bulk that `sender` sent; only then may it be acknowledged.
    pub(crate) async fn keep(
        &self,
        sender: &BulkSender,
        refused: &[Refused],
    ) -> Result<(), TransferError> {
        if refused.is_empty() {
            return Ok(());
        }
        let attempt = Attempt {
            source_index: &self.item.index,
            shard: self.item.shard,
            lease: self.item.lease_version,
            operation: sender.operation,
        };
        let documents: Vec<_> = refused
            .iter()
            .map(|Refused { index, document, error }| {
                FailedDocument::new(attempt, index, document, error)
            })
            .collect();
        let keep = || self.failures.log.keep(&documents);
        sender.retry.run(&*sender.clock, keep).await.map_err(TransferError::Coordination)?;
        let budget = &self.failures.budget;
        budget.spend(&LeaseKey::of(&self.item), &documents);
        let within = || budget.require_within(&self.item.index);
        sender.retry.run(&*sender.clock, within).await.map_err(|error| match error.kind() {
            // Whoever has more failures than may be is stopped by the target, not by the working state.
            ErrorKind::State => TransferError::Target(error),
            _ => TransferError::Coordination(error),
        })
    }

    /// Says that `progress` is about to be written.
    pub(crate) fn writing(&self, progress: &Progress) {
        let failed = progress.books.failed.saturating_sub(self.item.books.failed);
        self.failures.budget.writing(&LeaseKey::of(&self.item), failed);
    }

    /// Says that the lease is over, with the item as it was last written.
    pub(crate) fn close(&self, last: &WorkItem) {
        let failed = last.books.failed.saturating_sub(self.item.books.failed);
        self.failures.budget.close(&LeaseKey::of(&self.item), failed);
    }
}
