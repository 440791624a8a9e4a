//! The aliases of an index, as far as the target can have them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::left_out::Notes;
use super::target::{ALWAYS, Support, TargetVersion, since, support};

/// What an alias may say.
static PARAMETERS: &[(&str, Support)] = &[
    ("filter", support(ALWAYS, ALWAYS)),
    ("index_routing", support(ALWAYS, ALWAYS)),
    ("is_hidden", support(since(7, 7), ALWAYS)),
    ("is_write_index", support(since(6, 4), ALWAYS)),
    ("routing", support(ALWAYS, ALWAYS)),
    ("search_routing", support(ALWAYS, ALWAYS)),
];

/// Queries that are no more since Elasticsearch 5, 7 for `type`. A filter that needs one would show other documents
/// without it, so its alias goes altogether.
const NO_MORE: &[&str] = &["and", "filtered", "limit", "missing", "not", "or", "type"];

/// The aliases that go along.
pub(super) fn carried(
    aliases: &Value,
    target: TargetVersion,
    index_names: &BTreeSet<String>,
    may_be_write_index: bool,
    notes: &mut Notes,
) -> Map<String, Value> {
    let mut made = Map::new();
    for (name, alias) in aliases.as_object().into_iter().flatten() {
        if index_names.contains(name) {
            notes.add(format!("alias `{name}`"), "an index of the target has the name");
            continue;
        }
        if target.is_modern() && alias.get("filter").is_some_and(is_outdated) {
            notes.add(
                format!("alias `{name}`"),
                "its filter is a query that the target does not have",
            );
            continue;
        }
        let mut kept = Map::new();
        for (parameter, value) in alias.as_object().into_iter().flatten() {
            let known = PARAMETERS.iter().find(|(known, _)| known == parameter);
            let fits = known.is_some_and(|(_, support)| support.includes(target));
            if parameter == "is_write_index" && !may_be_write_index {
                notes.add(
                    format!("`is_write_index` of alias `{name}`"),
                    "the index becomes several, and one of them at most could be it",
                );
            } else if fits {
                kept.insert(parameter.clone(), value.clone());
            } else if !value.is_null() {
                let why = format!("{target} does not have it");
                notes.add(format!("`{parameter}` of alias `{name}`"), why);
            }
        }
        made.insert(name.clone(), Value::Object(kept));
    }
    made
}

/// Whether a query has a word that later versions lack, or asks for the type of documents. A field may be named like a
/// query: then its value is no query, and only an object can be one.
fn is_outdated(filter: &Value) -> bool {
    match filter {
        Value::Object(members) => members.iter().any(|(name, inner)| {
            let outdated = NO_MORE.contains(&name.as_str()) && !is_plain(inner);
            outdated || name == "_type" || is_outdated(inner)
        }),
        Value::Array(items) => items.iter().any(is_outdated),
        _ => false,
    }
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(is_plain),
        Value::Object(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::target::tests::{elasticsearch, opensearch};
    use super::*;
    use serde_json::json;

    fn of(aliases: Value, target: TargetVersion, several: bool) -> Value {
        let taken = BTreeSet::from(["taken".to_owned()]);
        Value::Object(carried(&aliases, target, &taken, !several, &mut Notes::default()))
    }

    #[test]
    fn filters_routings_and_the_write_index_go_along() {
        let aliases = json!({
            "a": {"filter": {"term": {"type": "x"}}, "index_routing": "1", "search_routing": "1,2", "is_write_index": true},
            "taken": {},
        });
        let mut expected = aliases.clone();
        expected.as_object_mut().unwrap().remove("taken");
        assert_eq!(of(aliases.clone(), opensearch("2.19.6"), false), expected);
        expected["a"].as_object_mut().unwrap().remove("is_write_index");
        assert_eq!(of(aliases.clone(), opensearch("2.19.6"), true), expected);
        assert_eq!(of(aliases, elasticsearch("6.3.0"), false), expected);
    }

    #[test]
    fn a_filter_that_cannot_be_asked_takes_its_alias_along() {
        for filter in [
            json!({"term": {"_type": "blog"}}),
            json!({"type": {"value": "blog"}}),
            json!({"and": [{"term": {"a": 1}}]}),
            json!({"bool": {"must": [{"filtered": {"filter": {"term": {"a": 1}}}}]}}),
        ] {
            let aliases = json!({"a": {"filter": filter}});
            assert_eq!(of(aliases.clone(), opensearch("1.3.0"), false), json!({}), "{aliases}");
            assert_eq!(of(aliases.clone(), elasticsearch("2.4.0"), false), aliases);
        }
    }
}
