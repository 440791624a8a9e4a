//! Repositories and snapshots.

use std::sync::Arc;

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use snapfill_ffi as ffi;

use crate::call::Call;
use crate::documents::DocumentStream;
use crate::options::{RepositoryOptions, as_json};

/// A snapshot repository.
#[pyclass(frozen, module = "snapfill._native")]
pub(crate) struct Repository(Arc<ffi::Repository>);

#[pymethods]
impl Repository {
    #[new]
    fn new(location: String, options: RepositoryOptions) -> Self {
        Self(ffi::Repository::new(location, options.into()))
    }

    /// Its snapshots, as JSON.
    fn snapshots(&self) -> Call {
        Call::new(Arc::clone(&self.0).snapshots(), |py, found| as_json(&found)?.into_py_any(py))
    }

    /// The snapshot of that name.
    fn snapshot(&self, name: String) -> Snapshot {
        Snapshot(Arc::clone(&self.0).snapshot(name))
    }
}

/// One snapshot of a repository.
#[pyclass(frozen, module = "snapfill._native")]
pub(crate) struct Snapshot(Arc<ffi::Snapshot>);

#[pymethods]
impl Snapshot {
    /// What it says of itself, as JSON.
    fn info(&self) -> Call {
        Call::new(Arc::clone(&self.0).info(), |py, info| as_json(&info)?.into_py_any(py))
    }

    /// Its indices with their metadata, as JSON.
    fn indices(&self) -> Call {
        Call::new(Arc::clone(&self.0).indices(), |py, indices| as_json(&indices)?.into_py_any(py))
    }

    /// The documents of all indices or of one, of all their shards or of those with one number.
    #[pyo3(signature = (index = None, shard = None))]
    fn documents(&self, index: Option<String>, shard: Option<u32>) -> DocumentStream {
        DocumentStream(Arc::clone(&self.0).documents(index, shard))
    }
}
