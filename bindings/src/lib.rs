//! The one facade that every language's binding is made of: plain data, handles, streams that are pulled in batches, one kind
//! of error, one runtime, cancellation.
//!
//! A binding converts its arguments, calls this crate, and converts what comes back; it has no logic of its own.
//!
//! - A handle ([`Repository`], [`Snapshot`], [`DocumentStream`], [`Backfill`], [`GradualScaling`],
//!   [`FailedDocumentStream`], [`Cluster`]) does nothing before it is asked for
//!   something: making one reads no file and reaches no server.
//! - Every asynchronous function may be awaited by any executor: its work runs on this crate's own runtime. Dropping the
//!   future cancels the work; what is cancelled may be asked for again.
//! - A binding that blocks waits by [`runtime::wait`], which lets it look for Ctrl-C meanwhile.
//! - In a child of `fork` everything fails with [`SnapfillError::State`]: the runtime's threads are not there.

mod backfill;
mod backfill_options;
mod cluster;
mod cluster_options;
mod configured;
mod convert;
mod documents;
mod error;
mod events;
mod failed;
mod fleet_options;
mod gradual;
mod logs;
mod option_fields;
mod place;
mod plan;
mod report;
mod repository;
pub mod runtime;
mod snapshot;
mod status;
mod transform;

pub use backfill::Backfill;
pub use backfill_options::{BackfillOptions, RenamePattern};
pub use cluster::{Cluster, ClusterHealth, ClusterInfo, IndexRow};
pub use cluster_options::{AwsOptions, ClusterOptions};
pub use documents::{Document, DocumentBatch, DocumentStream};
pub use error::{Context, SnapfillError};
pub use events::{Event, EventStream};
pub use failed::{
    FailedDocument, FailedDocumentStream, FailedFilter, FailedSummary, FailureGroup, Redriven,
};
pub use fleet_options::{EcsFleet, KubernetesFleet};
pub use gradual::{GradualOptions, GradualScaling, GradualStep};
pub use logs::{LogRecord, LogSink, log_to, log_to_nobody};
pub use plan::{Plan, PlannedIndex, PlannedShard, PlannedTarget};
pub use report::{PlanWarning, Report, ReportedIndex, ReportedTarget, TargetCheck};
pub use repository::{Repository, RepositoryOptions, SnapshotSummary};
pub use snapshot::{IndexInfo, MissingShard, Snapshot, SnapshotInfo};
pub use status::{
    Books, Counts, DeepStatus, FailedWork, FleetCounts, IndexWork, Rate, RateLimits, Sending,
    Status, Work, WorkerSending,
};
pub use transform::{Transform, Transformed};

/// What most functions of this crate give.
pub type Result<T> = std::result::Result<T, SnapfillError>;

/// The version of snapfill.
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

#[cfg(feature = "uniffi")]
uniffi::setup_scaffolding!("snapfill");
