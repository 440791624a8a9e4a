//! Documents, in batches.

use std::collections::HashMap;
use std::sync::Arc;

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use snapfill_ffi as ffi;

use crate::call::Call;

/// One document of a snapshot.
#[pyclass(frozen, module = "snapfill")]
pub(crate) struct Document {
    index: Py<PyString>,
    shard: u32,
    id: Py<PyString>,
    routing: Option<Py<PyString>>,
    doc_type: Option<Py<PyString>>,
    parent: Option<Py<PyString>>,
    source: Py<PyBytes>,
}

#[pymethods]
impl Document {
    #[new]
    #[pyo3(signature = (index, id, source, *, routing = None, r#type = None, parent = None))]
    fn new(
        index: Py<PyString>,
        id: Py<PyString>,
        source: Py<PyBytes>,
        routing: Option<Py<PyString>>,
        r#type: Option<Py<PyString>>,
        parent: Option<Py<PyString>>,
    ) -> Self {
        Self { index, shard: 0, id, routing, doc_type: r#type, parent, source }
    }

    /// The index it is of.
    #[getter]
    fn index(&self, py: Python<'_>) -> Py<PyString> {
        self.index.clone_ref(py)
    }

    /// The number of its shard within the index.
    #[getter]
    fn shard(&self) -> u32 {
        self.shard
    }

    /// `_id`, exact.
    #[getter]
    fn id(&self, py: Python<'_>) -> Py<PyString> {
        self.id.clone_ref(py)
    }

    /// `_routing`, where it has its own.
    #[getter]
    fn routing(&self, py: Python<'_>) -> Option<Py<PyString>> {
        self.routing.as_ref().map(|text| text.clone_ref(py))
    }

    /// `_type`, where the source's version had types.
    #[getter]
    fn r#type(&self, py: Python<'_>) -> Option<Py<PyString>> {
        self.doc_type.as_ref().map(|text| text.clone_ref(py))
    }

    /// `_parent`, for children of Elasticsearch 5 and before.
    #[getter]
    fn parent(&self, py: Python<'_>) -> Option<Py<PyString>> {
        self.parent.as_ref().map(|text| text.clone_ref(py))
    }

    /// `_source`, byte for byte, save that a raw newline is a space.
    #[getter]
    fn source(&self, py: Python<'_>) -> Py<PyBytes> {
        self.source.clone_ref(py)
    }

    /// The same document with other parts.
    #[pyo3(signature = (**changes), text_signature = "($self, *, id=..., source=..., routing=..., parent=...)")]
    fn replace(&self, py: Python<'_>, changes: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut made = self.clone_ref(py);
        for (name, value) in changes.into_iter().flatten() {
            match name.extract::<String>()?.as_str() {
                "id" => made.id = value.extract()?,
                "source" => made.source = value.extract()?,
                "routing" => made.routing = value.extract()?,
                "parent" => made.parent = value.extract()?,
                other => {
                    let text =
                        format!("replace() takes id, source, routing and parent, not {other}");
                    return Err(PyTypeError::new_err(text));
                }
            }
        }
        Ok(made)
    }

    /// The source, parsed.
    fn json(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let parsed = py.import("json")?.call_method1("loads", (&self.source,))?;
        Ok(parsed.unbind())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (index, id) = (self.index.bind(py).repr()?, self.id.bind(py).repr()?);
        let length = self.source.bind(py).as_bytes().len();
        Ok(format!("Document(index={index}, id={id}, source=<{length} bytes>)"))
    }
}

/// Documents of a snapshot, pulled in batches.
#[pyclass(frozen, module = "snapfill._native")]
pub(crate) struct DocumentStream(pub(crate) Arc<ffi::DocumentStream>);

#[pymethods]
impl DocumentStream {
    /// The next documents, `max` of them or fewer; none when all have come.
    fn next_batch(&self, max: u32) -> Call {
        Call::new(Arc::clone(&self.0).next_batch(max), |py, batch| match batch {
            None => Ok(py.None()),
            Some(batch) => list(py, &batch)?.into_py_any(py),
        })
    }

    /// Live documents that had no source to give, by reason, of those read so far.
    fn skipped(&self) -> HashMap<String, u64> {
        self.0.skipped()
    }

    /// Stops reading.
    fn close(&self) -> Call {
        Call::plain(Arc::clone(&self.0).close())
    }
}

impl Document {
    fn clone_ref(&self, py: Python<'_>) -> Self {
        let text = |text: &Option<Py<PyString>>| text.as_ref().map(|text| text.clone_ref(py));
        Self {
            index: self.index.clone_ref(py),
            shard: self.shard,
            id: self.id.clone_ref(py),
            routing: text(&self.routing),
            doc_type: text(&self.doc_type),
            parent: text(&self.parent),
            source: self.source.clone_ref(py),
        }
    }

    /// A copy for the facade.
    pub(crate) fn to_facade(&self, py: Python<'_>) -> PyResult<ffi::Document> {
        let text = |text: &Option<Py<PyString>>| -> PyResult<Option<String>> {
            text.as_ref().map(|text| text.extract(py)).transpose()
        };
        Ok(ffi::Document {
            index: self.index.extract(py)?,
            shard: self.shard,
            id: self.id.extract(py)?,
            routing: text(&self.routing)?,
            doc_type: text(&self.doc_type)?,
            parent: text(&self.parent)?,
            source: self.source.bind(py).as_bytes().to_vec(),
        })
    }
}

/// The documents of a batch.
pub(crate) fn list<'py>(
    py: Python<'py>,
    batch: &ffi::DocumentBatch,
) -> PyResult<Bound<'py, PyList>> {
    let index = PyString::new(py, &batch.index()).unbind();
    let text = |text: Option<&str>| text.map(|text| PyString::new(py, text).unbind());
    let mut types = Types::default();
    let documents: Vec<Document> = batch
        .iter()
        .map(|document| Document {
            index: index.clone_ref(py),
            shard: batch.shard(),
            id: PyString::new(py, document.id).unbind(),
            routing: text(document.routing),
            doc_type: document.doc_type.map(|name| types.get(py, name)),
            parent: text(document.parent),
            source: PyBytes::new(py, document.source).unbind(),
        })
        .collect();
    PyList::new(py, documents)
}

/// The last type's name as Python's text: most documents have the same one as the one before.
#[derive(Default)]
struct Types(Option<(String, Py<PyString>)>);

impl Types {
    fn get(&mut self, py: Python<'_>, name: &str) -> Py<PyString> {
        match &self.0 {
            Some((known, text)) if known == name => text.clone_ref(py),
            _ => {
                let text = PyString::new(py, name).unbind();
                self.0 = Some((name.to_owned(), text.clone_ref(py)));
                text
            }
        }
    }
}
