//! `snapfill backfill run`.

use snapfill::controller::{BackfillController, DeepStatus, LocalBackfill, RunEnd};
use snapfill::snapshot::{RepositoryOptions, Snapshot};
use snapfill::{Error, ErrorKind};

use crate::arguments::Run;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::signals::Signals;
use crate::snapshot::{open, require_selected};

use super::place::{Place, settings};
use super::progress::Progress;
use super::report::ReportOption;
use super::status::print_work;

pub(crate) async fn run(mut arguments: Run, output: &Output) -> Result<Exit, Failure> {
    arguments.report.require_room()?;
    let options = RepositoryOptions::from(arguments.how.reading.clone());
    let selection = arguments.how.choosing.selection(options.recovery_source);
    let snapshot = open(&arguments.repo, &arguments.snapshot, options).await?;
    require_selected(&snapshot, &selection)?;
    let allowed = std::mem::take(&mut arguments.how.refusals.allowed.exceptions);
    arguments.how.cluster.allowed_exceptions = allowed;
    if arguments.how.from_scratch && !output.is_json() {
        output.remark(
            "From scratch: every document is written again, also those that are in the target",
        );
    }
    let report = ReportOption { report: arguments.report.report.take() };
    let backfill = build(arguments, snapshot, output).await?;
    let mut events = backfill.events();
    // One listener from beginning to end: a Ctrl-C between planning and the first bulk is not lost.
    let mut signals = Signals::listen()?;
    tokio::select! {
        started = backfill.start() => started.map_err(refused)?,
        _ = signals.next() => return interrupt(&backfill, &mut signals, output).await,
    }
    let mut progress = Progress::new(&backfill.deep_status().await?.work, output);
    let ended = {
        let end = backfill.wait();
        tokio::pin!(end);
        loop {
            tokio::select! {
                end = &mut end => break Some(end),
                Some(event) = events.next() => progress.note(&event),
                _ = signals.next() => break None,
            }
        }
    };
    progress.finish();
    // It may have turned out during the run.
    let gives_ids = !backfill.cluster().capability().is_idempotent();
    if gives_ids && !output.is_json() {
        output.remark(
            "The target gave documents ids of its own: what had to be sent again is there twice.",
        );
    }
    match ended {
        Some(end) => {
            let end = end?;
            report.write(&backfill, output).await?;
            conclude(end, &backfill.deep_status().await?, output)
        }
        None => interrupt(&backfill, &mut signals, output).await,
    }
}

/// The controller: a local target has its working state beside it, a cluster in an index of its own unless told otherwise.
async fn build(
    arguments: Run,
    snapshot: Snapshot,
    output: &Output,
) -> Result<LocalBackfill, Failure> {
    let place = Place::open(&arguments.target, &arguments.how).await?;
    if !output.is_json()
        && let Some(remark) = place.remark()
    {
        output.remark(&remark);
    }
    let settings = settings(arguments.repo, arguments.snapshot, arguments.how, place.folder());
    Ok(place.fit(LocalBackfill::builder(settings)).with_snapshot(snapshot).build()?)
}

/// Planning reads the snapshot: what it finds wrong there is the snapshot's fault.
pub(super) fn refused(error: Error) -> Failure {
    if error.context().any(|(name, _)| name == "selection") {
        return Failure::nothing_selected(error.message().to_owned());
    }
    let of_snapshot = error.context().any(|(name, _)| name == "file" || name == "shard");
    match error.kind() {
        ErrorKind::Corrupt | ErrorKind::Unsupported | ErrorKind::NotFound if of_snapshot => {
            Failure::unreadable(error)
        }
        _ => error.into(),
    }
}

fn conclude(end: RunEnd, status: &DeepStatus, output: &Output) -> Result<Exit, Failure> {
    if output.is_json() {
        output.print_json(status)?;
    } else {
        print_work(status, output)?;
    }
    Ok(end.into())
}

/// The first Ctrl-C or SIGTERM lets what is in flight finish, so that the next run goes on right there.
async fn interrupt(
    backfill: &LocalBackfill,
    signals: &mut Signals,
    output: &Output,
) -> Result<Exit, Failure> {
    if !output.is_json() {
        output.remark(
            "Interrupted: waiting for what is in flight. Run the same command again to go on.",
        );
    }
    tokio::select! {
        paused = backfill.pause() => paused?,
        _ = signals.next() => {}
    }
    if output.is_json() {
        output.print_json(&backfill.deep_status().await?)?;
    }
    Ok(Exit::Interrupted)
}
