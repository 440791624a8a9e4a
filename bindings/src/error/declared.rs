//! What an error says, as Kotlin and Swift are told it: their declarations know no pairs.

use std::collections::HashMap;
use std::time::Duration;

use super::Context;

/// What an error says besides its kind.
#[derive(Debug, uniffi::Record)]
pub struct ErrorContext {
    /// What happened, to what, what to do, and where.
    pub text: String,
    /// Whether the same call may succeed if made again later.
    pub retryable: bool,
    /// How long the other side asks us to wait before the next try, where it says.
    pub retry_after: Option<Duration>,
    /// Where it happened, by name: `file`, `shard`, `repository`, …
    pub places: HashMap<String, String>,
}

impl From<Context> for ErrorContext {
    fn from(context: Context) -> Self {
        Self {
            text: context.to_string(),
            retryable: context.retryable,
            retry_after: context.retry_after,
            places: context.places.into_iter().collect(),
        }
    }
}

impl From<ErrorContext> for Context {
    fn from(context: ErrorContext) -> Self {
        // The text tells the places already.
        let ErrorContext { text, retryable, retry_after, .. } = context;
        Self { text, retryable, retry_after, places: Vec::new() }
    }
}

uniffi::custom_type!(Context, ErrorContext, {
    lower: |context| context.into(),
    try_lift: |context| Ok(context.into()),
});
