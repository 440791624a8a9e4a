//! Errors cross as JSON in the text of a native error; the TypeScript half makes its classes of it.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::json;
use snapfill_ffi::SnapfillError;

/// What a call ends with that does not end well.
pub(crate) enum Failure {
    /// An error of snapfill.
    Snapfill(SnapfillError),
    /// An argument of another type than it must be of.
    Type(String),
    /// An argument that is too small or too large.
    Range(String),
    /// The caller gave it up.
    Aborted,
}

impl Failure {
    /// The same, told of an option.
    pub(crate) fn of_option(self, name: &str) -> Self {
        match self {
            Self::Type(text) => Self::Type(format!("{name}: {text}")),
            Self::Range(text) => Self::Range(format!("{name}: {text}")),
            other => other,
        }
    }
}

impl From<SnapfillError> for Failure {
    fn from(error: SnapfillError) -> Self {
        Self::Snapfill(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = match self {
            Self::Snapfill(error) => {
                let context = error.context();
                json!({
                    "name": "SnapfillError",
                    "code": error.code(),
                    "message": error.to_string(),
                    "retryable": context.retryable,
                    "retryAfter": context.retry_after.map(|wait| wait.as_secs_f64() * 1000.0),
                    "context": context.places.iter().cloned().collect::<BTreeMap<_, _>>(),
                })
            }
            Self::Type(text) => json!({ "name": "TypeError", "message": text }),
            Self::Range(text) => json!({ "name": "RangeError", "message": text }),
            Self::Aborted => json!({ "name": "AbortError" }),
        };
        write!(f, "{told}")
    }
}

impl From<Failure> for napi::Error {
    fn from(failure: Failure) -> Self {
        Self::from_reason(failure.to_string())
    }
}
