//! Sending failed documents again.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::standing::FailureKey;
use super::{FailedDocument, FailedFilter, FailedLog, FailureClass};
use crate::cluster::{BulkOperation, ClusterClient};
use crate::controller::Tally;
use crate::pipeline::{BulkSender, Ceiling, Gate, Leave, Sent};
use crate::retry::RetryPolicy;
use crate::{Clock, Document, DocumentBatchBuilder, Error, ErrorKind, Result};

/// Documents of one request at most.
const MOST_DOCUMENTS: usize = 1000;

/// Bytes of one request, from which on no document is added.
const MOST_BYTES: usize = 5 << 20;

/// Sends failed documents again, to the index they were meant for. What is taken is noted; what is refused again stays.
/// Repeating it sends only what still holds.
#[derive(Clone, Debug)]
pub struct Redrive {
    log: FailedLog,
    cluster: Arc<dyn ClusterClient>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    filter: FailedFilter,
}

/// What became of failed documents that were sent again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Redriven {
    /// Taken now.
    pub written: u64,
    /// Refused again, or left alone because a transform failed on them.
    pub failed: u64,
    /// The words for those, and how many of each.
    pub reasons: BTreeMap<String, u64>,
}

/// Failures for one request. Documents of several shards may have one number, so they are numbered anew.
#[derive(Default)]
struct Group {
    batch: DocumentBatchBuilder,
    keys: Vec<FailureKey>,
}

impl Group {
    fn add(&mut self, failed: &FailedDocument) -> Result<()> {
        let number = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        let document = Document { number, ..failed.document()? };
        self.batch.push(document.as_ref());
        self.keys.push(FailureKey::of(failed));
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.keys.len() >= MOST_DOCUMENTS || self.batch.bytes() >= MOST_BYTES
    }
}

impl Redrive {
    /// Sends what `log` holds to `cluster`; one request may take up to `timeout`.
    pub fn new(
        log: FailedLog,
        cluster: Arc<dyn ClusterClient>,
        clock: Arc<dyn Clock>,
        timeout: Duration,
    ) -> Self {
        Self { log, cluster, clock, timeout, filter: FailedFilter::default() }
    }

    /// Sends only some of them.
    #[must_use]
    pub fn only(mut self, filter: FailedFilter) -> Self {
        self.filter = filter;
        self
    }

    /// Sends all that holds, failures of many requests in one.
    ///
    /// # Errors
    /// What reading the log fails with, and what the target fails with for good. What was taken until then is noted.
    pub async fn run(&self) -> Result<Redriven> {
        let mut redriven = Redriven::default();
        let mut documents = self.log.documents().await?;
        let mut groups: BTreeMap<(String, bool), Group> = BTreeMap::new();
        while let Some(failed) = documents.next().await {
            for document in failed? {
                if !self.filter.admits(&document) {
                    continue;
                }
                if document.class == FailureClass::Transform {
                    // What is kept is the document as it was read: the target would get what it was not to get.
                    redriven.failed += 1;
                    *redriven.reasons.entry(document.error_type.clone()).or_default() += 1;
                    continue;
                }
                let key = (document.index.clone(), document.operation == BulkOperation::Create);
                let group = groups.entry(key.clone()).or_default();
                group.add(&document)?;
                if group.is_full() {
                    let group = std::mem::take(group);
                    self.send(&key, group, &mut redriven).await?;
                }
            }
        }
        for (key, group) in groups {
            self.send(&key, group, &mut redriven).await?;
        }
        Ok(redriven)
    }

    async fn send(
        &self,
        (index, creates): &(String, bool),
        group: Group,
        redriven: &mut Redriven,
    ) -> Result<()> {
        if group.keys.is_empty() {
            return Ok(());
        }
        let operation = if *creates { BulkOperation::Create } else { BulkOperation::Index };
        let Group { batch: mut documents, keys } = group;
        let sender = BulkSender {
            cluster: Arc::clone(&self.cluster),
            clock: Arc::clone(&self.clock),
            retry: RetryPolicy::default(),
            index: index.as_str().into(),
            operation,
            allowed: Arc::default(),
            timeout: self.timeout,
            gate: Gate::new(|| Leave::Granted),
            ceiling: Ceiling::default(),
            throttle: None,
            tally: Tally::default(),
            halt: CancellationToken::new(),
        };
        let Sent::Settled(settled) = sender.send(documents.finish(), 0..u32::MAX).await? else {
            return Err(Error::new(ErrorKind::Cancelled, "redriving was interrupted"));
        };
        let mut refused = HashSet::new();
        for again in &settled.failed {
            refused.insert(again.document.number);
            *redriven.reasons.entry(again.error.error_type.clone()).or_default() += 1;
        }
        let taken: Vec<_> = (0_u32..)
            .zip(keys)
            .filter(|(number, _)| !refused.contains(number))
            .map(|(_, key)| key)
            .collect();
        self.log.redriven(&taken).await?;
        redriven.written += taken.len() as u64;
        redriven.failed += settled.failed.len() as u64;
        Ok(())
    }
}
