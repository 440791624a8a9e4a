//! Settings and components become a controller.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Mutex, OnceCell, watch};

use super::{FleetBackfill, LocalBackfill, Shared};
use crate::cluster::{ClusterClient, LocalCluster};
use crate::controller::{EventSender, Tally};
use crate::coordination::{Coordinator, LeaseRules, LocalWorkStore, Session, WorkStore};
use crate::failed::{FailedStore, require_reachable};
use crate::fleet::{Fleet, FleetKind, LocalFleet, TaskFleet};
use crate::pipeline::Pressure;
use crate::settings::BackfillSettings;
use crate::snapshot::Snapshot;
use crate::{Clock, Error, ErrorKind, Result, SystemClock, Transform};

/// Settings (data) and components (objects) from which a [`FleetBackfill`] is built.
#[derive(Debug)]
pub struct BackfillBuilder {
    settings: BackfillSettings,
    clock: Arc<dyn Clock>,
    cluster: Option<Arc<dyn ClusterClient>>,
    store: Option<Arc<dyn WorkStore>>,
    snapshot: Option<Snapshot>,
    transform: Option<Arc<dyn Transform>>,
    tally: Tally,
}

impl BackfillBuilder {
    /// Begins with settings; where the workers are is said last, by [`BackfillBuilder::build`] or
    /// [`BackfillBuilder::build_over`].
    pub fn new(settings: BackfillSettings) -> Self {
        let clock = Arc::new(SystemClock::new());
        Self {
            settings,
            clock,
            cluster: None,
            store: None,
            snapshot: None,
            transform: None,
            tally: Tally::default(),
        }
    }

    /// What it is to do, as said or as the run says.
    pub fn settings(&self) -> &BackfillSettings {
        &self.settings
    }

    /// Uses another clock than the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Writes to another cluster than the target folder's. The working state stays in the target folder.
    #[must_use]
    pub fn with_cluster(mut self, cluster: Arc<dyn ClusterClient>) -> Self {
        self.cluster = Some(cluster);
        self
    }

    /// Keeps the working state elsewhere than in the target folder: in an index of a cluster, for workers on several
    /// machines. It must be of the session of the settings.
    #[must_use]
    pub fn with_store(mut self, store: Arc<dyn WorkStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Reads a snapshot that is open already, in place of opening the one of the settings.
    #[must_use]
    pub fn with_snapshot(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = Some(snapshot);
        self
    }

    /// Changes the documents on their way. The run says that it is one whose documents are changed: whoever goes on with it must
    /// give the same function, and workers that cannot have it, since they are no tasks of this process, are refused.
    #[must_use]
    pub fn with_transform(mut self, transform: Arc<dyn Transform>) -> Self {
        self.settings.transformed = true;
        self.transform = Some(transform);
        self
    }

    /// Counts what the workers of this process do in a tally that may have counted before.
    #[must_use]
    pub fn with_tally(mut self, tally: Tally) -> Self {
        self.tally = tally;
        self
    }

    /// Opens the target, making it when it is not there. A folder that is only for what this machine keeps of a run into a
    /// cluster is made when something is written there.
    ///
    /// # Errors
    /// `Config` for a session name that is none, or a lease too short for the bulk timeout; what opening the
    /// target folder, and the place for failed documents, fails with.
    pub fn build(self) -> Result<LocalBackfill> {
        let shared = Arc::new(self.shared()?);
        let maker = Arc::clone(&shared);
        let fleet = TaskFleet::new(
            shared.events.clone(),
            Arc::new(move |name, stop| Box::pin(Arc::clone(&maker).work(name, stop))),
        );
        Ok(FleetBackfill { shared, fleet: Arc::new(LocalFleet::Tasks(fleet)) })
    }

    /// The same with the workers of a fleet, which have the settings from the working state.
    ///
    /// # Errors
    /// As [`BackfillBuilder::build`]; `Config` where workers elsewhere could not see a place that is on this machine, and
    /// where there is a transform, which is a function of this process.
    pub fn build_over<F: Fleet + ?Sized>(self, fleet: Arc<F>) -> Result<FleetBackfill<F>> {
        self.require_no_transform_for(fleet.kind())?;
        self.require_visible_to(&*fleet)?;
        Ok(FleetBackfill { shared: Arc::new(self.shared()?), fleet })
    }

    fn require_no_transform_for(&self, kind: FleetKind) -> Result<()> {
        if self.transform.is_none() || kind == FleetKind::Tasks {
            return Ok(());
        }
        let message = format!(
            "a transform is a function of this process, which workers {kind} cannot call; have the workers be tasks of this \
             process, or leave the transform out"
        );
        Err(Error::new(ErrorKind::Config, message))
    }

    /// Refuses what workers elsewhere cannot see. A run that is only looked at has no repository here.
    fn require_visible_to<F: Fleet + ?Sized>(&self, fleet: &F) -> Result<()> {
        let kind = fleet.kind();
        if kind.is_on_this_machine() || self.settings.repository.is_empty() {
            return Ok(());
        }
        let refuse = |what: &str, how: &str| {
            Err(Error::new(ErrorKind::Config, format!("workers {kind} cannot see {what}; {how}")))
        };
        if self.store.as_ref().is_none_or(|store| !store.capability().remote) {
            return refuse(
                "a working state on this machine",
                "keep it in a cluster (`--coordinator URL`, or that of the target)",
            );
        }
        if self.cluster.is_none() {
            return refuse("a target folder on this machine", "give the URL of a cluster");
        }
        let sees_folders = fleet.sees_folders();
        if is_folder(&self.settings.repository) && !sees_folders {
            return refuse(
                "a repository in a folder of this machine",
                "give the URL of a bucket that holds it, or say that they mount the same folder at the same path \
                 (`shared_folders` of the fleet)",
            );
        }
        match &self.settings.failed_store {
            Some(_) if sees_folders => Ok(()),
            failed_store => require_reachable(kind, failed_store.as_deref()),
        }
    }

    fn shared(mut self) -> Result<Shared> {
        let rules = LeaseRules::for_length(self.settings.lease);
        rules.require_room_for(self.settings.bulk.timeout)?;
        // Where target and working state are clusters, nothing is kept in the folder yet, and maybe never.
        let is_needed = self.cluster.is_none() || self.store.is_none();
        self.settings.target = folder(&self.settings.target, is_needed)?;
        let cluster = match self.cluster {
            Some(cluster) => cluster,
            None => Arc::new(LocalCluster::open(&self.settings.target)?),
        };
        let store = match self.store {
            Some(store) => store,
            None => open_store(&self.settings.target, &self.settings.session, &self.clock)?,
        };
        let coordinator =
            Arc::new(Coordinator::new(Arc::clone(&store), Arc::clone(&self.clock), rules));
        if let Some(place) = &self.settings.failed_store {
            FailedStore::claim(place)?;
        }
        let events = EventSender::counting(self.tally);
        let pressure = Pressure::new(
            Arc::clone(&cluster),
            Arc::clone(&coordinator),
            Arc::clone(&self.clock),
            events.clone(),
        );
        Ok(Shared {
            settings: self.settings,
            cluster,
            store,
            coordinator,
            failures: OnceCell::new(),
            clock: self.clock,
            events,
            pressure: Arc::new(pressure),
            limited: OnceCell::new(),
            snapshot: OnceCell::new_with(self.snapshot),
            transform: self.transform,
            released: watch::Sender::default(),
            changing: Mutex::default(),
        })
    }
}

/// Whether a repository is named by its folder.
fn is_folder(repository: &str) -> bool {
    !repository.contains("://") || repository.starts_with("file:")
}

/// The folder, made if it `is_needed` now. However it is written, it is one target.
fn folder(written: &Path, is_needed: bool) -> Result<PathBuf> {
    if !is_needed && !written.exists() {
        return std::path::absolute(written).map_err(|error| no_target_folder(written, error));
    }
    std::fs::create_dir_all(written)
        .and_then(|()| std::fs::canonicalize(written))
        .map_err(|error| no_target_folder(written, error))
}

fn no_target_folder(target: &Path, error: std::io::Error) -> Error {
    let what = match target.is_file() {
        true => "there is a file of that name".to_owned(),
        false => error.to_string(),
    };
    let message = format!(
        "cannot make the target folder {}: {what}; name a folder that you may write to",
        target.display()
    );
    Error::new(ErrorKind::Io, message).with_source(error)
}

/// A controller of a run that was started earlier, maybe by another process: what it is about is read from its working state.
impl BackfillBuilder {
    /// Of a run into a folder.
    ///
    /// # Errors
    /// `NotFound` when there is no target in that folder.
    pub async fn attach(target: &Path, session: &str) -> Result<Self> {
        let cluster = Arc::new(LocalCluster::open_existing(target)?);
        Self::attach_to(target, session, cluster).await
    }

