//! A worker: takes items one after another until none is left or it is asked to stop.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use super::bulk_sender::{BulkSender, Ceiling};
use super::failure::TransferError;
use super::keeper::{Failures, Keeper};
use super::meter::Meter;
use super::pressure::{Pressure, Throttle};
use super::source::Source;
use super::transfer::{Transfer, TransferEnd, gate_of};
use crate::cluster::ClusterClient;
use crate::controller::{Event, EventSender};
use crate::coordination::{Coordinator, FailureCause, Held, Progress, Standing, WorkItem};
use crate::preparation::{Route, Selector};
use crate::retry::RetryPolicy;
use crate::settings::BulkSettings;
use crate::snapshot::{Snapshot, SnapshotIndex};
use crate::{Clock, ErrorKind, Result, SkipReason, Transform};

/// The first wait between two looks at a store that has no free item. It doubles with each look in vain.
const IDLE_WAIT: Duration = Duration::from_millis(200);

/// The longest of these waits. Items that workers of this process let go are seen at once; those of other processes, and
/// leases that run out, as late as this.
const LONGEST_IDLE_WAIT: Duration = Duration::from_secs(3);

/// Why a worker ended, when no error ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkerEnd {
    /// No item is left that anybody could work on.
    NothingLeft,
    /// It was asked to stop.
    Stopped,
}

/// One worker of a fleet.
pub(crate) struct Worker<S = Snapshot> {
    pub(crate) name: String,
    pub(crate) snapshot: S,
    pub(crate) cluster: Arc<dyn ClusterClient>,
    pub(crate) coordinator: Arc<Coordinator>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) retry: RetryPolicy,
    pub(crate) bulk: BulkSettings,
    pub(crate) failures: Arc<Failures>,
    pub(crate) events: EventSender,
    pub(crate) stop: CancellationToken,
    /// What the run is about.
    pub(crate) selector: Arc<Selector>,
    /// What changes the documents on their way.
    pub(crate) transform: Option<Arc<dyn Transform>>,
    /// Metadata of indices that were read before: shards of one index come to the same worker often.
    pub(crate) indices: Mutex<HashMap<String, SnapshotIndex>>,
    /// Told whenever a worker of this process lets an item go: idle ones look again.
    pub(crate) released: watch::Sender<()>,
    /// How fast the workers of this process send.
    pub(crate) pressure: Arc<Pressure>,
    /// How fast it comes forward itself.
    pub(crate) meter: std::sync::Mutex<Meter>,
}

/// What there is to do.
enum Step {
    Work(Arc<Held>),
    /// Others hold what is left.
    Wait,
    End(WorkerEnd),
}

impl<S: Source> Worker<S> {
    /// Works until nothing is left or it is asked to stop.
    ///
    /// # Errors
    /// What makes going on pointless: the target refuses everything, the store is away.
    pub(crate) async fn run(&self) -> Result<WorkerEnd> {
        let _enrollment = self.coordinator.enroll(&self.name).await?;
        let _attendance = self.pressure.attend();
        let throttle = Throttle::new(&self.pressure, &self.name, self.bulk.in_flight);
        let mut released = self.released.subscribe();
        let mut troubles = self.retry.delays();
        let mut idle = IDLE_WAIT;
        loop {
            // Before the look: what is let go after it is then not missed.
            released.mark_unchanged();
            match self.next_step().await {
                Ok(Step::Work(held)) => {
                    self.work(held, &throttle).await?;
                    idle = IDLE_WAIT;
                }
                Ok(Step::Wait) => {
                    self.rest(idle, &mut released).await;
                    idle = (idle * 2).min(LONGEST_IDLE_WAIT);
                }
                Ok(Step::End(end)) => return Ok(end),
                Err(error) => {
                    let Some(delay) = troubles.next().filter(|_| error.is_retryable()) else {
                        return Err(error);
                    };
                    tracing::debug!(%error, ?delay, "the working state is away; looking again");
                    self.rest(delay, &mut released).await;
                    continue;
                }
            }
            troubles = self.retry.delays();
        }
    }

    async fn next_step(&self) -> Result<Step> {
        if self.stop.is_cancelled() {
            return Ok(Step::End(WorkerEnd::Stopped));
        }
        if let Some(held) = self.coordinator.acquire(&self.name).await? {
            return Ok(Step::Work(Arc::new(held)));
        }
        Ok(match self.coordinator.standing().await? {
            Standing::Open(_) | Standing::Planning => Step::Wait,
            Standing::Finished => Step::End(WorkerEnd::NothingLeft),
            Standing::Absent | Standing::Stopping => Step::End(WorkerEnd::Stopped),
        })
    }

