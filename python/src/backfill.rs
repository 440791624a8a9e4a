//! Backfills and their events.

use std::sync::Arc;

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use snapfill_ffi as ffi;

use crate::call::Call;
use crate::failure::Failure;
use crate::options::{BackfillOptions, FailedFilter, GradualOptions, RateLimits, as_json};
use crate::transform;

/// A backfill.
#[pyclass(frozen, module = "snapfill._native")]
pub(crate) struct Backfill(Arc<ffi::Backfill>);

#[pymethods]
impl Backfill {
    #[new]
    #[pyo3(signature = (options, transform = None))]
    fn new(options: BackfillOptions, transform: Option<Py<PyAny>>) -> PyResult<Self> {
        let transform = transform.map(transform::of_callable);
        let backfill = ffi::Backfill::with_transform(options.into(), transform);
        Ok(Self(backfill.map_err(Failure::from)?))
    }

    /// The backfill of a configuration file.
    #[staticmethod]
    #[pyo3(signature = (path, transform = None))]
    fn from_config(path: String, transform: Option<Py<PyAny>>) -> PyResult<Self> {
        let transform = transform.map(transform::of_callable);
        let backfill = ffi::Backfill::from_config_with_transform(path, transform);
        Ok(Self(backfill.map_err(Failure::from)?))
    }

    /// What a run would do, as JSON.
    fn plan(&self) -> Call {
        Call::new(Arc::clone(&self.0).plan(), |py, plan| as_json(&plan)?.into_py_any(py))
    }

    /// Plans, makes the indices, and brings up workers.
    fn start(&self) -> Call {
        Call::plain(Arc::clone(&self.0).start())
    }

    /// Sets the number of workers.
    fn scale(&self, workers: u32) -> Call {
        Call::plain(Arc::clone(&self.0).scale(workers))
    }

    /// Sets the number of workers step by step, as long as the target is well.
    fn scale_gradually(&self, workers: u32, options: GradualOptions) -> PyResult<GradualScaling> {
        let scaling = self.0.scale_gradually(workers, options.into()).map_err(Failure::from)?;
        Ok(GradualScaling(scaling))
    }

    /// Sends all workers away.
    fn pause(&self) -> Call {
        Call::plain(Arc::clone(&self.0).pause())
    }

    /// Sends all workers away, archives the working state and deletes it; gives the file.
    #[pyo3(signature = (folder = None))]
    fn stop(&self, folder: Option<String>) -> Call {
        Call::plain(Arc::clone(&self.0).stop(folder))
    }

    /// The same for a backfill whose workers are gone.
    #[pyo3(signature = (folder = None))]
    fn archive(&self, folder: Option<String>) -> Call {
        Call::plain(Arc::clone(&self.0).archive(folder))
    }

    /// Brings a stopped backfill back.
    fn restore(&self, file: String) -> Call {
        Call::plain(Arc::clone(&self.0).restore(file))
    }

    /// Stops, and lets the session be begun anew; gives the file.
    #[pyo3(signature = (folder = None))]
    fn reset(&self, folder: Option<String>) -> Call {
        Call::plain(Arc::clone(&self.0).reset(folder))
    }

    /// Whether workers are at it, as JSON.
    fn status(&self) -> Call {
        Call::new(Arc::clone(&self.0).status(), |py, status| as_json(&status)?.into_py_any(py))
    }

    /// The same, and how far the work is, as JSON.
    fn deep_status(&self) -> Call {
        Call::new(Arc::clone(&self.0).deep_status(), |py, deep| as_json(&deep)?.into_py_any(py))
    }

    /// Ceilings of what each process that works on the run sends, as JSON.
    fn limits(&self) -> Call {
        Call::new(Arc::clone(&self.0).limits(), |py, limits| as_json(&limits)?.into_py_any(py))
    }

    /// Changes these ceilings.
    fn limit(&self, limits: RateLimits) -> Call {
        Call::plain(Arc::clone(&self.0).limit(limits.into()))
    }

    /// How many documents the target refused, and why, as JSON.
    fn failed_summary(&self) -> Call {
        Call::new(Arc::clone(&self.0).failed_summary(), |py, summary| {
            as_json(&summary)?.into_py_any(py)
        })
    }

    /// The documents that the target refused.
    fn failed_documents(&self, filter: FailedFilter) -> PyResult<FailedDocumentStream> {
        let failed = self.0.failed_documents(filter.into()).map_err(Failure::from)?;
        Ok(FailedDocumentStream(failed))
    }

    /// Sends failed documents again; what became of them, as JSON.
    fn redrive(&self, filter: FailedFilter) -> Call {
        Call::new(Arc::clone(&self.0).redrive(filter.into()), |py, redriven| {
            as_json(&redriven)?.into_py_any(py)
        })
    }

    /// What was moved so far, as JSON.
    fn report(&self) -> Call {
        Call::new(Arc::clone(&self.0).report(), |py, report| as_json(&report)?.into_py_any(py))
    }

    /// Waits for the end of the run and gives its word.
    fn wait(&self) -> Call {
        Call::plain(Arc::clone(&self.0).wait())
    }

    /// Sends away the workers of this process, when a call was given up.
    fn interrupt(&self) -> Call {
        Call::plain(Arc::clone(&self.0).interrupt())
    }

    /// What happens from now on.
    fn events(&self) -> EventStream {
        EventStream(self.0.events())
    }
}

/// Documents that the target refused.
#[pyclass(frozen, module = "snapfill._native")]
pub(crate) struct FailedDocumentStream(Arc<ffi::FailedDocumentStream>);

#[pymethods]
impl FailedDocumentStream {
    /// The next ones, as a JSON array that is empty when all have come.
    fn next_batch(&self, max: u32) -> Call {
        Call::new(Arc::clone(&self.0).next_batch(max), |py, some| as_json(&some)?.into_py_any(py))
    }
}

/// A fleet that is made larger step by step.
#[pyclass(frozen, module = "snapfill._native")]
pub(crate) struct GradualScaling(Arc<ffi::GradualScaling>);

#[pymethods]
impl GradualScaling {
    /// The next step, as JSON that is `null` after the end.
    fn next(&self) -> Call {
        Call::new(Arc::clone(&self.0).next(), |py, step| as_json(&step)?.into_py_any(py))
    }
}

/// The events of a backfill.
#[pyclass(frozen, module = "snapfill._native")]
pub(crate) struct EventStream(Arc<ffi::EventStream>);

#[pymethods]
impl EventStream {
    /// The next events, as a JSON array that is empty once the workers are gone.
    fn next_batch(&self, max: u32) -> Call {
        Call::new(Arc::clone(&self.0).next_batch(max), |py, some| as_json(&some)?.into_py_any(py))
    }

    /// What has happened since the last call, as a JSON array.
    fn ready(&self) -> Call {
        Call::new(Arc::clone(&self.0).ready(), |py, some| as_json(&some)?.into_py_any(py))
    }
}
