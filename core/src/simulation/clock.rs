//! A worker's clock.

use std::time::Duration;

use async_trait::async_trait;

use super::network::Port;
use crate::Clock;

/// The clock of a worker's machine: a little fast or slow, set by hours at times, and waited on in vain while the process
/// is paused.
#[derive(Clone, Debug)]
pub(super) struct WorkerClock(pub(super) Port);

#[async_trait]
impl Clock for WorkerClock {
    fn wall(&self) -> Duration {
        let now = self.0.world.now();
        let jump = self.0.world.lock().machines[self.0.machine].wall_jump;
        (Duration::from_secs(1_700_000_000) + now).saturating_add_signed(jump)
    }

    fn monotonic(&self) -> Duration {
        let now = self.0.world.now();
        self.0.world.lock().machines[self.0.machine].monotonic(now)
    }

    async fn sleep(&self, duration: Duration) {
        let rate = self.0.world.lock().machines[self.0.machine].rate;
        self.0.world.sleep(duration * 1_000_000 / rate).await;
        self.0.resumed().await;
    }
}

trait AddSigned {
    fn saturating_add_signed(self, milliseconds: i64) -> Self;
}

impl AddSigned for Duration {
    fn saturating_add_signed(self, milliseconds: i64) -> Self {
        let by = Self::from_millis(milliseconds.unsigned_abs());
        if milliseconds < 0 { self.saturating_sub(by) } else { self.saturating_add(by) }
    }
}
