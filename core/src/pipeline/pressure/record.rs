//! That sending is paused, written into the run: other processes see it there.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The record is written again after so long while the pause lasts.
pub(super) const REFRESH: Duration = Duration::from_secs(60);

/// A record that was not written again for so long is what a process left that is gone.
const STALE: Duration = Duration::from_secs(180);

/// Why a worker process sends nothing. Where several share a run, the last word counts: they look at the same target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PauseRecord {
    pub(crate) reason: String,
    /// When it was last so, in seconds of the store's clock.
    pub(crate) seen: u64,
}

impl PauseRecord {
    const KEY: &'static str = "sendingPaused";

    /// The record among the settings of a run.
    pub(crate) fn of_run(settings: &Value) -> Option<Self> {
        serde_json::from_value(settings.get(Self::KEY)?.clone()).ok()
    }

    /// Whether it still holds at `now`, in seconds of the store's clock.
    pub(crate) fn is_fresh(&self, now: u64) -> bool {
        now.saturating_sub(self.seen) <= STALE.as_secs()
    }

    /// Writes it among the settings of a run, or takes away what is there.
    pub(super) fn write(record: Option<&Self>, settings: &mut Value) {
        let value = record.and_then(|record| serde_json::to_value(record).ok());
        let Some(value) = value else {
            if let Some(settings) = settings.as_object_mut() {
                settings.remove(Self::KEY);
            }
            return;
        };
        if !settings.is_object() {
            *settings = Value::Object(Map::new());
        }
        if let Some(settings) = settings.as_object_mut() {
            settings.insert(Self::KEY.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_written_read_and_taken_away() {
        let mut settings = json!({"other": 1});
        let record = PauseRecord { reason: "red".into(), seen: 1000 };
        PauseRecord::write(Some(&record), &mut settings);
        assert_eq!(PauseRecord::of_run(&settings), Some(record.clone()));
        assert!(record.is_fresh(1000) && record.is_fresh(1180) && !record.is_fresh(1181));
        PauseRecord::write(None, &mut settings);
        assert_eq!(settings, json!({"other": 1}));
    }
}
