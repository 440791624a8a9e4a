//! Whole fleets under one seeded scheduler: the real worker, sender, coordinator and lease rules; a simulated store, target,
//! network and clock. One thread, virtual time, and the same history to the byte for the same seed.
//!
//! | file | subject |
//! |---|---|
//! | `scenario` | what a seed stands for: how many workers, which items, which faults |
//! | `world` | all there is at a moment, and what is asked of it after every step |
//! | `truth` | what must hold, told from the outside |
//! | `network` | calls that are lost, late, twice or refused |
//! | `clock` | a worker's clock: a little fast or slow, and stopped with its process |
//! | `store`, `target`, `source` | working state, target and snapshot, as a worker sees them |
//! | `fleet` | processes that are started, killed, paused and asked to stop |
//! | `chaos` | when which fault strikes |
//! | `model` | a worker whose habits can be spoiled, to see that the simulation notices |
//! | `run` | one seed from its beginning to its end |
//!
//! `cargo xtask simulate` runs more seeds, or one with its trace.

// All of it is test code: a broken expectation is to fail at once and to say where.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod chaos;
mod clock;
mod fleet;
mod model;
mod network;
mod run;
mod scenario;
mod source;
mod store;
mod target;
mod tests;
mod trace;
mod truth;
mod world;
