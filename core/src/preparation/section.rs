//! Sections of a run's settings: what does not decide what the run does, each under a key of its own.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The section under `key`; the usual one where there is none.
pub(crate) fn read<T: DeserializeOwned + Default>(settings: &Value, key: &str) -> T {
    let section = settings.get(key).cloned().unwrap_or_default();
    serde_json::from_value(section).unwrap_or_default()
}

/// Writes a section and leaves the others as they are.
pub(crate) fn write<T: Serialize>(settings: &mut Value, key: &str, section: &T) {
    if !settings.is_object() {
        *settings = Value::Object(Map::new());
    }
    if let (Some(settings), Ok(section)) = (settings.as_object_mut(), serde_json::to_value(section))
    {
        settings.insert(key.to_owned(), section);
    }
}
