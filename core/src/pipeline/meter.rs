//! How fast a worker comes forward.

use std::collections::VecDeque;
use std::time::Duration;

use crate::coordination::Rate;

/// What is looked back at.
const WINDOW: Duration = Duration::from_secs(60);

/// Steps that are told apart within the window; those that follow sooner are one.
const STEP: Duration = Duration::from_secs(1);

/// What was done, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// Documents that were settled.
    pub(crate) documents: u64,
    /// Bytes of their sources.
    pub(crate) bytes: u64,
    /// Bytes of stored fields.
    pub(crate) stored: u64,
    /// Bulks that were refused for the time being.
    pub(crate) rejected: u64,
}

impl Done {
    /// What came since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            documents: self.documents.saturating_sub(before.documents),
            bytes: self.bytes.saturating_sub(before.bytes),
            stored: self.stored.saturating_sub(before.stored),
            rejected: self.rejected.saturating_sub(before.rejected),
        }
    }

    fn plus(self, more: Self) -> Self {
        Self {
            documents: self.documents + more.documents,
            bytes: self.bytes + more.bytes,
            stored: self.stored + more.stored,
            rejected: self.rejected + more.rejected,
        }
    }
}

/// What a worker has done in the last minute, over all its items.
#[derive(Debug)]
pub(crate) struct Meter {
    /// Moments of the monotonic clock, and what was done until then.
    steps: VecDeque<(Duration, Done)>,
    total: Done,
}

impl Meter {
    pub(crate) fn new(now: Duration) -> Self {
        Self { steps: VecDeque::from([(now, Done::default())]), total: Done::default() }
    }

    /// Notes what was done since the last note.
    pub(crate) fn note(&mut self, now: Duration, more: Done) {
        self.total = self.total.plus(more);
        match self.steps.back_mut() {
            // The first step is where the window begins.
            Some((then, done)) if now.saturating_sub(*then) < STEP && *done != Done::default() => {
                *done = self.total;
            }
            _ => self.steps.push_back((now, self.total)),
        }
        while self.steps.get(1).is_some_and(|(then, _)| now.saturating_sub(*then) >= WINDOW) {
            self.steps.pop_front();
        }
    }

    /// What the last minute was like; nothing before a second has passed.
    pub(crate) fn rate(&self, now: Duration) -> Rate {
        let Some((then, before)) = self.steps.front() else { return Rate::default() };
        let passed = now.saturating_sub(*then);
        if passed < STEP {
            return Rate::default();
        }
        let done = self.total.since(*before);
        let each = |amount: u64| {
            let a_second = u128::from(amount) * 1000 / passed.as_millis().max(1);
            u64::try_from(a_second).unwrap_or(u64::MAX)
        };
        Rate {
            documents: each(done.documents),
            bytes: each(done.bytes),
            stored: each(done.stored),
            rejected: done.rejected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(documents: u64) -> Done {
        Done { documents, bytes: documents * 10, stored: documents * 3, rejected: 0 }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_steady_worker_has_its_rate() {
        let mut meter = Meter::new(at(100));
        assert!(meter.rate(at(100)).is_none());
        for second in 101..400 {
            meter.note(at(second), done(50));
            let rate = meter.rate(at(second));
            assert_eq!((rate.documents, rate.bytes, rate.stored), (50, 500, 150), "{second}");
        }
        assert!(meter.steps.len() <= 63, "{}", meter.steps.len());
    }

    #[test]
    fn a_worker_that_rests_slows_down() {
        let mut meter = Meter::new(at(0));
        meter.note(at(10), done(600));
        assert_eq!(meter.rate(at(10)).documents, 60);
        assert_eq!(meter.rate(at(30)).documents, 20);
        meter.note(at(200), done(0));
        assert!(meter.rate(at(210)).documents < 60);
    }

    #[test]
    fn refusals_are_counted_for_a_minute() {
        let mut meter = Meter::new(at(0));
        for second in 1..=20 {
            meter.note(at(second), Done { rejected: 1, ..done(1) });
        }
        assert_eq!(meter.rate(at(20)).rejected, 20);
        for second in 21..=100 {
            meter.note(at(second), done(1));
        }
        assert_eq!(meter.rate(at(100)).rejected, 0);
    }

    #[test]
    fn steps_that_follow_soon_are_one() {
        let mut meter = Meter::new(at(0));
        for milli in 1..5000 {
            meter.note(Duration::from_millis(milli), done(1));
        }
        assert!(meter.steps.len() <= 8, "{}", meter.steps.len());
        assert_eq!(meter.rate(at(5)).documents, 999);
    }
}
