//! Settings: plain data that can be written to a file, sent to a worker and compared.

mod backfill;
mod bulk;
mod of_run;
mod rate_limits;

pub use backfill::BackfillSettings;
pub use bulk::BulkSettings;
pub use rate_limits::RateLimits;
