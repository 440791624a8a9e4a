//! The native half of the Python package `snapfill`: converts, calls the facade, and converts back. What people use is written
//! in Python around it.

mod backfill;
mod call;
mod cluster;
mod documents;
mod failure;
mod options;
mod repository;
mod transform;

use std::path::PathBuf;

use pyo3::prelude::*;

/// The native half of the package. Use `snapfill` or `snapfill.aio`.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::backfill::{Backfill, EventStream, FailedDocumentStream, GradualScaling};
    #[pymodule_export]
    use super::call::Call;
    #[pymodule_export]
    use super::cluster::Cluster;
    #[pymodule_export]
    use super::documents::{Document, DocumentStream};
    #[pymodule_export]
    use super::repository::{Repository, Snapshot};
    #[pymodule_export]
    use super::{end_logging, run_command_line, version};

    #[pymodule_init]
    fn begin_logging(module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        super::log_to_python(module.py())
    }
}

/// The version of snapfill.
#[pyfunction]
fn version() -> &'static str {
    snapfill_ffi::version()
}

/// Runs the command line with these arguments, the program's name first, and gives its exit code. `program` with the arguments
/// `before` is what begins it as a process of its own.
#[pyfunction]
fn run_command_line(
    py: Python<'_>,
    program: PathBuf,
    before: Vec<String>,
    arguments: Vec<String>,
) -> u8 {
    py.detach(|| snapfill_cli::main_within(program, before, arguments))
}

/// Passes what snapfill logs on to the module `logging`. Where something else takes the logs of this process already, such as
/// another package in Rust, they stay there.
fn log_to_python(py: Python<'_>) -> PyResult<()> {
    let logger = pyo3_log::Logger::new(py, pyo3_log::Caching::Loggers)?
        .filter(log::LevelFilter::Off)
        .filter_target("snapfill".to_owned(), log::LevelFilter::Debug);
    // An error means that somebody else was first.
    let _ = logger.install();
    Ok(())
}

/// Logs nothing any more: the interpreter ends, and threads that would log have nobody to tell it to.
#[pyfunction]
fn end_logging() {
    log::set_max_level(log::LevelFilter::Off);
}
