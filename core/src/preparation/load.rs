//! Settings of the target's indices while they are filled, and what is to be put back afterwards.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::section;

const REFRESH: &str = "index.refresh_interval";
const REPLICAS: &str = "index.number_of_replicas";

/// What indices do without while they are filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LoadSettings {
    /// Documents show when the run is done.
    pub disable_refresh: bool,
    /// Replicas are made when the run is done, from whole shards.
    pub defer_replicas: bool,
}

impl LoadSettings {
    /// The settings during the load.
    pub fn during(self) -> Map<String, Value> {
        let refresh = self.disable_refresh.then(|| (REFRESH.to_owned(), "-1".into()));
        let replicas = self.defer_replicas.then(|| (REPLICAS.to_owned(), "0".into()));
        refresh.into_iter().chain(replicas).collect()
    }

    /// What to put back for an index that has, or is to have, these settings. A null is the default.
    pub fn to_put_back(self, settings: &Map<String, Value>) -> Map<String, Value> {
        self.during()
            .into_iter()
            .map(|(name, _)| {
                let value = settings.get(&name).cloned().unwrap_or_default();
                (name, value)
            })
            .collect()
    }
}

/// What is to be done with the target's indices when the run is done. It is written before any of them is changed, so that
/// a crash cannot lose it, and only once: what was found then counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadRecord {
    /// Settings to put back, by index.
    pub put_back: BTreeMap<String, Map<String, Value>>,
    /// It was done.
    #[serde(default)]
    pub done: bool,
}

impl LoadRecord {
    const KEY: &'static str = "load";

    /// The record among the settings of a run; an empty one where there is none.
    pub fn of_run(settings: &Value) -> Self {
        section::read(settings, Self::KEY)
    }

    /// Writes the record among the settings of a run; an empty one is not written.
    pub fn write(&self, settings: &mut Value) {
        if !self.put_back.is_empty() {
            section::write(settings, Self::KEY, self);
        }
    }

    /// Whether there is something left to do.
    pub fn is_open(&self) -> bool {
        !self.done && !self.put_back.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_there_is_put_back_and_what_was_not_becomes_the_default() {
        let load = LoadSettings { disable_refresh: true, defer_replicas: true };
        assert_eq!(Value::Object(load.during()), json!({REFRESH: "-1", REPLICAS: "0"}));
        let found = json!({REPLICAS: "2", "index.codec": "default"});
        let back = load.to_put_back(found.as_object().unwrap());
        assert_eq!(Value::Object(back), json!({REFRESH: null, REPLICAS: "2"}));
        assert!(LoadSettings::default().during().is_empty());
    }

    #[test]
    fn a_record_reads_back_from_the_run_beside_whatever_is_there() {
        let mut settings = json!({"other": 1});
        let mut record = LoadRecord::default();
        record.write(&mut settings);
        assert_eq!(settings, json!({"other": 1}));
        record.put_back.insert("a".to_owned(), Map::from_iter([(REFRESH.to_owned(), Value::Null)]));
        record.write(&mut settings);
        assert_eq!(LoadRecord::of_run(&settings), record);
        assert!(record.is_open());
        assert!(!LoadRecord::of_run(&Value::Null).is_open());
    }
}
