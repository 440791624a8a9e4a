//! Clusters.

use std::sync::Arc;

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use snapfill_ffi as ffi;

use crate::call::Call;
use crate::failure::Failure;
use crate::options::{ClusterOptions, as_json};

/// A search cluster, or a folder that stands for one.
#[pyclass(frozen, module = "snapfill._native")]
pub(crate) struct Cluster(Arc<ffi::Cluster>);

#[pymethods]
impl Cluster {
    #[new]
    fn new(address: String, options: ClusterOptions) -> PyResult<Self> {
        Ok(Self(ffi::Cluster::new(address, options.into()).map_err(Failure::from)?))
    }

    /// Who it is, as JSON.
    fn info(&self) -> Call {
        Call::new(Arc::clone(&self.0).info(), |py, info| as_json(&info)?.into_py_any(py))
    }

    /// How it fares, as JSON.
    fn health(&self) -> Call {
        Call::new(Arc::clone(&self.0).health(), |py, health| as_json(&health)?.into_py_any(py))
    }

    /// The indices it has, as JSON.
    fn indices(&self) -> Call {
        Call::new(Arc::clone(&self.0).indices(), |py, rows| as_json(&rows)?.into_py_any(py))
    }

    /// How many documents an index shows.
    fn count(&self, index: String) -> Call {
        Call::plain(Arc::clone(&self.0).count(index))
    }

    /// Makes what was written visible.
    fn refresh(&self, index: String) -> Call {
        Call::plain(Arc::clone(&self.0).refresh(index))
    }
}
