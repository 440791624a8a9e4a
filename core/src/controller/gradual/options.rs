//! How large the steps are, how long each is watched, what counts as well.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cluster::HealthStatus;
use crate::{Error, ErrorKind, Result};

/// How many workers one step adds. A step back undoes as many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepSize {
    /// As many as there are. Once a size was too large, one at a time from half of it on.
    #[default]
    Double,
    /// So many; none is one.
    By(usize),
}

/// How a fleet is made larger step by step. A figure that the target does not tell decides nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GradualOptions {
    /// How many workers one step adds.
    pub step: StepSize,
    /// How long the target must have been well since the last step, and how long a step back is given to help.
    pub settle: Duration,
    /// Processor in use on the busiest node, in percent, up to which workers are added. Halfway from there to 100 they are
    /// taken away.
    pub max_cpu_percent: u8,
    /// The same for the heap of the node that uses most.
    pub max_heap_percent: u8,
    /// The same for the write queue of the node where it is fullest.
    pub max_queue_percent: u8,
    /// Bulk requests that wait, for each node that holds data, up to which workers are added, where the target does not tell
    /// how full its queue is. At five times as many they are taken away.
    pub max_queue_requests: u64,
    /// Bytes free on the fullest node below which no workers are added, where the target does not tell its watermarks. Below
    /// half of it they are taken away.
    pub min_free_disk_bytes: u64,
    /// The worst colour with which workers are added. Yellow is no reason to wait where it was so before, nor on a single
    /// node, which has no place for copies.
    pub worst_status: HealthStatus,
}

impl Default for GradualOptions {
    fn default() -> Self {
        Self {
            step: StepSize::Double,
            settle: Duration::from_secs(60),
            max_cpu_percent: 80,
            max_heap_percent: 85,
            max_queue_percent: 50,
            max_queue_requests: 100,
            min_free_disk_bytes: 10 << 30,
            worst_status: HealthStatus::Green,
        }
    }
}

impl GradualOptions {
    /// How often the target is looked at: several times while a step settles.
    pub(super) fn look_every(&self) -> Duration {
        (self.settle / 6).clamp(Duration::from_secs(1), Duration::from_secs(10))
    }

    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// `Config`, saying which option.
    pub fn require_sense(&self) -> Result<()> {
        let percents = [
            ("processor", self.max_cpu_percent),
            ("heap", self.max_heap_percent),
            ("write queue", self.max_queue_percent),
        ];
        for (what, percent) in percents {
            if !(1..=100).contains(&percent) {
                let message = format!("the limit of the {what} is {percent} %; give 1 to 100");
                return Err(Error::new(ErrorKind::Config, message));
            }
        }
        if self.settle < Duration::from_secs(1) {
            let message =
                "a step must be watched for a second at least; give a longer time to settle";
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(())
    }
}
