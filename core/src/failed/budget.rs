//! When too many documents failed to go on.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::Mutex;

use super::FailedDocument;
use crate::coordination::Coordinator;
use crate::{Error, ErrorKind, Result};

/// How many of the reasons are told.
const TOLD_REASONS: usize = 3;

/// How many documents of one index may fail before the backfill pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureLimit {
    /// 10 000, or one in a hundred documents of the index, whichever is more.
    Usual,
    /// So many.
    Documents(u64),
}

impl FailureLimit {
    /// The number for an index of `documents` documents.
    ///
    /// ```
    /// use snapfill::failed::FailureLimit;
    ///
    /// assert_eq!(FailureLimit::Usual.of(500), 10_000);
    /// assert_eq!(FailureLimit::Usual.of(3_000_000), 30_000);
    /// assert_eq!(FailureLimit::Documents(0).of(3_000_000), 0);
    /// ```
    pub fn of(self, documents: u64) -> u64 {
        match self {
            Self::Usual => (documents / 100).max(10_000),
            Self::Documents(most) => most,
        }
    }
}

/// Counts failures against the limit, those of other processes included.
#[derive(Debug)]
pub(crate) struct FailureBudget {
    limit: FailureLimit,
    coordinator: Arc<Coordinator>,
    indices: Mutex<HashMap<String, Spent>>,
}

#[derive(Debug, Default)]
struct Spent {
    /// The most that may fail.
    limit: u64,
    /// Failed by all workers when the working state was last asked.
    known: u64,
    /// Failed here since.
    since: u64,
    reasons: BTreeMap<String, u64>,
}

impl FailureBudget {
    pub(crate) fn new(limit: FailureLimit, coordinator: Arc<Coordinator>) -> Self {
        Self { limit, coordinator, indices: Mutex::default() }
    }

    /// Counts failed documents of one index.
    ///
    /// # Errors
    /// `State` with the most frequent reasons when there are too many; what the working state fails with.
    pub(crate) async fn spend(&self, failed: &[FailedDocument]) -> Result<()> {
        let Some(any) = failed.first() else { return Ok(()) };
        let index = any.source_index.as_str();
        let mut indices = self.indices.lock().await;
        if !indices.contains_key(index) {
            indices.insert(index.to_owned(), self.ask(index).await?);
        }
        let Some(spent) = indices.get_mut(index) else { return Ok(()) };
        spent.since += failed.len() as u64;
        for document in failed {
            *spent.reasons.entry(document.error_type.clone()).or_default() += 1;
        }
        // Others' failures are asked for now and then, not with every bulk.
        if spent.since > spent.limit / 10 && spent.known + spent.since <= spent.limit {
            let fresh = self.ask(index).await?;
            // What is not yet in a checkpoint is in no total.
            spent.known = fresh.known.max(spent.known);
            spent.since = failed.len() as u64;
        }
        spent.require_within(index)
    }

    async fn ask(&self, index: &str) -> Result<Spent> {
        let totals = self.coordinator.totals().await?;
        let (documents, known) = totals
            .indices
            .get(index)
            .map_or((0, 0), |index| (index.documents.total, index.books.failed));
        Ok(Spent { limit: self.limit.of(documents), known, ..Spent::default() })
    }
}

impl Spent {
    fn require_within(&self, index: &str) -> Result<()> {
        let failed = self.known + self.since;
        if failed <= self.limit {
            return Ok(());
        }
        let mut reasons: Vec<_> = self.reasons.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let reasons: Vec<_> = reasons
            .iter()
            .take(TOLD_REASONS)
            .map(|(reason, count)| format!("{count} × {reason}"))
            .collect();
        let message = format!(
            "paused: {failed} documents of index `{index}` failed, more than the {} that may ({}). They are kept in the \
             folder `failed` beside the working state; mend the target and run again, or allow more (`max_failed`)",
            self.limit,
            reasons.join(", ")
        );
        Err(Error::new(ErrorKind::State, message).with_context("index", index))
    }
}
