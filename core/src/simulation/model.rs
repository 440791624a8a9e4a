//! A worker reduced to its habits about leases, which can be spoiled one by one: a simulation that does not notice proves
//! nothing. Coordinator, lease, sender and acknowledgements are the real ones.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::source::SimulatedSnapshot;
use crate::cluster::{BulkOperation, ClusterClient, Distribution};
use crate::controller::Tally;
use crate::coordination::{Checkpoint, Coordinator, FailureCause, Held, Progress, Standing};
use crate::pipeline::{
    Acknowledgements, BulkSender, Ceiling, Gate, Leave, Sent, ShardSource, Source, Ticket,
    WorkerEnd, gate_of,
};
use crate::preparation::Selector;
use crate::retry::RetryPolicy;
use crate::settings::BulkSettings;
use crate::snapshot::{DocumentStream, DocumentsOptions, ReadPoint, ShardBatch};
use crate::{Books, Clock, Error, ErrorKind, Result};

/// What a worker does about its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Habits {
    /// It renews every third of the lease.
    pub(super) renews: bool,
    /// It asks before each bulk whether that could outlive the lease.
    pub(super) asks_gate: bool,
    /// Its checkpoint waits for the oldest bulk that is out, whichever has finished.
    pub(super) waits_for_oldest: bool,
}

impl Habits {
    pub(super) const GOOD: Self = Self { renews: true, asks_gate: true, waits_for_oldest: true };
}

pub(super) struct ModelWorker {
    pub(super) name: String,
    pub(super) coordinator: Arc<Coordinator>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) cluster: Arc<dyn ClusterClient>,
    pub(super) snapshot: SimulatedSnapshot,
    pub(super) bulk: BulkSettings,
    pub(super) habits: Habits,
    pub(super) stop: CancellationToken,
}

/// How an item ended here.
enum End {
    Done(u64),
    Paused,
    Failed(FailureCause, Error),
    LeaseOver,
}

/// What is out, and how far it is.
struct Flight {
    acks: Acknowledgements,
    bulks: JoinSet<(Ticket, u32, Result<Sent>)>,
    /// The end of the last bulk that finished, and the books of all that did.
    finished: (u32, Books),
    sent: u32,
}

impl ModelWorker {
    pub(super) async fn run(self) -> Result<WorkerEnd> {
        loop {
            if self.stop.is_cancelled() {
                return Ok(WorkerEnd::Stopped);
            }
            match self.coordinator.acquire(&self.name).await {
                Ok(Some(held)) => self.work(Arc::new(held)).await?,
                Ok(None) => match self.coordinator.standing().await {
                    Ok(Standing::Finished) => return Ok(WorkerEnd::NothingLeft),
                    Ok(Standing::Absent | Standing::Stopping) => return Ok(WorkerEnd::Stopped),
                    _ => self.clock.sleep(Duration::from_secs(1)).await,
                },
                Err(_) => self.clock.sleep(Duration::from_secs(1)).await,
            }
        }
    }

    async fn work(&self, held: Arc<Held>) -> Result<()> {
        let item = held.item();
        let mut flight = Flight {
            acks: Acknowledgements::new(
                ReadPoint { next: item.checkpoint.next, ..ReadPoint::default() },
                item.books.clone(),
            ),
            bulks: JoinSet::new(),
            finished: (item.checkpoint.next, item.books.clone()),
            sent: item.end,
        };
        let known = Mutex::new(HashMap::new());
        let (shard, _) = self
            .snapshot
            .open(&item, &Selector::default(), Distribution::OpenSearch, &known)
            .await?;
        let stream = shard.documents(DocumentsOptions {
            from: flight.acks.settled(),
            batch_documents: self.bulk.documents,
            ..DocumentsOptions::default()
        });
        // Whoever comes after is to know what may have been sent.
        let end = match held.renew(self.progress(&flight)).await {
            Ok(()) => self.transfer(&held, stream, item.checkpoint.sent, &mut flight).await,
            Err(error) => End::Failed(FailureCause::Outside, error),
        };
        self.drain(&mut flight).await;
        self.close(&held, end, self.progress(&flight)).await
    }

    fn progress(&self, flight: &Flight) -> Progress {
        let (next, books) = if self.habits.waits_for_oldest {
            (flight.acks.settled().next, flight.acks.books().clone())
        } else {
            flight.finished.clone()
        };
        let checkpoint = Checkpoint { next, sent: flight.sent, ..Checkpoint::default() };
        Progress { checkpoint, books, ..Progress::default() }
    }

