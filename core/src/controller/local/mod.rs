//! The controller of this machine: workers as tasks of this process, target and working state in one folder.

mod builder;
mod failures;
mod joins;
mod load;
mod run;
mod sending;
mod stopping;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{Mutex, OnceCell, watch};

pub use builder::LocalBackfillBuilder;

use super::{
    BackfillController, BackfillStatus, DeepStatus, EventSender, EventStream, Plan, RunEnd, Status,
    Work,
};
use crate::cluster::ClusterClient;
use crate::coordination::{Coordinator, Run, Standing, WorkStore};
use crate::failed::FailedLog;
use crate::fleet::{Fleet, TaskFleet};
use crate::pipeline::{Failures, Pressure};
use crate::settings::BackfillSettings;
use crate::snapshot::{Repository, Snapshot};
use crate::{Clock, Error, ErrorKind, Result};

/// A backfill whose workers are tasks of this process.
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
#[derive(Clone)]
pub struct LocalBackfill {
    shared: Arc<Shared>,
    fleet: TaskFleet,
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
    /// Told whenever a worker lets an item go.
    released: watch::Sender<()>,
    /// Held by the verb that changes the fleet: a pause that comes while a start is planning is obeyed after it, and not
    /// undone by it.
    changing: Mutex<()>,
}

impl LocalBackfill {
    /// Begins with settings; components such as the clock can be put in before it is built.
    pub fn builder(settings: BackfillSettings) -> LocalBackfillBuilder {
        LocalBackfillBuilder::new(settings)
    }

    /// The target.
    pub fn cluster(&self) -> &Arc<dyn ClusterClient> {
        &self.shared.cluster
    }

    fn assemble(shared: Shared) -> Self {
        let shared = Arc::new(shared);
        let maker = Arc::clone(&shared);
        let fleet = TaskFleet::new(
            shared.events.clone(),
            Arc::new(move |name, stop| Box::pin(Arc::clone(&maker).work(name, stop))),
        );
        Self { shared, fleet }
    }

    /// What the session is about, if anything was planned.
    ///
    /// # Errors
    /// What the working state fails with.
    pub async fn run(&self) -> Result<Option<Run>> {
        Ok(self.shared.store.run().await?.map(|run| run.value))
    }

    /// The documents that the target refused for good.
    ///
    /// # Errors
    /// What the working state fails with, and what opening the place where they are kept fails with.
    pub async fn failed_documents(&self) -> Result<FailedLog> {
        self.shared.failed_log().await
    }

    async fn resize(&self, workers: usize) -> Result<()> {
        if workers > 0 {
            self.shared.prepare().await?;
        }
        self.fleet.desired(workers).await
    }

    async fn send_away(&self) -> Result<()> {
        self.fleet.desired(0).await?;
        // What ended a worker before is told by `wait`; a pause succeeds when none is left.
        let _ = self.fleet.empty().await;
        Ok(())
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
impl BackfillController for LocalBackfill {
    async fn plan(&self) -> Result<Plan> {
        self.shared.plan().await
    }

    async fn start(&self) -> Result<()> {
        let _changing = self.shared.changing.lock().await;
        let running = usize::try_from(self.fleet.counts().await?.running).unwrap_or(usize::MAX);
        self.resize(running.max(self.shared.settings.workers)).await
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
        let running = self.status().await?.fleet.running;
        if running > 0 {
            let message = format!("{running} workers are at it; pause or stop the backfill first");
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
        let mut fleet = self.fleet.counts().await?;
        // Workers of other processes that fill the same target count, too.
        fleet.running =
            self.shared.store.workers().await?.saturating_sub(fleet.terminating).max(fleet.running);
        fleet.desired = fleet.desired.max(fleet.running);
        let status = match self.shared.coordinator.standing().await? {
            _ if fleet.running > 0 => BackfillStatus::Running,
            _ if fleet.terminating > 0 => BackfillStatus::Terminating,
            Standing::Absent => BackfillStatus::NotStarted,
            _ => BackfillStatus::Stopped,
        };
        Ok(Status { status, fleet })
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

    async fn wait(&self) -> Result<RunEnd> {
        let failure = self.fleet.empty().await;
        let standing = self.shared.coordinator.standing().await?;
        let end = match standing {
            Standing::Finished => {
                self.shared.conclude().await?;
                self.shared.end_of(&self.shared.work_so_far().await?).await?
            }
            _ => None,
        };
        match (end, failure) {
            (Some(end), _) => Ok(end),
            (None, Some(error)) => Err(error),
            (None, None) => Err(Error::new(ErrorKind::Cancelled, ended_early(standing))),
        }
    }

    fn events(&self) -> EventStream {
        self.shared.events.listen()
    }
}

fn ended_early(standing: Standing) -> &'static str {
    match standing {
        Standing::Stopping | Standing::Absent => {
            "the backfill was stopped before its end; restore its archive to go on where it stood"
        }
        _ => "the backfill was paused before its end; start it again to go on where it stands",
    }
}

#[cfg(test)]
mod tests;
