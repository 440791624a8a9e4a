//! Settings, mappings and aliases of one index, as of one snapshot.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::frame::decompress;
use super::layout::Layout;
use super::limits::INDEX_SHARDS;
use super::version::{Distribution, SourceVersion};
use super::xcontent::{AnyValue, decode};
use crate::{Error, ErrorKind, Result, SkipReason};

/// The index version from which on Elasticsearch leaves vectors out of `_source` by default: that of 9.2.
const FIRST_WITHOUT_VECTORS: u64 = 9_035_000;

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
    /// Whether `mappings` is by type: an index of several types, Elasticsearch 5 and before.
    by_type: bool,
    routing_shards: Option<u32>,
}

#[derive(Deserialize)]
struct RawMetadata {
    #[serde(default)]
    settings: AnyValue,
    #[serde(default)]
    mappings: AnyValue,
    #[serde(default)]
    aliases: AnyValue,
    #[serde(default)]
    routing_num_shards: Option<u32>,
}

impl IndexMetadata {
    /// Reads the blob: one object under the index's name.
    pub(crate) fn parse(layout: Layout, blob: &Bytes) -> Result<Self> {
        let document = layout.unwrap(blob, "index-metadata")?;
        let by_name: BTreeMap<String, RawMetadata> = decode(&document)?;
        let (name, raw) = by_name
            .into_iter()
            .next()
            .ok_or_else(|| Error::new(ErrorKind::Corrupt, "the index metadata names no index"))?;
        Self::of(name, raw)
    }

    fn of(name: String, raw: RawMetadata) -> Result<Self> {
        let mut settings = Map::new();
        flatten(String::new(), raw.settings.0, &mut settings);
        let Mappings { type_name, mappings, by_type } = Mappings::of(raw.mappings.0)?;
        let aliases = match raw.aliases.0 {
            Value::Null => Value::Object(Map::new()),
            aliases => aliases,
        };
        Ok(Self {
            name,
            settings,
            mappings,
            aliases,
            type_name,
            by_type,
            routing_shards: raw.routing_num_shards,
        })
    }

    #[cfg(test)]
    pub(crate) fn for_tests(name: &str, settings: Value, mappings: Value) -> Self {
        let raw = RawMetadata {
            settings: AnyValue(settings),
            mappings: AnyValue(mappings),
            aliases: AnyValue::default(),
            routing_num_shards: None,
        };
        Self::of(name.to_owned(), raw).unwrap()
    }

