//! Settings, mappings and aliases of one index, as of one snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::frame::unframe;
use super::limits::INDEX_SHARDS;
use super::version::SourceVersion;
use super::xcontent::{AnyValue, decode};
use crate::{Error, ErrorKind, Result, SkipReason};

/// What an index was when the snapshot was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexMetadata {
    /// Its name.
    pub name: String,
    /// Its settings, flat: `index.number_of_shards` → `"2"`.
    pub settings: Map<String, Value>,
    /// Its mappings: one object without a type name from Elasticsearch 7 on, by type before.
    pub mappings: Value,
    /// Its aliases by name.
    pub aliases: Value,
    /// The name of its one mapping type, `_doc` where there is none.
    type_name: Arc<str>,
}

#[derive(Deserialize)]
struct RawMetadata {
    #[serde(default)]
    settings: AnyValue,
    #[serde(default)]
    mappings: AnyValue,
    #[serde(default)]
    aliases: AnyValue,
}

impl IndexMetadata {
    /// Reads the framed blob: one object under the index's name.
    pub(crate) fn parse(blob: &Bytes) -> Result<Self> {
        let document = unframe(blob, "index-metadata")?;
        let by_name: BTreeMap<String, RawMetadata> = decode(&document)?;
        let (name, raw) = by_name
            .into_iter()
            .next()
            .ok_or_else(|| Error::new(ErrorKind::Corrupt, "the index metadata names no index"))?;
        let mut settings = Map::new();
        flatten(String::new(), raw.settings.0, &mut settings);
        let (type_name, mappings) = single_mapping(raw.mappings.0)?;
        let aliases = match raw.aliases.0 {
            Value::Null => Value::Object(Map::new()),
            aliases => aliases,
        };
        Ok(Self { name, settings, mappings, aliases, type_name })
    }

    /// How many shards it has.
    ///
    /// # Errors
    /// `Corrupt` when the setting is absent or no sensible number.
    pub fn shards(&self) -> Result<u32> {
        let shards = self.number("index.number_of_shards");
        shards
            .and_then(|count| u32::try_from(count).ok())
            .filter(|count| (1..=INDEX_SHARDS).contains(count))
            .ok_or_else(|| {
                let found = self.setting("index.number_of_shards").unwrap_or("nothing");
                Error::new(ErrorKind::Corrupt, format!("`index.number_of_shards` is {found}"))
                    .with_context("index", &self.name)
            })
    }

    /// How many replicas each shard had.
    pub fn replicas(&self) -> u32 {
        self.number("index.number_of_replicas")
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(0)
    }

    /// Its uuid in the source cluster.
    pub fn uuid(&self) -> &str {
        self.setting("index.uuid").unwrap_or_default()
    }

    /// The version that created it.
    pub fn created_by(&self) -> SourceVersion {
        SourceVersion::from_id(self.number("index.version.created").unwrap_or(0))
    }

    /// One setting as text.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).and_then(Value::as_str)
    }

    /// The `_type` that its documents show, if they show one.
    pub fn document_type(&self) -> Option<&Arc<str>> {
        self.created_by().has_types().then_some(&self.type_name)
    }

    /// Whether the mapping has a nested field, so that child documents lie between the root ones.
    pub fn has_nested_fields(&self) -> bool {
        mentions_nested(&self.mappings)
    }

    /// Why documents of this index may lack a stored `_source`.
    pub fn missing_source_reason(&self) -> SkipReason {
        let mode = self.setting("index.mode");
        if mode.is_some_and(|mode| mode.eq_ignore_ascii_case("time_series")) {
            return SkipReason::TimeSeries;
        }
        let source = self.mappings.get("_source");
        if source.and_then(|source| source.get("enabled")).is_some_and(is_false) {
            return SkipReason::SourceDisabled;
        }
        let in_mapping = source.and_then(|source| source.get("mode")).and_then(Value::as_str);
        match self.setting("index.mapping.source.mode").or(in_mapping) {
            Some(mode) if mode.eq_ignore_ascii_case("synthetic") => {
                return SkipReason::SourceSynthetic;
            }
            Some(mode) if mode.eq_ignore_ascii_case("disabled") => {
                return SkipReason::SourceDisabled;
            }
            _ => {}
        }
        if mode.is_some_and(|mode| mode.eq_ignore_ascii_case("logsdb")) {
            return SkipReason::SourceSynthetic;
        }
        if self.setting("index.derived_source.enabled") == Some("true") {
            return SkipReason::SourceDerived;
        }
        SkipReason::SourceMissing
    }

    /// Refuses an index whose data is not in this repository.
    pub(crate) fn require_readable(&self) -> Result<()> {
        if self.setting("index.store.type") == Some("snapshot") {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "a searchable-snapshot index: its documents lie in another snapshot, named by its settings \
                 `index.store.snapshot.*`; read that one",
            )
            .with_context("index", &self.name));
        }
        Ok(())
    }

    fn number(&self, setting: &str) -> Option<u64> {
        match self.settings.get(setting)? {
            Value::String(text) => text.parse().ok(),
            value => value.as_u64(),
        }
    }
}

