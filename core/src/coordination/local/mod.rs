//! The working state in the SQLite file of the embedded cluster.
//!
//! - `store`: `LocalWorkStore`
//! - `items`, `runs`: what happens inside a transaction
//! - `workers`: lock files that tell the living from the dead
//! - `schema`: the tables

mod items;
mod runs;
mod schema;
mod store;
#[cfg(test)]
mod tests;
mod workers;

pub use store::LocalWorkStore;
