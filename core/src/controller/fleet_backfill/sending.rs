//! How fast documents are sent: ceilings that can be changed while it runs, and what the status says of it.

use super::{FleetBackfill, Shared};
use crate::Result;
use crate::controller::Sending;
use crate::coordination::Run;
use crate::fleet::Fleet;
use crate::pipeline::PauseRecord;
use crate::settings::RateLimits;

impl<F: Fleet + ?Sized> FleetBackfill<F> {
    /// The ceilings of the run, for each process that works on it.
    ///
    /// # Errors
    /// What the working state fails with.
    pub async fn rate_limits(&self) -> Result<RateLimits> {
        let run = self.shared.store.run().await?;
        let limits = run.and_then(|run| RateLimits::of_run(&run.value.settings));
        Ok(limits.unwrap_or(self.shared.settings.bulk.limits))
    }

    /// Changes the ceilings while it runs: here at once, in other processes that work on the run within some seconds.
    ///
    /// # Errors
    /// `State` when nothing was planned; what the working state fails with.
    pub async fn set_rate_limits(&self, limits: RateLimits) -> Result<()> {
        self.shared.set_rate_limits(limits).await
    }
}

impl Shared {
    /// The ceilings count before the first bulk: those of the settings, or else those that the run has already.
    pub(super) async fn apply_rate_limits(&self) -> Result<()> {
        let apply = || async {
            let limits = self.settings.bulk.limits;
            if !limits.is_none() {
                return self.set_rate_limits(limits).await;
            }
            let run = self.store.run().await?;
            if let Some(limits) = run.and_then(|run| RateLimits::of_run(&run.value.settings)) {
                self.pressure.limit(limits);
            }
            Ok(())
        };
        // Only once: what was changed since is not undone by another start.
        self.limited.get_or_try_init(apply).await.map(|_| ())
    }

    async fn set_rate_limits(&self, limits: RateLimits) -> Result<()> {
        let write = |run: &mut Run| {
            limits.write(&mut run.settings);
            Ok(())
        };
        self.coordinator.change_run(write).await?;
        self.pressure.limit(limits);
        Ok(())
    }

    /// Of this process's workers what they do; of others' what they wrote into the run.
    pub(super) async fn sending(&self, is_running: bool) -> Result<Sending> {
        let mut sending = self.pressure.sending();
        if !sending.workers.is_empty() {
            return Ok(sending);
        }
        let Some(run) = self.store.run().await? else { return Ok(sending) };
        let settings = run.value.settings;
        sending.limits = RateLimits::of_run(&settings).unwrap_or_default();
        if let Some(record) = PauseRecord::of_run(&settings).filter(|_| is_running) {
            let now = self.store.now().await?.as_secs();
            sending.paused = record.is_fresh(now).then_some(record.reason);
        }
        Ok(sending)
    }
}
