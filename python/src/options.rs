//! Options from dictionaries that the Python half makes of keyword arguments, and data as JSON.

use std::collections::HashMap;
use std::time::Duration;

use pyo3::conversion::FromPyObjectOwned;
use pyo3::exceptions::{PyOverflowError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::Serialize;
use snapfill_ffi as ffi;

/// Data as JSON text: the Python half makes its classes of it.
pub(crate) fn as_json(data: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(data).map_err(|error| PyRuntimeError::new_err(error.to_string()))
}

/// Declares a dictionary with the fields of a facade's options of the same name, all of which may be left out.
macro_rules! options {
    ($($name:ident { $($field:ident: $type:ty),* $(,)? })*) => { $(
        #[doc = concat!("A dictionary of `", stringify!($name), "`.")]
        #[derive(Default)]
        pub(crate) struct $name { $($field: $type),* }

        impl<'py> FromPyObject<'_, 'py> for $name {
            type Error = PyErr;

            fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
                let given = given.cast::<PyDict>()?;
                Ok(Self { $($field: option(&given, stringify!($field))?),* })
            }
        }

        impl From<$name> for ffi::$name {
            fn from(given: $name) -> Self {
                Self { $($field: given.$field.into()),* }
            }
        }
    )* };
}

/// One option, or its default where it is left out.
fn option<'py, T: FromPyObjectOwned<'py> + Default>(
    given: &Bound<'py, PyDict>,
    name: &str,
) -> PyResult<T> {
    let Some(value) = given.get_item(name)? else { return Ok(T::default()) };
    let extracted: PyResult<T> = value.extract().map_err(Into::into);
    extracted.map_err(|error| {
        let text = format!("{name}: {}", error.value(given.py()));
        match error.is_instance_of::<PyOverflowError>(given.py()) {
            true => PyValueError::new_err(text),
            false => PyTypeError::new_err(text),
        }
    })
}

options! {
    RepositoryOptions {
        base_path: Option<String>,
        allow_partial: bool,
        remote_store: Option<String>,
        remote_store_base_path: Option<String>,
        recovery_source: bool,
        max_document_bytes: Option<u64>,
    }
    AwsOptions {
        service: String,
        region: Option<String>,
        profile: Option<String>,
        role: Option<String>,
        external_id: Option<String>,
        role_session: Option<String>,
        domain: Option<String>,
        account: Option<String>,
        collection: Option<String>,
    }
    ClusterOptions {
        endpoints: Vec<String>,
        user: Option<String>,
        password: Option<String>,
        api_key: Option<String>,
        token: Option<String>,
        ca_file: Option<String>,
        client_certificate: Option<String>,
        client_key: Option<String>,
        allow_insecure: bool,
        compression: Option<String>,
        timeout: Option<Duration>,
        allowed_exceptions: Vec<String>,
        server_ids: Option<String>,
        user_agent_extra: Option<String>,
        aws: Aws,
    }
    EcsFleet {
        cluster: String,
        service: String,
        region: Option<String>,
        endpoint: Option<String>,
        profile: Option<String>,
        role: Option<String>,
        external_id: Option<String>,
        shared_folders: bool,
    }
    KubernetesFleet {
        deployment: String,
        namespace: Option<String>,
        kubeconfig: Option<String>,
        context: Option<String>,
        shared_folders: bool,
    }
    RenamePattern {
        pattern: String,
        replacement: String,
    }
    BackfillOptions {
        target: String,
        repository: Option<String>,
        snapshot: Option<String>,
        repository_options: RepositoryOptions,
        target_options: ClusterOptions,
        coordinator: Option<String>,
        coordinator_options: ClusterOptions,
        state: Option<String>,
        ecs: Ecs,
        kubernetes: Pods,
        session: Option<String>,
        indices: Vec<String>,
        exclude: Vec<String>,
        max_docs_per_shard: Option<u64>,
        split_bytes: Option<u64>,
        rename: HashMap<String, String>,
        rename_patterns: RenamePatterns,
        rename_prefix: Option<String>,
        types: Option<String>,
        create_indices: Option<String>,
        unknown_fields: Option<String>,
        replicas: Option<u32>,
        disable_refresh: bool,
        defer_replicas: bool,
        operation: Option<String>,
        workers: Option<u32>,
        lease: Option<Duration>,
        max_failed: Option<u64>,
        failed_store: Option<String>,
        from_scratch: bool,
        bulk_bytes: Option<u64>,
        bulk_documents: Option<u64>,
        bulks_in_flight: Option<u32>,
        max_docs_per_second: Option<u64>,
        max_bytes_per_second: Option<u64>,
    }
}

/// Declares options that hold others, if they are given.
macro_rules! optional {
    ($($(#[$doc:meta])* $name:ident($held:ident);)*) => { $(
        $(#[$doc])*
        #[derive(Default)]
        pub(crate) struct $name(Option<$held>);

        impl<'py> FromPyObject<'_, 'py> for $name {
            type Error = PyErr;

            fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
                given.extract().map(Self)
            }
        }

        impl From<$name> for Option<ffi::$held> {
            fn from(given: $name) -> Self {
                given.0.map(Into::into)
            }
        }
    )* };
}

optional! {
    /// AWS's options, where they are given.
    Aws(AwsOptions);
    /// A fleet on Amazon ECS, where one is given.
    Ecs(EcsFleet);
    /// A fleet on Kubernetes, where one is given.
    Pods(KubernetesFleet);
}

/// Patterns and what takes their place, in order.
#[derive(Default)]
pub(crate) struct RenamePatterns(Vec<RenamePattern>);

impl<'py> FromPyObject<'_, 'py> for RenamePatterns {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        given.extract().map(Self)
    }
}

impl From<RenamePatterns> for Vec<ffi::RenamePattern> {
    fn from(patterns: RenamePatterns) -> Self {
        patterns.0.into_iter().map(Into::into).collect()
    }
}
