//! `snapfill backfill …`.

pub(crate) mod limit;
pub(crate) mod plan;
mod progress;
pub(crate) mod run;
pub(crate) mod status;
