//! `snapfill worker`: what a container, or a supervisor, runs.

use snapfill::controller::{BackfillController, LocalBackfill, RunEnd};
use snapfill::coordination::Run;
use snapfill::retry::RetryPolicy;
use snapfill::settings::BackfillSettings;
use snapfill::{Error, ErrorKind, SystemClock};

use crate::arguments::Worker as Arguments;
use crate::backfill::place::{Place, settings};
use crate::exit::{Exit, Failure};
use crate::signals::{Signal, Signals};

pub(crate) async fn run(mut arguments: Arguments) -> Result<Exit, Failure> {
    let mut signals = Signals::listen()?;
    if arguments.until_stdin_closes {
        signals = signals.until_stdin_closes()?;
    }
    let allowed = std::mem::take(&mut arguments.how.refusals.allowed.exceptions);
    arguments.how.cluster.allowed_exceptions = allowed;
    let backfill = tokio::select! {
        backfill = join(arguments) => backfill?,
        signal = signals.next() => return Ok(ended_by(signal)),
    };
    tokio::select! {
        started = backfill.start() => started?,
        signal = signals.next() => return leave(&backfill, signal).await,
    }
    let end = backfill.wait();
    tokio::pin!(end);
    tokio::select! {
        end = &mut end => conclude(end, &backfill).await,
        signal = signals.next() => leave(&backfill, signal).await,
    }
}

/// A stop sends workers away: that is no failure, and nothing is left for this one to do.
async fn conclude(end: Result<RunEnd, Error>, backfill: &LocalBackfill) -> Result<Exit, Failure> {
    match end {
        Err(error) if error.kind() == ErrorKind::Cancelled && is_stopped(backfill).await? => {
            tracing::info!("the backfill was stopped: this worker let go what it held");
        }
        end => {
            end?;
        }
    }
    Ok(Exit::Completed)
}

async fn is_stopped(backfill: &LocalBackfill) -> Result<bool, Error> {
    Ok(backfill.run().await?.is_none_or(|run| run.stopping))
}

/// The run as its planner said; the one that was typed if nobody has planned.
async fn join(arguments: Arguments) -> Result<LocalBackfill, Failure> {
    let place = Place::open(&arguments.target, &arguments.how).await?;
    let workers = usize::from(arguments.how.workers);
    let settings = match planned(&place, &arguments).await? {
        Some(run) => BackfillSettings::of_run(&run, place.folder())?,
        None => {
            let (Some(repo), Some(snapshot)) = (arguments.repo, arguments.snapshot) else {
                let message = "nothing is planned under this session: plan it by `backfill run`, or say what to do by --repo and \
                               --snapshot";
                return Err(Error::new(ErrorKind::State, message).into());
            };
            settings(repo, snapshot, arguments.how, place.folder())
        }
    };
    let settings = BackfillSettings { workers, ..settings };
    Ok(place.fit(LocalBackfill::builder(settings)).build()?)
}

/// The run of the session. A cluster that is away for a moment is waited for.
async fn planned(place: &Place, arguments: &Arguments) -> Result<Option<Run>, Failure> {
    let Some(store) = place.store() else {
        return match LocalBackfill::attach(&place.folder(), &arguments.how.session).await {
            Ok(backfill) => Ok(backfill.run().await?),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        };
    };
    let read = || store.run();
    let run = RetryPolicy::patient().run(&SystemClock::new(), read).await?;
    Ok(run.map(|run| run.value))
}

/// Finishes what is in flight, writes how far it is, and lets it go.
async fn leave(backfill: &LocalBackfill, signal: Signal) -> Result<Exit, Failure> {
    backfill.pause().await?;
    Ok(ended_by(signal))
}

fn ended_by(signal: Signal) -> Exit {
    match signal {
        Signal::Interrupt => Exit::Interrupted,
        Signal::Terminate => Exit::Terminated,
    }
}
