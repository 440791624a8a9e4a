//! What happens before and in a worker: planning into the working state, making indices, working.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::joins::JoinRecord;
use crate::controller::archive::is_being_restored;
use crate::controller::{Event, Plan, PlanWarning, PlannedIndex};
use crate::coordination::{Run, Session, SnapshotName, Standing, WorkItem};
use crate::pipeline::{Meter, Worker, WorkerEnd};
use crate::preparation::{Selection, Selector};
use crate::retry::RetryPolicy;
use crate::settings::BulkSettings;
use crate::snapshot::Snapshot;
use crate::{Error, ErrorKind, Result};

impl Shared {
    /// Everything that must be before a worker may begin. Repeating it changes nothing.
    pub(super) async fn prepare(&self) -> Result<()> {
        self.require_transform(self.settings.transformed)?;
        let snapshot = self.snapshot().await?;
        let mut run = self.run_of(snapshot)?;
        if self.is_planned(&run).await? {
            if self.coordinator.standing().await? == Standing::Finished {
                // Whoever ended it may have been killed before.
                self.conclude().await?;
            }
            return self.apply_rate_limits().await;
        }
        if self.store.run().await?.is_none() {
            self.require_not_stopped()?;
        }
        let plan = self.plan().await?;
        plan.require_accepted()?;
        if plan.migrated().next().is_none() {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "nothing to do: snapshot `{}` has no index that is selected",
                    snapshot.name()
                ),
            )
            .with_context("selection", "empty"));
        }
        let items: Vec<_> = plan.migrated().flat_map(PlannedIndex::items).collect();
        JoinRecord::of_items(&items).write(&mut run.settings);
        self.note_failed_store(&mut run)?;
        self.note_beginning(&mut run);
        self.plan_record(&plan).await.write(&mut run.settings);
        let run = self.ready_indices(run, &plan).await?;
        let last_lease = self.last_lease()?;
        // Leases count on from those of earlier runs.
        let items: Vec<_> =
            items.into_iter().map(|item| WorkItem { lease_version: last_lease, ..item }).collect();
        self.coordinator.plan(&run, &items).await?;
        self.announce(&plan);
        self.apply_rate_limits().await
    }

    /// Whether this very run is planned already; another one under the session is refused.
    async fn is_planned(&self, run: &Run) -> Result<bool> {
        let Some(known) = self.store.run().await? else { return Ok(false) };
        self.require_transform(Selection::of_run(&known.value.selection)?.transformed)?;
        known.value.matches(run)?;
        self.require_same_failed_store(&known.value)?;
        self.require_begun_alike(&known.value)?;
        match self.coordinator.standing().await? {
            Standing::Absent | Standing::Planning => Ok(false),
            Standing::Open(_) | Standing::Finished => Ok(true),
            Standing::Stopping if is_being_restored(&known.value) => Err(Error::new(
                ErrorKind::State,
                format!(
                    "session {} is only half restored: restore it again, or clear it by `backfill reset`",
                    run.session
                ),
            )),
            // A stop that was interrupted is to be ended, not undone.
            Standing::Stopping => Err(Error::new(
                ErrorKind::State,
                format!("session {} is being stopped: stop it again to end that", run.session),
            )),
        }
    }

    pub(super) fn run_of(&self, snapshot: &Snapshot) -> Result<Run> {
        let session = Session::named(&self.settings.session)?;
        let name =
            SnapshotName { name: snapshot.name().to_owned(), uuid: snapshot.uuid().to_owned() };
        let selection = self.settings.selection().to_value();
        let target = self.cluster.address();
        let mut run = Run::new(session, name, snapshot.repository_url(), target, selection);
        let mut how = self.settings.clone();
        // Workers elsewhere may be in another region than the bucket.
        let region = &mut how.repository_options.s3.region;
        *region = region.take().or_else(|| snapshot.region().map(str::to_owned));
        how.write_to(&mut run.settings);
        Ok(run)
    }

    /// What a run would do.
    pub(super) async fn plan(&self) -> Result<Plan> {
        let (snapshot, settings) = (self.snapshot().await?, &self.settings);
        let options = &settings.target_indices;
        Plan::for_target(snapshot, &settings.selection(), options, Some(&*self.cluster)).await
    }

    fn announce(&self, plan: &Plan) {
        for PlanWarning { index, warning } in plan.warnings() {
            self.events.send(Event::Warning { index, warning });
        }
        self.events.send(Event::Planned {
            shards: plan.migrated().map(|index| index.shards.len() as u64).sum(),
            documents: plan.migrated().map(PlannedIndex::undeleted).sum(),
            bytes: plan.migrated().map(PlannedIndex::stored_bytes).sum(),
        });
    }

    /// The settings, within what the target can take.
    fn bulk_settings(&self) -> BulkSettings {
        let most =
            self.cluster.capability().max_bulk_bytes.and_then(|most| usize::try_from(most).ok());
        let bytes =
            most.map_or(self.settings.bulk.bytes, |most| most.min(self.settings.bulk.bytes));
        BulkSettings { bytes, ..self.settings.bulk.clone() }
    }

    /// A worker's life.
    pub(super) async fn work(
        self: Arc<Self>,
        name: String,
        stop: CancellationToken,
    ) -> Result<WorkerEnd> {
        let worker = Worker {
            name,
            snapshot: self.snapshot().await?.clone(),
            cluster: Arc::clone(&self.cluster),
            coordinator: Arc::clone(&self.coordinator),
            clock: Arc::clone(&self.clock),
            retry: RetryPolicy::patient(),
            bulk: self.bulk_settings(),
            failures: Arc::clone(self.failures().await?),
            events: self.events.clone(),
            stop,
            selector: Arc::new(self.selector().await?),
            transform: self.transform.clone(),
            indices: Mutex::new(HashMap::new()),
            released: self.released.clone(),
            pressure: Arc::clone(&self.pressure),
            meter: std::sync::Mutex::new(Meter::new(self.clock.monotonic())),
        };
        let end = worker.run().await?;
        if end == WorkerEnd::NothingLeft {
            // Whoever waits does it again and hears of a failure; nobody may be waiting.
            let _ = self.conclude().await;
        }
        Ok(end)
    }

    /// What the run says, which everybody obeys.
    async fn selector(&self) -> Result<Selector> {
        let run = self.store.run().await?;
        let selection = run.map(|run| run.value.selection).unwrap_or_default();
        let selection = Selection::of_run(&selection)?;
        self.require_transform(selection.transformed)?;
        Selector::new(&selection)
    }

    /// Refuses to write documents as they are in a run that changes them, and the other way round.
    fn require_transform(&self, transformed: bool) -> Result<()> {
        let message = match (transformed, &self.transform) {
            (true, None) => {
                "the run's documents are changed by a transform, a function of the program that started it; go on with it \
                 from that program, with the same function"
            }
            (false, Some(_)) => {
                "the run was begun without a transform, and documents of both kinds must not be mixed; go on without one, or \
                 use another session name, or stop the run and begin anew from scratch"
            }
            _ => return Ok(()),
        };
        Err(Error::new(ErrorKind::State, message))
    }
}
