//! Whether the workers of a process come forward: a pure rule over what was counted.

use std::fmt;
use std::time::Duration;

/// What is seen of a process at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sighting {
    /// [`Figures::advances`](super::Figures::advances).
    pub advances: u64,
    /// [`Figures::leases_held`](super::Figures::leases_held).
    pub leases_held: u64,
    /// Whether sending is paused, to spare the target.
    pub is_paused: bool,
}

/// Why a process is thought to be stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stall {
    /// Items are held, and nothing came forward for so long.
    Still(Duration),
    /// Sending is paused for so long.
    Paused(Duration),
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Still(time) => {
                write!(f, "work items are held, and nothing came forward for {} s", time.as_secs())
            }
            Self::Paused(time) => write!(f, "sending is paused for {} s", time.as_secs()),
        }
    }
}

/// Judges whether the workers of a process come forward. It is told what is seen, from time to time; what it does not see is
/// as if it had not been.
///
/// ```
/// use std::time::Duration;
/// use snapfill::controller::{Liveness, Sighting, Stall};
///
/// let mut liveness = Liveness::new(Duration::from_secs(300), Duration::from_secs(900));
/// let held = Sighting { leases_held: 1, ..Sighting::default() };
/// assert_eq!(liveness.judge(Duration::ZERO, held), None);
/// let stuck = liveness.judge(Duration::from_secs(300), held);
/// assert_eq!(stuck, Some(Stall::Still(Duration::from_secs(300))));
/// ```
#[derive(Clone, Debug)]
pub struct Liveness {
    still_within: Duration,
    paused_within: Duration,
    last: Option<Sighting>,
    advanced: Duration,
    paused: Duration,
}

impl Liveness {
    /// `still_within`: how long nothing may come forward while items are held. `paused_within`: how long sending may be paused.
    pub fn new(still_within: Duration, paused_within: Duration) -> Self {
        Self {
            still_within,
            paused_within,
            last: None,
            advanced: Duration::ZERO,
            paused: Duration::ZERO,
        }
    }

    /// Judges at `now`, on a monotonic clock.
    pub fn judge(&mut self, now: Duration, seen: Sighting) -> Option<Stall> {
        let last = self.last.replace(seen);
        let came_forward = last.is_none_or(|last| last.advances != seen.advances);
        // Who is told to wait is not stuck, and may take a while to go on.
        if came_forward || seen.is_paused || seen.leases_held == 0 {
            self.advanced = now;
        }
        if !seen.is_paused || last.is_none_or(|last| !last.is_paused) {
            self.paused = now;
        }
        let (still, paused) = (now.saturating_sub(self.advanced), now.saturating_sub(self.paused));
        if paused >= self.paused_within && !paused.is_zero() {
            return Some(Stall::Paused(paused));
        }
        (still >= self.still_within && !still.is_zero()).then_some(Stall::Still(still))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn seen(advances: u64, leases_held: u64, is_paused: bool) -> Sighting {
        Sighting { advances, leases_held, is_paused }
    }

    fn liveness() -> Liveness {
        Liveness::new(at(300), at(900))
    }

    #[test]
    fn who_holds_items_must_come_forward() {
        let mut liveness = liveness();
        assert_eq!(liveness.judge(at(1000), seen(0, 0, false)), None);
        assert_eq!(liveness.judge(at(5000), seen(0, 0, false)), None, "nothing to do");
        assert_eq!(liveness.judge(at(5100), seen(1, 1, false)), None);
        assert_eq!(liveness.judge(at(5399), seen(1, 1, false)), None);
        assert_eq!(liveness.judge(at(5400), seen(1, 1, false)), Some(Stall::Still(at(300))));
        assert_eq!(liveness.judge(at(5401), seen(2, 1, false)), None, "it goes on");
    }

    #[test]
    fn a_pause_is_no_standstill_until_it_is_too_long() {
        let mut liveness = liveness();
        assert_eq!(liveness.judge(at(0), seen(0, 1, false)), None);
        assert_eq!(liveness.judge(at(200), seen(0, 1, true)), None);
        assert_eq!(liveness.judge(at(1099), seen(0, 1, true)), None);
        assert_eq!(liveness.judge(at(1100), seen(0, 1, true)), Some(Stall::Paused(at(900))));
        assert_eq!(liveness.judge(at(1101), seen(0, 1, false)), None);
        assert_eq!(liveness.judge(at(1400), seen(0, 1, false)), Some(Stall::Still(at(300))));
    }
}
