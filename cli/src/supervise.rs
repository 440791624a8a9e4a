//! `snapfill supervise`: the process that has the workers of this machine while nobody is at a terminal.

use std::path::PathBuf;

use clap::Args;
use snapfill::SystemClock;
use snapfill::fleet::supervise;
use tokio_util::sync::CancellationToken;

use crate::exit::{Exit, Failure};
use crate::signals::Signals;

#[derive(Debug, Args)]
pub(crate) struct Supervise {
    /// The control folder
    folder: PathBuf,
}

/// A signal has the workers finish what is in flight; the fleet stays wanted.
pub(crate) async fn run(arguments: Supervise) -> Result<Exit, Failure> {
    let mut signals = Signals::listen()?;
    let (stop, clock) = (CancellationToken::new(), SystemClock::new());
    let supervision = supervise(&arguments.folder, &clock, stop.clone());
    tokio::pin!(supervision);
    loop {
        tokio::select! {
            ended = &mut supervision => {
                ended?;
                return Ok(Exit::Completed);
            }
            _ = signals.next() => stop.cancel(),
        }
    }
}
