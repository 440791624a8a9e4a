//! A callable of Python that changes documents on their way.

use std::sync::Arc;

use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use snapfill_ffi::{self as ffi, Context, SnapfillError, Transformed};

use crate::documents::{Document, list};

/// A callable as the facade calls it.
pub(crate) fn of_callable(callable: Py<PyAny>) -> Arc<dyn ffi::Transform> {
    Arc::new(Callable(callable))
}

#[derive(Debug)]
struct Callable(Py<PyAny>);

impl ffi::Transform for Callable {
    /// Takes the interpreter's lock once for all of them.
    fn transform(&self, batch: ffi::DocumentBatch) -> ffi::Result<Vec<Transformed>> {
        let answers = Python::try_attach(|py| -> PyResult<Vec<Transformed>> {
            list(py, &batch)?.iter().map(|read| self.answer(py, read)).collect()
        });
        match answers {
            Some(answers) => answers.map_err(|error| cancelled(error.to_string())),
            None => Err(cancelled("the interpreter ends".to_owned())),
        }
    }
}

fn cancelled(text: String) -> SnapfillError {
    SnapfillError::Cancelled(Context { text, ..Context::default() })
}

impl Callable {
    /// What becomes of one document. What is no `Exception`, such as `SystemExit`, ends more than this document.
    fn answer(&self, py: Python<'_>, read: Bound<'_, PyAny>) -> PyResult<Transformed> {
        let made = self.0.bind(py).call1((read,)).and_then(|made| documents(&made));
        match made {
            Ok(made) => Ok(Transformed::Documents(made)),
            Err(error) if error.is_instance_of::<PyException>(py) => {
                Ok(Transformed::Failed(error.to_string()))
            }
            Err(error) => Err(error),
        }
    }
}

fn documents(made: &Bound<'_, PyAny>) -> PyResult<Vec<ffi::Document>> {
    if made.is_none() {
        return Ok(Vec::new());
    }
    if made.is_instance_of::<PyList>() || made.is_instance_of::<PyTuple>() {
        return made.try_iter()?.map(|one| document(&one?)).collect();
    }
    Ok(vec![document(made)?])
}

fn document(made: &Bound<'_, PyAny>) -> PyResult<ffi::Document> {
    let document = made.cast::<Document>().map_err(|_| {
        let kind =
            made.get_type().name().map_or_else(|_| "that".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!(
            "a transform returns a Document, a list of them, or None, not {kind}"
        ))
    })?;
    document.get().to_facade(made.py())
}
