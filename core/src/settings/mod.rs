//! Settings: plain data that can be written to a file, sent to a worker and compared.

mod backfill;
mod bulk;
#[cfg(feature = "config")]
pub mod config;
mod fleet;
mod of_run;
mod rate_limits;
mod state_folder;
mod when_done;

pub use backfill::BackfillSettings;
pub use bulk::BulkSettings;
pub use fleet::{EcsFleetConfig, FleetConfig, KubernetesFleetConfig};
pub use rate_limits::RateLimits;
pub use state_folder::state_folder;
pub use when_done::WhenDone;
