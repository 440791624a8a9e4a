//! Errors become exceptions.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use snapfill_ffi::SnapfillError;

/// What a call ends with that does not end well.
pub(crate) enum Failure {
    /// An error of snapfill.
    Snapfill(SnapfillError),
    /// An exception of Python, such as `KeyboardInterrupt`.
    Python(PyErr),
}

impl From<SnapfillError> for Failure {
    fn from(error: SnapfillError) -> Self {
        Self::Snapfill(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Python(error) => error,
            Failure::Snapfill(error) => {
                Python::attach(|py| exception(py, &error).unwrap_or_else(|failed| failed))
            }
        }
    }
}

/// The exception of the error's kind: they are written in Python, so that type checkers see them.
fn exception(py: Python<'_>, error: &SnapfillError) -> PyResult<PyErr> {
    let context = error.context();
    let places = PyDict::new(py);
    for (name, value) in &context.places {
        places.set_item(name, value)?;
    }
    let arguments =
        (error.code(), error.to_string(), context.retryable, context.retry_after, places);
    let made = py.import("snapfill.errors")?.getattr("_of_kind")?.call1(arguments)?;
    Ok(PyErr::from_value(made))
}
