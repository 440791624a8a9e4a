//! The native half of the Node package `snapfill`: converts, calls the facade, and converts back. What people use is written
//! in TypeScript around it.

pub mod backfill;
pub mod call;
pub mod cluster;
pub mod documents;
mod failure;
pub mod logs;
mod options;
pub mod repository;
mod transform;

use napi_derive::napi;

/// The version of snapfill.
#[napi]
pub fn version() -> &'static str {
    snapfill_ffi::version()
}

/// Runs the command line with these arguments, the program's name first, and gives its exit code. Blocks. `program` with the
/// arguments `before` is what begins it as a process of its own.
#[napi]
pub fn run_command_line(program: String, before: Vec<String>, arguments: Vec<String>) -> u8 {
    snapfill_cli::main_within(program.into(), before, arguments)
}
