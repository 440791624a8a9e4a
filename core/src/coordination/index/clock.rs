//! The cluster's clock, carried forward between looks at it.

use std::time::Duration;

use super::super::StoreTime;

/// How far behind the cluster's clock a store's time may be. It is never ahead of it. A margin of the lease rules exceeds
/// this, and by as much as the clocks of the cluster's nodes are apart.
pub const CLOCK_ERROR: Duration = Duration::from_millis(2500);

/// The cluster tells whole seconds.
const GRANULARITY: i64 = 1000;

/// How much two clocks drift apart in a second, at most, in milliseconds: twice what a bad crystal does.
const DRIFT: i64 = 1;

/// How old a look at the cluster's clock may be; below a third of the usual lease, so that every renewal takes a new one.
const LONGEST_REST: i64 = 10_000;

/// How old it may be while the bounds are wide. No multiple of a second, so that the next look meets another part of one.
const SHORT_REST: i64 = 1_370;

/// Bounds further apart than this are wide.
const WIDE: i64 = 300;

/// What is known about the cluster's clock: between which bounds its lead over the worker's monotonic clock lies.
///
/// Each look says that the cluster's clock showed a second at some moment between the question and the answer. Bounds of
/// several looks are both true, so they narrow down to less than a second, unless the cluster's clock was set meanwhile.
/// All in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ClusterTime {
    known: Option<Bounds>,
    /// The last time that was told.
    told: i64,
    /// How far behind the cluster's clock it may be, where that is less than [`CLOCK_ERROR`].
    precision: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    low: i64,
    high: i64,
    /// When the cluster was asked last, on the monotonic clock.
    at: i64,
}

impl Bounds {
    fn at(self, monotonic: i64) -> Self {
        let drift = (monotonic - self.at).max(0) * DRIFT / 1000 + 1;
        Self { low: self.low - drift, high: self.high + drift, at: monotonic }
    }
}

impl ClusterTime {
    /// A time that is never further behind than `precision`; a second of looks at the cluster's clock takes it there.
    pub(super) fn within(precision: Duration) -> Self {
        Self { precision: Some(precision.min(CLOCK_ERROR)), ..Self::default() }
    }

    /// How long to wait for the next look to tell something new, when the ones before were not precise enough.
    pub(super) fn pause(&self) -> Duration {
        self.precision.unwrap_or_default() / 2
    }

    /// The cluster's time at `monotonic`; none when the cluster must be asked first.
    pub(super) fn at(&mut self, monotonic: Duration) -> Option<StoreTime> {
        let monotonic = millis(monotonic);
        let known = self.known?;
        let bounds = known.at(monotonic);
        let width = bounds.high - bounds.low;
        let rest = if width > WIDE { SHORT_REST } else { LONGEST_REST };
        let widest = millis(self.precision.unwrap_or(CLOCK_ERROR));
        if monotonic - known.at >= rest || width > widest {
            return None;
        }
        let earliest = monotonic.saturating_add(bounds.low);
        let latest = monotonic.saturating_add(bounds.high);
        // It does not go back for a bound that moved, only for a clock that was set back.
        self.told = if (earliest..=latest).contains(&self.told) { self.told } else { earliest };
        Some(StoreTime(u64::try_from(self.told).unwrap_or_default()))
    }