    async fn transfer(
        &self,
        held: &Arc<Held>,
        mut stream: DocumentStream,
        resent: u32,
        flight: &mut Flight,
    ) -> End {
        let mut is_read = false;
        loop {
            if is_read && flight.bulks.is_empty() {
                return End::Done(stream.undeleted());
            }
            let has_room = !is_read && flight.bulks.len() < self.bulk.in_flight;
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return End::Paused,
                Some(joined) = flight.bulks.join_next() => {
                    if let Some(end) = settle(joined.expect("no panic"), flight) {
                        return end;
                    }
                }
                batch = stream.next(), if has_room => match batch {
                    Some(Ok(batch)) => self.send(held, batch, resent, flight),
                    Some(Err(error)) => {
                        let is_corrupt = error.kind() == ErrorKind::Corrupt;
                        let cause = if is_corrupt { FailureCause::Item } else { FailureCause::Outside };
                        return End::Failed(cause, error);
                    }
                    None => is_read = true,
                },
                () = self.clock.sleep(self.until_renewal(held)), if self.habits.renews => {
                    match held.renew(self.progress(flight)).await {
                        Ok(()) => {}
                        Err(error) if error.kind() == ErrorKind::LeaseLost => return End::LeaseOver,
                        Err(_) => self.clock.sleep(Duration::from_millis(200)).await,
                    }
                }
            }
        }
    }

    fn until_renewal(&self, held: &Held) -> Duration {
        let rules = self.coordinator.rules();
        let left = held.deadline().unwrap_or_default().saturating_sub(self.clock.monotonic());
        let wanted = (rules.length * 2 / 3).max(self.bulk.timeout + rules.margin);
        left.saturating_sub(wanted).max(Duration::from_millis(50))
    }

    fn send(&self, held: &Arc<Held>, batch: ShardBatch, resent: u32, flight: &mut Flight) {
        let ticket = flight.acks.sent(batch.end);
        let gate = if self.habits.asks_gate {
            gate_of(held, &self.clock, self.bulk.timeout)
        } else {
            Gate::new(|| Leave::Granted)
        };
        let sender = BulkSender {
            cluster: Arc::clone(&self.cluster),
            clock: Arc::clone(&self.clock),
            retry: RetryPolicy::patient(),
            index: super::source::INDEX.into(),
            operation: BulkOperation::Index,
            allowed: Arc::default(),
            timeout: self.bulk.timeout,
            gate,
            halt: self.stop.child_token(),
            ceiling: Ceiling::default(),
            throttle: None,
            tally: Tally::default(),
        };
        flight.bulks.spawn(async move {
            (ticket, batch.end.next, sender.send(batch.documents, 0..resent).await)
        });
    }

    async fn drain(&self, flight: &mut Flight) {
        while let Some(joined) = flight.bulks.join_next().await {
            settle(joined.expect("no panic"), flight);
        }
    }

    async fn close(&self, held: &Held, end: End, progress: Progress) -> Result<()> {
        let retry = RetryPolicy::patient();
        let told = match end {
            End::Done(live) => {
                retry.run(&*self.clock, || held.complete(progress.clone(), live)).await
            }
            End::Paused => retry.run(&*self.clock, || held.release(progress.clone())).await,
            End::LeaseOver => held.release(progress).await,
            End::Failed(cause, error) => {
                let fail = || held.fail(cause, error.to_string(), progress.clone());
                retry.run(&*self.clock, fail).await.map(|_| ())
            }
        };
        match told {
            Err(error) if error.kind() != ErrorKind::LeaseLost => Err(error),
            _ => Ok(()),
        }
    }
}

/// Notes what became of a bulk; says how the item ends if it ends by that.
fn settle((ticket, end, sent): (Ticket, u32, Result<Sent>), flight: &mut Flight) -> Option<End> {
    match sent {
        Ok(Sent::Settled(settled)) => {
            flight.finished.0 = flight.finished.0.max(end);
            flight.finished.1.add(&settled.books);
            flight.acks.acknowledged(ticket, settled.books);
            None
        }
        Ok(Sent::Halted) => Some(End::Paused),
        Ok(Sent::LeaseOver) => Some(End::LeaseOver),
        Err(error) => Some(End::Failed(FailureCause::Outside, error)),
    }
}
