//! Fuzz targets: every parser of the crate, given real files that a few random edits have changed.
//!
//! The random bytes of an execution are a program in the edit language of `snapfill_damage`. It chooses a file of the
//! committed shards and changes it; then the file's checksum is made right again and the segment is read. Nothing may
//! panic, and no more memory may be held than the target's bound. A program that once did harm is kept below
//! `__fuzz__/`, where every run begins with it. `cargo xtask fuzz` runs the targets for minutes instead of moments.

mod files;
mod parts;
mod samples;

/// Executions of a target in an ordinary test run.
pub(crate) const EXECUTIONS: usize = 1000;

/// Longest program, in bytes.
pub(crate) const PROGRAM_BYTES: usize = 96;

/// Most memory that reading a small file may take, whatever it claims.
pub(crate) const MEMORY: u64 = 64 << 20;
