//! Sends one batch until each of its documents is settled: written, or failed for good.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::pressure::{Answer, Cost, Slot, Throttle, Wait};
use crate::cluster::{BulkBody, BulkOperation, BulkOutcome, ClusterClient, ItemError, ItemOutcome};
use crate::controller::Tally;
use crate::retry::{RetryPolicy, wait_after};
use crate::{Books, Clock, Document, DocumentBatch, DocumentRef, Error, ErrorKind, Result};

/// Between two looks at a lease whose renewal is late.
const LEASE_WAIT: Duration = Duration::from_millis(250);

/// Whether a bulk may begin now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// It would end safely within the lease.
    Granted,
    /// Not before the lease is renewed.
    NotYet,
    /// The lease is over.
    Over,
}

/// Asked before each attempt, since a lease that lasted for the first may not last for a later one.
#[derive(Clone)]
pub(crate) struct Gate(Arc<dyn Fn() -> Leave + Send + Sync>);

impl Gate {
    pub(crate) fn new(ask: impl Fn() -> Leave + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gate").field(&(self.0)()).finish()
    }
}

/// What a sender needs that stays the same from batch to batch.
#[derive(Clone, Debug)]
pub(crate) struct BulkSender {
    pub(crate) cluster: Arc<dyn ClusterClient>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) retry: RetryPolicy,
    pub(crate) index: Arc<str>,
    pub(crate) operation: BulkOperation,
    /// Types of exceptions that count as success.
    pub(crate) allowed: Arc<BTreeSet<String>>,
    /// How long one attempt may take.
    pub(crate) timeout: Duration,
    pub(crate) gate: Gate,
    /// Once cancelled, no attempt begins any more.
    pub(crate) halt: CancellationToken,
    pub(crate) ceiling: Ceiling,
    /// How fast, and whether at all. None sends as it comes.
    pub(crate) throttle: Option<Throttle>,
    pub(crate) tally: Tally,
}

/// What the target has shown to be too long for it, remembered from batch to batch and shared by clones: longer ones are
/// split before they are sent.
#[derive(Clone, Debug)]
pub(crate) struct Ceiling(Arc<AtomicUsize>);

impl Default for Ceiling {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(usize::MAX)))
    }
}

impl Ceiling {
    fn lower(&self, refused: &DocumentBatch) {
        self.0.fetch_min(refused.bytes(), Ordering::Relaxed);
    }

    /// Whether there is no need to try. A single document is always tried: the limit may have been raised.
    fn forbids(&self, batch: &DocumentBatch) -> bool {
        batch.len() > 1 && batch.bytes() >= self.0.load(Ordering::Relaxed)
    }
}

/// A document that the target refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The index that was to receive it.
    pub(crate) index: Arc<str>,
    pub(crate) document: Document,
    pub(crate) error: ItemError,
}

/// What became of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) books: Books,
    pub(crate) failed: Vec<Refused>,
}

/// How sending a batch ended, when no error ended it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Every document has its outcome.
    Settled(Settled),
    /// Asked to halt before; documents may or may not have been written.
    Halted,
    /// The lease was over before; documents may or may not have been written.
    LeaseOver,
}

impl Settled {
    fn fail(&mut self, index: &Arc<str>, document: DocumentRef<'_>, error: ItemError) {
        self.books.failed += 1;
        self.failed.push(Refused { index: Arc::clone(index), document: document.into(), error });
    }
}

/// What waiting for an attempt ended with.
enum Turn {
    /// It may begin.
    Go {
        /// Its place, to be given back with the answer.
        slot: Option<Slot>,
        /// Sending was paused meanwhile.
        paused: bool,
    },
    /// None may any more.
    End(PartEnd),
}

/// How sending a part of a batch ended.
enum PartEnd {
    Settled,
    Halted,
    LeaseOver,
    /// The target takes no request as long as this one.
    TooLarge(DocumentBatch, Box<ItemError>),
}

