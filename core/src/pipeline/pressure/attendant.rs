//! The task that looks at the target's health and at the run's settings, one for all workers of a process.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;

use super::Pressure;
use super::circuit::Sight;
use super::record::{PauseRecord, REFRESH};
use crate::Result;
use crate::cluster::HealthStatus;
use crate::settings::RateLimits;

/// How long an answer about health is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks, however much they are asked for.
const LEAST_WAIT: Duration = Duration::from_secs(1);

/// Between two readings of the run's settings.
const SETTINGS: Duration = Duration::from_secs(10);

/// Indices that are asked about when the cluster is red.
const ASKED: usize = 20;

/// Who wants the target watched.
#[derive(Debug, Default)]
pub(super) struct Attendants {
    wanted: usize,
    task: Option<AbortHandle>,
}

/// The target is watched until the last one is dropped.
#[derive(Debug)]
pub(crate) struct Attendance(Arc<Pressure>);

impl Drop for Attendance {
    fn drop(&mut self) {
        let mut attendants = self.0.attendants.lock().unwrap_or_else(PoisonError::into_inner);
        attendants.wanted = attendants.wanted.saturating_sub(1);
        if attendants.wanted == 0
            && let Some(task) = attendants.task.take()
        {
            task.abort();
        }
    }
}

/// What is in the working state, as far as this process knows.
#[derive(Debug, Default)]
struct Ledger {
    read: Option<Duration>,
    paused: Option<(String, Duration)>,
}

impl Pressure {
    /// Watches the target as long as the result is held.
    pub(crate) fn attend(self: &Arc<Self>) -> Attendance {
        let mut attendants = self.attendants.lock().unwrap_or_else(PoisonError::into_inner);
        attendants.wanted += 1;
        if attendants.task.is_none() {
            let task = tokio::spawn(Arc::clone(self).watch());
            attendants.task = Some(task.abort_handle());
        }
        drop(attendants);
        Attendance(Arc::clone(self))
    }

    async fn watch(self: Arc<Self>) {
        let mut ledger = Ledger::default();
        loop {
            let wait = self.state().circuit.next_look();
            tokio::select! {
                () = self.clock.sleep(wait) => {}
                () = self.doubt.notified() => self.clock.sleep(LEAST_WAIT.min(wait)).await,
            }
            self.look().await;
            // Whatever the store fails with, the next round tries again.
            if let Err(error) = self.keep_ledger(&mut ledger).await {
                tracing::debug!(%error, "the run's settings cannot be read or written now");
            }
        }
    }

    async fn look(&self) {
        let health = tokio::select! {
            biased;
            health = self.cluster.health() => Some(health),
            () = self.clock.sleep(PATIENCE) => None,
        };
        let concerns_us = match &health {
            Some(Ok(health)) if health.status == HealthStatus::Red => self.is_red_for_us().await,
            _ => false,
        };
        let sight = match &health {
            Some(Ok(health)) => Sight::Seen { health, concerns_us },
            Some(Err(error)) if !error.is_retryable() => Sight::Denied,
            _ => Sight::Blind,
        };
        let mut state = self.state();
        let turn = state.circuit.look(sight, self.clock.monotonic());
        state.is_red = matches!(&health, Some(Ok(health)) if health.status == HealthStatus::Red);
        if !state.is_red && state.circuit.paused().is_none() {
            state.filled.clear();
        }
        self.turn(state, turn);
    }

    /// Whether some index that is being filled is red. One whose colour cannot be told may be.
    async fn is_red_for_us(&self) -> bool {
        let filled: Vec<_> = self.state().filled.iter().take(ASKED).cloned().collect();
        for index in filled {
            let colour = tokio::select! {
                biased;
                colour = self.cluster.index_health(&index) => colour.ok().flatten(),
                () = self.clock.sleep(PATIENCE) => None,
            };
            if colour.is_none_or(|colour| colour == HealthStatus::Red) {
                return true;
            }
        }
        false
    }

    /// Reads the ceilings that somebody may have changed, and writes down that sending is paused.
    async fn keep_ledger(&self, ledger: &mut Ledger) -> Result<()> {
        let now = self.clock.monotonic();
        if ledger.read.is_none_or(|read| now.saturating_sub(read) >= SETTINGS) {
            if let Some(run) = self.coordinator.store().run().await?
                && let Some(limits) = RateLimits::of_run(&run.value.settings)
            {
                self.limit(limits);
            }
            ledger.read = Some(now);
        }
        let paused = self.state().circuit.paused().map(ToString::to_string);
        let is_written = match (&paused, &ledger.paused) {
            (None, None) => true,
            (Some(reason), Some((written, when))) => {
                reason == written && now.saturating_sub(*when) < REFRESH
            }
            _ => false,
        };
        if !is_written {
            self.write_pause(paused.as_deref()).await?;
            ledger.paused = paused.map(|reason| (reason, now));
        }
        Ok(())
    }

    async fn write_pause(&self, reason: Option<&str>) -> Result<()> {
        let seen = self.coordinator.store().now().await?.as_secs();
        let record = reason.map(|reason| PauseRecord { reason: reason.to_owned(), seen });
        let write = |run: &mut crate::coordination::Run| {
            PauseRecord::write(record.as_ref(), &mut run.settings);
            Ok(())
        };
        self.coordinator.change_run(write).await.map(|_| ())
    }
}
