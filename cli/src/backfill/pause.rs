//! `snapfill backfill pause`.

use clap::Args;
use snapfill::controller::{BackfillController, Event, FleetBackfill};

use crate::exit::{Exit, Failure};
use crate::output::Output;

use super::attach::OfRun;
use super::following::following;

#[derive(Debug, Args)]
pub(crate) struct Pause {
    #[command(flatten)]
    run: OfRun,
}

pub(crate) async fn run(arguments: Pause, output: &Output) -> Result<Exit, Failure> {
    let backfill = arguments.run.attach().await?;
    pause(&backfill, output).await?;
    if output.is_json() {
        output.print_json(&backfill.status().await?)?;
    }
    Ok(Exit::Completed)
}

/// Pauses, saying what happens.
pub(super) async fn pause(backfill: &FleetBackfill, output: &Output) -> Result<(), Failure> {
    following(backfill.events(), backfill.pause(), |event| note(event, output)).await
}

fn note(event: &Event, output: &Output) -> Result<(), Failure> {
    match event {
        _ if output.is_json() => {}
        Event::FleetChanged { line, .. } => {
            output.line("Backfill paused successfully.")?;
            output.line(line)?;
        }
        Event::WaitingForWorkers => output.remark("Waiting for what is in flight..."),
        _ => {}
    }
    Ok(())
}
