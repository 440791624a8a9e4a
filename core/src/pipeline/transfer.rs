//! One work item from its checkpoint to its end: several bulks in flight, checkpoints on the way.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::acknowledgements::{Acknowledgements, Ticket};
use super::bulk_sender::{BulkSender, Settled};
use crate::controller::{Event, EventSender};
use crate::coordination::{Checkpoint, Held, Progress, SegmentProgress};
use crate::settings::BulkSettings;
use crate::snapshot::{
    DocumentStream, DocumentsOptions, ReadPoint, SegmentPoint, Shard, ShardBatch,
};
use crate::{Books, Error, ErrorKind, Result};

/// How many batches ahead the checkpoint says may have been sent: one write of it serves that many.
const SEND_AHEAD_BATCHES: u32 = 16;

/// How a transfer ended, when no error ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransferEnd {
    /// Every document of the item is settled.
    Done,
    /// Asked to stop; what was in flight is settled.
    Paused,
}

/// Moves the documents of one item.
pub(crate) struct Transfer<'a> {
    pub(crate) held: &'a Held,
    pub(crate) sender: BulkSender,
    pub(crate) bulk: &'a BulkSettings,
    /// How long a lease runs from its renewal.
    pub(crate) lease: Duration,
    pub(crate) events: &'a EventSender,
    pub(crate) stop: &'a CancellationToken,
}

/// What changes while a transfer runs.
struct Flight {
    acks: Acknowledgements,
    bulks: JoinSet<(Ticket, Result<Settled>)>,
    /// Documents below this number may have been sent by an earlier holder of the item.
    resent_until: u32,
    /// Documents below this number may be sent before the checkpoint is written again.
    may_send_until: u32,
    /// Source bytes settled when the checkpoint was last written.
    checkpointed_bytes: u64,
}

impl Flight {
    fn progress(&self) -> Progress {
        let settled = self.acks.settled();
        let segment = settled.segment.map(|point| SegmentProgress {
            ordinal: point.ordinal,
            doc: point.doc,
            offset: point.offset,
            crc: point.crc,
        });
        let sent = self.may_send_until.max(settled.next);
        Progress {
            checkpoint: Checkpoint { next: settled.next, sent, segment },
            books: self.acks.books().clone(),
        }
    }
}

