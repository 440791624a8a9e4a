//! Workers as processes of this machine, under a small supervisor that outlives whoever started it.
//!
//! | file | subject |
//! |---|---|
//! | `fleet` | the fleet, as a controller sees it |
//! | `control` | the control folder: what the supervisor is told and what it says |
//! | `roster` | which worker is started, sent away or given up: the rules, without processes |
//! | `supervisor` | the loop that has the processes |
//!
//! Who is alive is told by file locks, which the operating system gives up however a process ends: a supervisor and each
//! worker have their log file locked, inherited as their output, from before they begin.

mod control;
mod fleet;
mod roster;
mod supervisor;

pub use fleet::{ProcessFleet, WorkerProgram};
pub use supervisor::supervise;

#[cfg(test)]
mod tests;
