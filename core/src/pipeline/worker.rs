//! A worker: takes items one after another until none is left or it is asked to stop.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::bulk_sender::BulkSender;
use super::transfer::{IDLE_WAIT, Transfer, TransferEnd};
use crate::cluster::{BulkOperation, ClusterClient};
use crate::controller::{Event, EventSender};
use crate::coordination::{Coordinator, FailureCause, Held, Progress, Standing, WorkItem};
use crate::retry::RetryPolicy;
use crate::settings::BulkSettings;
use crate::snapshot::{Shard, Snapshot, SnapshotIndex};
use crate::{Clock, Error, ErrorKind, Result};

/// Why a worker ended, when no error ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkerEnd {
    /// No item is left that anybody could work on.
    NothingLeft,
    /// It was asked to stop.
    Stopped,
}

/// One worker of a fleet.
pub(crate) struct Worker {
    pub(crate) name: String,
    pub(crate) snapshot: Snapshot,
    pub(crate) cluster: Arc<dyn ClusterClient>,
    pub(crate) coordinator: Arc<Coordinator>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) retry: RetryPolicy,
    pub(crate) bulk: BulkSettings,
    pub(crate) events: EventSender,
    pub(crate) stop: CancellationToken,
    /// Metadata of indices that were read before: shards of one index come to the same worker often.
    pub(crate) indices: Mutex<HashMap<String, SnapshotIndex>>,
}

impl Worker {
    /// Works until nothing is left or it is asked to stop.
    ///
    /// # Errors
    /// What makes going on pointless: the target refuses everything, the store is away.
    pub(crate) async fn run(&self) -> Result<WorkerEnd> {
        let _enrollment = self.coordinator.store().enroll(&self.name).await?;
        loop {
            if self.stop.is_cancelled() {
                return Ok(WorkerEnd::Stopped);
            }
            match self.coordinator.acquire(&self.name).await? {
                Some(held) => self.work(held).await?,
                None => match self.coordinator.standing().await? {
                    Standing::Open(_) | Standing::Planning => self.idle().await,
                    Standing::Finished => return Ok(WorkerEnd::NothingLeft),
                    Standing::Absent | Standing::Stopping => return Ok(WorkerEnd::Stopped),
                },
            }
        }
    }

    async fn idle(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.clock.sleep(IDLE_WAIT) => {}
        }
    }

    async fn work(&self, held: Held) -> Result<()> {
        let item = held.item();
        self.events.send(Event::ItemStarted {
            index: item.index.clone(),
            shard: item.shard,
            worker: self.name.clone(),
        });
        let shard = match self.open_shard(&item).await {
            Ok(shard) => shard,
            Err(error) => return self.give_up(held, &item, error, progress_of(&item)).await,
        };
        let transfer = Transfer {
            held: &held,
            sender: self.sender(&item),
            bulk: &self.bulk,
            lease: self.coordinator.rules().length,
            events: &self.events,
            stop: &self.stop,
        };
        let (progress, ended) = transfer.run(&shard).await;
        match ended {
            Ok(TransferEnd::Paused) => held.release(progress).await,
            Ok(TransferEnd::Done) => self.complete(held, &item, &shard, progress).await,
            Err(error) => self.give_up(held, &item, error, progress).await,
        }
    }

    fn sender(&self, item: &WorkItem) -> BulkSender {
        BulkSender {
            cluster: Arc::clone(&self.cluster),
            clock: Arc::clone(&self.clock),
            retry: self.retry.clone(),
            index: item.index.as_str().into(),
            operation: BulkOperation::Index,
        }
    }

    async fn open_shard(&self, item: &WorkItem) -> Result<Shard> {
        let index = {
            let mut known = self.indices.lock().await;
            match known.get(&item.index) {
                Some(index) => index.clone(),
                None => {
                    let index = self.snapshot.index(&item.index).await?;
                    known.insert(item.index.clone(), index.clone());
                    index
                }
            }
        };
        self.snapshot.shard_of(&index, item.shard).await
    }

    /// An item is complete when its books balance against the shard's own count of live documents.
    async fn complete(
        &self,
        held: Held,
        item: &WorkItem,
        shard: &Shard,
        progress: Progress,
    ) -> Result<()> {
        let undeleted = shard.size().await?.undeleted;
        let live = undeleted.saturating_sub(progress.books.nested);
        if let Err(error) = progress.books.balance(live) {
            return self.give_up(held, item, shard.locate(error), progress).await;
        }
        let books = progress.books.clone();
        held.complete(progress, live).await?;
        self.events.send(Event::ItemCompleted {
            index: item.index.clone(),
            shard: item.shard,
            live,
            books,
        });
        Ok(())
    }

    /// Lets an item go after an error. One that lies in the item counts against it and the worker goes on; one that
    /// lies outside would meet every other item too and ends the worker.
    async fn give_up(
        &self,
        held: Held,
        item: &WorkItem,
        error: Error,
        progress: Progress,
    ) -> Result<()> {
        if error.kind() == ErrorKind::LeaseLost {
            tracing::warn!(index = %item.index, shard = item.shard, "the lease went to another worker");
            return Ok(());
        }
        let cause = cause_of(&error);
        let reason = error.to_string();
        tracing::warn!(index = %item.index, shard = item.shard, %reason, "an item failed");
        self.events.send(Event::ItemFailed {
            index: item.index.clone(),
            shard: item.shard,
            reason: reason.clone(),
        });
        let told = held.fail(cause, reason, progress).await;
        match cause {
            FailureCause::Item => told.map(|_| ()),
            // The first error says more than the store's failure to note it.
            FailureCause::Outside => Err(error),
        }
    }
}

fn progress_of(item: &WorkItem) -> Progress {
    Progress { checkpoint: item.checkpoint.clone(), books: item.books.clone() }
}

fn cause_of(error: &Error) -> FailureCause {
    match error.kind() {
        ErrorKind::Corrupt
        | ErrorKind::Unsupported
        | ErrorKind::Incomplete
        | ErrorKind::Unexpected => FailureCause::Item,
        // A file that is missing from the repository is the item's own trouble; an index missing in the target is not,
        // but it fails alike for every item of it, and only for those.
        ErrorKind::NotFound => FailureCause::Item,
        _ => FailureCause::Outside,
    }
}