    #[cfg(test)]
    pub(crate) fn with_routing_shards(self, count: u32) -> Self {
        Self { routing_shards: Some(count), ..self }
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

    /// Into how many parts the hash of a routing is divided before it is mapped to the shards; where nothing is said, they
    /// are as many as the shards.
    pub fn routing_shards(&self) -> Option<u32> {
        self.routing_shards
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

    /// Its mapping types and their mappings, sorted by name. An index without types has one, `_doc`.
    pub fn types(&self) -> impl Iterator<Item = (&str, &Value)> {
        let several = self.by_type.then(|| self.mappings.as_object()).flatten();
        let one = several.is_none().then_some((&*self.type_name, &self.mappings));
        one.into_iter()
            .chain(several.into_iter().flatten().map(|(name, mapping)| (name.as_str(), mapping)))
    }

    /// The types whose documents have a parent (`_parent`, Elasticsearch 5 and before).
    pub(crate) fn child_types(&self) -> Vec<&str> {
        let is_child = |mapping: &Value| mapping.pointer("/_parent/type").is_some();
        self.types().filter(|(_, mapping)| is_child(mapping)).map(|(name, _)| name).collect()
    }

    /// What the mapping says of `_source`, by type.
    fn sources(&self) -> impl Iterator<Item = &Value> {
        self.types().filter_map(|(_, mapping)| mapping.get("_source"))
    }

    /// Whether the mapping leaves fields out of `_source`.
    pub(crate) fn filters_source(&self) -> bool {
        let names_any = |list: &Value| match list {
            Value::Array(names) => !names.is_empty(),
            Value::String(_) => true,
            _ => false,
        };
        self.sources().any(|source| {
            ["excludes", "includes"].into_iter().filter_map(|list| source.get(list)).any(names_any)
        })
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
        if self.sources().filter_map(|source| source.get("enabled")).any(is_false) {
            return SkipReason::SourceDisabled;
        }
        let in_mapping = self.sources().find_map(|source| source.get("mode")?.as_str());
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

    /// Whether documents lack a stored source, or have one that is not whole.
    pub(crate) fn lacks_source(&self) -> bool {
        self.filters_source() || self.missing_source_reason() != SkipReason::SourceMissing
    }

    /// The fields whose values Elasticsearch and OpenSearch keep out of the stored `_source`, and put back when it is
    /// asked for: vectors, which are large. Dotted paths.
    pub fn fields_left_out(&self) -> Vec<String> {
        let kinds: &[&str] = if self.excludes_vectors() {
            &["dense_vector", "rank_vectors", "sparse_vector"]
        } else if self.derives_knn_vectors() {
            &["knn_vector"]
        } else {
            return Vec::new();
        };
        let mut fields = Vec::new();
        for (_, mapping) in self.types() {
            vectors_of(mapping, "", kinds, &mut fields);
        }
        fields
    }

    /// The default of indices since Elasticsearch 9.2.
    fn excludes_vectors(&self) -> bool {
        let version = self.created_by();
        version.distribution() == Distribution::Elasticsearch
            && match self.flag("index.mapping.exclude_source_vectors") {
                Some(setting) => setting,
                None => version.id() >= FIRST_WITHOUT_VECTORS,
            }
    }

    /// The default of k-NN indices since OpenSearch 3.0.
    fn derives_knn_vectors(&self) -> bool {
        let version = self.created_by();
        version.distribution() == Distribution::OpenSearch
            && self.flag("index.knn") == Some(true)
            && match self.flag("index.knn.derived_source.enabled") {
                Some(setting) => setting,
                None => version.major() >= 3,
            }
    }

    fn flag(&self, setting: &str) -> Option<bool> {
        match self.settings.get(setting)? {
            Value::Bool(flag) => Some(*flag),
            value => value.as_str()?.parse().ok(),
        }
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

struct Mappings {
    type_name: Arc<str>,
    mappings: Value,
    by_type: bool,
}

impl Mappings {
    /// Mappings come as a list of one-member objects, type name to mapping; each may be compressed.
    fn of(raw: Value) -> Result<Self> {
        let types: Vec<(String, Value)> = match raw {
            Value::Null => Vec::new(),
            Value::Array(items) => {
                items.into_iter().map(members_of).collect::<Result<Vec<_>>>()?.concat()
            }
            mappings => members_of(mappings)?,
        };
        let mut types: Vec<_> = types.into_iter().filter(|(name, _)| name != "_default_").collect();
        Ok(match (types.pop(), types.is_empty()) {
            (None, _) => Self::single("_doc".to_owned(), Value::Object(Map::new())),
            (Some((name, mapping)), true) => Self::single(name, mapping),
            (Some(last), false) => {
                types.push(last);
                let mappings = Value::Object(types.into_iter().collect());
                Self { type_name: "_doc".into(), mappings, by_type: true }
            }
        })
    }

    fn single(name: String, mappings: Value) -> Self {
        Self { type_name: name.into(), mappings, by_type: false }
    }
}

/// The types of one item: an object, or the bytes of one (as base64 text), compressed like a blob.
fn members_of(item: Value) -> Result<Vec<(String, Value)>> {
    let item = match item {
        Value::String(text) => {
            let bytes =
                base64::engine::general_purpose::STANDARD.decode(text).map_err(no_mapping)?;
            decode::<AnyValue>(&decompress(bytes.into())?)?.0
        }
        item => item,
    };
    match item {
        Value::Object(members) => Ok(members.into_iter().collect()),
        _ => Err(no_mapping("neither an object nor its bytes")),
    }
}

fn no_mapping(what: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, format!("a mapping cannot be understood: {what}"))
}

/// Fields of these types, at any depth of a mapping.
fn vectors_of(mapping: &Value, path: &str, kinds: &[&str], fields: &mut Vec<String>) {
    let Some(properties) = mapping.get("properties").and_then(Value::as_object) else { return };
    for (name, field) in properties {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if field.get("type").and_then(Value::as_str).is_some_and(|kind| kinds.contains(&kind)) {
            fields.push(path);
        } else {
            vectors_of(field, &path, kinds, fields);
        }
    }
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
        IndexMetadata::for_tests("i", settings, mappings)
    }

    #[test]
    fn mappings_of_several_types_stay_by_type() {
        let family = metadata(
            json!({"index.version.created": "5061699"}),
            json!([{"_default_": {}}, {"blog": {"_source": {"enabled": false}}}, {"comment": {"_parent": {"type": "blog"}}}]),
        );
        assert_eq!(family.mappings["comment"]["_parent"]["type"], "blog");
        assert_eq!(family.child_types(), ["comment"]);
        assert_eq!(family.missing_source_reason(), SkipReason::SourceDisabled);
        let only = metadata(json!({}), json!([{"comment": {"_parent": {"type": "blog"}}}]));
        assert_eq!(only.child_types(), ["comment"]);
        assert!(metadata(json!({}), json!([])).child_types().is_empty());
    }

    #[test]
    fn compressed_mappings_are_those_that_were_compressed() {
        let text = br#"{"blog":{"properties":{"t":{"type":"long"}}}}"#;
        for bytes in [text.to_vec(), super::super::lzf::tests::compress(text)] {
            let base64 = base64::engine::general_purpose::STANDARD.encode(bytes);
            let held = metadata(json!({"index.version.created": "1070699"}), json!([base64]));
            assert_eq!(held.mappings["properties"]["t"]["type"], "long");
            assert_eq!(held.document_type().map(|name| &**name), Some("blog"));
        }
        for bad in [json!(["?"]), json!([1]), json!(["eA=="])] {
            assert_eq!(Mappings::of(bad).err().unwrap().kind(), ErrorKind::Corrupt);
        }
    }

    #[test]
    fn filters_of_the_source_are_seen_in_every_type() {
        let filters = |source: Value| {
            metadata(json!({}), json!([{"a": {}}, {"b": {"_source": source}}])).filters_source()
        };
        assert!(filters(json!({"excludes": ["x"]})) && filters(json!({"includes": "y"})));
        assert!(!filters(json!({"excludes": []})) && !filters(json!({})));
    }

    #[test]
    fn settings_are_read_flat_and_nested() {
        for settings in
            [json!({"index.number_of_shards": "3"}), json!({"index": {"number_of_shards": 3}})]
        {
            assert_eq!(metadata(settings, Value::Null).shards().unwrap(), 3);
        }
        for count in ["0", "100001", "-1", "many"] {
            let settings = json!({"index.number_of_shards": count});
            assert!(metadata(settings, Value::Null).shards().is_err(), "{count}");
        }
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
    fn vectors_that_are_not_in_the_source_are_named() {
        let mapping = json!([{"_doc": {"properties": {
            "v": {"type": "dense_vector"}, "k": {"type": "knn_vector"}, "t": {"type": "text"},
            "o": {"properties": {"s": {"type": "sparse_vector"}}},
            "n": {"type": "nested", "properties": {"r": {"type": "rank_vectors"}}},
        }}}]);
        let left_out = |settings| {
            let mut fields = metadata(settings, mapping.clone()).fields_left_out();
            fields.sort();
            fields.join(" ")
        };
        let created = "index.version.created";
        let exclude = "index.mapping.exclude_source_vectors";
        assert_eq!(left_out(json!({created: "9035000"})), "n.r o.s v");
        assert_eq!(left_out(json!({created: "9034000"})), "");
        assert_eq!(left_out(json!({created: "9111000", exclude: "false"})), "");
        assert_eq!(left_out(json!({created: "9033000", exclude: "true"})), "n.r o.s v");
        // OpenSearch 3.8.0 and 2.19.6.
        let (new, old) = ("137297827", "136408427");
        let derived = "index.knn.derived_source.enabled";
        assert_eq!(left_out(json!({created: new, "index.knn": "true"})), "k");
        assert_eq!(left_out(json!({created: new, "index.knn": "true", derived: "false"})), "");
        assert_eq!(left_out(json!({created: new})), "");
        assert_eq!(left_out(json!({created: old, "index.knn": "true"})), "");
        assert_eq!(left_out(json!({created: old, "index.knn": "true", derived: "true"})), "k");
    }

    #[test]
    fn a_searchable_snapshot_is_refused_by_name() {
        let elsewhere = metadata(json!({"index.store.type": "snapshot"}), Value::Null);
        let error = elsewhere.require_readable().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("searchable-snapshot"), "{error}");
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
