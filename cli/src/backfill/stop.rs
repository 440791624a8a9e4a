//! `snapfill backfill stop`, `reset` and `restore`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use snapfill::controller::{ArchiveManifest, BackfillController, Event, FleetBackfill};

use crate::exit::{Exit, Failure};
use crate::output::{Output, count_of, grouped};

use super::attach::OfRun;
use super::following::following;

#[derive(Debug, Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    run: OfRun,
    /// Where the archive goes. Unless given: $SHARED_LOGS_DIR_PATH/backfill_working_state, or else ./backfill_working_state
    #[arg(long, value_name = "DIR")]
    archive_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The archive that `stop` wrote; `FILE.meta.json` lies beside it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    run: OfRun,
}

pub(crate) async fn stop(arguments: Stop, output: &Output) -> Result<Exit, Failure> {
    let backfill = arguments.run.attach().await?;
    let archive = end(&backfill, arguments.archive_dir.as_deref(), output).await?;
    conclude(archive.as_deref(), output)
}

/// Stops, saying what happens.
pub(super) async fn end(
    backfill: &FleetBackfill,
    archive_dir: Option<&Path>,
    output: &Output,
) -> Result<Option<PathBuf>, Failure> {
    let note = |event: &Event| note(event, "Backfill stopped successfully.", output);
    following(backfill.events(), backfill.stop(archive_dir), note).await
}

pub(crate) async fn reset(arguments: Stop, output: &Output) -> Result<Exit, Failure> {
    let backfill = arguments.run.attach().await?;
    let reset = backfill.reset(arguments.archive_dir.as_deref());
    let note = |event: &Event| note(event, "Backfill reset successfully.", output);
    let archive = following(backfill.events(), reset, note).await?;
    conclude(archive.as_deref(), output)
}

/// The lines that users of the incumbent know, in the order in which they know them.
fn note(event: &Event, done: &str, output: &Output) -> Result<(), Failure> {
    match event {
        _ if output.is_json() => {}
        Event::FleetChanged { line, .. } => {
            output.line(done)?;
            output.line(line)?;
        }
        Event::Archiving => {
            output.line("Archiving the working state of the backfill operation...")?;
        }
        Event::WaitingForWorkers => {
            output.line("RFS Workers are still running, waiting for them to complete...")?;
        }
        Event::Archived { file } => {
            output.line(&format!("Backfill working state archived to: {}", file.display()))?;
        }
        Event::LookingAgain { after_seconds } => output.remark(&format!(
            "The working state is deleted. Looking again in {after_seconds} s, when the leases of all workers are over"
        )),
        _ => {}
    }
    Ok(())
}

fn conclude(archive: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
    if output.is_json() {
        output.print_json(&json!({ "archive": archive }))?;
    } else if archive.is_none() {
        output.line("Working state index doesn't exist, skipping archive operation.")?;
    }
    Ok(Exit::Completed)
}

pub(crate) async fn restore(arguments: Restore, output: &Output) -> Result<Exit, Failure> {
    // Before a folder is made for it.
    let manifest = ArchiveManifest::beside(&arguments.file)?;
    arguments.run.which().attach_or_make().await?.restore(&arguments.file).await?;
    if output.is_json() {
        output.print_json(&manifest)?;
        return Ok(Exit::Completed);
    }
    output.line(&format!(
        "Backfill restored: {} of {} done, {} documents written. Run it again to go on.",
        grouped(manifest.completed),
        count_of(manifest.items, "work item"),
        grouped(manifest.books.written)
    ))?;
    Ok(Exit::Completed)
}
