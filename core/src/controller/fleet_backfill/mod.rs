//! The controller over a fleet: the same verbs for tasks, processes, and workers elsewhere.

mod builder;
#[cfg(any(feature = "ecs", feature = "kubernetes"))]
mod elsewhere;
mod failures;
mod joins;
mod load;
mod reporting;
mod run;
mod sending;
mod stopping;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Mutex, OnceCell, watch};

pub use builder::BackfillBuilder;
#[cfg(feature = "ecs")]
pub use elsewhere::AwsBackfill;
#[cfg(feature = "kubernetes")]
pub use elsewhere::KubernetesBackfill;

use super::{
    BackfillController, BackfillStatus, DeepStatus, Event, EventSender, EventStream, FleetCounts,
    Plan, Report, RunEnd, Sending, Status, Work,
};
use crate::cluster::{ClusterClient, ClusterHealth};
use crate::coordination::{Coordinator, Run, Standing, WorkStore};
use crate::fleet::{Fleet, FleetKind, LocalFleet};
use crate::pipeline::{Failures, Pressure};
use crate::settings::{BackfillSettings, WhenDone};
use crate::snapshot::{Repository, Snapshot};
use crate::{Clock, Error, ErrorKind, Result, Transform};

/// Between two looks at the working state while workers elsewhere are at it.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A backfill whose workers are on this machine: tasks of this process, or processes of their own.
///
/// ```no_run
/// # async fn example() -> snapfill::Result<()> {
/// use snapfill::controller::{BackfillController, LocalBackfill};
/// use snapfill::settings::BackfillSettings;
///
/// let settings = BackfillSettings::new("/backups/nightly", "snap-1", "./target");
/// let backfill = LocalBackfill::builder(settings).build()?;
/// backfill.start().await?;
/// println!("{:?}", backfill.wait().await?);
/// # Ok(())
/// # }
/// ```
pub type LocalBackfill = FleetBackfill<LocalFleet>;

/// A backfill by the workers of a fleet. Its clones are one controller; controllers of the same run, also in other processes,
/// agree through the working state and the fleet.
pub struct FleetBackfill<F: Fleet + ?Sized = dyn Fleet> {
    shared: Arc<Shared>,
    fleet: Arc<F>,
}

impl<F: Fleet + ?Sized> Clone for FleetBackfill<F> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), fleet: Arc::clone(&self.fleet) }
    }
}

/// What the controller and its workers share.
struct Shared {
    settings: BackfillSettings,
    cluster: Arc<dyn ClusterClient>,
    store: Arc<dyn WorkStore>,
    coordinator: Arc<Coordinator>,
    clock: Arc<dyn Clock>,
    failures: OnceCell<Arc<Failures>>,
    pressure: Arc<Pressure>,
    /// The ceilings of the settings were applied.
    limited: OnceCell<()>,
    events: EventSender,
    snapshot: OnceCell<Snapshot>,
    /// What changes the documents on their way.
    transform: Option<Arc<dyn Transform>>,
    /// Told whenever a worker lets an item go.
    released: watch::Sender<()>,
    /// Held by the verb that changes the fleet: a pause that comes while a start is planning is obeyed after it, and not
    /// undone by it.
    changing: Mutex<()>,
}

impl LocalBackfill {
    /// Begins with settings; components such as the clock can be put in before it is built.
    pub fn builder(settings: BackfillSettings) -> BackfillBuilder {
        BackfillBuilder::new(settings)
    }
}

impl<F: Fleet + 'static> FleetBackfill<F> {
    /// The same controller, whatever its fleet is.
    pub fn over_any(self) -> FleetBackfill {
        FleetBackfill { shared: self.shared, fleet: self.fleet }
    }
}

impl<F: Fleet + ?Sized> FleetBackfill<F> {
    /// The fleet.
    pub fn fleet(&self) -> &F {
        &self.fleet
    }

    /// The target.
    pub fn cluster(&self) -> &Arc<dyn ClusterClient> {
        &self.shared.cluster
    }

