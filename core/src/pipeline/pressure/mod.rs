//! Back-pressure: how fast a worker process sends, and whether it sends at all.
//!
//! | file | subject |
//! |---|---|
//! | `concurrency` | how many bulks of one worker may be out at a time |
//! | `circuit` | whether to send at all |
//! | `rate` | ceilings in documents and bytes a second |
//! | `throttle` | a worker's way to a bulk that may begin |
//! | `attendant` | the task that looks at the target's health and at the run's settings |
//! | `record` | what is paused, written into the run for other processes to see |
//!
//! The first three are pure: they are told the time, and ask nobody.

mod attendant;
mod circuit;
mod concurrency;
mod rate;
mod record;
mod throttle;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::Clock;
use crate::cluster::ClusterClient;
use crate::controller::{Event, EventSender, Sending, WorkerSending};
use crate::coordination::Coordinator;
use crate::settings::RateLimits;

use attendant::Attendants;
use circuit::{Circuit, Turn};
use concurrency::{Change, Concurrency};
use rate::Ceilings;

pub(crate) use concurrency::Answer;
pub(crate) use rate::Cost;
pub(crate) use record::PauseRecord;
pub(crate) use throttle::{Slot, Throttle, Wait};

/// What the workers of a process share.
#[derive(Debug)]
pub(crate) struct Pressure {
    cluster: Arc<dyn ClusterClient>,
    coordinator: Arc<Coordinator>,
    clock: Arc<dyn Clock>,
    events: EventSender,
    state: Mutex<State>,
    /// Told whenever a bulk that waits may have got its turn.
    changed: watch::Sender<()>,
    /// Asks for a look at the target's health.
    doubt: Notify,
    attendants: Mutex<Attendants>,
}

#[derive(Debug, Default)]
struct State {
    circuit: Circuit,
    ceilings: Ceilings,
    limits: RateLimits,
    /// It was said that these ceilings hold something up.
    told_limited: bool,
    workers: BTreeMap<String, Concurrency>,
    /// Indices that bulks were for since the cluster was last seen not to be red.
    filled: BTreeSet<Arc<str>>,
    /// The cluster was red at the last look, whoever that concerns.
    is_red: bool,
}

impl Pressure {
    pub(crate) fn new(
        cluster: Arc<dyn ClusterClient>,
        coordinator: Arc<Coordinator>,
        clock: Arc<dyn Clock>,
        events: EventSender,
    ) -> Self {
        Self {
            cluster,
            coordinator,
            clock,
            events,
            state: Mutex::default(),
            changed: watch::Sender::default(),
            doubt: Notify::new(),
            attendants: Mutex::default(),
        }
    }

    /// How it goes, for people.
    pub(crate) fn sending(&self) -> Sending {
        let state = self.state();
        let workers = state.workers.iter().map(|(worker, places)| WorkerSending {
            worker: worker.clone(),
            in_flight: places.in_flight(),
            limit: places.limit(),
            most: places.most(),
        });
        Sending {
            paused: state.circuit.paused().map(ToString::to_string),
            limits: state.limits,
            workers: workers.collect(),
        }
    }

    /// From now on these ceilings.
    pub(crate) fn limit(&self, limits: RateLimits) {
        let mut state = self.state();
        if limits == state.limits {
            return;
        }
        state.limits = limits;
        state.told_limited = false;
        state.ceilings.set(limits, self.clock.monotonic());
        drop(state);
        self.events.send(Event::RateLimitChanged {
            documents_per_second: limits.documents_per_second.map(Into::into),
            bytes_per_second: limits.bytes_per_second.map(Into::into),
        });
        self.changed.send_replace(());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Obeys the circuit and tells of it.
    fn turn(&self, mut state: MutexGuard<'_, State>, turn: Option<Turn>) {
        let event = match turn {
            None => return,
            Some(Turn::Paused(reason)) => {
                state.workers.values_mut().for_each(Concurrency::restart);
                Event::SendingPaused { reason: reason.to_string() }
            }
            Some(Turn::Resumed { after }) => {
                Event::SendingResumed { after_seconds: after.as_secs() }
            }
        };
        drop(state);
        self.events.send(event);
        self.changed.send_replace(());
    }

    fn tell_change(&self, worker: &str, limit: usize, change: Change) {
        let reason = match change {
            Change::Grown => "the target takes them well",
            Change::Halved => "the target refused documents or did not answer in time",
            Change::SteppedDown => "the target answers clearly more slowly than before",
        };
        self.events.send(Event::ConcurrencyChanged {
            worker: worker.to_owned(),
            limit,
            reason: reason.to_owned(),
        });
    }

    /// Says once for each setting that it holds something up.
    fn tell_limited(&self, state: &mut State, wait: Duration) {
        if !std::mem::replace(&mut state.told_limited, true) {
            self.events.send(Event::RateLimited {
                wait_milliseconds: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            });
        }
    }
}
