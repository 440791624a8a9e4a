//! What is to be seen of a worker from outside.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use snapfill::controller::{Figures, Liveness, LocalBackfill, Sending, Sighting, Stall, Tally};
use snapfill::{Clock, SystemClock};

use super::options::Duty;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What is to be seen of a worker from outside. Its clones are one board.
#[derive(Clone)]
pub(crate) struct Board(Arc<Inner>);

struct Inner {
    tally: Tally,
    clock: SystemClock,
    duty: Duty,
    state: Mutex<State>,
}

struct State {
    backfill: Option<LocalBackfill>,
    liveness: Liveness,
    last: (Duration, Figures),
    pace: Pace,
}

/// What came forward each second of late.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    pub(crate) documents: f64,
    pub(crate) bytes: f64,
}

impl Board {
    pub(crate) fn new(duty: Duty) -> Self {
        let state = State {
            backfill: None,
            liveness: Liveness::new(Duration::MAX, duty.stall_pause),
            last: (Duration::ZERO, Figures::default()),
            pace: Pace::default(),
        };
        let (tally, clock) = (Tally::default(), SystemClock::new());
        Self(Arc::new(Inner { tally, clock, duty, state: Mutex::new(state) }))
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.0.tally
    }

    /// What is worked on from now on, under leases of this length.
    pub(crate) fn begin(&self, backfill: &LocalBackfill, lease: Duration) {
        let mut state = self.state();
        let still_within = lease.saturating_mul(self.0.duty.stall_leases.get());
        state.liveness = Liveness::new(still_within, self.0.duty.stall_pause);
        state.backfill = Some(backfill.clone());
    }

    /// Nothing is worked on any more.
    pub(crate) fn end(&self) {
        self.state().backfill = None;
    }

    pub(crate) fn backfill(&self) -> Option<LocalBackfill> {
        self.state().backfill.clone()
    }

    pub(crate) fn sending(&self) -> Sending {
        self.backfill().map(|backfill| backfill.sending()).unwrap_or_default()
    }

    pub(crate) fn pace(&self) -> Pace {
        self.state().pace
    }

    /// Why it is thought to be stuck, if so.
    pub(crate) fn stall(&self) -> Option<Stall> {
        let is_paused = self.sending().paused.is_some();
        let Figures { advances, leases_held, .. } = self.0.tally.figures();
        let now = self.0.clock.monotonic();
        self.state().liveness.judge(now, Sighting { advances, leases_held, is_paused })
    }

    /// Looks from time to time, so that what is asked for seldom is judged by what was in between.
    pub(crate) async fn watch(&self) {
        loop {
            self.0.clock.sleep(LOOK_EVERY).await;
            let _ = self.stall();
            let (now, figures) = (self.0.clock.monotonic(), self.0.tally.figures());
            let mut state = self.state();
            let (then, last) = std::mem::replace(&mut state.last, (now, figures));
            let seconds = now.saturating_sub(then).as_secs_f64().max(1e-3);
            let a_second = |now: u64, then: u64| now.saturating_sub(then) as f64 / seconds;
            state.pace = Pace {
                documents: a_second(figures.documents, last.documents),
                bytes: a_second(figures.bytes, last.bytes),
            };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
