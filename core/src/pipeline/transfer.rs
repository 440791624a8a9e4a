//! One work item from its checkpoint to its end: several bulks in flight, checkpoints on the way.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::acknowledgements::{Acknowledgements, Ticket};
use super::bulk_sender::{BulkSender, Gate, Leave, Sent, Settled};
use super::failure::TransferError;
use super::keeper::Keeper;
use super::meter::{Done, Meter};
use super::pressure::Throttle;
use super::quota::Quota;
use super::source::ShardSource;
use super::transforming::{Made, Transforming};
use crate::controller::{Event, EventSender};
use crate::coordination::{
    Checkpoint, Held, LeaseRules, Progress, Rate, SegmentProgress, WorkItem,
};
use crate::preparation::Route;
use crate::settings::BulkSettings;
use crate::snapshot::{DocumentStream, DocumentsOptions, ReadPoint, SegmentPoint, ShardBatch};
use crate::{Clock, DocumentBatch, Error, ErrorKind, Result, Transform};

/// How many batches ahead the checkpoint says may have been sent: one write of it serves that many.
const SEND_AHEAD_BATCHES: u32 = 16;

/// How many batches may be acknowledged or out behind the oldest that is out, for each that may be in flight: what a
/// crash has sent twice.
const WINDOW: usize = 8;

/// How often a checkpoint is written in the time of a lease, where there is progress: what a crash has sent twice.
const CHECKPOINTS_PER_LEASE: u32 = 12;
/// Between two looks whether the run is being stopped, at least.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Between two renewals at least, however short the lease.
const LEAST_RENEWAL_WAIT: Duration = Duration::from_millis(50);

type Outcome<T> = Result<T, TransferError>;

/// How a transfer ended, when no error ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransferEnd {
    /// Every document of the item is settled.
    Done {
        /// Documents of the item that are not deleted, nested children among them.
        undeleted: u64,
    },
    /// Asked to stop. What was in flight was waited for, once.
    Paused,
}

/// Moves the documents of one item.
pub(crate) struct Transfer<'a> {
    pub(crate) held: &'a Held,
    pub(crate) sender: BulkSender,
    /// Where the documents go.
    pub(crate) route: &'a Route,
    /// What changes them on their way.
    pub(crate) transform: Option<&'a Arc<dyn Transform>>,
    /// Documents of the shard at most.
    pub(crate) limit: Option<u64>,
    pub(crate) bulk: &'a BulkSettings,
    pub(crate) rules: &'a LeaseRules,
    pub(crate) events: &'a EventSender,
    pub(crate) stop: &'a CancellationToken,
    pub(crate) keeper: Keeper,
    /// How fast the worker is.
    pub(crate) meter: &'a Mutex<Meter>,
}

/// What changes while a transfer runs.
struct Flight {
    acks: Acknowledgements,
    quota: Quota,
    bulks: JoinSet<(Ticket, Outcome<Sent>)>,
    /// Documents below this number may have been sent by an earlier holder of the item.
    resent_until: u32,
    /// Documents below this number may be sent before the checkpoint is written again.
    may_send_until: u32,
    /// Source bytes settled when the checkpoint was last written.
    checkpointed_bytes: u64,
    /// When that was, on the monotonic clock.
    checkpointed_at: Duration,
    /// Where the checkpoint stood when the item was leased, until it is written further on.
    standing_at: Option<u32>,
    /// What was done of the item when the worker's meter was last told.
    metered: Done,
    /// Some batch was let go unsettled, because of a stop.
    halted: bool,
    /// When it was last looked whether the run is being stopped.
    looked_at: Option<Duration>,
}

impl Flight {
    /// Whether the item came forward and nobody knows yet. The first progress is written at once: workers that all die
    /// young would else be counted against the item for ever.
    fn comes_forward(&self) -> bool {
        self.standing_at.is_some_and(|next| self.acks.settled().next > next)
    }

    fn progress(&self) -> Progress {
        let settled = self.acks.settled();
        let segment = settled.segment.map(|point| SegmentProgress {
            ordinal: point.ordinal,
            doc: point.doc,
            offset: point.offset,
            crc: point.crc,
            crc_from: point.crc_from,
        });
        let sent = self.may_send_until.max(settled.next);
        Progress {
            checkpoint: Checkpoint { next: settled.next, sent, segment, head: settled.head },
            books: self.acks.books().clone(),
            rate: Rate::default(),
        }
    }
}

/// Asks the lease whether a bulk that takes up to `timeout` may begin.
pub(crate) fn gate_of(held: &Arc<Held>, clock: &Arc<dyn Clock>, timeout: Duration) -> Gate {
    let (held, clock) = (Arc::clone(held), Arc::clone(clock));
    Gate::new(move || match held.deadline() {
        Some(_) if held.may_send(timeout) => Leave::Granted,
        Some(deadline) if clock.monotonic() < deadline => Leave::NotYet,
        _ => Leave::Over,
    })
}

