//! When too many documents failed to go on.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::FailedDocument;
use crate::coordination::{Coordinator, WorkItem};
use crate::{Error, ErrorKind, Result};

/// How many of the reasons are told.
const TOLD_REASONS: usize = 3;

/// Letters of a target's explanation that are told with a reason.
const TOLD_LETTERS: usize = 160;

/// How many documents of one index may fail before the backfill pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
///
/// The working state knows the failures that are in a checkpoint; those of this process that are in none yet are counted
/// here, until their item is let go.
#[derive(Debug)]
pub(crate) struct FailureBudget {
    limit: FailureLimit,
    coordinator: Arc<Coordinator>,
    indices: Mutex<HashMap<String, Spent>>,
    /// Held by the one who asks the working state: the others wait for that answer.
    asking: tokio::sync::Mutex<()>,
}

/// One lease of an item, as far as failures go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LeaseKey {
    index: String,
    shard: u32,
    first: u32,
    lease: u64,
}

impl LeaseKey {
    pub(crate) fn of(item: &WorkItem) -> Self {
        Self {
            index: item.index.clone(),
            shard: item.shard,
            first: item.first,
            lease: item.lease_version,
        }
    }
}

/// The failures of one lease that is being worked on.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    spent: u64,
    /// How many of these may be in a checkpoint, and so among what the working state knows.
    written: u64,
}

/// The failures of one index.
#[derive(Debug, Default)]
struct Spent {
    /// What the working state said when it was asked last; nothing before it is asked.
    asked: Option<Asked>,
    /// At least so many failures are in checkpoints and in no open account.
    settled: u64,
    open: HashMap<LeaseKey, Account>,
    reasons: BTreeMap<String, Reason>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    /// The most that may fail.
    most: u64,
    /// All failures that were known of then.
    total: u64,
}

#[derive(Debug, Default)]
struct Reason {
    documents: u64,
    example: String,
}

impl FailureBudget {
    pub(crate) fn new(limit: FailureLimit, coordinator: Arc<Coordinator>) -> Self {
        Self {
            limit,
            coordinator,
            indices: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// Counts documents that failed under one lease.
    pub(crate) fn spend(&self, lease: &LeaseKey, failed: &[FailedDocument]) {
        let mut indices = self.indices();
        let spent = indices.entry(lease.index.clone()).or_default();
        spent.open.entry(lease.clone()).or_default().spent += failed.len() as u64;
        for document in failed {
            let reason = spent.reasons.entry(document.error_type.clone()).or_default();
            reason.documents += 1;
            if reason.example.is_empty() {
                reason.example = document.reason.chars().take(TOLD_LETTERS).collect();
            }
        }
    }

    /// Says before it happens that the first `failed` failures of a lease are written with a checkpoint.
    pub(crate) fn writing(&self, lease: &LeaseKey, failed: u64) {
        let mut indices = self.indices();
        let account = indices.get_mut(&lease.index).and_then(|spent| spent.open.get_mut(lease));
        if let Some(account) = account {
            account.written = account.written.max(failed);
        }
    }

    /// Says that a lease is over, and that `failed` of its failures are in the last checkpoint. Whatever else failed under it
    /// is sent again by somebody.
    pub(crate) fn close(&self, lease: &LeaseKey, failed: u64) {
        let mut indices = self.indices();
        if let Some(spent) = indices.get_mut(&lease.index)
            && spent.open.remove(lease).is_some()
        {
            spent.settled += failed;
        }
    }

    /// Refuses to go on when too many documents of an index failed. May be repeated.
    ///
    /// # Errors
    /// `State` with the most frequent reasons when there are too many; what the working state fails with.
    pub(crate) async fn require_within(&self, index: &str) -> Result<()> {
        if self.is_to_ask(index) {
            let _asking = self.asking.lock().await;
            // Somebody else may have asked meanwhile.
            if self.is_to_ask(index) {
                self.ask(index).await?;
            }
        }
        match self.indices().get(index) {
            Some(spent) => spent.require_within(index),
            None => Ok(()),
        }
    }

    fn is_to_ask(&self, index: &str) -> bool {
        self.indices().get(index).is_some_and(Spent::is_to_ask)
    }

    async fn ask(&self, index: &str) -> Result<()> {
        let totals = self.coordinator.totals().await?;
        let (documents, known) = totals
            .indices
            .get(index)
            .map_or((0, 0), |index| (index.documents.total, index.books.failed));
        if let Some(spent) = self.indices().get_mut(index) {
            spent.note(self.limit.of(documents), known);
        }
        Ok(())
    }

    fn indices(&self) -> MutexGuard<'_, HashMap<String, Spent>> {
        self.indices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spent {
    /// Everything that is known of: never more than there is.
    fn total(&self) -> u64 {
        self.settled + self.open.values().map(|account| account.spent).sum::<u64>()
    }

    /// Others' failures are asked for when a quarter of what was left then is used up here: seldom while there is room, and
    /// the closer to the limit the sooner.
    fn is_to_ask(&self) -> bool {
        let Some(Asked { most, total }) = self.asked else { return true };
        let now = self.total();
        now <= most && now.saturating_sub(total) > most.saturating_sub(total) / 4
    }

    fn note(&mut self, most: u64, known: u64) {
        let written: u64 = self.open.values().map(|account| account.written).sum();
        self.settled = self.settled.max(known.saturating_sub(written));
        self.asked = Some(Asked { most, total: self.total() });
    }

    fn require_within(&self, index: &str) -> Result<()> {
        let (failed, most) = (self.total(), self.asked.map_or(u64::MAX, |asked| asked.most));
        if failed <= most {
            return Ok(());
        }
        let mut reasons: Vec<_> = self.reasons.iter().collect();
        reasons.sort_by_key(|(_, reason)| std::cmp::Reverse(reason.documents));
        let reasons: Vec<_> = reasons
            .iter()
            .take(TOLD_REASONS)
            .map(|(word, reason)| format!("{} × {word}: {}", reason.documents, reason.example))
            .collect();
        let message = format!(
            "paused: {failed} documents of index `{index}` failed, more than the {most} that may. The most frequent reasons: \
             {}. All of them are kept: `backfill failed summary` shows them. Mend the target and run again to go on, or allow \
             more with a larger `--max-failed`; `backfill failed redrive` sends again what failed",
            reasons.join("; ")
        );
        Err(Error::new(ErrorKind::State, message).with_context("index", index))
    }
}

#[cfg(test)]
#[cfg(feature = "local")]
mod tests;
