//! How many bulks of one worker may be out at a time: grows by one, halves on a rejection, heeds latency.
//!
//! A *round* is as many answers as bulks may be out. After a round in which all places were taken and nothing was refused,
//! there is one place more. A rejection halves the places. What was sent before that knows nothing of it: further rejections
//! of the same burst, told by the *epoch* a bulk began in, change nothing.
//!
//! Latency tells of a queue before it is full. Each answer is measured by the *baseline* of bulks of about its size (up to
//! twice as long), which is the shortest latency that was seen. A round whose answers took more than twice their baselines
//! in the mean does not grow, one of more than three times gives a place back. A baseline follows slower answers by a
//! sixty-fourth of the difference, so that a target that has become slower for good is the new measure after a while.

use std::collections::BTreeMap;
use std::time::Duration;

/// Places at the start.
const START: usize = 2;

/// A round that takes so many times its baselines does not grow.
const HOLD: u64 = 2;

/// One that takes so many times its baselines gives a place back.
const STEP_DOWN: u64 = 3;

/// The share of the difference by which a baseline follows slower answers.
const DRIFT: u32 = 64;

/// Shorter latencies are as good as this one: what makes them differ is chance.
const SHORT: Duration = Duration::from_millis(100);

/// Latencies are compared in thousandths.
const WHOLE: u64 = 1000;

/// What a bulk takes along to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    epoch: u64,
    begun: Duration,
    bytes: usize,
}

/// How a bulk was answered, as far as it concerns the pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Taken.
    Accepted,
    /// Refused in whole or in part because there was too much, or not answered in time.
    Rejected,
    /// Says nothing about load.
    Other,
}

/// Why the number of places has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A round went well.
    Grown,
    /// A bulk was rejected.
    Halved,
    /// Answers take clearly longer than they did.
    SteppedDown,
}

/// The places of one worker.
#[derive(Clone, Debug)]
pub(crate) struct Concurrency {
    max: usize,
    limit: usize,
    in_flight: usize,
    /// Since somebody last asked.
    rejected: u64,
    /// Counts decreases: what began before the last one says nothing about what is now.
    epoch: u64,
    round: Round,
    /// By the power of two of the bulk's bytes.
    baselines: BTreeMap<u32, Duration>,
}

/// The answers since the last change.
#[derive(Clone, Debug, Default)]
struct Round {
    answers: usize,
    /// Their latencies as parts of their baselines, summed up.
    latencies: u64,
    /// All places were taken at some time: more could have been used.
    was_full: bool,
}

impl Concurrency {
    /// At most `max` places, and few at the start.
    pub(crate) fn new(max: usize) -> Self {
        let max = max.max(1);
        Self {
            max,
            limit: START.min(max),
            in_flight: 0,
            rejected: 0,
            epoch: 0,
            round: Round::default(),
            baselines: BTreeMap::new(),
        }
    }

    /// How many may be out now.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// How many are out.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Takes a place for a bulk, if one is free.
    pub(crate) fn begin(&mut self, bytes: usize, now: Duration) -> Option<Ticket> {
        if self.in_flight >= self.limit {
            return None;
        }
        self.in_flight += 1;
        self.round.was_full |= self.in_flight == self.limit;
        Some(Ticket { epoch: self.epoch, begun: now, bytes })
    }

    /// How many may be out at most.
    pub(crate) fn most(&self) -> usize {
        self.max
    }

    /// How many bulks were rejected since this was last asked.
    pub(crate) fn take_rejected(&mut self) -> u64 {
        std::mem::take(&mut self.rejected)
    }

    /// Gives the place back.
    pub(crate) fn end(&mut self, ticket: Ticket, answer: Answer, now: Duration) -> Option<Change> {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.rejected += u64::from(answer == Answer::Rejected);
        if ticket.epoch != self.epoch {
            return None;
        }
        match answer {
            Answer::Other => None,
            Answer::Rejected => self.lower(self.limit / 2).then_some(Change::Halved),
            Answer::Accepted => {
                let latency = self.latency(ticket, now);
                self.round.latencies = self.round.latencies.saturating_add(latency);
                self.round.answers += 1;
                if self.round.answers >= self.limit { self.end_round() } else { None }
            }
        }
    }

