//! How the index is made, and how ours is told from another's.

use serde_json::{Map, Value, json};

use super::dialect::IndexDialect;
use super::document::{RATES, sum_names};
use crate::SkipReason;

/// Stands between an index's name and an incarnation in the name of its alias. Its capitals are allowed in an alias and in no
/// index: where the alias is gone, a server that makes indices at the first document cannot make one of this name.
const ALIAS_INFIX: &str = "~RUN-";

/// Raised when an older release could no longer search the index rightly.
const MARKER: u64 = 1;

/// One making of the index. Its documents and its alias carry it, and so does every version that this store gives out: what
/// was read before a session was deleted and begun anew changes nothing after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Incarnation(pub(super) u32);

impl Incarnation {
    pub(super) fn random() -> Self {
        let number = super::super::random::number() & u64::from(u32::MAX);
        Self(u32::try_from(number).unwrap_or_default())
    }

    /// The name under which documents of this incarnation are written.
    pub(super) fn alias(self, index: &str) -> String {
        format!("{index}{ALIAS_INFIX}{:08X}", self.0)
    }

    /// The incarnation of an alias of `index`.
    fn of_alias(index: &str, alias: &str) -> Option<Self> {
        let digits = alias.strip_prefix(index)?.strip_prefix(ALIAS_INFIX)?;
        u32::from_str_radix(digits, 16).ok().map(Self)
    }

    /// The incarnation of `index` in an answer about its aliases.
    pub(super) fn of_aliases(index: &str, answer: &Value) -> Option<Self> {
        let aliases = answer.get(index)?.get("aliases")?.as_object()?;
        aliases.keys().find_map(|alias| Self::of_alias(index, alias))
    }
}

/// The body that makes the index.
pub(super) fn definition(
    index: &str,
    incarnation: Incarnation,
    replicas: &str,
    dialect: IndexDialect,
) -> Value {
    let mut settings = json!({
        "number_of_shards": 1,
        "auto_expand_replicas": replicas,
        // Said, so that an index that nobody searched for a while is refreshed all the same.
        "refresh_interval": "1s",
        "translog.durability": "request",
    });
    if let (true, Some(members)) = (dialect.definitions.has_no_pipeline, settings.as_object_mut()) {
        members.insert("default_pipeline".to_owned(), json!("_none"));
    }
    let alias = incarnation.alias(index);
    json!({
        "settings": {"index": settings},
        "mappings": dialect.definitions.mappings(&mappings()),
        "aliases": { alias: {} },
    })
}

fn mappings() -> Value {
    let long = || json!({"type": "long"});
    let keyword = || json!({"type": "keyword"});
    let longs = |names: &[&str]| {
        let fields = names.iter().map(|name| ((*name).to_owned(), long()));
        json!({"properties": Map::from_iter(fields)})
    };
    let mut store = longs(&["rank", "heldUntil", "claimableFrom"]);
    store["properties"]["split"] = json!({"type": "boolean"});
    store["properties"]["sums"] = longs(&sum_names());
    store["properties"]["rates"] = longs(&RATES);
    let reasons: Vec<_> = SkipReason::ALL.iter().map(|reason| reason.as_str()).collect();
    store["properties"]["skipped"] = longs(&reasons);
    json!({
        "_meta": {"snapfill": MARKER},
        "dynamic": false,
        "properties": {
            "expiration": long(),
            "completedAt": long(),
            "leaseHolderId": keyword(),
            "successor_items": keyword(),
            "index": keyword(),
            "shard": long(),
            "first": long(),
            "sortKey": long(),
            "startedAt": long(),
            "store": store,
        },
    })
}

/// Whether an answer about the mapping of `index` is that of an index of ours, and of this name: not of one behind an alias.
pub(super) fn is_ours(index: &str, answer: &Value) -> bool {
    let Some(mappings) = answer.get(index).and_then(|found| found.get("mappings")) else {
        return false;
    };
    let marker = |mapping: &Value| mapping.get("_meta")?.get("snapfill").cloned();
    let of_types = mappings.as_object().into_iter().flat_map(|types| types.values());
    std::iter::once(mappings).chain(of_types).any(|mapping| marker(mapping).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_leads_back_to_its_incarnation_and_is_no_name_of_an_index() {
        let alias = Incarnation(0xab).alias(".state_x");
        assert_eq!(alias, ".state_x~RUN-000000AB");
        assert_ne!(alias, alias.to_lowercase());
        let answer = json!({".state_x": {"aliases": {"other": {}, alias: {}}}});
        assert_eq!(Incarnation::of_aliases(".state_x", &answer), Some(Incarnation(0xab)));
        assert_eq!(Incarnation::of_aliases(".state", &answer), None);
    }

    #[test]
    fn only_an_index_of_this_name_with_our_marker_is_ours() {
        let marked = json!({"_meta": {"snapfill": 1}});
        assert!(is_ours("a", &json!({"a": {"mappings": marked}})));
        assert!(is_ours("a", &json!({"a": {"mappings": {"_doc": marked}}})));
        assert!(!is_ours("a", &json!({"b": {"mappings": marked}})));
        assert!(!is_ours("a", &json!({"a": {"mappings": {"properties": {}}}})));
        assert!(!is_ours("a", &json!({})));
    }
}
