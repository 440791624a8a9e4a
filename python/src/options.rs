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

/// How long, if that is given.
type Wait = Option<Duration>;

ffi::with_option_fields!(options);

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
