//! A lease in the hands of a worker.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::coordinator::Coordinator;
use super::lease::{FailureCause, LeaseEvent, LeaseToken, Progress};
use super::{Versioned, WorkItem};
use crate::{ErrorKind, Result};

/// A lease in the hands of a worker. May be shared between the task that renews it and those that send.
///
/// Dropping it leaves the lease to run out. Calls that fail because the store cannot be reached may be made again; once one
/// fails with `LeaseLost`, nothing more may be sent.
#[derive(Debug)]
pub struct Held {
    coordinator: Coordinator,
    lease: LeaseToken,
    /// One word about the lease at a time; also the item as it was last seen.
    item: tokio::sync::Mutex<Versioned<WorkItem>>,
    view: Mutex<View>,
}

/// What may be asked without waiting for a renewal that is under way.
#[derive(Debug)]
struct View {
    item: WorkItem,
    deadline: Option<Duration>,
}

impl Held {
    pub(super) fn new(
        coordinator: Coordinator,
        item: Versioned<WorkItem>,
        deadline: Duration,
    ) -> Self {
        let worker = item.value.lease_holder.clone().unwrap_or_default();
        let lease = LeaseToken { worker, version: item.value.lease_version };
        let view = Mutex::new(View { item: item.value.clone(), deadline: Some(deadline) });
        Self { coordinator, lease, item: tokio::sync::Mutex::new(item), view }
    }

    /// The item as it was last written.
    pub fn item(&self) -> WorkItem {
        self.view().item.clone()
    }

    /// Which lease it is.
    pub fn lease(&self) -> &LeaseToken {
        &self.lease
    }

    /// When it runs out on the worker's monotonic clock; none once it is over or lost.
    pub fn deadline(&self) -> Option<Duration> {
        self.view().deadline
    }

    /// Whether a bulk that takes up to `bulk_timeout` would end safely before the lease.
    pub fn may_send(&self, bulk_timeout: Duration) -> bool {
        let latest = self
            .coordinator
            .clock
            .monotonic()
            .saturating_add(bulk_timeout)
            .saturating_add(self.coordinator.rules.margin);
        self.deadline().is_some_and(|deadline| latest <= deadline)
    }

    /// Goes on: writes how far it is, and has the lease run anew.
    ///
    /// # Errors
    /// `LeaseLost` when another worker has the item; `Unexpected` when the progress goes back or exceeds the item.
    pub async fn renew(&self, progress: Progress) -> Result<()> {
        self.say(LeaseEvent::Renew { lease: self.lease.clone(), progress }).await
    }

    /// Lets go, for no fault of the item.
    ///
    /// # Errors
    /// As [`Held::renew`].
    pub async fn release(&self, progress: Progress) -> Result<()> {
        self.say(LeaseEvent::Release { lease: self.lease.clone(), progress }).await
    }

    /// All of it is done; `live` is how many live documents the range had.
    ///
    /// # Errors
    /// `Incomplete` when the end is not reached or the books do not balance; else as [`Held::renew`].
    pub async fn complete(&self, progress: Progress, live: u64) -> Result<()> {
        self.say(LeaseEvent::Complete { lease: self.lease.clone(), progress, live }).await
    }

    /// Cannot go on. Says whether the item is quarantined now.
    ///
    /// # Errors
    /// `LeaseLost` when another worker has the item.
    pub async fn fail(
        &self,
        cause: FailureCause,
        reason: impl Into<String>,
        progress: Progress,
    ) -> Result<bool> {
        let (lease, reason) = (self.lease.clone(), reason.into());
        self.say(LeaseEvent::Fail { lease, cause, reason, progress }).await?;
        Ok(self.view().item.quarantined)
    }

    /// Whether somebody asked for the end of the run.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn is_stopping(&self) -> Result<bool> {
        let run = self.coordinator.store.run().await?;
        Ok(run.is_none_or(|run| run.value.stopping))
    }

    async fn say(&self, event: LeaseEvent) -> Result<()> {
        let mut known = self.item.lock().await;
        match self.coordinator.change_item(known.clone(), &event).await {
            Ok((item, deadline)) => {
                let mut view = self.view();
                view.deadline = item.value.lease_holder.as_ref().map(|_| deadline);
                view.item = item.value.clone();
                drop(view);
                *known = item;
                Ok(())
            }
            Err(error) => {
                if error.kind() == ErrorKind::LeaseLost {
                    self.view().deadline = None;
                }
                Err(error)
            }
        }
    }

    fn view(&self) -> std::sync::MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
