//! A clock that only a test moves.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::Clock;

/// A clock that stands still until it is told to move. Unlike with [`ManualClock`](crate::ManualClock), whoever sleeps on it
/// waits until then: for code that races a call against a sleep. Its clones are one clock.
#[derive(Clone, Debug)]
pub struct SteppedClock {
    now: watch::Sender<Duration>,
}

impl SteppedClock {
    /// A clock that reads `now`.
    pub fn new(now: Duration) -> Self {
        Self { now: watch::Sender::new(now) }
    }

    /// Moves the clock forward; those whose time has come wake up.
    pub fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now = now.saturating_add(by));
    }

    /// How many sleep on it now.
    pub fn sleepers(&self) -> usize {
        self.now.receiver_count()
    }
}

impl Default for SteppedClock {
    fn default() -> Self {
        Self::new(Duration::from_secs(1_700_000_000))
    }
}

#[async_trait]
impl Clock for SteppedClock {
    fn wall(&self) -> Duration {
        *self.now.borrow()
    }

    fn monotonic(&self) -> Duration {
        self.wall()
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.monotonic().saturating_add(duration);
        // The sender lives in `self`: waiting cannot fail.
        let _ = self.now.subscribe().wait_for(|now| *now >= until).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_its_time_has_come_and_not_before() {
        let clock = SteppedClock::default();
        let sleeper = clock.sleep(Duration::from_secs(2));
        tokio::pin!(sleeper);
        assert!(futures::poll!(sleeper.as_mut()).is_pending());
        assert_eq!(clock.sleepers(), 1);
        clock.advance(Duration::from_secs(1));
        assert!(futures::poll!(sleeper.as_mut()).is_pending());
        clock.advance(Duration::from_secs(1));
        assert!(futures::poll!(sleeper.as_mut()).is_ready());
    }
}