impl BulkSender {
    /// Sends `batch`. A document numbered within `resent` may have been written before: replacing it, or finding it there, is
    /// no finding.
    ///
    /// # Errors
    /// What the cluster fails with for good, or what it still fails with when the tries are used up.
    pub(crate) async fn send(&self, batch: DocumentBatch, resent: Range<u32>) -> Result<Sent> {
        let mut settled = Settled::default();
        let mut resent = resent;
        // The next one last.
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            if self.ceiling.forbids(&part) {
                parts.extend(halves(&part));
                continue;
            }
            match self.send_part(part, &mut resent, &mut settled).await? {
                PartEnd::Settled => {}
                PartEnd::Halted => return Ok(Sent::Halted),
                PartEnd::LeaseOver => return Ok(Sent::LeaseOver),
                PartEnd::TooLarge(part, error) => {
                    self.ceiling.lower(&part);
                    match part.iter().next() {
                        Some(document) if part.len() == 1 => {
                            settled.fail(&self.index, document, *error)
                        }
                        _ => parts.extend(halves(&part)),
                    }
                }
            }
        }
        Ok(Sent::Settled(settled))
    }

    /// Sends one request, and what is refused of it again, until all of it is settled.
    async fn send_part(
        &self,
        part: DocumentBatch,
        resent: &mut Range<u32>,
        settled: &mut Settled,
    ) -> Result<PartEnd> {
        let mut pending = part;
        let mut delays = self.retry.delays();
        let mut again = false;
        while !pending.is_empty() {
            let slot = match self.wait_for_turn(&pending).await {
                Turn::End(end) => return Ok(end),
                Turn::Go { slot, paused } => {
                    if paused {
                        // What failed before was the target's state, which has changed.
                        delays = self.retry.delays();
                    }
                    slot
                }
            };
            self.tally.bulk(std::mem::replace(&mut again, true));
            let answer = self.attempt(&pending).await;
            self.note_answer(slot, &answer);
            let trouble = match answer {
                Ok(outcome) => {
                    if let Some(ItemOutcome::TooLarge(error)) = outcome.items.first() {
                        return Ok(PartEnd::TooLarge(pending, error.clone()));
                    }
                    let refused = self.book(&pending, outcome, resent, settled);
                    if refused.is_empty() {
                        break;
                    }
                    if refused.len() < pending.len() {
                        // Slow, but it moves.
                        delays = self.retry.delays();
                    }
                    let error = still_refused(&self.index, &refused);
                    if refused.len() < pending.len() {
                        pending = (0..)
                            .zip(pending.iter())
                            .filter(|(place, _)| refused.contains_key(place))
                            .map(|(_, document)| document)
                            .collect();
                    }
                    error
                }
                Err(error) if error.is_retryable() => {
                    // Any of them may have been written all the same: what is replaced now is our own.
                    *resent = 0..u32::MAX;
                    error
                }
                Err(error) => return Err(error),
            };
            let Some(delay) = delays.next() else { return Err(trouble) };
            let delay = wait_after(&trouble, delay);
            tracing::debug!(index = %self.index, documents = pending.len(), ?delay, error = %trouble, "sending again");
            tokio::select! {
                biased;
                () = self.halt.cancelled() => return Ok(PartEnd::Halted),
                () = self.clock.sleep(delay) => {}
            }
        }
        Ok(PartEnd::Settled)
    }

    /// Waits until an attempt may begin: the lease lasts, the target is not paused, a place is free, the ceilings allow it.
    async fn wait_for_turn(&self, pending: &DocumentBatch) -> Turn {
        let cost = Cost { documents: pending.len(), bytes: pending.bytes() };
        let mut paused = false;
        loop {
            if self.halt.is_cancelled() {
                return Turn::End(PartEnd::Halted);
            }
            let changes = self.throttle.as_ref().map(Throttle::changes);
            let wait = match (self.gate.0)() {
                Leave::Over => return Turn::End(PartEnd::LeaseOver),
                Leave::NotYet => LEASE_WAIT,
                Leave::Granted => match &self.throttle {
                    None => return Turn::Go { slot: None, paused },
                    Some(throttle) => match throttle.begin(&self.index, cost) {
                        Ok(slot) => return Turn::Go { slot: Some(slot), paused },
                        Err(wait) => {
                            paused |= wait == Wait::Pause;
                            wait.at_most()
                        }
                    },
                },
            };
            let change = async {
                match changes {
                    // An error means that the pressure is gone, and this sender with it.
                    Some(mut changes) => drop(changes.changed().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.halt.cancelled() => {}
                () = change => {}
                () = self.clock.sleep(wait) => {}
            }
        }
    }

    /// Says what an answer means for the pace.
    fn note_answer(&self, slot: Option<Slot>, answer: &Result<BulkOutcome>) {
        let (Some(slot), Some(throttle)) = (slot, &self.throttle) else { return };
        let verdict = verdict(answer);
        if let Some(index) = verdict.blocked.then_some(&self.index) {
            throttle.blocked(index);
        } else if verdict.in_doubt {
            throttle.doubt();
        }
        slot.end(verdict.answer);
    }

    /// Sends what is pending once, and waits no longer than the timeout for the answer.
    async fn attempt(&self, pending: &DocumentBatch) -> Result<BulkOutcome> {
        let body = BulkBody {
            index: Arc::clone(&self.index),
            operation: self.operation,
            documents: pending.clone(),
        };
        let outcome = tokio::select! {
            biased;
            answer = self.cluster.bulk(&body) => answer?,
            () = self.clock.sleep(self.timeout) => return Err(self.no_answer()),
        };
        if outcome.items.len() == pending.len() {
            return Ok(outcome);
        }
        let message = format!(
            "the target answered {} items to {} documents",
            outcome.items.len(),
            pending.len()
        );
        Err(Error::new(ErrorKind::Unexpected, message).with_context("index", &self.index))
    }

    fn no_answer(&self) -> Error {
        let message = format!("the target did not answer a bulk within {:?}", self.timeout);
        Error::new(ErrorKind::Unavailable, message).with_context("index", &self.index)
    }

    /// Books what is settled; returns what is to be sent again, by its place: several may have one number.
    fn book(
        &self,
        pending: &DocumentBatch,
        outcome: BulkOutcome,
        resent: &Range<u32>,
        settled: &mut Settled,
    ) -> HashMap<usize, Box<ItemError>> {
        let creates = self.operation == BulkOperation::Create;
        let mut refused = HashMap::new();
        for (place, (document, item)) in pending.iter().zip(outcome.items).enumerate() {
            let is_resent = resent.contains(&document.number);
            match item {
                ItemOutcome::Retry(error) => {
                    refused.insert(place, error);
                    continue;
                }
                ItemOutcome::Failed(error) if self.allowed.contains(&error.error_type) => {
                    settled.books.present += 1;
                }
                ItemOutcome::Failed(error) | ItemOutcome::TooLarge(error) => {
                    settled.fail(&self.index, document, *error);
                    continue;
                }
                ItemOutcome::Created => {}
                ItemOutcome::Updated if is_resent => {}
                ItemOutcome::Updated => settled.books.overwritten += 1,
                // It is there because we sent it before.
                ItemOutcome::Present if is_resent && creates => {}
                ItemOutcome::Present => settled.books.present += 1,
            }
            settled.books.written += 1;
            settled.books.bytes += document.source.len() as u64;
        }
        refused
    }
}

/// What an answer says about the target.
struct Verdict {
    answer: Answer,
    /// Not for want of room: a look at the target's health may tell more.
    in_doubt: bool,
    /// The flood-stage watermark blocks the index.
    blocked: bool,
}

fn verdict(answer: &Result<BulkOutcome>) -> Verdict {
    let calm = |answer| Verdict { answer, in_doubt: false, blocked: false };
    let outcome = match answer {
        Ok(outcome) => outcome,
        Err(error) if error.is_retryable() => {
            let in_doubt = error.kind() != ErrorKind::RateLimited;
            let blocked = is_disk_block(error.message());
            return Verdict { answer: Answer::Rejected, in_doubt, blocked };
        }
        Err(_) => return calm(Answer::Other),
    };
    if matches!(outcome.items.first(), Some(ItemOutcome::TooLarge(_))) {
        return calm(Answer::Other);
    }
    let mut verdict = calm(Answer::Accepted);
    for item in &outcome.items {
        // Two writers of one document are no sign of load.
        if let ItemOutcome::Retry(error) = item
            && error.status != 409
        {
            verdict.answer = Answer::Rejected;
            verdict.in_doubt |= error.status != 429;
            verdict.blocked |=
                error.error_type == "cluster_block_exception" && is_disk_block(&error.reason);
        }
    }
    verdict
}

/// `index read-only / allow delete (api)`, `index has read-only-allow-delete block`: set by the flood-stage watermark, and
/// lifted when there is room again.
fn is_disk_block(reason: &str) -> bool {
    reason.contains("read-only-allow-delete") || reason.contains("read-only / allow delete")
}

/// Two halves by count, the second first, as a stack wants them. They share the batch's buffer.
fn halves(batch: &DocumentBatch) -> [DocumentBatch; 2] {
    let (first, second) = batch.split_at(batch.len() / 2);
    [second, first]
}

fn still_refused(index: &str, refused: &HashMap<usize, Box<ItemError>>) -> Error {
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

#[cfg(test)]
#[cfg(feature = "local")]
mod tests;
