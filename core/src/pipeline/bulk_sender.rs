//! Sends one batch until each of its documents is settled: written, or failed for good.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::cluster::{BulkBody, BulkOperation, ClusterClient, ItemError, ItemOutcome};
use crate::retry::RetryPolicy;
use crate::{Books, Clock, DocumentBatch, Error, ErrorKind, Result};

/// What a sender needs that stays the same from batch to batch.
#[derive(Clone, Debug)]
pub(crate) struct BulkSender {
    pub(crate) cluster: Arc<dyn ClusterClient>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) retry: RetryPolicy,
    pub(crate) index: Arc<str>,
    pub(crate) operation: BulkOperation,
}

/// A document that the target refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailedDocument {
    pub(crate) id: String,
    pub(crate) error: ItemError,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) books: Books,
    pub(crate) failed: Vec<FailedDocument>,
}

impl BulkSender {
    /// Sends `batch`. A document numbered within `resent` may have been written before: replacing it is no finding.
    ///
    /// # Errors
    /// What the cluster fails with for good, or what it still fails with when the tries are used up.
    pub(crate) async fn send(&self, batch: DocumentBatch, resent: Range<u32>) -> Result<Settled> {
        let mut settled = Settled::default();
        let mut pending = batch;
        let mut delays = self.retry.delays();
        while !pending.is_empty() {
            let refused = self.send_once(&pending, &resent, &mut settled).await?;
            if refused.is_empty() {
                break;
            }
            let Some(delay) = delays.next() else {
                return Err(still_refused(&self.index, &refused));
            };
            tracing::debug!(index = %self.index, documents = refused.len(), ?delay, "the target is busy; sending again");
            self.clock.sleep(delay).await;
            pending =
                pending.iter().filter(|document| refused.contains_key(&document.number)).collect();
        }
        Ok(settled)
    }

    /// Sends what is pending and books what is settled; returns what is to be sent again.
    async fn send_once(
        &self,
        pending: &DocumentBatch,
        resent: &Range<u32>,
        settled: &mut Settled,
    ) -> Result<HashMap<u32, Box<ItemError>>> {
        let body = BulkBody {
            index: Arc::clone(&self.index),
            operation: self.operation,
            documents: pending.clone(),
        };
        let outcome = self.retry.run(&*self.clock, || self.cluster.bulk(&body)).await?;
        if outcome.items.len() != pending.len() {
            return Err(Error::new(
                ErrorKind::Unexpected,
                format!(
                    "the target answered {} items to {} documents",
                    outcome.items.len(),
                    pending.len()
                ),
            )
            .with_context("index", &self.index));
        }
        let mut refused = HashMap::new();
        for (document, item) in pending.iter().zip(outcome.items) {
            match item {
                ItemOutcome::Retry(error) => {
                    refused.insert(document.number, error);
                    continue;
                }
                ItemOutcome::Failed(error) => {
                    settled.books.failed += 1;
                    let id = document.id.to_owned();
                    settled.failed.push(FailedDocument { id, error: *error });
                    continue;
                }
                ItemOutcome::Created => {}
                ItemOutcome::Updated if resent.contains(&document.number) => {}
                ItemOutcome::Updated => settled.books.overwritten += 1,
                ItemOutcome::Present => settled.books.present += 1,
            }
            settled.books.written += 1;
            settled.books.bytes += document.source.len() as u64;
        }
        Ok(refused)
    }
}

fn still_refused(index: &str, refused: &HashMap<u32, Box<ItemError>>) -> Error {
    let example = refused.values().next().map(ToString::to_string).unwrap_or_default();
    Error::new(
        ErrorKind::RateLimited,
        format!(
            "the target still refuses {} documents after all retries, for example: {example}",
            refused.len()
        ),
    )
    .with_context("index", index)
}
