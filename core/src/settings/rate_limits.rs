//! Ceilings of what is sent.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::preparation::section;

/// Ceilings of what one worker process sends: all its workers together, what is sent again included. Several processes that
/// share a run have a ceiling each. None is no ceiling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimits {
    /// Documents a second.
    #[serde(default)]
    pub documents_per_second: Option<NonZeroU64>,
    /// Bytes of documents a second, before compression.
    #[serde(default)]
    pub bytes_per_second: Option<NonZeroU64>,
}

impl RateLimits {
    pub(super) const KEY: &'static str = "rateLimits";

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Those among the settings of a run, if any were ever written.
    pub fn of_run(settings: &Value) -> Option<Self> {
        serde_json::from_value(settings.get(Self::KEY)?.clone()).ok()
    }

    /// Writes them among the settings of a run. Workers read them anew now and then.
    pub fn write(&self, settings: &mut Value) {
        section::write(settings, Self::KEY, self);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn they_read_back_from_the_run_beside_whatever_is_there() {
        let mut settings = json!({"other": 1});
        assert_eq!(RateLimits::of_run(&settings), None);
        let limits =
            RateLimits { documents_per_second: NonZeroU64::new(7), bytes_per_second: None };
        limits.write(&mut settings);
        assert_eq!(RateLimits::of_run(&settings), Some(limits));
        assert_eq!(settings["other"], 1);
        RateLimits::default().write(&mut settings);
        assert!(
            RateLimits::of_run(&settings).unwrap().is_none(),
            "taken away, which is not unsaid"
        );
        assert_eq!(RateLimits::of_run(&Value::Null), None);
    }
}
