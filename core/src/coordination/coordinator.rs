//! What planners and workers use: the lease rules applied to a store.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use futures::stream::FuturesUnordered;

use super::coverage::Coverage;
use super::held::Held;
use super::lease::{self, LeaseEvent, LeaseRules};
use super::{
    CasOutcome, Enrollment, ItemTotals, Run, StoreTime, Versioned, WorkItem, WorkStore, random,
};
use crate::{Clock, Error, ErrorKind, Result};

/// Items of one write while planning.
const PLAN_BATCH: usize = 500;

/// Writes that are under way at once while planning.
const PLAN_WRITES: usize = 4;

/// Items read at once.
const PAGE: usize = 1000;

/// Free items looked at in one go; among many workers some are gone when we come to them.
const CANDIDATES: usize = 16;

/// How often free items are searched for when others took every candidate first. Where there is much to do, once is enough.
const ROUNDS: u64 = 3;

/// How long to wait at most before the second search, so that those who met once do not meet again; twice as long before the
/// third.
const LONGEST_JITTER: u64 = 200;

/// How often a change is tried again when somebody else was faster.
pub(super) const CAS_TRIES: usize = 8;

/// What is left to do in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was planned.
    Absent,
    /// Some items are not there yet.
    Planning,
    /// So many items are neither completed nor quarantined.
    Open(u64),
    /// No item is left to be worked on.
    Finished,
    /// Somebody asked for the end.
    Stopping,
}

/// Plans runs and leases their items, by the rules of [`lease`] and with the compare-and-set of a store.
#[derive(Clone, Debug)]
pub struct Coordinator {
    pub(super) store: Arc<dyn WorkStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rules: LeaseRules,
}

impl Coordinator {
    /// A coordinator of the session of `store`. Of `clock` only the monotonic time is used, to carry the store's time
    /// forward.
    pub fn new(store: Arc<dyn WorkStore>, clock: Arc<dyn Clock>, rules: LeaseRules) -> Self {
        Self { store, clock, rules }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn WorkStore> {
        &self.store
    }

    /// The rules.
    pub fn rules(&self) -> &LeaseRules {
        &self.rules
    }

    /// Writes the run and its items. Several planners may do so at once, and one that was killed may be followed by
    /// another: what is there is kept. The run counts as planned only when the store has exactly these items.
    ///
    /// # Errors
    /// `State` when the session is about another run, or is stopping.
    pub async fn plan(&self, run: &Run, items: &[WorkItem]) -> Result<Run> {
        let plan = Coverage::of_plan(items)?;
        let now = self.store.now().await?;
        let known = self.begin(run).await?;
        if known.completed_at.is_some() {
            return Ok(known);
        }
        self.write_items(items).await?;
        plan.check_stored(&self.stored_coverage().await?)?;
        self.change_run(|run| {
            refuse_when_stopping(run)?;
            run.completed_at.get_or_insert(now.floor());
            Ok(())
        })
        .await
    }

    /// Writes the run, if it is not there yet, without items; says what it is. The first planner's word counts: its
    /// settings are there before anything that they are about is changed.
    ///
    /// # Errors
    /// As [`Coordinator::plan`].
    pub async fn begin(&self, run: &Run) -> Result<Run> {
        let mut first = run.clone();
        first.created_at = self.store.now().await?.floor();
        first.completed_at = None;
        self.store.create_run(&first).await?;
        let known = self.existing_run().await?;
        known.value.matches(run)?;
        refuse_when_stopping(&known.value)?;
        Ok(known.value)
    }

    /// Marks the run as stopping: nothing is leased any more. Says what the run was.
    ///
    /// # Errors
    /// `State` when nothing was planned.
    pub async fn stop(&self) -> Result<Run> {
        self.change_run(|run| {
            run.stopping = true;
            Ok(())
        })
        .await
    }

    /// Changes the run, again and again until nobody else was faster.
    ///
    /// # Errors
    /// `State` when nothing was planned, `Conflict` when others change it all the time, and those of `change`.
    pub async fn change_run(
        &self,
        mut change: impl FnMut(&mut Run) -> Result<()> + Send,
    ) -> Result<Run> {
        for _ in 0..CAS_TRIES {
            let known = self.existing_run().await?;
            let mut run = known.value.clone();
            change(&mut run)?;
            if run == known.value {
                return Ok(run);
            }
            if let CasOutcome::Done(_) = self.store.set_run(&run, known.version).await? {
                return Ok(run);
            }
        }
        Err(Error::new(ErrorKind::Conflict, "the run is changed by others all the time"))
    }

    /// What is left to do.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn standing(&self) -> Result<Standing> {
        let Some(run) = self.store.run().await? else { return Ok(Standing::Absent) };
        if run.value.stopping {
            return Ok(Standing::Stopping);
        }
        if run.value.completed_at.is_none() {
            return Ok(Standing::Planning);
        }
        Ok(match self.store.unfinished().await? {
            0 => Standing::Finished,
            open => Standing::Open(open),
        })
    }