    /// Of a run into a cluster, whose working state is in a folder.
    ///
    /// # Errors
    /// `NotFound` when there is no working state in that folder.
    pub async fn attach_to(
        folder: &Path,
        session: &str,
        cluster: Arc<dyn ClusterClient>,
    ) -> Result<Self> {
        LocalCluster::open_existing(folder)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let store = open_store(folder, session, &clock)?;
        let settings = settings_of(&*store, folder).await?;
        Ok(Self::new(settings).with_clock(clock).with_cluster(cluster))
    }

    /// Of a run whose working state and target are clusters; `folder` is this machine's own place for it, and is made when
    /// something is written there. Where nothing is planned under the session of `store`, it can be asked and not started.
    ///
    /// # Errors
    /// What the store fails with.
    pub async fn attach_over(
        store: Arc<dyn WorkStore>,
        cluster: Arc<dyn ClusterClient>,
        folder: &Path,
    ) -> Result<Self> {
        let settings = settings_of(&*store, folder).await?;
        Ok(Self::new(settings).with_store(store).with_cluster(cluster))
    }
}

impl LocalBackfill {
    /// A controller of a run into a folder that was started earlier: to see how it stands, and to go on with tasks of this
    /// process. [`BackfillBuilder::attach_over`] and its like are for other places.
    ///
    /// # Errors
    /// `NotFound` when there is no target in that folder.
    pub async fn attach(target: &Path, session: &str) -> Result<Self> {
        BackfillBuilder::attach(target, session).await?.build()
    }
}

/// What the run of a store says; a session without a run has the usual settings.
async fn settings_of(store: &dyn WorkStore, folder: &Path) -> Result<BackfillSettings> {
    if let Some(run) = store.run().await? {
        return BackfillSettings::of_run(&run.value, folder);
    }
    let mut settings = BackfillSettings::new("", "", folder);
    store.session().name().clone_into(&mut settings.session);
    Ok(settings)
}

fn open_store(target: &Path, session: &str, clock: &Arc<dyn Clock>) -> Result<Arc<dyn WorkStore>> {
    let session = Session::named(session)?;
    Ok(Arc::new(LocalWorkStore::open(target, session, Arc::clone(clock))?))
}
