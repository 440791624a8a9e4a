//! `snapfill backfill stop`, `reset` and `restore`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use snapfill::Error;
use snapfill::controller::{ArchiveManifest, BackfillController, Event, LocalBackfill};

use crate::exit::{Exit, Failure};
use crate::output::{Output, count_of, grouped};

use super::attach::{OfRun, attach_or_make};

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
    say_who_is_waited_for(&backfill, output).await?;
    let ended = backfill.stop(arguments.archive_dir.as_deref());
    let archive = saying_what_happens(&backfill, ended, output).await?;
    conclude("Backfill stopped successfully.", archive.as_deref(), output)
}

pub(crate) async fn reset(arguments: Stop, output: &Output) -> Result<Exit, Failure> {
    let backfill = arguments.run.attach().await?;
    say_who_is_waited_for(&backfill, output).await?;
    let ended = backfill.reset(arguments.archive_dir.as_deref());
    let archive = saying_what_happens(&backfill, ended, output).await?;
    conclude("Backfill reset successfully.", archive.as_deref(), output)
}

async fn say_who_is_waited_for(backfill: &LocalBackfill, output: &Output) -> Result<(), Failure> {
    if backfill.status().await?.fleet.running > 0 && !output.is_json() {
        output.remark("Workers are still running, waiting for them to complete...");
    }
    Ok(())
}

/// Waits for the end, and says why it takes so long.
async fn saying_what_happens(
    backfill: &LocalBackfill,
    ended: impl Future<Output = Result<Option<PathBuf>, Error>>,
    output: &Output,
) -> Result<Option<PathBuf>, Error> {
    let mut events = backfill.events();
    tokio::pin!(ended);
    loop {
        let event = tokio::select! {
            ended = &mut ended => return ended,
            Some(event) = events.next() => event,
        };
        let said = match event {
            Event::Archived { file } => format!("The working state is in {}", file.display()),
            Event::LookingAgain { after_seconds } => format!(
                "The working state is deleted. Looking again in {after_seconds} s, when the leases of all workers are over"
            ),
            _ => continue,
        };
        if !output.is_json() {
            output.remark(&said);
        }
    }
}

fn conclude(done: &str, archive: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
    if output.is_json() {
        output.print_json(&json!({ "archive": archive }))?;
        return Ok(Exit::Completed);
    }
    output.line(done)?;
    match archive {
        Some(archive) => {
            output.line("Archiving the working state of the backfill operation...")?;
            output.line(&format!("Backfill working state archived to: {}", archive.display()))?;
        }
        None => {
            output.line("Working state index doesn't exist, skipping archive operation.")?;
        }
    }
    Ok(Exit::Completed)
}

pub(crate) async fn restore(arguments: Restore, output: &Output) -> Result<Exit, Failure> {
    // Before a folder is made for it.
    let manifest = ArchiveManifest::beside(&arguments.file)?;
    attach_or_make(&arguments.run).await?.restore(&arguments.file).await?;
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