    /// What the session is about, if anything was planned.
    ///
    /// # Errors
    /// What the working state fails with.
    pub async fn run(&self) -> Result<Option<Run>> {
        Ok(self.shared.store.run().await?.map(|run| run.value))
    }

    /// What is left to do in the session.
    ///
    /// # Errors
    /// What the working state fails with.
    pub async fn standing(&self) -> Result<Standing> {
        self.shared.coordinator.standing().await
    }

    /// How the workers of this process send, now.
    pub fn sending(&self) -> Sending {
        self.shared.pressure.sending()
    }

    async fn resize(&self, workers: usize) -> Result<()> {
        if workers > 0 {
            self.shared.prepare().await?;
        }
        self.set_size(workers).await
    }

    async fn set_size(&self, workers: usize) -> Result<()> {
        self.fleet.desired(workers).await?;
        let counts = self.fleet.counts().await?;
        let line = self.fleet.change_line(workers, &counts);
        self.shared.events.send(Event::FleetChanged { desired: workers as u64, line });
        Ok(())
    }

    /// Sends everybody away and waits until they are gone.
    async fn send_away(&self) -> Result<()> {
        self.set_size(0).await?;
        self.until_gone().await
    }

    async fn until_gone(&self) -> Result<()> {
        let FleetCounts { running, pending, terminating, .. } = self.fleet.counts().await?;
        if running + pending + terminating > 0 {
            self.shared.events.send(Event::WaitingForWorkers);
        }
        let (clock, within) = (&*self.shared.clock, self.shared.settings.stop_within);
        tokio::select! {
            // What ended a worker before is told by `wait`; a pause succeeds when none is left.
            gone = self.fleet.empty(clock) => gone.map(|_| ()),
            () = clock.sleep(within) => {
                let FleetCounts { running, pending, terminating, .. } = self.fleet.counts().await?;
                Err(Error::new(ErrorKind::State, format!(
                    "{} workers {} are still there {} s after they were sent away; look at {}, or wait, and do the same again",
                    running + pending + terminating,
                    self.fleet.kind(),
                    within.as_secs(),
                    self.fleet.describe()
                )))
            }
        }
    }

    /// What becomes of the fleet, and of the working state, of a run that is over.
    async fn leave_when_done(&self) -> Result<()> {
        match self.shared.settings.when_done {
            WhenDone::Stay => Ok(()),
            WhenDone::Pause => self.pause().await,
            WhenDone::Stop => self.stop(None).await.map(|_| ()),
        }
    }

    /// Waits until nothing is left to be done, or nobody is there who could do it.
    async fn until_settled(&self) -> Result<Option<Error>> {
        let clock = &*self.shared.clock;
        if self.fleet.kind().is_on_this_machine() {
            let failure = self.fleet.empty(clock).await?;
            // Others may be at it who are not of this fleet.
            while self.fleet.kind() == FleetKind::Processes
                && self.shared.store.workers().await? > 0
            {
                clock.sleep(LOOK_EVERY).await;
            }
            return Ok(failure);
        }
        loop {
            let counts = self.fleet.counts().await?;
            let there = counts.running + counts.pending + counts.terminating;
            let is_gone = counts.desired + there == 0;
            if is_gone || self.shared.coordinator.standing().await? == Standing::Finished {
                return Ok(None);
            }
            clock.sleep(LOOK_EVERY).await;
        }
    }
}

impl Shared {
    /// The snapshot, opened once.
    async fn snapshot(&self) -> Result<&Snapshot> {
        let open = || async {
            let options = self.settings.repository_options.clone();
            Repository::open_with(&self.settings.repository, options)
                .await?
                .snapshot(&self.settings.snapshot)
                .await
        };
        self.snapshot.get_or_try_init(open).await
    }

    async fn work_so_far(&self) -> Result<Work> {
        Ok(Work::of(&self.coordinator.totals().await?))
    }
}

#[async_trait]
impl<F: Fleet + ?Sized> BackfillController for FleetBackfill<F> {
    async fn plan(&self) -> Result<Plan> {
        self.shared.plan().await
    }

