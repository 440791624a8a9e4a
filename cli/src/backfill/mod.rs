//! `snapfill backfill …`.

pub(crate) mod attach;
pub(crate) mod describe;
pub(crate) mod failed;
mod following;
pub(crate) mod gradual;
pub(crate) mod limit;
pub(crate) mod pause;
pub(crate) mod place;
pub(crate) mod plan;
mod progress;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod watch;
