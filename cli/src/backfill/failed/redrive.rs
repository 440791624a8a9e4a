//! `snapfill backfill failed redrive`.

use std::sync::Arc;
use std::time::Duration;

use snapfill::SystemClock;
use snapfill::failed::{FailedFilter, Redrive as Sending, Redriven};

use crate::exit::{Exit, Failure};
use crate::output::{Output, count_of};
use crate::target::open_existing;

use super::{Redrive, on_one_line};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) async fn run(mut arguments: Redrive, output: &Output) -> Result<Exit, Failure> {
    arguments.place.cluster.allowed_exceptions = arguments.allowed.exceptions;
    let log = arguments.place.open(Some(&arguments.target)).await?;
    let target = open_existing(&arguments.target, &arguments.place.cluster).await?;
    let redriven = Sending::new(log, target, Arc::new(SystemClock::new()), TIMEOUT)
        .only(FailedFilter::from(arguments.which))
        .run()
        .await?;
    if output.is_json() {
        output.print_json(&redriven)?;
    } else {
        print(&redriven, output)?;
    }
    Ok(if redriven.failed == 0 { Exit::Completed } else { Exit::Failed })
}

fn print(redriven: &Redriven, output: &Output) -> Result<(), Failure> {
    if *redriven == Redriven::default() {
        output.line("No failed document is left to be sent")?;
        return Ok(());
    }
    let taken = count_of(redriven.written, "document");
    output.line(&format!("{taken} taken, {} still refused", redriven.failed))?;
    for (reason, count) in &redriven.reasons {
        output.line(&format!("  {count} × {}", on_one_line(reason)))?;
    }
    Ok(())
}