    async fn start(&self) -> Result<()> {
        let _changing = self.shared.changing.lock().await;
        let counts = self.fleet.counts().await?;
        let known = usize::try_from(counts.running.max(counts.desired)).unwrap_or(usize::MAX);
        self.resize(known.max(self.shared.settings.workers)).await
    }

    async fn scale(&self, workers: usize) -> Result<()> {
        let _changing = self.shared.changing.lock().await;
        self.resize(workers).await
    }

    async fn pause(&self) -> Result<()> {
        let _changing = self.shared.changing.lock().await;
        self.send_away().await
    }

    async fn stop(&self, folder: Option<&Path>) -> Result<Option<PathBuf>> {
        let _changing = self.shared.changing.lock().await;
        self.end(folder, true).await
    }

    async fn archive(&self, folder: Option<&Path>) -> Result<Option<PathBuf>> {
        let _changing = self.shared.changing.lock().await;
        let FleetCounts { running, pending, .. } = self.status().await?.fleet;
        if running + pending > 0 {
            let message = format!(
                "{} workers are at it; pause or stop the backfill first",
                running + pending
            );
            return Err(Error::new(ErrorKind::State, message));
        }
        self.end(folder, true).await
    }

    async fn restore(&self, file: &Path) -> Result<()> {
        let _changing = self.shared.changing.lock().await;
        self.bring_back(file).await
    }

    async fn reset(&self, folder: Option<&Path>) -> Result<Option<PathBuf>> {
        let _changing = self.shared.changing.lock().await;
        self.end(folder, false).await
    }

    async fn status(&self) -> Result<Status> {
        let (mut fleet, kind) = (self.fleet.counts().await?, self.fleet.kind());
        if kind.is_on_this_machine() {
            // Workers of other processes that fill the same target count, too.
            let others = self.shared.store.workers().await?.saturating_sub(fleet.terminating);
            fleet.running = fleet.running.max(others);
            fleet.desired = fleet.desired.max(fleet.running);
        }
        let is_known = self.shared.coordinator.standing().await? != Standing::Absent;
        Ok(Status { status: BackfillStatus::of(kind, fleet, is_known), fleet })
    }

    async fn deep_status(&self) -> Result<DeepStatus> {
        let status = self.status().await?;
        let standing = self.shared.coordinator.standing().await?;
        let planned = !matches!(standing, Standing::Absent | Standing::Planning);
        let work = self.shared.work_so_far().await?;
        let end = if planned { self.shared.end_of(&work).await? } else { None };
        let sending = self.shared.sending(status.fleet.running > 0).await?;
        Ok(DeepStatus { status, planned, work, end, sending })
    }

    async fn target_health(&self) -> Result<ClusterHealth> {
        self.shared.cluster.health().await
    }

    async fn report(&self) -> Result<Report> {
        let status = self.status().await?.status;
        self.shared.report(status).await
    }

    async fn wait(&self) -> Result<RunEnd> {
        let failure = self.until_settled().await?;
        let standing = self.shared.coordinator.standing().await?;
        let end = match standing {
            Standing::Finished => {
                self.shared.conclude().await?;
                self.shared.end_of(&self.shared.work_so_far().await?).await?
            }
            _ => None,
        };
        let is_stopped = matches!(standing, Standing::Stopping | Standing::Absent);
        // A worker that was late finds its state gone, which is what the stop did.
        let failure = failure.filter(|error| !(is_stopped && error.kind() == ErrorKind::State));
        match (end, failure) {
            (Some(end), _) => {
                self.leave_when_done().await?;
                Ok(end)
            }
            (None, Some(error)) => Err(error),
            (None, None) => Err(Error::new(ErrorKind::Cancelled, ended_early(is_stopped))),
        }
    }

    fn events(&self) -> EventStream {
        self.shared.events.listen()
    }
}

fn ended_early(is_stopped: bool) -> &'static str {
    match is_stopped {
        true => {
            "the backfill was stopped before its end; restore its archive to go on where it stood"
        }
        false => "the backfill was paused before its end; start it again to go on where it stands",
    }
}

#[cfg(test)]
mod tests;