    /// Begins with one place, as after a pause.
    pub(crate) fn restart(&mut self) {
        self.lower(1);
    }

    /// As a part of the baseline, which learns from it.
    fn latency(&mut self, ticket: Ticket, now: Duration) -> u64 {
        let latency = now.saturating_sub(ticket.begun);
        let size = ticket.bytes.max(1).ilog2();
        let baseline = self.baselines.entry(size).or_insert(latency);
        let part = latency.as_nanos() * u128::from(WHOLE) / SHORT.max(*baseline).as_nanos();
        *baseline = latency.min(*baseline + latency.saturating_sub(*baseline) / DRIFT);
        u64::try_from(part).unwrap_or(u64::MAX)
    }

    fn end_round(&mut self) -> Option<Change> {
        let round = std::mem::take(&mut self.round);
        let mean = round.latencies / round.answers.max(1) as u64;
        if mean > STEP_DOWN * WHOLE && self.limit > 1 {
            self.lower(self.limit - 1);
            return Some(Change::SteppedDown);
        }
        if mean > HOLD * WHOLE || !round.was_full || self.limit >= self.max {
            return None;
        }
        self.limit += 1;
        Some(Change::Grown)
    }

    /// Fewer places, and a new epoch. Says whether there are fewer.
    fn lower(&mut self, to: usize) -> bool {
        let to = to.clamp(1, self.limit);
        self.epoch += 1;
        self.round = Round::default();
        std::mem::replace(&mut self.limit, to) > to
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Sends one burst of as many as may be out, all answered so after `latency`.
    fn burst(places: &mut Concurrency, answer: Answer, latency: Duration) -> Vec<Change> {
        let tickets: Vec<_> = std::iter::from_fn(|| places.begin(1000, Duration::ZERO)).collect();
        tickets.into_iter().filter_map(|ticket| places.end(ticket, answer, latency)).collect()
    }

    #[test]
    fn it_starts_low_grows_by_one_a_round_and_stops_at_the_maximum() {
        let mut places = Concurrency::new(5);
        let mut seen = vec![places.limit()];
        for _ in 0..5 {
            burst(&mut places, Answer::Accepted, MS);
            seen.push(places.limit());
        }
        assert_eq!(seen, [2, 3, 4, 5, 5, 5]);
    }

    #[test]
    fn a_burst_of_rejections_halves_once() {
        let mut places = Concurrency::new(16);
        while places.limit() < 16 {
            burst(&mut places, Answer::Accepted, MS);
        }
        assert_eq!(burst(&mut places, Answer::Rejected, MS), [Change::Halved]);
        assert_eq!(places.limit(), 8);
        for expected in [4, 2, 1, 1] {
            burst(&mut places, Answer::Rejected, MS);
            assert_eq!(places.limit(), expected);
        }
    }

    #[test]
    fn nothing_begins_above_the_limit_after_a_halving_until_enough_have_ended() {
        let mut places = Concurrency::new(4);
        burst(&mut places, Answer::Accepted, MS);
        burst(&mut places, Answer::Accepted, MS);
        let out: Vec<_> = std::iter::from_fn(|| places.begin(1000, MS)).collect();
        assert_eq!(out.len(), 4);
        places.end(out[0], Answer::Rejected, MS);
        assert_eq!((places.limit(), places.in_flight()), (2, 3));
        assert!(places.begin(1000, MS).is_none());
        places.end(out[1], Answer::Rejected, MS);
        assert!(places.begin(1000, MS).is_none());
        places.end(out[2], Answer::Accepted, MS);
        assert!(places.begin(1000, MS).is_some());
    }

    #[test]
    fn longer_answers_stop_the_growth_and_much_longer_ones_take_a_place() {
        let mut places = Concurrency::new(16);
        for _ in 0..4 {
            burst(&mut places, Answer::Accepted, MS * 100);
        }
        assert_eq!(places.limit(), 6);
        burst(&mut places, Answer::Accepted, MS * 250);
        assert_eq!(places.limit(), 6, "held");
        assert_eq!(burst(&mut places, Answer::Accepted, MS * 400), [Change::SteppedDown]);
        assert_eq!(places.limit(), 5);
        burst(&mut places, Answer::Accepted, MS * 100);
        assert_eq!(places.limit(), 6, "well again");
    }

    #[test]
    fn a_target_that_is_slower_for_good_is_the_new_measure_after_a_while() {
        let mut places = Concurrency::new(4);
        burst(&mut places, Answer::Accepted, MS * 100);
        let mut rounds = 0;
        while places.limit() < 4 {
            burst(&mut places, Answer::Accepted, MS * 1000);
            rounds += 1;
        }
        assert!((3..60).contains(&rounds), "{rounds}");
    }

    #[test]
    fn bulks_of_another_size_have_a_measure_of_their_own() {
        let mut places = Concurrency::new(8);
        for bytes in [100, 20_000_000, 100, 20_000_000] {
            let tickets: Vec<_> =
                std::iter::from_fn(|| places.begin(bytes, Duration::ZERO)).collect();
            let latency = if bytes == 100 { MS } else { MS * 900 };
            for ticket in tickets {
                let change = places.end(ticket, Answer::Accepted, latency);
                assert!(change.is_none_or(|change| change == Change::Grown));
            }
        }
        assert_eq!(places.limit(), 6);
    }

    #[test]
    fn places_that_nobody_uses_do_not_grow() {
        let mut places = Concurrency::new(8);
        for _ in 0..20 {
            let ticket = places.begin(1000, Duration::ZERO).unwrap();
            places.end(ticket, Answer::Accepted, MS);
        }
        assert_eq!(places.limit(), 2);
    }

    fn answers() -> impl Strategy<Value = Answer> {
        prop_oneof![
            6 => Just(Answer::Accepted), 2 => Just(Answer::Rejected), 1 => Just(Answer::Other),
        ]
    }

    proptest! {
        /// Bulks begin whenever they may and are answered in any order: never more begin than may be out, the limit stays
        /// within its bounds and never falls by more than half between two bulks that began after the last fall.
        #[test]
        fn the_limit_is_kept_and_falls_once_for_what_began_together(
            max in 1_usize..20,
            steps in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), answers(), 1_u64..2000), 1..400),
        ) {
            let mut places = Concurrency::new(max);
            let mut out: VecDeque<Ticket> = VecDeque::new();
            let mut now = Duration::ZERO;
            for (begins, which, answer, passed) in steps {
                now += MS * u32::try_from(passed).unwrap();
                if begins || out.is_empty() {
                    let before = places.in_flight();
                    let ticket = places.begin(1000, now);
                    prop_assert_eq!(ticket.is_some(), before < places.limit());
                    out.extend(ticket);
                } else {
                    let ticket = out.remove(which.index(out.len())).unwrap();
                    let (before, epoch) = (places.limit(), places.epoch);
                    let change = places.end(ticket, answer, now);
                    let fell = places.limit() < before;
                    prop_assert!(!fell || ticket.epoch == epoch);
                    prop_assert!(places.limit() >= before / 2);
                    prop_assert!(places.limit() <= before + 1);
                    prop_assert_eq!(change.is_some(), places.limit() != before);
                }
                prop_assert!((1..=max).contains(&places.limit()));
                prop_assert_eq!(places.in_flight(), out.len());
            }
        }

        /// A target that takes `capacity` at a time and rejects what is more: the worker stays close to it, whatever it is.
        #[test]
        fn it_settles_around_what_the_target_takes(capacity in 1_usize..12) {
            let mut places = Concurrency::new(16);
            let mut sum = 0;
            for round in 0..400 {
                let tickets: Vec<_> = std::iter::from_fn(|| places.begin(1000, Duration::ZERO)).collect();
                let count = tickets.len();
                for (place, ticket) in tickets.into_iter().enumerate() {
                    let answer = if place < capacity { Answer::Accepted } else { Answer::Rejected };
                    places.end(ticket, answer, MS);
                }
                prop_assert!(count <= capacity + 1 || round == 0);
                sum += count;
            }
            prop_assert!(sum * 2 >= 400 * capacity, "{sum} in 400 rounds of {capacity}");
        }
    }
}
