//! `snapfill backfill …`.

pub(crate) mod attach;
pub(crate) mod failed;
pub(crate) mod limit;
pub(crate) mod place;
pub(crate) mod plan;
mod progress;
pub(crate) mod run;
pub(crate) mod status;
pub(crate) mod stop;
