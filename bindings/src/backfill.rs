//! The verbs of a backfill.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use snapfill::controller::{BackfillBuilder, BackfillController, FleetBackfill, LocalBackfill};
use snapfill::fleet::{self, FleetKind};
use snapfill::settings::config::{Config, ConfigFile};
use snapfill::settings::{BackfillSettings, FleetConfig};
use snapfill::{Error, ErrorKind, SystemClock};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::backfill_options::config;
use crate::configured;
use crate::events::Listeners;
use crate::place::{self, Place};
use crate::status::word;
use crate::transform::{self, Transform};
use crate::{
    BackfillOptions, DeepStatus, EventStream, GradualOptions, GradualScaling, Plan, RateLimits,
    Result, Status, runtime,
};

/// How long an interrupted call waits for the workers of this process.
const INTERRUPTED_WITHIN: Duration = Duration::from_millis(800);

/// A backfill: fills a target with the documents of a snapshot. Nothing is opened before it is asked for something. Every verb
/// may be repeated, and in any order; what is not allowed now is refused with `State`.
#[derive(Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct Backfill {
    control: Arc<Control>,
}

/// What a backfill and its listeners share.
pub(crate) struct Control {
    options: BackfillOptions,
    /// Says what is to be done, in place of the options.
    configured: Option<Box<Config>>,
    transform: Option<Arc<dyn snapfill::Transform>>,
    opened: OnceCell<Arc<FleetBackfill>>,
    listeners: Mutex<Listeners>,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("options", &self.options).finish_non_exhaustive()
    }
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Backfill {
    /// A backfill by its options.
    ///
    /// # Errors
    /// `Config` for options that contradict each other or that no word is known for.
    #[cfg_attr(feature = "uniffi", uniffi::constructor)]
    pub fn new(options: BackfillOptions) -> Result<Arc<Self>> {
        Self::with_transform(options, None)
    }

    /// The backfill of a configuration file: TOML or YAML, or a `services.yaml` of OpenSearch's Migration Assistant. Secrets that
    /// it names are read now.
    ///
    /// # Errors
    /// `NotFound` or `Io` when it cannot be read; `Config`, with file, line and column, when it cannot be understood, says no
    /// target, or a secret is not where it says.
    #[cfg_attr(feature = "uniffi", uniffi::constructor)]
    pub fn from_config(path: String) -> Result<Arc<Self>> {
        Self::from_config_with_transform(path, None)
    }

    /// What a run would do. Changes nothing.
    ///
    /// # Errors
    /// `NotFound` when the selection names what is not there; what reading the snapshot's metadata fails with.
    pub async fn plan(self: Arc<Self>) -> Result<Plan> {
        self.ask(|backfill| async move { Ok(backfill.plan().await?.into()) }).await
    }

    /// Plans, makes the indices, and brings up as many workers as are configured.
    ///
    /// # Errors
    /// As [`Backfill::plan`]; `State` when the session is about another run, or was stopped; what the target fails with.
    pub async fn start(self: Arc<Self>) -> Result<()> {
        self.ask(|backfill| async move { backfill.start().await }).await
    }

    /// Sets the number of workers. From 0 it starts the backfill.
    ///
    /// # Errors
    /// As [`Backfill::start`].
    pub async fn scale(self: Arc<Self>, workers: u32) -> Result<()> {
        let workers = usize::try_from(workers).unwrap_or(usize::MAX);
        self.ask(move |backfill| async move { backfill.scale(workers).await }).await
    }

    /// Sets the number of workers step by step, as long as the target is well. Nothing happens before it is asked for a step.
    ///
    /// # Errors
    /// `Config` for options that make no sense.
    pub fn scale_gradually(
        &self,
        workers: u32,
        options: GradualOptions,
    ) -> Result<Arc<GradualScaling>> {
        Ok(GradualScaling::of(Arc::clone(&self.control), workers, options.settings()?))
    }

    /// Sends all workers away and waits until they are gone. What they had done is kept; `start` goes on there.
    ///
    /// # Errors
    /// What the working state fails with.
    pub async fn pause(self: Arc<Self>) -> Result<()> {
        self.ask(|backfill| async move { backfill.pause().await }).await
    }

    /// Sends all workers away, writes the working state to a file in `folder`, reads it back, and only then deletes it. Says
    /// where the file lies; none when there was no working state. To be able to go on, pause instead.
    ///
    /// # Errors
    /// What the working state fails with, `Io` when the file cannot be written; then nothing is deleted.
    pub async fn stop(self: Arc<Self>, folder: Option<String>) -> Result<Option<String>> {
        self.ask(|backfill| async move {
            Ok(backfill.stop(folder.as_deref().map(Path::new)).await?.map(text))
        })
        .await
    }

    /// The same for a backfill whose workers are gone.
    ///
    /// # Errors
    /// As [`Backfill::stop`]; `State` while workers are at it.
    pub async fn archive(self: Arc<Self>, folder: Option<String>) -> Result<Option<String>> {
        self.ask(|backfill| async move {
            Ok(backfill.archive(folder.as_deref().map(Path::new)).await?.map(text))
        })
        .await
    }

    /// Brings a stopped backfill back to where it was. `start` then goes on.
    ///
    /// # Errors
    /// `NotFound` when there is no such file, `Corrupt` when it is damaged, `Unsupported` when a newer release wrote it,
    /// `State` when it is of another session, target or run, or when the session has a working state already.
    pub async fn restore(self: Arc<Self>, file: String) -> Result<()> {
        self.ask(|backfill| async move { backfill.restore(Path::new(&file)).await }).await
    }

    /// The same as [`Backfill::stop`], and then the session may be begun anew.
    ///
    /// # Errors
    /// As [`Backfill::stop`].
    pub async fn reset(self: Arc<Self>, folder: Option<String>) -> Result<Option<String>> {
        self.ask(|backfill| async move {
            Ok(backfill.reset(folder.as_deref().map(Path::new)).await?.map(text))
        })
        .await
    }

    /// Whether workers are at it.
    ///
    /// # Errors
    /// What the working state fails with.
    pub async fn status(self: Arc<Self>) -> Result<Status> {
        self.ask(|backfill| async move { Ok(backfill.status().await?.into()) }).await
    }

    /// Whether workers are at it, and how far the work is.
    ///
    /// # Errors
    /// What the working state fails with.
    pub async fn deep_status(self: Arc<Self>) -> Result<DeepStatus> {
        self.ask(|backfill| async move { Ok(backfill.deep_status().await?.into()) }).await
    }

    /// Ceilings of what each process that works on the run sends.
    ///
    /// # Errors
    /// What the working state fails with.
    pub async fn limits(self: Arc<Self>) -> Result<RateLimits> {
        self.ask(|backfill| async move { Ok(backfill.rate_limits().await?.into()) }).await
    }

    /// Changes these ceilings while it runs: here at once, in other processes that work on the run within some seconds.
    ///
    /// # Errors
    /// `Config` for a ceiling of 0; `State` when nothing was planned; what the working state fails with.
    pub async fn limit(self: Arc<Self>, limits: RateLimits) -> Result<()> {
        let limits = limits.try_into()?;
        self.ask(move |backfill| async move { backfill.set_rate_limits(limits).await }).await
    }

    /// Waits for the end of the run: `completed`, `completed_with_errors` or `failed`.
    ///
    /// # Errors
    /// The error that ended a worker, when it left work undone; `Cancelled` when the backfill was paused or stopped.
    pub async fn wait(self: Arc<Self>) -> Result<String> {
        self.ask(|backfill| async move { Ok(word(backfill.wait().await?)) }).await
    }

    /// For a binding whose call to wait, or to be told of events, was given up: sends away the workers that are tasks of this
    /// process. They write how far they are, and `start` goes on there. Comes back when they are gone, or shortly before a
    /// second is over: what is in flight to a slow target then ends by itself. Workers elsewhere go on.
    ///
    /// # Errors
    /// None but those of every call.
    pub async fn interrupt(self: Arc<Self>) -> Result<()> {
        let has_workers_here = self.control.has_workers_here()?;
        runtime::run(async move {
            let opened = self.control.opened.get().map(Arc::clone);
            if let Some(backfill) = opened.filter(|_| has_workers_here) {
                // A task of its own, which is not given up together with the wait for it.
                let pausing = tokio::spawn(async move { backfill.pause().await });
                if let Ok(Ok(Err(error))) = timeout(INTERRUPTED_WITHIN, pausing).await {
                    tracing::warn!(%error, "the workers of an interrupted backfill are not known to be gone");
                }
            }
            Ok(())
        })
        .await
    }

    /// What happens from now on.
    pub fn events(&self) -> Arc<EventStream> {
        self.control.listeners().listen(Arc::downgrade(&self.control))
    }
}

