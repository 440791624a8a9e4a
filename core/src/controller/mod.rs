//! Controlling a backfill: plan, start, scale, pause, stop, and knowing how it stands.
//!
//! | file | subject |
//! |---|---|
//! | `backfill` | the trait: the verbs |
//! | `plan` | what a run would do |
//! | `status` | how a run stands and how it ended |
//! | `events` | what happens, as it happens |
//! | `event_log` | the same as log lines |
//! | `tally` | what the workers of a process have done and hold |
//! | `liveness` | whether they come forward |
//! | `archive` | the working state as a file |
//! | `gradual` | making a fleet larger step by step, as long as the target is well |
//! | `report` | what a backfill has moved |
//! | `watch` | how a backfill stands, again and again until its end |
//! | `fleet_backfill` | the controller over a fleet |

mod archive;
mod backfill;
mod event_log;
mod events;
mod fleet_backfill;
mod gradual;
mod liveness;
mod plan;
mod report;
mod status;
mod tally;
mod watch;

pub use archive::{ArchiveManifest, archive_folder};
pub use backfill::BackfillController;
pub(crate) use events::EventSender;
pub use events::{Event, EventStream};
#[cfg(feature = "ecs")]
pub use fleet_backfill::AwsBackfill;
#[cfg(feature = "kubernetes")]
pub use fleet_backfill::KubernetesBackfill;
pub use fleet_backfill::{BackfillBuilder, FleetBackfill, LocalBackfill};
pub use gradual::{GradualOptions, GradualScaling, GradualStep, ScaleAction, StepSize};
pub use liveness::{Liveness, Sighting, Stall};
pub use plan::{Decision, Plan, PlannedIndex};
pub use report::{PlanWarning, Report, ReportedIndex, ReportedTarget, TargetCheck};
pub use status::{
    BackfillStatus, Counts, DeepStatus, FailedWork, FleetCounts, IndexWork, OldestLease, RunEnd,
    Sending, Status, Work, WorkerSending,
};
pub use tally::{Figures, Tally};
pub use watch::Watch;
