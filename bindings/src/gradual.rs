//! Making a fleet larger step by step, as long as the target is well.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use snapfill::cluster::HealthStatus;
use snapfill::controller::{self as core, StepSize};
use tokio::sync::Mutex;

use crate::backfill::Control;
use crate::convert::{choose, size};
use crate::{Result, runtime};

/// How a fleet is made larger step by step. What is left out has its usual value. A figure that the target does not tell decides
/// nothing.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct GradualOptions {
    /// Workers that one step adds. None: as many as there are, and once a size was too large, one at a time.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub step: Option<u32>,
    /// How long the target must have been well since the last step; none: a minute.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub settle: Option<Duration>,
    /// Processor in use on the busiest node, in percent, up to which workers are added; none: 80. Halfway from there to 100 they
    /// are taken away.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub max_cpu_percent: Option<u8>,
    /// The same for the heap of the node that uses most; none: 85.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub max_heap_percent: Option<u8>,
    /// The same for the write queue of the node where it is fullest; none: 50.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub max_queue_percent: Option<u8>,
    /// Bulk requests that wait, for each node that holds data, up to which workers are added where the target does not tell how
    /// full its queue is; none: 100. At five times as many they are taken away.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub max_queue_requests: Option<u64>,
    /// Bytes free on the fullest node below which no workers are added, where the target does not tell its watermarks; none:
    /// 10 GiB. Below half of it they are taken away.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub min_free_disk_bytes: Option<u64>,
    /// The worst colour with which workers are added: `green`, `yellow` or `red`.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub worst_status: Option<String>,
}

impl GradualOptions {
    /// The same as the core takes it.
    pub(crate) fn settings(self) -> Result<core::GradualOptions> {
        let usual = core::GradualOptions::default();
        let colours = [
            ("green", HealthStatus::Green),
            ("yellow", HealthStatus::Yellow),
            ("red", HealthStatus::Red),
        ];
        let settings = core::GradualOptions {
            step: self.step.map_or(usual.step, |workers| StepSize::By(size(workers.into()))),
            settle: self.settle.unwrap_or(usual.settle),
            max_cpu_percent: self.max_cpu_percent.unwrap_or(usual.max_cpu_percent),
            max_heap_percent: self.max_heap_percent.unwrap_or(usual.max_heap_percent),
            max_queue_percent: self.max_queue_percent.unwrap_or(usual.max_queue_percent),
            max_queue_requests: self.max_queue_requests.unwrap_or(usual.max_queue_requests),
            min_free_disk_bytes: self.min_free_disk_bytes.unwrap_or(usual.min_free_disk_bytes),
            worst_status: choose("worst_status", self.worst_status.as_deref(), &colours)?,
        };
        settings.require_sense()?;
        Ok(settings)
    }
}

/// A step of a gradual scaling, or the reason why there is none for now.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct GradualStep {
    /// What becomes of the number of workers: `up`, `hold`, `down`, or `done` when the scaling is over.
    pub action: String,
    /// How many there are to be now.
    pub workers: u64,
    /// Why.
    pub reason: String,
    /// All of it in one line for people.
    pub line: String,
}

impl From<core::GradualStep> for GradualStep {
    fn from(step: core::GradualStep) -> Self {
        let line = step.to_string();
        let core::GradualStep { action, workers, reason } = step;
        Self { action: action.as_str().to_owned(), workers: workers as u64, reason, line }
    }
}

/// Makes the fleet of a backfill larger step by step, as long as the target is well, and smaller while it has too much to do. One
/// caller at a time asks it for steps; whoever stops asking leaves the workers as they are.
#[derive(Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct GradualScaling {
    control: Arc<Control>,
    goal: usize,
    options: core::GradualOptions,
    scaling: Mutex<Option<core::GradualScaling>>,
}

impl GradualScaling {
    pub(crate) fn of(control: Arc<Control>, goal: u32, options: core::GradualOptions) -> Arc<Self> {
        let (goal, scaling) = (size(goal.into()), Mutex::default());
        Arc::new(Self { control, goal, options, scaling })
    }
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl GradualScaling {
    /// The next step, once it is made, or why there is none for now: that is told once. None after the end: the goal is reached
    /// and the target still well, nothing is left to be done, or somebody else sent the workers away. It may be asked again after
    /// an error, and when a call was cancelled.
    ///
    /// # Errors
    /// What changing the fleet fails with, as [`Backfill::start`](crate::Backfill::start); what the working state fails with.
    pub async fn next(self: Arc<Self>) -> Result<Option<GradualStep>> {
        runtime::run(async move {
            let mut scaling = self.scaling.lock().await;
            let scaling = match &mut *scaling {
                Some(begun) => begun,
                none => {
                    let backfill = Arc::clone(self.control.opened().await?);
                    let options = self.options.clone();
                    none.insert(core::GradualScaling::new(backfill, self.goal, options)?)
                }
            };
            Ok(scaling.next().await?.map(GradualStep::from))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapfill::ErrorKind;

    #[test]
    fn what_is_left_out_has_its_usual_value_and_nonsense_is_refused() {
        let usual = GradualOptions::default().settings().unwrap();
        assert_eq!(usual, core::GradualOptions::default());
        let refused = |change: fn(&mut GradualOptions)| {
            let mut options = GradualOptions::default();
            change(&mut options);
            options.settings().unwrap_err()
        };
        for error in [
            refused(|options| options.worst_status = Some("pink".to_owned())),
            refused(|options| options.max_cpu_percent = Some(101)),
            refused(|options| options.settle = Some(Duration::from_millis(1))),
        ] {
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        }
    }
}