impl Backfill {
    /// The same as [`Backfill::new`], with a function of the host that changes the documents on their way.
    ///
    /// # Errors
    /// As [`Backfill::new`]; `Config` where the workers are not in this process.
    pub fn with_transform(
        options: BackfillOptions,
        transform: Option<Arc<dyn Transform>>,
    ) -> Result<Arc<Self>> {
        options.settings(PathBuf::new())?;
        Self::of(options, None, transform)
    }

    /// The same as [`Backfill::from_config`], with such a function.
    ///
    /// # Errors
    /// As [`Backfill::from_config`]; `Config` where the workers are not in this process.
    pub fn from_config_with_transform(
        path: String,
        transform: Option<Arc<dyn Transform>>,
    ) -> Result<Arc<Self>> {
        let file = ConfigFile::read(path)?;
        for note in &file.notes {
            tracing::warn!(file = %file.path.display(), "{note}");
        }
        let options = configured::options(&file.config)?;
        Self::of(options, Some(Box::new(file.config)), transform)
    }

    fn of(
        options: BackfillOptions,
        configured: Option<Box<Config>>,
        transform: Option<Arc<dyn Transform>>,
    ) -> Result<Arc<Self>> {
        place::check(&options)?;
        options.source()?;
        let fleet = options.fleet()?;
        if transform.is_some() && fleet != FleetConfig::Tasks {
            return Err(config(
                "a transform is a function of this process, which workers elsewhere cannot call; leave out ecs and kubernetes, \
                 or the transform",
            ));
        }
        let transform = transform.map(transform::of_host);
        let listeners = Mutex::new(Listeners::Waiting(Vec::new()));
        let opened = OnceCell::new();
        let control = Control { options, configured, transform, opened, listeners };
        Ok(Arc::new(Self { control: Arc::new(control) }))
    }

