//! What differs from version to version.

use serde_json::{Map, Value, json};

use super::identity::numbers;
use crate::cluster::{ClusterInfo, Distribution};

/// What may stand at the root of a mapping, and is therefore no name of a type.
const ROOT_PARAMETERS: [&str; 9] = [
    "properties",
    "dynamic",
    "dynamic_templates",
    "date_detection",
    "numeric_detection",
    "dynamic_date_formats",
    "runtime",
    "subobjects",
    "enabled",
];

/// How to speak with a server of some version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// The type of documents that bring none, on servers that have types.
    pub(crate) default_type: Option<&'static str>,
    /// Whether children name their parent. Elsewhere a parent is the routing that keeps a child on its shard.
    pub(super) has_parents: bool,
    /// Whether `pipeline=_none` switches off an index's default pipeline. Before, there is none to switch off.
    pub(crate) has_no_pipeline: bool,
    /// Whether a null puts a setting back to its default.
    pub(super) has_null_settings: bool,
    /// Whether `expand_wildcards=all` shows hidden indices.
    pub(super) has_hidden_indices: bool,
}

impl Dialect {
    pub(crate) fn of(info: &ClusterInfo) -> Self {
        let version = match info.distribution {
            // It branched off there.
            Distribution::OpenSearch => (7, 10),
            _ => numbers(&info.version),
        };
        let default_type = match version {
            (7.., _) => None,
            // From there on the name may begin with an underscore.
            (6, 2..) => Some("_doc"),
            _ => Some("doc"),
        };
        Self {
            default_type,
            has_parents: version < (6, 0),
            has_no_pipeline: version >= (6, 5),
            has_null_settings: version >= (5, 0),
            has_hidden_indices: version >= (7, 7) && !info.serverless,
        }
    }

    /// The type to send a document with.
    pub(super) fn type_of<'a>(&self, own: Option<&'a str>) -> Option<&'a str> {
        let default = self.default_type?;
        match own {
            // What a server without types shows; where the name is taken for one, it is the default anyway.
            None | Some("_doc") => Some(default),
            own => own,
        }
    }

    /// A change of settings as `PUT /index/_settings` takes it: where a null means nothing, the default's own value. Only
    /// settings that are changed for the time of a load are known.
    pub(super) fn settings(&self, change: &Value) -> Value {
        match change {
            Value::Object(members) if !self.has_null_settings => {
                let member = |(name, value): (&String, &Value)| {
                    let default = match name.strip_prefix("index.").unwrap_or(name) {
                        "refresh_interval" => json!("1s"),
                        "number_of_replicas" => json!(1),
                        _ => Value::Null,
                    };
                    let value = if value.is_null() { default } else { self.settings(value) };
                    (name.clone(), value)
                };
                Value::Object(members.iter().map(member).collect())
            }
            change => change.clone(),
        }
    }

    /// The mappings as `PUT /index` takes them: under a type, where there are types.
    pub(crate) fn mappings(&self, mappings: &Value) -> Value {
        let Some(default) = self.default_type else { return mappings.clone() };
        let Some(members) = mappings.as_object().filter(|members| !members.is_empty()) else {
            return mappings.clone();
        };
        let is_root = |name: &str| {
            ROOT_PARAMETERS.contains(&name) || (name.starts_with('_') && name != "_doc")
        };
        if members.keys().any(|name| is_root(name)) {
            return Value::Object(Map::from_iter([(default.to_owned(), mappings.clone())]));
        }
        match members.get("_doc") {
            Some(only) if members.len() == 1 => json!({ default: only }),
            _ => mappings.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(distribution: Distribution, version: &str) -> Dialect {
        let (version, name, uuid) = (version.to_owned(), String::new(), String::new());
        Dialect::of(&ClusterInfo { distribution, version, name, uuid, serverless: false })
    }

    #[test]
    fn versions_speak_differently() {
        let old = dialect(Distribution::Elasticsearch, "5.6.16");
        assert_eq!((old.type_of(None), old.type_of(Some("page"))), (Some("doc"), Some("page")));
        assert!(old.has_parents && !old.has_no_pipeline);
        let six = dialect(Distribution::Elasticsearch, "6.8.23");
        assert_eq!(six.type_of(None), Some("_doc"));
        assert!(!six.has_parents && six.has_no_pipeline && !six.has_hidden_indices);
        for new in [
            dialect(Distribution::OpenSearch, "1.3.20"),
            dialect(Distribution::Elasticsearch, "8.19.21"),
        ] {
            assert_eq!(new.type_of(Some("page")), None);
            assert!(new.has_no_pipeline && new.has_hidden_indices);
        }
    }

    #[test]
    fn nulls_become_defaults_where_a_null_means_nothing() {
        let change = json!({"index": {"refresh_interval": null, "number_of_replicas": 2}});
        let old = dialect(Distribution::Elasticsearch, "2.4.6").settings(&change);
        assert_eq!(old, json!({"index": {"refresh_interval": "1s", "number_of_replicas": 2}}));
        assert_eq!(dialect(Distribution::Elasticsearch, "5.6.16").settings(&change), change);
    }

    #[test]
    fn mappings_stand_under_a_type_where_there_are_types() {
        let six = dialect(Distribution::Elasticsearch, "6.8.23");
        let plain = json!({"dynamic": false, "properties": {}});
        assert_eq!(six.mappings(&plain), json!({"_doc": plain}));
        let typed = json!({"page": {"properties": {}}});
        assert_eq!(six.mappings(&typed), typed);
        assert_eq!(six.mappings(&json!({})), json!({}));
        assert_eq!(dialect(Distribution::OpenSearch, "2.19.6").mappings(&plain), plain);
    }
}
