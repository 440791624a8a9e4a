//! `snapfill backfill start` and `scale`: planning here, working in a fleet that goes on when this program has ended.

use clap::Args;
use snapfill::controller::{BackfillBuilder, BackfillController, Event, FleetBackfill};
use snapfill::settings::BackfillSettings;
use snapfill::snapshot::RepositoryOptions;
use snapfill::{Error, ErrorKind};

use crate::arguments::{RunOptions, Target};
use crate::exit::{Exit, Failure};
use crate::fleet::{self, FleetOptions};
use crate::output::Output;
use crate::snapshot::{open, require_selected};

use super::attach::WhichRun;
use super::following::following;
use super::gradual::{self, Gradual};
use super::place::{Place, settings};
use super::run::refused;

/// A run that is begun or gone on with.
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The repository: a folder or a URL. Not needed to go on with a run that was begun
    #[arg(long, env = "SNAPFILL_REPO", requires = "snapshot")]
    pub(crate) repo: Option<String>,
    /// The snapshot's name
    #[arg(long, env = "SNAPFILL_SNAPSHOT", requires = "repo")]
    pub(crate) snapshot: Option<String>,
    /// The target: a folder, which is made when it is not there, or a cluster's URL
    #[arg(long, value_name = "DIR|URL", env = "SNAPFILL_TARGET")]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) how: RunOptions,
    #[command(flatten)]
    pub(crate) fleet: FleetOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Scale {
    /// Workers that are wanted; 0 is the same as `pause`, and from 0 the backfill starts
    #[arg(value_name = "N")]
    desired: u16,
    #[command(flatten)]
    gradual: Gradual,
    #[command(flatten)]
    start: Start,
}

impl Scale {
    /// Whether standard output is a stream of steps.
    pub(crate) fn streams(&self) -> bool {
        self.gradual.streams()
    }
}

pub(crate) async fn start(arguments: Start, output: &Output) -> Result<Exit, Failure> {
    let backfill = arguments.open(Request::Typed).await?;
    let started = async { Ok(backfill.start().await.map_err(refused)) };
    following(backfill.events(), started, |event| {
        if !output.is_json() && matches!(event, Event::FleetChanged { .. }) {
            output.line("Backfill started successfully.")?;
        }
        note(event, output)
    })
    .await??;
    conclude(&backfill, output).await
}

pub(crate) async fn scale(arguments: Scale, output: &Output) -> Result<Exit, Failure> {
    let desired = arguments.desired.into();
    let options = arguments.gradual.options();
    let backfill = arguments.start.open(Request::Planned).await?;
    if let Some(options) = options {
        return gradual::scale(backfill, desired, options, output).await;
    }
    let scaled = async { Ok(backfill.scale(desired).await.map_err(refused)) };
    following(backfill.events(), scaled, |event| note(event, output)).await??;
    conclude(&backfill, output).await
}

fn note(event: &Event, output: &Output) -> Result<(), Failure> {
    match event {
        Event::FleetChanged { line, .. } if !output.is_json() => output.line(line)?,
        Event::Warning { index, warning } => output.remark(&format!("{index}: {warning}")),
        _ => {}
    }
    Ok(())
}

async fn conclude(backfill: &FleetBackfill, output: &Output) -> Result<Exit, Failure> {
    if output.is_json() {
        output.print_json(&backfill.status().await?)?;
    }
    Ok(Exit::Completed)
}

/// What is meant where a run is planned already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Request {
    /// What is typed; if that is another one, it is refused.
    Typed,
    /// The one that is planned.
    Planned,
}

impl Start {
    /// The controller of what was typed, or of the run that is there.
    async fn open(mut self, request: Request) -> Result<FleetBackfill, Failure> {
        let allowed = std::mem::take(&mut self.how.refusals.allowed.exceptions);
        self.how.cluster.allowed_exceptions = allowed;
        let place = Place::open(&self.target, &self.how).await?;
        let (folder, workers) = (place.folder(), usize::from(self.how.workers));
        let typed = self.repo.take().zip(self.snapshot.take());
        let planned = match (&typed, request) {
            (Some(_), Request::Typed) => None,
            _ => place.planned(&self.how.session).await?,
        };
        if let Some(run) = planned {
            let settings = BackfillSettings::of_run(&run, &folder)?;
            let fleet = fleet::open(&self.which(), &folder, settings.lease).await?;
            let builder = BackfillBuilder::new(BackfillSettings { workers, ..settings });
            return Ok(place.fit(builder).build_over(fleet)?);
        }
        let (repo, snapshot) = typed.ok_or_else(nothing_planned)?;
        let options = RepositoryOptions::from(self.how.reading.clone());
        let selection = self.how.choosing.selection(options.recovery_source);
        let opened = open(&repo, &snapshot, options).await?;
        require_selected(&opened, &selection)?;
        let fleet = fleet::open(&self.which(), &folder, self.how.lease).await?;
        let settings = settings(repo, snapshot, self.how, folder);
        let builder = BackfillBuilder::new(settings).with_snapshot(opened);
        Ok(place.fit(builder).build_over(fleet)?)
    }

    fn which(&self) -> WhichRun<'_> {
        let RunOptions { state, session, cluster, .. } = &self.how;
        WhichRun { target: &self.target, state, session, cluster, fleet: &self.fleet }
    }
}

fn nothing_planned() -> Error {
    let message = "nothing is planned under this session: say what to do by --repo and --snapshot";
    Error::new(ErrorKind::State, message)
}
