//! Ceilings in documents and bytes a second, as buckets of tokens that fill with time.

use std::num::NonZeroU64;
use std::time::Duration;

use crate::settings::RateLimits;

/// Tokens of so much time are saved up while nothing is sent.
const SAVED: Duration = Duration::from_secs(1);

/// What a bulk costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) documents: usize,
    pub(crate) bytes: usize,
}

/// Tokens of one kind. A bulk goes when no tokens are owed, whatever it costs, and may leave a debt that time pays: so a bulk
/// of more than a second's tokens passes, and the mean holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bucket {
    rate: Option<NonZeroU64>,
    /// When nothing is owed any more.
    paid: Duration,
}

impl Bucket {
    fn wait(&self, now: Duration) -> Duration {
        self.rate.map_or(Duration::ZERO, |_| self.paid.saturating_sub(now))
    }

    fn take(&mut self, cost: usize, now: Duration) {
        let Some(rate) = self.rate else { return };
        let time = time_of(cost as u128, rate);
        self.paid = self.paid.max(now.saturating_sub(SAVED)).saturating_add(time);
    }

    /// What is owed stays owed, and is paid at the new rate.
    fn set(&mut self, rate: Option<NonZeroU64>, now: Duration) {
        if rate == self.rate {
            return;
        }
        let owed = self.rate.map_or(0, |old| {
            self.wait(now).as_nanos().saturating_mul(u128::from(old.get())) / 1_000_000_000
        });
        self.paid = rate.map_or(now, |rate| now.saturating_add(time_of(owed, rate)));
        self.rate = rate;
    }
}

fn time_of(tokens: u128, rate: NonZeroU64) -> Duration {
    let nanos = tokens.saturating_mul(1_000_000_000) / u128::from(rate.get());
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The ceilings of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ceilings {
    documents: Bucket,
    bytes: Bucket,
}

impl Ceilings {
    /// How long a bulk has to wait now.
    pub(crate) fn wait(&self, now: Duration) -> Duration {
        self.documents.wait(now).max(self.bytes.wait(now))
    }

    /// Notes that a bulk goes.
    pub(crate) fn take(&mut self, cost: Cost, now: Duration) {
        self.documents.take(cost.documents, now);
        self.bytes.take(cost.bytes, now);
    }

    /// From now on these.
    pub(crate) fn set(&mut self, limits: RateLimits, now: Duration) {
        self.documents.set(limits.documents_per_second, now);
        self.bytes.set(limits.bytes_per_second, now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits(documents: u64, bytes: u64) -> RateLimits {
        RateLimits {
            documents_per_second: NonZeroU64::new(documents),
            bytes_per_second: NonZeroU64::new(bytes),
        }
    }

    fn cost(documents: usize, bytes: usize) -> Cost {
        Cost { documents, bytes }
    }

    #[test]
    fn without_ceilings_nothing_waits() {
        let mut ceilings = Ceilings::default();
        ceilings.take(cost(usize::MAX, usize::MAX), Duration::ZERO);
        assert_eq!(ceilings.wait(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn a_bulk_of_many_seconds_passes_and_is_paid_for_by_those_after_it() {
        let mut ceilings = Ceilings::default();
        let now = Duration::from_secs(100);
        ceilings.set(limits(100, 0), now);
        ceilings.take(cost(1000, 7), now);
        // One second was saved up.
        assert_eq!(ceilings.wait(now), Duration::from_secs(10));
        assert_eq!(ceilings.wait(now + Duration::from_secs(10)), Duration::ZERO);
    }

    #[test]
    fn the_stricter_of_the_two_counts() {
        let mut ceilings = Ceilings::default();
        ceilings.set(limits(100, 1000), Duration::ZERO);
        ceilings.take(cost(100, 5000), Duration::ZERO);
        assert_eq!(ceilings.wait(Duration::ZERO), Duration::from_secs(5));
    }

    #[test]
    fn a_change_counts_at_once_also_for_what_is_owed() {
        let mut ceilings = Ceilings::default();
        ceilings.set(limits(10, 0), Duration::ZERO);
        ceilings.take(cost(100, 0), Duration::ZERO);
        assert_eq!(ceilings.wait(Duration::ZERO), Duration::from_secs(10));
        ceilings.set(limits(100, 0), Duration::ZERO);
        assert_eq!(ceilings.wait(Duration::ZERO), Duration::from_secs(1));
        ceilings.set(limits(0, 0), Duration::ZERO);
        assert_eq!(ceilings.wait(Duration::ZERO), Duration::ZERO);
    }

    proptest! {
        /// Whatever is sent and whenever: over any time from the start, no more than the rate gives, a second's savings, and
        /// one bulk; and who always waits as told is never kept longer than what was sent is worth.
        #[test]
        fn the_mean_holds(rate in 1_u64..5000, bulks in prop::collection::vec((1_usize..3000, 0_u64..3000), 1..80)) {
            let mut ceilings = Ceilings::default();
            let start = Duration::from_secs(50);
            ceilings.set(limits(rate, 0), start);
            let (mut now, mut sent) = (start, 0_u128);
            for (documents, idle) in bulks {
                now += Duration::from_millis(idle) + ceilings.wait(now);
                prop_assert_eq!(ceilings.wait(now), Duration::ZERO);
                let most = (now - start + SAVED).as_nanos() * u128::from(rate) / 1_000_000_000;
                prop_assert!(sent <= most + 1, "{} of {}", sent, most);
                ceilings.take(cost(documents, 0), now);
                sent += documents as u128;
                prop_assert!(ceilings.wait(now) <= time_of(documents as u128, NonZeroU64::new(rate).unwrap()));
            }
        }
    }
}