impl Transfer<'_> {
    /// Runs to the end of the item, to a pause, or to an error. The progress made is returned either way.
    pub(crate) async fn run(mut self, shard: &Shard) -> (Progress, Result<TransferEnd>) {
        let item = self.held.item();
        let from = read_point(&item.checkpoint);
        let mut flight = Flight {
            acks: Acknowledgements::new(from, item.books.clone()),
            bulks: JoinSet::new(),
            resent_until: item.checkpoint.sent,
            may_send_until: item.checkpoint.sent,
            checkpointed_bytes: item.books.bytes,
        };
        let mut stream = shard.documents(DocumentsOptions {
            from,
            batch_bytes: self.bulk.bytes,
            batch_documents: self.bulk.documents,
            memory_bytes: self.bulk.bytes.saturating_mul(self.bulk.in_flight + 2),
        });
        let mut ended = self.drive(&mut stream, &mut flight).await;
        let drained = self.drain(&mut flight).await;
        if let (Ok(_), Err(error)) = (&ended, drained) {
            ended = Err(error);
        }
        (flight.progress(), ended)
    }

    /// Reads and sends until the item's end or a stop; leaves what is in flight in flight.
    async fn drive(
        &mut self,
        stream: &mut DocumentStream,
        flight: &mut Flight,
    ) -> Result<TransferEnd> {
        let stop = self.stop;
        loop {
            let renewal = self.until_renewal();
            let clock = Arc::clone(&self.sender.clock);
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(TransferEnd::Paused),
                Some(bulk) = flight.bulks.join_next() => self.settle(bulk, flight).await?,
                () = clock.sleep(renewal) => self.checkpoint(flight).await?,
                batch = stream.next(), if flight.bulks.len() < self.bulk.in_flight => match batch {
                    Some(batch) => self.dispatch(batch?, flight).await?,
                    None => return Ok(TransferEnd::Done),
                },
            }
        }
    }

    /// Time until the lease is to be renewed: when two thirds of it are left.
    fn until_renewal(&self) -> Duration {
        let left =
            self.held.deadline().unwrap_or_default().saturating_sub(self.sender.clock.monotonic());
        left.saturating_sub(self.lease * 2 / 3)
    }

    /// Waits for what is in flight. The first error is kept, the rest is waited for all the same.
    async fn drain(&mut self, flight: &mut Flight) -> Result<()> {
        let mut first = Ok(());
        while let Some(bulk) = flight.bulks.join_next().await {
            let settled = self.settle(bulk, flight).await;
            if first.is_ok() {
                first = settled;
            }
        }
        first
    }

    async fn dispatch(&mut self, batch: ShardBatch, flight: &mut Flight) -> Result<()> {
        let ShardBatch { skipped, nested, end, .. } = &batch;
        let aside = Books { skipped: skipped.clone(), nested: *nested, ..Books::default() };
        let ticket = flight.acks.sent(*end);
        if batch.documents.is_empty() {
            flight.acks.acknowledged(ticket, aside);
            return Ok(());
        }
        if end.next > flight.may_send_until {
            let ahead = (end.next - batch.first).saturating_mul(SEND_AHEAD_BATCHES);
            flight.may_send_until = end.next.saturating_add(ahead).min(self.held.item().end);
            self.checkpoint(flight).await?;
        }
        self.await_lease(flight).await?;
        let (sender, resent) = (self.sender.clone(), 0..flight.resent_until);
        flight.bulks.spawn(async move {
            // The whole batch stays alive until it is settled: its share of the memory budget with it.
            let settled = sender.send(batch.documents.clone(), resent).await;
            drop(batch);
            let settled = settled.map(|mut settled| {
                settled.books.add(&aside);
                settled
            });
            (ticket, settled)
        });
        Ok(())
    }

    async fn settle(
        &mut self,
        bulk: std::result::Result<(Ticket, Result<Settled>), tokio::task::JoinError>,
        flight: &mut Flight,
    ) -> Result<()> {
        let (ticket, settled) = bulk.map_err(|error| {
            Error::new(
                ErrorKind::Unexpected,
                format!("sending a bulk stopped unexpectedly: {error}"),
            )
        })?;
        let settled = settled?;
        self.announce(&settled);
        flight.acks.acknowledged(ticket, settled.books);
        let fresh = flight.acks.books().bytes.saturating_sub(flight.checkpointed_bytes);
        if fresh >= self.bulk.checkpoint_bytes { self.checkpoint(flight).await } else { Ok(()) }
    }

    fn announce(&self, settled: &Settled) {
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
                id: document.id.clone(),
                reason: document.error.to_string(),
            });
        }
    }

    async fn checkpoint(&mut self, flight: &mut Flight) -> Result<()> {
        self.held.renew(flight.progress()).await?;
        flight.checkpointed_bytes = flight.acks.books().bytes;
        Ok(())
    }

    /// A bulk that could land after the lease must not be started: renew first.
    async fn await_lease(&mut self, flight: &mut Flight) -> Result<()> {
        if self.held.may_send(self.bulk.timeout) {
            return Ok(());
        }
        self.checkpoint(flight).await?;
        if self.held.may_send(self.bulk.timeout) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Config,
            format!(
                "the lease is too short for a bulk timeout of {:?}: no bulk can be started within it",
                self.bulk.timeout
            ),
        ))
    }
}

fn read_point(checkpoint: &Checkpoint) -> ReadPoint {
    let segment = checkpoint.segment.as_ref().map(|progress| SegmentPoint {
        ordinal: progress.ordinal,
        doc: progress.doc,
        offset: progress.offset,
        crc: progress.crc,
    });
    ReadPoint { next: checkpoint.next, segment }
}

/// The least wait between two looks at a store that has no free item.
pub(crate) const IDLE_WAIT: Duration = Duration::from_millis(200);