impl Transfer<'_> {
    /// Runs to the end of the item, to a pause, or to an error. The progress made is returned either way.
    pub(crate) async fn run(
        mut self,
        shard: &impl ShardSource,
    ) -> (Progress, Outcome<TransferEnd>) {
        let item = self.held.item();
        if let Err(error) = self.rules.require_room_for(self.bulk.timeout) {
            return (Progress::of(&item), Err(TransferError::Coordination(error)));
        }
        if let Err(error) = self.keeper.begin(&self.sender).await {
            return (Progress::of(&item), Err(error));
        }
        let from = read_point(&item.checkpoint);
        let mut flight = Flight {
            acks: Acknowledgements::new(from, item.books.clone()),
            quota: Quota::resume(self.limit, &item.books),
            bulks: JoinSet::new(),
            resent_until: item.checkpoint.sent,
            may_send_until: item.checkpoint.sent,
            checkpointed_bytes: item.books.bytes,
            checkpointed_at: self.sender.clock.monotonic(),
            standing_at: Some(item.checkpoint.next),
            metered: done_of(&item, &Progress::of(&item)),
            halted: false,
            looked_at: None,
        };
        let (batch_bytes, batch_documents) = self.batch_size();
        let batch_memory = DocumentBatch::most_memory(self.bulk.bytes, self.bulk.documents);
        let stream = shard.documents(DocumentsOptions {
            range: Some(item.first..item.end),
            from,
            batch_bytes,
            batch_documents,
            // The next one, which is made meanwhile, comes on top.
            memory_bytes: batch_memory.saturating_mul(self.bulk.in_flight.max(1)),
        });
        let driven = self.drive(shard, stream, &mut flight).await;
        if driven.is_err() {
            // What is out is waited for; nothing is sent again for an item that is about to be let go.
            self.sender.halt.cancel();
        }
        let drained = self.drain(&mut flight).await;
        let ended = match (driven, drained) {
            (Err(error), _) | (Ok(_), Err(error)) => Err(error),
            (Ok(_), Ok(())) if flight.halted => Ok(TransferEnd::Paused),
            (Ok(end), Ok(())) => Ok(end),
        };
        (flight.progress(), ended)
    }

    /// Bytes and documents of a batch: under a ceiling no more than go in a second, so that they go evenly.
    fn batch_size(&self) -> (usize, usize) {
        let limits = self.sender.throttle.as_ref().map(Throttle::limits).unwrap_or_default();
        let least = |usual: usize, rate: Option<std::num::NonZeroU64>| {
            let rate = rate.and_then(|rate| usize::try_from(rate.get()).ok());
            rate.map_or(usual, |rate| rate.min(usual))
        };
        (
            least(self.bulk.bytes, limits.bytes_per_second),
            least(self.bulk.documents, limits.documents_per_second),
        )
    }

    /// Reads and sends until the item's end or a stop; leaves what is in flight in flight.
    async fn drive(
        &mut self,
        shard: &impl ShardSource,
        mut stream: DocumentStream,
        flight: &mut Flight,
    ) -> Outcome<TransferEnd> {
        let stop = self.stop;
        let in_flight = self.bulk.in_flight.max(1);
        loop {
            if flight.quota.is_used_up() {
                return self.leave_rest(shard, flight).await;
            }
            // Asked here and not by a branch below: branches that are always ready must not keep it waiting.
            if self.until_renewal().is_zero() {
                self.checkpoint(flight).await?;
            }
            let renewal = self.until_renewal().max(LEAST_RENEWAL_WAIT);
            let clock = Arc::clone(&self.sender.clock);
            let places = self.sender.throttle.as_ref().map_or(in_flight, Throttle::limit);
            let has_room = flight.bulks.len() < places.min(in_flight)
                && flight.acks.outstanding() < in_flight.saturating_mul(WINDOW);
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(TransferEnd::Paused),
                Some(bulk) = flight.bulks.join_next() => {
                    self.settle(bulk, flight)?;
                    if self.is_checkpoint_due(flight) {
                        self.checkpoint(flight).await?;
                    }
                }
                batch = stream.next(), if has_room => match batch {
                    Some(Ok(batch)) => self.dispatch(batch, flight).await?,
                    Some(Err(error)) => return Err(TransferError::Source(error)),
                    None => return Ok(TransferEnd::Done { undeleted: stream.undeleted() }),
                },
                () = clock.sleep(renewal) => {}
            }
        }
    }

    fn is_checkpoint_due(&self, flight: &Flight) -> bool {
        let fresh = flight.acks.books().bytes.saturating_sub(flight.checkpointed_bytes);
        let age = self.sender.clock.monotonic().saturating_sub(flight.checkpointed_at);
        fresh >= self.bulk.checkpoint_bytes
            || flight.comes_forward()
            || fresh > 0 && age >= self.rules.length / CHECKPOINTS_PER_LEASE
    }

    /// Time until the lease is to be renewed: when two thirds of it are left, or sooner if a bulk could not begin then.
    fn until_renewal(&self) -> Duration {
        let now = self.sender.clock.monotonic();
        let left = self.held.deadline().unwrap_or_default().saturating_sub(now);
        let sendable = self.bulk.timeout.saturating_add(self.rules.margin);
        left.saturating_sub((self.rules.length * 2 / 3).max(sendable))
    }

    /// Waits for what is in flight, and holds the lease meanwhile. The first error is kept, the rest is waited for all the
    /// same.
    async fn drain(&mut self, flight: &mut Flight) -> Outcome<()> {
        let mut first = Ok(());
        while !flight.bulks.is_empty() {
            if first.is_ok() && self.until_renewal().is_zero() {
                first = self.checkpoint(flight).await;
            }
            let renewal = self.until_renewal().max(LEAST_RENEWAL_WAIT);
            let clock = Arc::clone(&self.sender.clock);
            tokio::select! {
                biased;
                Some(bulk) = flight.bulks.join_next() => {
                    let settled = self.settle(bulk, flight);
                    first = first.and(settled);
                }
                // Without the lease nothing begins any more, and what is out ends by its timeout.
                () = clock.sleep(renewal), if first.is_ok() => {}
            }
            if first.is_err() {
                self.sender.halt.cancel();
            }
        }
        first
    }

    /// Ends the item without reading the documents after the limit.
    async fn leave_rest(
        &self,
        shard: &impl ShardSource,
        flight: &mut Flight,
    ) -> Outcome<TransferEnd> {
        let undeleted = shard.undeleted().await.map_err(TransferError::Source)?;
        let books = flight.quota.rest(undeleted);
        let end = ReadPoint { next: self.held.item().end, ..ReadPoint::default() };
        let ticket = flight.acks.sent(end);
        self.announce(&Settled { books: books.clone(), ..Settled::default() });
        flight.acks.acknowledged(ticket, books);
        Ok(TransferEnd::Done { undeleted })
    }

    async fn dispatch(&mut self, mut batch: ShardBatch, flight: &mut Flight) -> Outcome<()> {
        let (end, mut aside) = (batch.end, batch.aside());
        flight.quota.take(&mut batch.documents, &mut aside);
        let ticket = flight.acks.sent(end);
        if batch.documents.is_empty() {
            self.announce(&Settled { books: aside.clone(), ..Settled::default() });
            flight.acks.acknowledged(ticket, aside);
            return Ok(());
        }
        if end.next > flight.may_send_until {
            let ahead = (end.next - batch.first).saturating_mul(SEND_AHEAD_BATCHES);
            flight.may_send_until = end.next.saturating_add(ahead).min(self.held.item().end);
            self.checkpoint(flight).await?;
        }
        let (sender, keeper, route) =
            (self.sender.clone(), self.keeper.clone(), self.route.clone());
        let transforming = self.transforming();
        let resent = 0..flight.resent_until;
        flight.bulks.spawn(async move {
            let mut batch = batch;
            // The documents go, so that those which are settled can be let go of; the share of the memory budget stays.
            let documents = std::mem::take(&mut batch.documents);
            let mut sent = match made(&sender, transforming, documents).await {
                Ok(Some(made)) => send_made(&sender, &route, made, resent).await,
                Ok(None) => Ok(Sent::Halted),
                Err(error) => Err(TransferError::Transform(error)),
            };
            drop(batch);
            if let Ok(Sent::Settled(settled)) = &mut sent {
                settled.books.add(&aside);
                if let Err(error) = keeper.keep(&sender, &settled.failed).await {
                    sent = Err(error);
                }
            }
            (ticket, sent)
        });
        Ok(())
    }

    fn transforming(&self) -> Option<Transforming> {
        let item = &self.keeper.item;
        self.transform.map(|transform| Transforming {
            transform: Arc::clone(transform),
            index: item.index.as_str().into(),
            shard: item.shard,
            route: self.route.clone(),
            batch_size: self.batch_size(),
        })
    }

    fn settle(
        &self,
        bulk: Result<(Ticket, Outcome<Sent>), JoinError>,
        flight: &mut Flight,
    ) -> Outcome<()> {
        let (ticket, sent) = bulk.map_err(|error| {
            let message = format!("sending a bulk stopped unexpectedly: {error}");
            TransferError::Target(Error::new(ErrorKind::Unexpected, message))
        })?;
        match sent? {
            Sent::Settled(settled) => {
                self.announce(&settled);
                flight.acks.acknowledged(ticket, settled.books);
            }
            Sent::Halted => flight.halted = true,
            Sent::LeaseOver => {
                let message = "the lease ran out before it could be renewed";
                let error = Error::new(ErrorKind::LeaseLost, message);
                return Err(TransferError::Coordination(error));
            }
        }
        Ok(())
    }

    fn announce(&self, settled: &Settled) {
        if settled.books.accounted() == 0 {
            return;
        }
        let item = self.held.item();
        self.events.send(Event::Progress {
            index: item.index.clone(),
            shard: item.shard,
            documents: settled.books.accounted(),
            bytes: settled.books.bytes,
        });
        for document in &settled.failed {
            self.events.send(Event::DocumentFailed {
                index: item.index.clone(),
                shard: item.shard,
                id: document.document.id.clone(),
                reason: document.error.to_string(),
            });
        }
    }

    /// How far it is, and how fast the worker is.
    fn measured(&self, flight: &mut Flight) -> Progress {
        let (progress, now) = (flight.progress(), self.sender.clock.monotonic());
        let done = done_of(&self.held.item(), &progress);
        let rejected = self.sender.throttle.as_ref().map_or(0, Throttle::take_rejected);
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        let more = done.since(std::mem::replace(&mut flight.metered, done));
        meter.note(now, Done { rejected, ..more });
        Progress { rate: meter.rate(now), ..progress }
    }

    /// Writes how far it is and has the lease run anew; again while the working state is away. Bulks in flight go on
    /// meanwhile, as far as the lease allows.
    async fn checkpoint(&self, flight: &mut Flight) -> Outcome<()> {
        let progress = self.measured(flight);
        self.keeper.writing(&progress);
        let renew = || self.held.renew(progress.clone());
        let renewed = self.sender.retry.run_unless(self.stop, &*self.sender.clock, renew).await;
        renewed.map_err(TransferError::Coordination)?;
        flight.checkpointed_bytes = progress.books.bytes;
        flight.checkpointed_at = self.sender.clock.monotonic();
        flight.standing_at = flight.standing_at.filter(|next| progress.checkpoint.next <= *next);
        self.look_for_stop(flight).await;
        Ok(())
    }

    /// Has the worker stop when somebody, maybe in another process, asked for the end of the run.
    async fn look_for_stop(&self, flight: &mut Flight) {
        let now = self.sender.clock.monotonic();
        if flight.looked_at.is_some_and(|then| now.saturating_sub(then) < LOOK_EVERY) {
            return;
        }
        flight.looked_at = Some(now);
        // A store that is away is seen by the next checkpoint.
        if self.held.is_stopping().await.unwrap_or(false) {
            self.stop.cancel();
        }
    }
}

