//! A call that has not been made yet: a caller blocks on it, or awaits it.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use snapfill_ffi::{Result, runtime};

use crate::failure::Failure;

/// Makes the Python value of what came back, once there is a Python to make it in.
type Answer = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

type Work = Pin<Box<dyn Future<Output = std::result::Result<Answer, Failure>> + Send>>;

/// A call that has not been made yet. It can be made once: `wait()` blocks, `await` does not.
#[pyclass(frozen, generic, module = "snapfill._native")]
pub(crate) struct Call(Mutex<Option<Work>>);

impl Call {
    /// A call whose value `convert` makes.
    pub(crate) fn new<T: Send + 'static>(
        work: impl Future<Output = Result<T>> + Send + 'static,
        convert: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> Self {
        Self(Mutex::new(Some(Box::pin(async move {
            let value = work.await?;
            Ok(Box::new(move |py: Python<'_>| convert(py, value)) as Answer)
        }))))
    }

    /// A call whose value is Python's own of the same kind: text, a number, nothing.
    pub(crate) fn plain<T>(work: impl Future<Output = Result<T>> + Send + 'static) -> Self
    where
        T: for<'py> IntoPyObject<'py> + Send + 'static,
    {
        Self::new(work, |py, value| value.into_py_any(py))
    }

    fn take(&self) -> PyResult<Work> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.ok_or_else(|| PyRuntimeError::new_err("this call was made already"))
    }
}

#[pymethods]
impl Call {
    /// Blocks until the call is done, without holding up other threads. Ctrl-C ends it.
    fn wait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let work = self.take()?;
        let look = || Python::attach(|py| py.check_signals()).map_err(Failure::from);
        let answer = py.detach(|| runtime::wait(work, look));
        answer.map_err(PyErr::from)?(py)
    }

    fn __await__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let work = self.take()?;
        // An error means that it was told before.
        let _ = pyo3_async_runtimes::tokio::init_with_runtime(
            runtime::runtime().map_err(Failure::from)?,
        );
        let future = pyo3_async_runtimes::tokio::future_into_py(py, async move {
            let answer = work.await.map_err(PyErr::from)?;
            Python::attach(answer)
        })?;
        future.call_method0("__await__")
    }
}