    /// Takes in that the cluster's clock showed `seconds` at some moment between `asked` and `answered`.
    pub(super) fn learn(&mut self, seconds: u64, asked: Duration, answered: Duration) {
        let shown = i64::try_from(seconds).unwrap_or(i64::MAX / 4000).saturating_mul(1000);
        let (asked, answered) = (millis(asked), millis(answered).saturating_add(1));
        let new = Bounds { low: shown - answered, high: shown + GRANULARITY - asked, at: answered };
        let both = self.known.map(|known| known.at(answered)).map(|known| Bounds {
            low: known.low.max(new.low),
            high: known.high.min(new.high),
            at: answered,
        });
        // Bounds that exclude each other: the cluster's clock was set.
        self.known = Some(both.filter(|both| both.low <= both.high).unwrap_or(new));
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_700_000_000;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Looks at a cluster's clock that is `lead` ahead of the monotonic one; the answer is read off halfway.
    fn look(time: &mut ClusterTime, at: u64, round_trip: u64, lead: u64) {
        let seconds = (at + round_trip / 2 + lead) / 1000;
        time.learn(seconds, ms(at), ms(at + round_trip));
    }

    #[test]
    fn it_is_never_ahead_and_at_most_the_error_behind() {
        let lead = START * 1000 + 777;
        for round_trip in [0, 3, 250, 1400] {
            let mut time = ClusterTime::default();
            assert_eq!(time.at(ms(5000)), None);
            let mut last = 0;
            for at in (5000..60_000).step_by(331) {
                if time.at(ms(at)).is_none() {
                    look(&mut time, at - round_trip, round_trip, lead);
                }
                let told = time.at(ms(at + 2)).unwrap().0;
                let true_time = at + 2 + lead;
                assert!(told <= true_time, "{told} {true_time}");
                assert!(true_time - told <= 2500, "{round_trip}: {}", true_time - told);
                assert!(told >= last);
                last = told;
            }
        }
    }

    #[test]
    fn looks_narrow_each_other_down() {
        let lead = START * 1000;
        let mut time = ClusterTime::default();
        for at in [1000, 1990, 2980, 3970, 4960, 5950, 6940] {
            look(&mut time, at, 2, lead);
        }
        let behind = 7000 + lead - time.at(ms(7000)).unwrap().0;
        assert!(behind < 100, "{behind}");
    }

    #[test]
    fn a_time_that_is_to_be_precise_is_not_told_before_it_is() {
        let lead = START * 1000 + 400;
        let mut time = ClusterTime::within(ms(300));
        let mut at = 1000;
        while time.at(ms(at)).is_none() {
            look(&mut time, at, 2, lead);
            at += u64::try_from(time.pause().as_millis()).unwrap();
            assert!(at < 2300, "a second of looks is enough");
        }
        let behind = at + lead - time.at(ms(at)).unwrap().0;
        assert!(behind <= 300, "{behind}");
    }

    #[test]
    fn an_answer_that_took_too_long_tells_nothing_alone_and_harms_nothing() {
        let lead = START * 1000;
        let mut time = ClusterTime::default();
        look(&mut time, 0, 9000, lead);
        assert_eq!(time.at(ms(9001)), None);
        look(&mut time, 9100, 10, lead);
        let precise = time.at(ms(9200)).unwrap();
        look(&mut time, 9300, 9000, lead);
        let later = time.at(ms(18_301)).unwrap();
        assert!(later.since(precise) > ms(9000));
    }

    #[test]
    fn old_knowledge_is_not_carried_for_ever() {
        let mut time = ClusterTime::default();
        look(&mut time, 0, 10, START * 1000);
        assert!(time.at(ms(1300)).is_some());
        assert_eq!(time.at(ms(1400)), None, "the bounds are a second apart");
        look(&mut time, 970, 15, START * 1000);
        assert!(time.at(ms(10_900)).is_some(), "they are 41 ms apart");
        assert_eq!(time.at(ms(11_100)), None);
    }

    #[test]
    fn a_clock_that_was_set_is_followed_both_ways() {
        let mut time = ClusterTime::default();
        look(&mut time, 0, 10, START * 1000);
        time.at(ms(20)).unwrap();
        for (at, lead) in [(11_000, START * 1000 - 3_600_000), (22_000, START * 1000)] {
            look(&mut time, at, 10, lead);
            let told = time.at(ms(at + 20)).unwrap().0;
            assert!(told <= at + 20 + lead && told + 2500 >= at + 20 + lead);
        }
    }
}
