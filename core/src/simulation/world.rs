//! All there is at a moment.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::scenario::Scenario;
use super::store::StoreState;
use super::target::TargetState;
use super::trace::Trace;
use super::truth::{Broken, Invariant};

/// Virtual time and everything in it.
pub(super) struct World {
    start: Instant,
    pub(super) scenario: Scenario,
    state: Mutex<State>,
    /// Told when something is found broken.
    pub(super) alarm: watch::Sender<bool>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("seed", &self.scenario.seed).finish_non_exhaustive()
    }
}

pub(super) struct State {
    pub(super) random: Rng,
    pub(super) trace: Trace,
    pub(super) store: StoreState,
    pub(super) target: TargetState,
    pub(super) machines: Vec<Machine>,
    /// Reading the snapshot fails until then.
    pub(super) source_away_until: Duration,
    pub(super) stopping: bool,
    pub(super) broken: Option<Broken>,
    /// How often what happened.
    pub(super) tally: BTreeMap<String, u64>,
}

/// Where a worker runs: one process after another.
#[derive(Debug)]
pub(super) struct Machine {
    /// The name of the worker that runs or ran last.
    pub(super) name: String,
    pub(super) generation: u32,
    pub(super) process: Option<AbortHandle>,
    pub(super) stop: CancellationToken,
    /// Parts in a million of true time.
    pub(super) rate: u32,
    /// Milliseconds.
    pub(super) wall_jump: i64,
    pub(super) paused_until: Duration,
    pub(super) cut_from_store_until: Duration,
    pub(super) cut_from_target_until: Duration,
    /// When something last went wrong for it.
    pub(super) troubled_at: Duration,
    pub(super) belief: Option<Belief>,
}

/// What a worker believes of its lease.
#[derive(Clone, Copy, Debug)]
pub(super) struct Belief {
    pub(super) shard: usize,
    /// On its monotonic clock.
    pub(super) deadline: Duration,
}

impl Machine {
    fn new(number: usize, scenario: &Scenario, random: &mut Rng) -> Self {
        let drift = random.u64(..=2 * scenario.drift);
        let rate = (1_000_000 + drift).saturating_sub(scenario.drift);
        Self {
            name: format!("w{number}"),
            generation: 0,
            process: None,
            stop: CancellationToken::new(),
            rate: u32::try_from(rate).unwrap_or(1_000_000),
            wall_jump: 0,
            paused_until: Duration::ZERO,
            cut_from_store_until: Duration::ZERO,
            cut_from_target_until: Duration::ZERO,
            troubled_at: Duration::ZERO,
            belief: None,
        }
    }

    /// The monotonic clock, which begins somewhere.
    pub(super) fn monotonic(&self, now: Duration) -> Duration {
        Duration::from_secs(1000) + now * self.rate / 1_000_000
    }

    pub(super) fn is_running(&self) -> bool {
        self.process.is_some()
    }
}

impl World {
    pub(super) fn new(scenario: Scenario) -> Arc<Self> {
        let mut random = Rng::with_seed(scenario.seed ^ 0x5eed);
        let machines =
            (0..scenario.workers).map(|number| Machine::new(number, &scenario, &mut random));
        let state = State {
            machines: machines.collect(),
            store: StoreState::new(&scenario, &mut random),
            target: TargetState::new(&scenario),
            trace: Trace::default(),
            source_away_until: Duration::ZERO,
            stopping: false,
            broken: None,
            tally: BTreeMap::new(),
            random,
        };
        let (alarm, _) = watch::channel(false);
        Arc::new(Self { start: Instant::now(), scenario, state: Mutex::new(state), alarm })
    }

    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn sleep(&self, duration: Duration) {
        tokio::time::sleep_until(Instant::now() + duration).await;
    }

    pub(super) async fn sleep_until(&self, time: Duration) {
        tokio::time::sleep_until(self.start + time).await;
    }

    pub(super) fn note(&self, event: impl FnOnce() -> String) {
        let now = self.now();
        self.lock().trace.note(now, event());
    }

    /// Notes that something does not hold. The first finding counts.
    pub(super) fn accuse(&self, state: &mut State, invariant: Invariant, what: String) {
        let now = self.now();
        state.trace.note(now, format!("BROKEN {invariant:?}: {what}"));
        state.broken.get_or_insert(Broken { invariant, what });
        self.alarm.send_replace(true);
    }
}

impl State {
    /// A number of milliseconds.
    pub(super) fn milliseconds(&mut self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.random.u64(range))
    }

    pub(super) fn count(&mut self, what: impl Into<String>) {
        *self.tally.entry(what.into()).or_default() += 1;
    }

    pub(super) fn chance(&mut self, per_thousand: u32) -> bool {
        per_thousand > 0 && self.random.u32(..1000) < per_thousand
    }
}
