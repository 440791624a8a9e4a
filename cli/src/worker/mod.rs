//! `snapfill worker`: what a container, or a supervisor, runs.
//!
//! | file | subject |
//! |---|---|
//! | `options` | what it is told, by flags and by the environment |
//! | `errand` | one run: waited for, worked on, left |
//! | `board` | what is to be seen of it from outside |
//! | `metrics` | what it counts, as Prometheus reads it |
//! | `http` | answers those who watch it |

mod board;
mod errand;
mod http;
mod metrics;
pub(crate) mod options;

use std::time::Duration;

use snapfill::controller::{BackfillController, LocalBackfill};
use snapfill::retry::RetryPolicy;
use snapfill::{Clock, ErrorKind, SystemClock};

use crate::exit::{Exit, Failure};
use crate::signals::{Signal, Signals};

use board::Board;
use errand::{Errand, Round};
use options::{Duty, WhenDone, Worker};

/// The waits of a worker that stays, between two looks whether there is something to do. Each has up to as much again, so that
/// the workers of a fleet do not ask all at once.
const LOOKS: RetryPolicy = RetryPolicy {
    retries: usize::MAX,
    first_delay: Duration::from_secs(2),
    max_delay: Duration::from_secs(60),
};

pub(crate) async fn run(arguments: Worker) -> Result<Exit, Failure> {
    let mut signals = Signals::listen()?;
    if arguments.duty.until_stdin_closes {
        signals = signals.until_stdin_closes()?;
    }
    let duty = arguments.duty.clone();
    let board = Board::new(duty.clone());
    if let Some(address) = duty.listen {
        http::listen(address, board.clone()).await?;
    }
    let signal = tokio::select! {
        ended = serve(arguments, &board) => return ended,
        signal = signals.next() => signal,
    };
    if let Some(backfill) = board.backfill() {
        leave(&backfill, &duty, &mut signals).await?;
    }
    Ok(match signal {
        Signal::Interrupt => Exit::Interrupted,
        Signal::Terminate => Exit::Terminated,
    })
}

/// Works until nothing is left, or for ever.
async fn serve(mut arguments: Worker, board: &Board) -> Result<Exit, Failure> {
    let (clock, stays) = (SystemClock::new(), arguments.duty.when_done == WhenDone::Stay);
    let allowed = std::mem::take(&mut arguments.how.refusals.allowed.exceptions);
    arguments.how.cluster.allowed_exceptions = allowed;
    let mut errand = Errand::new(arguments).await?;
    let mut waits = LOOKS.delays();
    loop {
        let why = match errand.round(board).await {
            Ok(_) if !stays => return Ok(Exit::Completed),
            Ok(Round::Worked) => {
                waits = LOOKS.delays();
                "nothing is left to be done".to_owned()
            }
            Ok(Round::Idle(why)) => why,
            Err(failure) if stays && may_pass(&failure) => failure.to_string(),
            Err(failure) => return Err(failure),
        };
        let wait = waits.next().unwrap_or(LOOKS.max_delay);
        tracing::info!(%why, seconds = wait.as_secs(), "waiting for work");
        clock.sleep(wait).await;
    }
}

/// Whether it is worth waiting: what is away comes back, and a session that may not be begun may be cleared.
fn may_pass(failure: &Failure) -> bool {
    failure.is_retryable() || failure.kind() == ErrorKind::State
}

/// Finishes what is in flight, writes how far it is, and lets it go; at most for the grace period, or until a second signal.
async fn leave(
    backfill: &LocalBackfill,
    duty: &Duty,
    signals: &mut Signals,
) -> Result<(), Failure> {
    tracing::info!(seconds = duty.grace.as_secs(), "asked to end: finishing what is in flight");
    let clock = SystemClock::new();
    tokio::select! {
        paused = backfill.pause() => paused?,
        () = clock.sleep(duty.grace) => {
            tracing::warn!("the grace period is over: what is held is free when its lease is over");
        }
        _ = signals.next() => tracing::warn!("asked again: what is held is free when its lease is over"),
    }
    Ok(())
}