fn is_false(value: &Value) -> bool {
    value == &Value::Bool(false) || value.as_str() == Some("false")
}

/// Settings come flat in most versions and nested in some: both become flat.
fn flatten(prefix: String, value: Value, flat: &mut Map<String, Value>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
                flatten(name, value, flat);
            }
        }
        Value::Null if prefix.is_empty() => {}
        value => {
            flat.insert(prefix, value);
        }
    }
}

/// Mappings come as a list of one-member objects, type name to mapping.
fn single_mapping(mappings: Value) -> Result<(Arc<str>, Value)> {
    let types: Vec<(String, Value)> = match mappings {
        Value::Null => Vec::new(),
        Value::Array(items) => {
            items.into_iter().map(members_of).collect::<Result<Vec<_>>>()?.concat()
        }
        mappings => members_of(mappings)?,
    };
    let mut types: Vec<_> = types.into_iter().filter(|(name, _)| name != "_default_").collect();
    match types.len() {
        0 => Ok(("_doc".into(), Value::Object(Map::new()))),
        1 => types.pop().map(|(name, mapping)| (name.into(), mapping)).ok_or_else(no_mapping),
        _ => Ok(("_doc".into(), Value::Object(types.into_iter().collect()))),
    }
}

fn members_of(item: Value) -> Result<Vec<(String, Value)>> {
    match item {
        Value::Object(members) => Ok(members.into_iter().collect()),
        _ => Err(no_mapping()),
    }
}

fn no_mapping() -> Error {
    Error::new(ErrorKind::Unsupported, "a mapping that is stored in compressed form")
}

fn mentions_nested(mapping: &Value) -> bool {
    match mapping {
        Value::Object(members) => {
            members.get("type").and_then(Value::as_str) == Some("nested")
                || members.values().any(mentions_nested)
        }
        Value::Array(items) => items.iter().any(mentions_nested),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn metadata(settings: Value, mappings: Value) -> IndexMetadata {
        let mut flat = Map::new();
        flatten(String::new(), settings, &mut flat);
        let (type_name, mappings) = single_mapping(mappings).unwrap();
        IndexMetadata {
            name: "i".to_owned(),
            settings: flat,
            mappings,
            aliases: json!({}),
            type_name,
        }
    }

    #[test]
    fn settings_are_read_flat_and_nested() {
        for settings in
            [json!({"index.number_of_shards": "3"}), json!({"index": {"number_of_shards": 3}})]
        {
            assert_eq!(metadata(settings, Value::Null).shards().unwrap(), 3);
        }
        assert!(metadata(json!({"index.number_of_shards": "0"}), Value::Null).shards().is_err());
    }

    #[test]
    fn each_way_of_not_storing_the_source_has_its_reason() {
        let reason = |settings, mapping| {
            metadata(settings, json!([{"_doc": mapping}])).missing_source_reason()
        };
        assert_eq!(reason(json!({"index.mode": "time_series"}), json!({})), SkipReason::TimeSeries);
        assert_eq!(reason(json!({"index.mode": "logsdb"}), json!({})), SkipReason::SourceSynthetic);
        assert_eq!(
            reason(json!({}), json!({"_source": {"mode": "synthetic"}})),
            SkipReason::SourceSynthetic
        );
        assert_eq!(
            reason(json!({}), json!({"_source": {"enabled": false}})),
            SkipReason::SourceDisabled
        );
        assert_eq!(
            reason(json!({"index.derived_source.enabled": "true"}), json!({})),
            SkipReason::SourceDerived
        );
        assert_eq!(reason(json!({}), json!({})), SkipReason::SourceMissing);
    }

    #[test]
    fn types_are_shown_for_old_versions_only() {
        let of = |id: &str| metadata(json!({"index.version.created": id}), json!([{"blog": {}}]));
        assert_eq!(of("7100299").document_type().map(|name| &**name), Some("blog"));
        assert_eq!(of("8512000").document_type(), None);
    }

    #[test]
    fn nested_fields_are_found_at_any_depth() {
        let deep =
            json!([{"_doc": {"properties": {"a": {"properties": {"b": {"type": "nested"}}}}}}]);
        assert!(metadata(json!({}), deep).has_nested_fields());
        let named = json!([{"_doc": {"properties": {"type": {"type": "keyword"}}}}]);
        assert!(!metadata(json!({}), named).has_nested_fields());
    }
}