    async fn rest(&self, wait: Duration, released: &mut watch::Receiver<()>) {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            _ = released.changed() => {}
            () = self.clock.sleep(wait) => {}
        }
    }

    async fn work(&self, held: Arc<Held>, throttle: &Throttle) -> Result<()> {
        let item = held.item();
        let _hold = self.events.tally().hold();
        self.events.send(Event::ItemStarted {
            index: item.index.clone(),
            shard: item.shard,
            worker: self.name.clone(),
        });
        let failures = Arc::clone(&self.failures);
        let keeper = Keeper { failures, item: Arc::new(item.clone()) };
        let (progress, ended) = if self.snapshot.lacks(&item.index, item.shard) {
            (without_shard(&item), Ok(TransferEnd::Done { undeleted: 0 }))
        } else {
            match self.open(&item).await {
                Ok((shard, route)) => {
                    self.transfer(&held, keeper.clone(), &route, throttle).run(&shard).await
                }
                Err(error) => (Progress::of(&item), Err(TransferError::Source(error))),
            }
        };
        keeper.writing(&progress);
        let closed = match ended {
            Ok(TransferEnd::Done { undeleted }) => {
                self.complete(&held, &item, undeleted, &progress).await
            }
            Ok(TransferEnd::Paused) => {
                let release = || held.release(progress.clone());
                self.retry.run(&*self.clock, release).await.map_err(TransferError::Coordination)
            }
            Err(error) => Err(error),
        };
        let result = match closed {
            Ok(()) => Ok(()),
            Err(error) => self.give_up(&held, &item, error, progress).await,
        };
        keeper.close(&held.item());
        self.released.send_replace(());
        result
    }

    fn transfer<'a>(
        &'a self,
        held: &'a Arc<Held>,
        keeper: Keeper,
        route: &'a Route,
        throttle: &Throttle,
    ) -> Transfer<'a> {
        let sender = BulkSender {
            cluster: Arc::clone(&self.cluster),
            clock: Arc::clone(&self.clock),
            retry: self.retry.clone(),
            index: keeper.item.index.as_str().into(),
            operation: route.operation(self.selector.operation()),
            allowed: Arc::new(self.bulk.allowed_exceptions.clone()),
            timeout: self.bulk.timeout,
            gate: gate_of(held, &self.clock, self.bulk.timeout),
            halt: self.stop.child_token(),
            ceiling: Ceiling::default(),
            throttle: Some(throttle.clone()),
            tally: self.events.tally().clone(),
        };
        Transfer {
            held,
            keeper,
            sender,
            route,
            transform: self.transform.as_ref(),
            limit: self.selector.max_docs_per_shard(),
            bulk: &self.bulk,
            rules: self.coordinator.rules(),
            events: &self.events,
            stop: &self.stop,
            meter: &self.meter,
        }
    }

    async fn open(&self, item: &WorkItem) -> Result<(S::Shard, Route)> {
        let target = self.cluster.info().await?.distribution;
        self.snapshot.open(item, &self.selector, target, &self.indices).await
    }

    /// An item is complete when its books balance against the shard's own count of live documents.
    async fn complete(
        &self,
        held: &Held,
        item: &WorkItem,
        undeleted: u64,
        progress: &Progress,
    ) -> Result<(), TransferError> {
        let live = undeleted.saturating_sub(progress.books.nested);
        let complete = || held.complete(progress.clone(), live);
        self.retry.run(&*self.clock, complete).await.map_err(TransferError::Coordination)?;
        self.events.send(Event::ItemCompleted {
            index: item.index.clone(),
            shard: item.shard,
            live,
            books: progress.books.clone(),
        });
        Ok(())
    }

    /// Lets an item go after an error. One that lies in the item counts against it and the worker goes on; one that
    /// lies outside would meet every other item too and ends the worker.
    async fn give_up(
        &self,
        held: &Held,
        item: &WorkItem,
        error: TransferError,
        progress: Progress,
    ) -> Result<()> {
        if error.is_lease_lost() {
            self.events.send(Event::LeaseLost {
                index: item.index.clone(),
                shard: item.shard,
                worker: self.name.clone(),
            });
            // Maybe it ran out and nobody has taken it: then what was done is kept, and the item is free at once.
            let _ = held.release(progress).await;
            return Ok(());
        }
        let (cause, error) = (error.cause(), error.into_error());
        let reason = error.to_string();
        self.events.send(Event::ItemFailed {
            index: item.index.clone(),
            shard: item.shard,
            reason: reason.clone(),
        });
        let fail = || held.fail(cause, reason.clone(), progress.clone());
        let told = RetryPolicy::default().run(&*self.clock, fail).await;
        match (cause, told) {
            // The first error says more than the store's failure to note it.
            (FailureCause::Outside, _) => Err(error),
            (FailureCause::Item, Err(error)) if error.kind() != ErrorKind::LeaseLost => Err(error),
            (FailureCause::Item, _) => Ok(()),
        }
    }
}

/// The end of an item whose shard the snapshot does not hold: nothing is written, and the books say so.
fn without_shard(item: &WorkItem) -> Progress {
    let mut progress = Progress::of(item);
    progress.books.skipped.insert(SkipReason::ShardMissing, 1);
    progress
}

#[cfg(test)]
#[cfg(feature = "local")]
mod tests;