    pub(crate) fn control(&self) -> &Arc<Control> {
        &self.control
    }

    pub(crate) async fn ask<T, A>(
        self: Arc<Self>,
        question: impl FnOnce(Arc<FleetBackfill>) -> A + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
        A: Future<Output = snapfill::Result<T>> + Send + 'static,
    {
        runtime::run(async move {
            let backfill = Arc::clone(self.control.opened().await?);
            Ok(question(backfill).await?)
        })
        .await
    }
}

impl Control {
    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn opened(&self) -> Result<&Arc<FleetBackfill>> {
        let open = || async {
            let backfill = self.open().await?;
            self.listeners().open(&backfill);
            Ok::<_, crate::SnapfillError>(backfill)
        };
        self.opened.get_or_try_init(open).await
    }

    async fn open(&self) -> Result<Arc<FleetBackfill>> {
        let mut builder = self.builder().await?;
        if let Some(transform) = &self.transform {
            builder = builder.with_transform(Arc::clone(transform));
        }
        let clock = Arc::new(SystemClock::new());
        Ok(match fleet::open(&self.options.fleet()?, clock).await? {
            None => Arc::new(builder.build()?.over_any()),
            Some(fleet) => Arc::new(builder.build_over(fleet)?),
        })
    }

    async fn builder(&self) -> Result<BackfillBuilder> {
        let is_new = self.options.source()?.is_some();
        let usual = || BackfillSettings::new("", "", "").lease;
        let lease = if is_new { self.settings(PathBuf::new())?.lease } else { usual() };
        let place = Place::open(&self.options, lease).await?;
        if !is_new {
            return attach(place, self.options.session()).await;
        }
        let mut builder = LocalBackfill::builder(self.settings(place.folder)?);
        if let Some(cluster) = place.cluster {
            builder = builder.with_cluster(Arc::new(cluster));
        }
        if let Some(store) = place.store {
            builder = builder.with_store(store);
        }
        Ok(builder)
    }

    fn settings(&self, folder: PathBuf) -> Result<BackfillSettings> {
        match &self.configured {
            Some(configured) => Ok(configured.settings(folder)?),
            None => self.options.settings(folder),
        }
    }

    /// Whether its workers are tasks of this process.
    fn has_workers_here(&self) -> Result<bool> {
        Ok(self.options.fleet()?.kind() == FleetKind::Tasks)
    }

    /// Returns when no worker is at it.
    pub(crate) async fn workers_gone(&self) -> Result<()> {
        // How the run ended, or why not, is told by `wait`.
        let _ = self.opened().await?.wait().await;
        Ok(())
    }
}

/// The run that the target or its coordinator knows.
async fn attach(place: Place, session: &str) -> Result<BackfillBuilder> {
    let Place { folder, cluster, store } = place;
    Ok(match (cluster, store) {
        (None, _) => BackfillBuilder::attach(&folder, session).await?,
        (Some(cluster), Some(store)) => {
            BackfillBuilder::attach_over(store, Arc::new(cluster), &folder).await?
        }
        (Some(cluster), None) => {
            let attached = BackfillBuilder::attach_to(&folder, session, Arc::new(cluster)).await;
            attached.map_err(|error| unknown(error, &folder))?
        }
    })
}

fn unknown(error: Error, folder: &Path) -> Error {
    if error.kind() != ErrorKind::NotFound {
        return error;
    }
    let message = format!(
        "this machine knows of no run into that target: its working state would be in {}; name its folder as state",
        folder.display()
    );
    Error::new(ErrorKind::NotFound, message)
}

fn text(path: PathBuf) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