    /// All items, summed up.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn totals(&self) -> Result<ItemTotals> {
        self.store.totals().await
    }

    /// Leases a free item, if there is one. None does not mean that all is done, see [`Coordinator::standing`]: others may
    /// hold the rest, planning may go on, or the run is stopping.
    ///
    /// It reads the run, so that nothing is leased once the run is stopping, makes one search for a few free items from a
    /// random point, and tries these in a random order. Only if others were faster with every one of them does it wait a
    /// little and search again.
    ///
    /// # Errors
    /// `State` when nothing was planned.
    pub async fn acquire(&self, worker: &str) -> Result<Option<Held>> {
        let run = self.existing_run().await?.value;
        if run.stopping || run.completed_at.is_none() {
            return Ok(None);
        }
        if self.store.capability().knows_the_dead {
            self.reap().await?;
        }
        for round in 0..ROUNDS {
            if round > 0 {
                let wait = random::number() % (round * LONGEST_JITTER);
                self.clock.sleep(Duration::from_millis(wait)).await;
            }
            let now = self.store.now().await?;
            let expired_before = now.minus(self.rules.margin);
            let mut free =
                self.store.open_items(expired_before, random::number(), CANDIDATES).await?;
            if free.is_empty() {
                return Ok(None);
            }
            free.sort_by_cached_key(|_| random::number());
            for candidate in free {
                if let Some(held) = self.take(candidate, worker).await? {
                    return Ok(Some(held));
                }
            }
        }
        Ok(None)
    }

    /// Announces a worker before it leases anything. Where the store knows the dead, a name is enrolled once at a time, so
    /// what is still held under it is what an earlier worker of that name left: it is freed.
    ///
    /// # Errors
    /// `State` when a worker of this name is alive, where the store knows.
    pub async fn enroll(&self, worker: &str) -> Result<Box<dyn Enrollment>> {
        let enrollment = self.store.enroll(worker).await?;
        if self.store.capability().knows_the_dead {
            self.free(self.store.held_by(worker).await?).await?;
        }
        Ok(enrollment)
    }

    /// Frees what dead workers hold, where the store knows the dead. Says how many items that were.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn reap(&self) -> Result<usize> {
        self.free(self.store.departed().await?).await
    }

    /// Frees at once what a worker held that is known to be dead, and says how many items that were. For a supervisor that has
    /// reaped a child, or was told that a container is gone, where the store itself does not know the dead: others need not
    /// wait until the leases have run out.
    ///
    /// Only for a worker that is known to be dead. One that lives loses its leases, and what it says about these items is
    /// refused as `LeaseLost`; but a bulk of its that is under way lands beside those of the next holder. Checkpoints and books
    /// stay as the worker last wrote them.
    ///
    /// # Errors
    /// When the store cannot be read or written; `Conflict` when items of that name are changed all the time, as only one that
    /// lives does.
    pub async fn release_of(&self, worker: &str) -> Result<usize> {
        let mut freed = 0;
        for _ in 0..CAS_TRIES {
            let held = self.store.held_by(worker).await?;
            if held.is_empty() {
                return Ok(freed);
            }
            freed += self.free(held).await?;
        }
        let message = format!(
            "what worker `{worker}` held is changed all the time: it is not dead, or its name is another's, too"
        );
        Err(Error::new(ErrorKind::Conflict, message))
    }

    async fn free(&self, departed: Vec<Versioned<WorkItem>>) -> Result<usize> {
        let mut freed = 0;
        for known in departed {
            let Some(holder) = known.value.lease_holder.clone() else { continue };
            let now = self.store.now().await?;
            let event = LeaseEvent::Reap { holder };
            let Ok(item) = lease::apply(&known.value, now, &event, &self.rules) else { continue };
            if let CasOutcome::Done(_) = self.store.compare_and_set(&item, known.version).await? {
                freed += 1;
            }
        }
        Ok(freed)
    }

    /// Has a quarantined item tried again.
    ///
    /// # Errors
    /// `NotFound` when there is no such item, `State` when it is completed.
    pub async fn reopen(&self, id: &str) -> Result<WorkItem> {
        self.change_by_id(id, &LeaseEvent::Reopen).await
    }

    /// Gives up a completed item: what it read turned out to be wrong.
    ///
    /// # Errors
    /// `NotFound` when there is no such item.
    pub async fn refute(&self, id: &str, reason: &str) -> Result<WorkItem> {
        self.change_by_id(id, &LeaseEvent::Refute { reason: reason.to_owned() }).await
    }

    async fn change_by_id(&self, id: &str, event: &LeaseEvent) -> Result<WorkItem> {
        for _ in 0..CAS_TRIES {
            let known = self.store.item(id).await?.ok_or_else(|| {
                Error::new(ErrorKind::NotFound, format!("there is no work item `{id}`"))
            })?;
            let now = self.store.now().await?;
            let item = lease::apply(&known.value, now, event, &self.rules)
                .map_err(|refusal| refusal.into_error(&known.value))?;
            if item == known.value {
                return Ok(item);
            }
            if let CasOutcome::Done(_) = self.store.compare_and_set(&item, known.version).await? {
                return Ok(item);
            }
        }
        Err(Error::new(ErrorKind::Conflict, format!("work item `{id}` is changed all the time")))
    }

    /// Tries to lease one item; none when somebody else was faster or it had to be quarantined.
    async fn take(&self, candidate: Versioned<WorkItem>, worker: &str) -> Result<Option<Held>> {
        // Read before the store's clock, so that the deadline is early rather than late.
        let monotonic = self.clock.monotonic();
        let now = self.store.now().await?;
        let event = LeaseEvent::Acquire { worker: worker.to_owned() };
        let Ok(item) = lease::apply(&candidate.value, now, &event, &self.rules) else {
            return Ok(None);
        };
        let CasOutcome::Done(version) =
            self.store.compare_and_set(&item, candidate.version).await?
        else {
            return Ok(None);
        };
        if item.lease_holder.is_none() {
            return Ok(None);
        }
        let deadline = self.deadline(monotonic, now, &item);
        Ok(Some(Held::new(self.clone(), Versioned { value: item, version }, deadline)))
    }

    /// Writes what `event` makes of an item, again if somebody else was faster, and says until when on the monotonic clock
    /// the lease then runs.
    pub(super) async fn change_item(
        &self,
        mut known: Versioned<WorkItem>,
        event: &LeaseEvent,
    ) -> Result<(Versioned<WorkItem>, Duration)> {
        for _ in 0..CAS_TRIES {
            let monotonic = self.clock.monotonic();
            let now = self.store.now().await?;
            let item = lease::apply(&known.value, now, event, &self.rules)
                .map_err(|refusal| refusal.into_error(&known.value))?;
            let deadline = self.deadline(monotonic, now, &item);
            if item == known.value {
                return Ok((known, deadline));
            }
            if let CasOutcome::Done(version) =
                self.store.compare_and_set(&item, known.version).await?
            {
                return Ok((Versioned { value: item, version }, deadline));
            }
            let id = item.id();
            known = self.store.item(&id).await?.ok_or_else(|| {
                Error::new(
                    ErrorKind::LeaseLost,
                    "the run was stopped and its working state deleted",
                )
                .with_context("item", &id)
            })?;
        }
        Err(Error::new(ErrorKind::Conflict, "the work item is changed by others all the time")
            .with_context("item", known.value.id()))
    }

    /// When the lease of `item` runs out on the monotonic clock. Never later than one length from now, also when the
    /// store's clock was set back.
    fn deadline(&self, monotonic: Duration, now: StoreTime, item: &WorkItem) -> Duration {
        monotonic.saturating_add(item.expiration.since(now).min(self.rules.length))
    }

    /// Writes those items of a plan that are not there yet, many at a time.
    async fn write_items(&self, items: &[WorkItem]) -> Result<()> {
        let mut under_way = FuturesUnordered::new();
        for batch in items.chunks(PLAN_BATCH) {
            if under_way.len() == PLAN_WRITES {
                under_way.try_next().await?;
            }
            under_way.push(self.store.create_items(batch));
        }
        while under_way.try_next().await?.is_some() {}
        Ok(())
    }

    async fn existing_run(&self) -> Result<Versioned<Run>> {
        self.store.run().await?.ok_or_else(|| {
            let message = format!(
                "nothing is planned under session {}: plan a run first",
                self.store.session()
            );
            Error::new(ErrorKind::State, message)
        })
    }

    async fn stored_coverage(&self) -> Result<Coverage> {
        let mut coverage = Coverage::default();
        let mut after = None;
        loop {
            let page = self.store.items(after.as_deref(), PAGE).await?;
            page.items.iter().for_each(|item| coverage.add(&item.value));
            after = page.next;
            if after.is_none() {
                return Ok(coverage);
            }
        }
    }
}

fn refuse_when_stopping(run: &Run) -> Result<()> {
    if !run.stopping {
        return Ok(());
    }
    let message = format!("session {} is being stopped: wait for the stop to end", run.session);
    Err(Error::new(ErrorKind::State, message))
}

#[cfg(test)]
#[cfg(feature = "local")]
mod tests;
