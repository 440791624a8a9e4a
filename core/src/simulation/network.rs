//! Calls over a network that loses, delays and repeats.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::world::{State, World};
use crate::{Error, ErrorKind, Result};

/// How long a client of the store waits for an answer.
const STORE_PATIENCE: Duration = Duration::from_secs(10);

/// A bulk's answer is waited for by whoever sent it, and no longer than it likes.
const TARGET_PATIENCE: Duration = Duration::from_secs(3600);

/// Where a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Store,
    Target,
}

/// The world as one process sees it.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) world: Arc<World>,
    pub(super) machine: usize,
    pub(super) generation: u32,
}

/// What becomes of one call.
struct Fate {
    there: Duration,
    back: Duration,
    request_lost: bool,
    answer_lost: bool,
    /// When the request arrives once more.
    again: Option<Duration>,
    /// Whether a failure is seen at once or only by waiting.
    seen_at_once: bool,
}

impl Port {
    pub(super) fn name(&self) -> String {
        self.world.lock().machines[self.machine].name.clone()
    }

    /// Waits while the process is paused.
    pub(super) async fn resumed(&self) {
        loop {
            let until = self.world.lock().machines[self.machine].paused_until;
            if self.world.now() >= until {
                return;
            }
            self.world.sleep_until(until).await;
        }
    }

    /// Has `serve` run at the other end, perhaps never, perhaps twice, and gives its answer, perhaps none.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        place: Place,
        serve: impl Fn(&World, &mut State) -> T + Send + Sync + 'static,
    ) -> Result<T> {
        let patience = if place == Place::Store { STORE_PATIENCE } else { TARGET_PATIENCE };
        let (fate, began) = (self.fate(place), self.world.now());
        let seen_at_once = fate.seen_at_once;
        let (sender, receiver) = oneshot::channel();
        // A task of its own: what was sent arrives, whatever becomes of the sender.
        tokio::spawn(self.clone().carry(place, fate, serve, sender));
        let answer = tokio::select! {
            biased;
            answer = receiver => answer.ok().flatten(),
            () = self.world.sleep(patience) => None,
        };
        if answer.is_none() && !seen_at_once {
            self.world.sleep_until(began + patience).await;
        }
        self.resumed().await;
        answer.ok_or_else(|| {
            self.troubled();
            Error::new(ErrorKind::Unavailable, format!("no answer from the {place:?}"))
        })
    }

    fn fate(&self, place: Place) -> Fate {
        let mut network = self.world.scenario.network.clone();
        if self.world.now() >= self.world.scenario.faults_end {
            (network.lost, network.doubled, network.late) = (0, 0, 0);
        }
        if self.world.scenario.store.is_local && place == Place::Store {
            (network.lost, network.doubled) = (0, 0);
        }
        let timeout = self.world.scenario.bulk.timeout.as_millis() as u64;
        let mut state = self.world.lock();
        let slow = place == Place::Target && state.chance(network.late);
        let extra =
            if slow { state.milliseconds(timeout / 2..timeout * 3) } else { Duration::ZERO };
        let (before, after) =
            if state.random.bool() { (extra, Duration::ZERO) } else { (Duration::ZERO, extra) };
        let again = state.chance(network.doubled).then(|| state.milliseconds(0..40_000));
        Fate {
            there: state.milliseconds(network.latency.clone()) + before,
            back: state.milliseconds(network.latency.clone()) + after,
            request_lost: state.chance(network.lost / 2),
            answer_lost: state.chance(network.lost),
            again,
            seen_at_once: state.random.bool(),
        }
    }

    async fn carry<T: Send + 'static>(
        self,
        place: Place,
        fate: Fate,
        serve: impl Fn(&World, &mut State) -> T + Send + Sync + 'static,
        answer: oneshot::Sender<Option<T>>,
    ) {
        let world = Arc::clone(&self.world);
        if fate.request_lost || self.is_cut(place) {
            self.troubled();
            let _ = answer.send(None);
            return;
        }
        world.sleep(fate.there).await;
        if self.is_away(place) {
            let _ = answer.send(None);
            return;
        }
        let served = serve(&world, &mut world.lock());
        world.sleep(fate.back).await;
        let lost = fate.answer_lost || self.is_cut(place);
        if lost {
            world.lock().count(format!("answers of the {place:?} that were lost"));
            self.troubled();
        }
        let _ = answer.send(Some(served).filter(|_| !lost));
        if let Some(after) = fate.again {
            world.sleep(after).await;
            if !self.is_away(place) {
                world.note(|| {
                    format!("a call to the {place:?} of machine {} arrives again", self.machine)
                });
                let mut state = world.lock();
                state.count(format!("calls to the {place:?} that arrived twice"));
                serve(&world, &mut state);
            }
        }
    }

    fn is_cut(&self, place: Place) -> bool {
        let now = self.world.now();
        let state = self.world.lock();
        let machine = &state.machines[self.machine];
        now < match place {
            Place::Store => machine.cut_from_store_until,
            Place::Target => machine.cut_from_target_until,
        }
    }

    fn is_away(&self, place: Place) -> bool {
        let now = self.world.now();
        let state = self.world.lock();
        now < match place {
            Place::Store => state.store.away_until,
            Place::Target => state.target.away_until,
        }
    }

    fn troubled(&self) {
        let now = self.world.now();
        let machine = &mut self.world.lock().machines[self.machine];
        machine.troubled_at = machine.troubled_at.max(now);
    }
}
