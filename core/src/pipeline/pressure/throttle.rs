//! A worker's way to a bulk that may begin.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::concurrency::Ticket;
use super::{Answer, Concurrency, Cost, Pressure};
use crate::settings::RateLimits;

/// A change of the ceilings is seen by those who wait for them, and a wait that was told of wrongly is over, after so long.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// What a bulk that may not begin waits for. Whatever changes is told, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The target to recover.
    Pause,
    /// A place.
    Place,
    /// The ceilings.
    Rate(Duration),
}

impl Wait {
    /// When to ask again, if nothing is told before.
    pub(crate) fn at_most(self) -> Duration {
        match self {
            Self::Pause | Self::Place => LONGEST_WAIT,
            Self::Rate(wait) => wait.min(LONGEST_WAIT),
        }
    }
}

/// One worker's part in the pressure. Its clones are one worker.
#[derive(Clone, Debug)]
pub(crate) struct Throttle {
    pressure: Arc<Pressure>,
    worker: Arc<Registered>,
}

#[derive(Debug)]
struct Registered {
    pressure: Arc<Pressure>,
    name: String,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.pressure.state().workers.remove(&self.name);
    }
}

impl Throttle {
    /// A worker of this name, of which at most `max` bulks may be out.
    pub(crate) fn new(pressure: &Arc<Pressure>, name: &str, max: usize) -> Self {
        pressure.state().workers.insert(name.to_owned(), Concurrency::new(max));
        let worker = Registered { pressure: Arc::clone(pressure), name: name.to_owned() };
        Self { pressure: Arc::clone(pressure), worker: Arc::new(worker) }
    }

    /// How many bulks may be out now.
    pub(crate) fn limit(&self) -> usize {
        self.pressure.state().workers.get(&self.worker.name).map_or(1, Concurrency::limit)
    }

    /// How many bulks were refused for the time being since this was last asked.
    pub(crate) fn take_rejected(&self) -> u64 {
        let mut state = self.pressure.state();
        state.workers.get_mut(&self.worker.name).map_or(0, Concurrency::take_rejected)
    }

    /// The ceilings that count now.
    pub(crate) fn limits(&self) -> RateLimits {
        self.pressure.state().limits
    }

    /// To be asked for before [`Throttle::begin`]: tells when it is worth asking again.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.pressure.changed.subscribe()
    }

    /// Lets one bulk for `index` begin, or says what it has to wait for.
    pub(crate) fn begin(&self, index: &Arc<str>, cost: Cost) -> Result<Slot, Wait> {
        let now = self.pressure.clock.monotonic();
        let mut guard = self.pressure.state();
        let state = &mut *guard;
        if !state.filled.contains(index) {
            state.filled.insert(Arc::clone(index));
            if state.is_red {
                // Not asked about yet.
                self.doubt();
            }
        }
        if state.circuit.paused().is_some() {
            return Err(Wait::Pause);
        }
        let Some(places) = state.workers.get_mut(&self.worker.name) else {
            return Err(Wait::Place);
        };
        if places.in_flight() >= places.limit() {
            return Err(Wait::Place);
        }
        let wait = state.ceilings.wait(now);
        if !wait.is_zero() {
            self.pressure.tell_limited(state, wait);
            return Err(Wait::Rate(wait));
        }
        let Some(ticket) = places.begin(cost.bytes, now) else { return Err(Wait::Place) };
        state.ceilings.take(cost, now);
        Ok(Slot { throttle: self.clone(), index: Arc::clone(index), ticket: Some(ticket) })
    }

    /// A bulk was answered with a block that only the target's recovery lifts.
    pub(crate) fn blocked(&self, index: &Arc<str>) {
        let mut state = self.pressure.state();
        let turn = state.circuit.blocked(index, self.pressure.clock.monotonic());
        self.pressure.turn(state, turn);
        self.doubt();
    }

    /// The target may be worse than it was at the last look.
    pub(crate) fn doubt(&self) {
        self.pressure.doubt.notify_one();
    }
}

/// The place of a bulk that is out. Dropped, it is given back without a word about the target.
#[derive(Debug)]
pub(crate) struct Slot {
    throttle: Throttle,
    index: Arc<str>,
    ticket: Option<Ticket>,
}

impl Slot {
    /// The bulk was answered.
    pub(crate) fn end(mut self, answer: Answer) {
        self.give_back(answer);
    }

    fn give_back(&mut self, answer: Answer) {
        let Some(ticket) = self.ticket.take() else { return };
        let Throttle { pressure, worker } = &self.throttle;
        let mut guard = pressure.state();
        let state = &mut *guard;
        if answer == Answer::Accepted {
            state.circuit.accepted(&self.index);
        }
        if let Some(places) = state.workers.get_mut(&worker.name) {
            let change = places.end(ticket, answer, pressure.clock.monotonic());
            if let Some(change) = change {
                pressure.tell_change(&worker.name, places.limit(), change);
            }
        }
        drop(guard);
        pressure.changed.send_replace(());
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.give_back(Answer::Other);
    }
}
