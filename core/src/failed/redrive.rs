//! Sending failed documents again.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::standing::FailureKey;
use super::{FailedDocument, FailedLog};
use crate::cluster::{BulkOperation, ClusterClient};
use crate::pipeline::{BulkSender, Ceiling, Gate, Leave, Sent};
use crate::retry::RetryPolicy;
use crate::{Clock, DocumentBatchBuilder, Error, ErrorKind, Result};

/// Sends failed documents again, to the index they were meant for. What is taken is noted; what is refused again stays.
/// Repeating it sends only what still holds.
#[derive(Clone, Debug)]
pub struct Redrive {
    log: FailedLog,
    cluster: Arc<dyn ClusterClient>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
}

/// What became of failed documents that were sent again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Redriven {
    /// Taken now.
    pub written: u64,
    /// Refused again.
    pub failed: u64,
    /// The target's words for those, and how many of each.
    pub reasons: BTreeMap<String, u64>,
}

impl Redrive {
    /// Sends what `log` holds to `cluster`; one request may take up to `timeout`.
    pub fn new(
        log: FailedLog,
        cluster: Arc<dyn ClusterClient>,
        clock: Arc<dyn Clock>,
        timeout: Duration,
    ) -> Self {
        Self { log, cluster, clock, timeout }
    }

    /// Sends all that holds.
    ///
    /// # Errors
    /// What reading the log fails with, and what the target fails with for good. What was taken until then is noted.
    pub async fn run(&self) -> Result<Redriven> {
        let mut redriven = Redriven::default();
        let mut documents = self.log.documents().await?;
        while let Some(failed) = documents.next().await {
            let mut groups: BTreeMap<(String, bool), Vec<FailedDocument>> = BTreeMap::new();
            for document in failed? {
                let creates = document.operation == BulkOperation::Create;
                groups.entry((document.index.clone(), creates)).or_default().push(document);
            }
            for ((index, creates), group) in groups {
                let operation = if creates { BulkOperation::Create } else { BulkOperation::Index };
                self.send(&index, operation, &group, &mut redriven).await?;
            }
        }
        Ok(redriven)
    }

    async fn send(
        &self,
        index: &str,
        operation: BulkOperation,
        group: &[FailedDocument],
        redriven: &mut Redriven,
    ) -> Result<()> {
        let mut batch = DocumentBatchBuilder::default();
        for document in group {
            batch.push(document.document()?.as_ref());
        }
        let sender = BulkSender {
            cluster: Arc::clone(&self.cluster),
            clock: Arc::clone(&self.clock),
            retry: RetryPolicy::default(),
            index: index.into(),
            operation,
            timeout: self.timeout,
            gate: Gate::new(|| Leave::Granted),
            ceiling: Ceiling::default(),
            throttle: None,
            halt: CancellationToken::new(),
        };
        let Sent::Settled(settled) = sender.send(batch.finish(), 0..u32::MAX).await? else {
            return Err(Error::new(ErrorKind::Cancelled, "redriving was interrupted"));
        };
        let mut refused = HashSet::new();
        for again in &settled.failed {
            refused.insert(again.document.number);
            *redriven.reasons.entry(again.error.error_type.clone()).or_default() += 1;
        }
        let taken: Vec<_> = group
            .iter()
            .filter(|document| !refused.contains(&document.number))
            .map(FailureKey::of)
            .collect();
        self.log.redriven(&taken).await?;
        redriven.written += taken.len() as u64;
        redriven.failed += settled.failed.len() as u64;
        Ok(())
    }
}
