//! Which worker is started, sent away or given up: the rules, without processes.

use std::collections::BTreeMap;
use std::time::Duration;

/// Before a worker that failed begins anew, the first time; each time it fails again at once, twice as long.
const FIRST_REST: Duration = Duration::from_secs(1);

/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// A worker that lived this long has begun well: what failed before is forgotten.
const LIVED_WELL: Duration = Duration::from_secs(120);

/// A worker that fails this often in a row is given up.
const MOST_FAILURES: u32 = 6;

/// What a worker has to finish when it is sent away, before it is killed.
const GRACE: Duration = Duration::from_secs(40);

/// How a worker's process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It found nothing left.
    NothingLeft,
    /// It failed, and may do better the next time.
    Failed(String),
    /// It would fail the same way each time.
    Hopeless(String),
}

/// What is to be done with a worker's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Start(u32),
    Terminate(u32),
    Kill(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be started when its time has come.
    Resting {
        until: Duration,
    },
    Up {
        since: Duration,
    },
    /// Sent away.
    Leaving {
        kill_at: Duration,
    },
    /// It is not started again.
    Over,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    state: State,
    /// In a row.
    failures: u32,
}

/// How many workers are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RosterCounts {
    pub(super) running: u64,
    pub(super) pending: u64,
    pub(super) terminating: u64,
}

/// The workers of a supervisor, by number.
#[derive(Debug, Default)]
pub(super) struct Roster {
    slots: BTreeMap<u32, Slot>,
    failure: Option<String>,
}

impl Roster {
    /// Another number of workers: those that ended make room for new ones.
    pub(super) fn want(&mut self, workers: usize, now: Duration) -> Vec<Action> {
        self.failure = None;
        self.slots.retain(|_, slot| slot.state != State::Over);
        let staying: Vec<u32> = self.staying().collect();
        let free: Vec<u32> =
            (1..).filter(|number| !self.slots.contains_key(number)).take(workers).collect();
        for number in free.into_iter().take(workers.saturating_sub(staying.len())) {
            let slot = Slot { state: State::Resting { until: now }, failures: 0 };
            self.slots.insert(number, slot);
        }
        let mut actions = Vec::new();
        for number in staying.into_iter().skip(workers) {
            let state = self.slots.get(&number).map(|slot| slot.state);
            if let Some(State::Up { .. }) = state {
                let leaving = State::Leaving { kill_at: now.saturating_add(GRACE) };
                self.set(number, leaving);
                actions.push(Action::Terminate(number));
            } else {
                self.slots.remove(&number);
            }
        }
        actions
    }

