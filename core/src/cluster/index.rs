//! Making an index or a data stream.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an index is made of, each part as the cluster's API takes it. An absent part is an empty object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexDefinition {
    /// `settings`.
    #[serde(default = "empty")]
    pub settings: Value,
    /// `mappings`.
    #[serde(default = "empty")]
    pub mappings: Value,
    /// `aliases`.
    #[serde(default = "empty")]
    pub aliases: Value,
}

impl Default for IndexDefinition {
    fn default() -> Self {
        Self { settings: empty(), mappings: empty(), aliases: empty() }
    }
}

/// What a data stream is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataStreamDefinition {
    /// What its backing indices are made of.
    pub indices: IndexDefinition,
    /// The field that orders its documents.
    pub timestamp_field: String,
}

fn empty() -> Value {
    Value::Object(serde_json::Map::new())
}

/// Whether something was made or was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Created {
    /// It was made just now.
    Created,
    /// It was there and was left as it is.
    AlreadyThere,
}