/// What of an item is done by some progress of it.
fn done_of(item: &WorkItem, progress: &Progress) -> Done {
    let reached = WorkItem { checkpoint: progress.checkpoint.clone(), ..item.clone() };
    Done {
        documents: progress.books.accounted(),
        bytes: progress.books.bytes,
        stored: reached.bytes_done(),
        rejected: 0,
    }
}

/// What is to be sent of a batch, transformed once: what is sent again is not transformed again. None when asked to halt before
/// the transform was done.
async fn made(
    sender: &BulkSender,
    transforming: Option<Transforming>,
    documents: DocumentBatch,
) -> Result<Option<Made>> {
    let Some(transforming) = transforming else { return Ok(Some(Made::untouched(documents))) };
    tokio::select! {
        biased;
        () = sender.halt.cancelled() => Ok(None),
        made = transforming.apply(documents) => made.map(Some),
    }
}

/// Sends what was made of a batch, each part to its index, one after another: the batch is settled when all of them are.
async fn send_made(
    sender: &BulkSender,
    route: &Route,
    made: Made,
    resent: Range<u32>,
) -> Outcome<Sent> {
    let mut all = made.settled;
    let parts = made.batches.into_iter().flat_map(|documents| route.partition(documents));
    for (index, documents) in parts {
        let sender = BulkSender { index, ..sender.clone() };
        match sender.send(documents, resent.clone()).await.map_err(TransferError::Target)? {
            Sent::Settled(part) => {
                all.books.add(&part.books);
                all.failed.extend(part.failed);
            }
            end => return Ok(end),
        }
    }
    Ok(Sent::Settled(all))
}

fn read_point(checkpoint: &Checkpoint) -> ReadPoint {
    let segment = checkpoint.segment.as_ref().map(|progress| SegmentPoint {
        ordinal: progress.ordinal,
        doc: progress.doc,
        offset: progress.offset,
        crc: progress.crc,
        crc_from: progress.crc_from,
    });
    ReadPoint { next: checkpoint.next, segment, head: checkpoint.head }
}