    /// What time alone makes due.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        for (number, slot) in &mut self.slots {
            match slot.state {
                State::Resting { until } if until <= now => {
                    slot.state = State::Up { since: now };
                    actions.push(Action::Start(*number));
                }
                State::Leaving { kill_at } if kill_at <= now => {
                    slot.state = State::Leaving { kill_at: Duration::MAX };
                    actions.push(Action::Kill(*number));
                }
                _ => {}
            }
        }
        actions
    }

    /// A worker's process has ended.
    pub(super) fn ended(&mut self, number: u32, ended: Ended, now: Duration) {
        let Some(slot) = self.slots.get_mut(&number) else { return };
        let since = match slot.state {
            // It was to go, whatever it says.
            State::Leaving { .. } => {
                self.slots.remove(&number);
                return;
            }
            State::Up { since } => since,
            State::Resting { .. } | State::Over => return,
        };
        if now.saturating_sub(since) >= LIVED_WELL {
            slot.failures = 0;
        }
        slot.failures += 1;
        let failures = slot.failures;
        slot.state = match &ended {
            Ended::Failed(_) if failures < MOST_FAILURES => {
                let rest = FIRST_REST.saturating_mul(1 << (failures - 1)).min(LONGEST_REST);
                State::Resting { until: now.saturating_add(rest) }
            }
            _ => State::Over,
        };
        match ended {
            Ended::Failed(why) | Ended::Hopeless(why) if self.is_given_up(number) => {
                self.failure.get_or_insert(why);
            }
            _ => {}
        }
    }

    /// Why a worker was given up since the last order.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Nothing is left to be done until the next order.
    pub(super) fn is_over(&self) -> bool {
        self.slots.values().all(|slot| slot.state == State::Over)
    }

    pub(super) fn counts(&self) -> RosterCounts {
        let mut counts = RosterCounts::default();
        for slot in self.slots.values() {
            match slot.state {
                State::Resting { .. } => counts.pending += 1,
                State::Up { .. } => counts.running += 1,
                State::Leaving { .. } => counts.terminating += 1,
                State::Over => {}
            }
        }
        counts
    }

    fn staying(&self) -> impl Iterator<Item = u32> {
        let stays = |slot: &Slot| !matches!(slot.state, State::Leaving { .. });
        self.slots.iter().filter(move |(_, slot)| stays(slot)).map(|(number, _)| *number)
    }

    fn is_given_up(&self, number: u32) -> bool {
        self.slots.get(&number).is_some_and(|slot| slot.state == State::Over)
    }

    fn set(&mut self, number: u32, state: State) {
        if let Some(slot) = self.slots.get_mut(&number) {
            slot.state = state;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn counts(roster: &Roster) -> (u64, u64, u64) {
        let RosterCounts { running, pending, terminating } = roster.counts();
        (running, pending, terminating)
    }

    fn up(workers: usize) -> Roster {
        let mut roster = Roster::default();
        assert_eq!(roster.want(workers, at(0)), []);
        assert_eq!(roster.due(at(0)).len(), workers);
        roster
    }

    #[test]
    fn it_grows_and_shrinks_and_takes_the_numbers_that_are_free() {
        let mut roster = up(3);
        assert_eq!(roster.want(1, at(1)), [Action::Terminate(2), Action::Terminate(3)]);
        assert_eq!(counts(&roster), (1, 0, 2));
        roster.want(2, at(2));
        assert_eq!(roster.due(at(2)), [Action::Start(4)], "2 and 3 are still going away");
        roster.ended(2, Ended::Failed("late".into()), at(3));
        roster.ended(3, Ended::NothingLeft, at(3));
        assert_eq!(counts(&roster), (2, 0, 0));
        roster.want(3, at(4));
        assert_eq!(roster.due(at(4)), [Action::Start(2)]);
        assert_eq!(roster.want(3, at(5)), [], "the same again changes nothing");
        assert_eq!(roster.due(at(5)), []);
    }

    #[test]
    fn who_does_not_go_is_killed_once() {
        let mut roster = up(1);
        roster.want(0, at(10));
        assert_eq!(roster.due(at(10)), []);
        assert_eq!(roster.due(at(10).saturating_add(GRACE)), [Action::Kill(1)]);
        assert_eq!(roster.due(at(1000)), []);
        assert!(!roster.is_over());
        roster.ended(1, Ended::Failed("killed".into()), at(1000));
        assert!(roster.is_over());
        assert_eq!(roster.failure(), None);
    }

    #[test]
    fn who_fails_rests_longer_each_time_and_is_given_up() {
        let mut roster = up(1);
        let mut now = Duration::ZERO;
        let mut rests = Vec::new();
        while !roster.is_over() {
            roster.ended(1, Ended::Failed("no memory".into()), now);
            let begun = now;
            while !roster.is_over() && roster.due(now).is_empty() {
                now += at(1);
            }
            rests.push((now - begun).as_secs());
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 0]);
        assert_eq!(roster.failure(), Some("no memory"));
        roster.want(1, now);
        assert_eq!(roster.failure(), None, "a new order is a new beginning");
        assert_eq!(roster.due(now), [Action::Start(1)]);
    }

    #[test]
    fn a_long_life_forgives_what_was_before() {
        let mut roster = up(1);
        let mut now = Duration::ZERO;
        for _ in 0..50 {
            now += LIVED_WELL;
            roster.ended(1, Ended::Failed("the cluster is away".into()), now);
            now += FIRST_REST;
            assert_eq!(roster.due(now), [Action::Start(1)]);
        }
    }

    #[test]
    fn it_is_over_when_nobody_finds_anything_left() {
        let mut roster = up(2);
        roster.ended(1, Ended::NothingLeft, at(1));
        assert!(!roster.is_over());
        roster.ended(2, Ended::Hopeless("--lease is too short".into()), at(1));
        assert!(roster.is_over());
        assert_eq!(roster.failure(), Some("--lease is too short"));
    }

    #[test]
    fn who_rests_when_fewer_are_wanted_does_not_begin_again() {
        let mut roster = up(2);
        roster.ended(2, Ended::Failed("once".into()), at(1));
        assert_eq!(counts(&roster), (1, 1, 0));
        assert_eq!(roster.want(1, at(1)), []);
        assert_eq!(roster.due(at(100)), []);
        assert_eq!(counts(&roster), (1, 0, 0));
    }
}
