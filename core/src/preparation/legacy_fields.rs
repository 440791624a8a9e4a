//! What a field of Elasticsearch 1 to 4 is called today.

use serde_json::{Map, Value};

use super::left_out::Notes;

type Field = Map<String, Value>;

/// Parameters that only analysed text has.
const TEXT_ONLY: &[&str] = &[
    "analyzer",
    "fielddata",
    "position_increment_gap",
    "search_analyzer",
    "search_quote_analyzer",
    "term_vector",
];

/// Parameters that only exact values have.
const KEYWORD_ONLY: &[&str] = &["doc_values", "ignore_above", "null_value"];

const REPLACED: &str = "what was a `string` is a `text` or a `keyword` now, which does not have it";

/// Rewrites words that later versions say otherwise. What is said today already stays.
pub(super) fn modernise(path: &str, mut field: Field, notes: &mut Notes) -> Field {
    if field.get("type").and_then(Value::as_str) == Some("multi_field") {
        field = unfold(field);
    }
    rename(&mut field, "index_analyzer", "analyzer");
    rename(&mut field, "position_offset_gap", "position_increment_gap");
    if let Some(omitted) = field.remove("omit_norms") {
        field.entry("norms").or_insert(Value::Bool(!is_yes(&omitted)));
    }
    let enabled = field.get("norms").and_then(|norms| norms.get("enabled")).map(is_yes);
    if let Some(norms) = field.get_mut("norms")
        && norms.is_object()
    {
        *norms = Value::Bool(enabled.unwrap_or(true));
    }
    if field.get("fielddata").is_some_and(Value::is_object) {
        field.remove("fielddata");
        notes.add_field(path, "fielddata", "said how fields were held in memory before version 5");
    }
    for name in ["store", "doc_values"] {
        if let Some(value) = field.get_mut(name)
            && value.is_string()
        {
            *value = Value::Bool(is_yes(value));
        }
    }
    if field.get("type").and_then(Value::as_str) == Some("string") {
        return string(path, field, notes);
    }
    if let Some(word) = field.get("index").and_then(Value::as_str) {
        let indexed = !matches!(word, "no" | "false");
        field.insert("index".to_owned(), Value::Bool(indexed));
    }
    field
}

/// A `string` is exact or analysed, by the word of its `index`.
fn string(path: &str, mut field: Field, notes: &mut Notes) -> Field {
    let index = field.remove("index");
    let (kind, unknown) = match index.as_ref().and_then(Value::as_str) {
        Some("not_analyzed") => ("keyword", TEXT_ONLY),
        Some("no" | "false") => {
            field.insert("index".to_owned(), Value::Bool(false));
            // Without it a value too long for a term would be refused.
            field.insert("doc_values".to_owned(), Value::Bool(false));
            ("keyword", TEXT_ONLY)
        }
        _ if index == Some(Value::Bool(false)) => {
            field.insert("index".to_owned(), Value::Bool(false));
            field.insert("doc_values".to_owned(), Value::Bool(false));
            ("keyword", TEXT_ONLY)
        }
        _ => ("text", KEYWORD_ONLY),
    };
    field.insert("type".to_owned(), kind.into());
    for name in unknown {
        if field.remove(*name).is_some() {
            notes.add_field(path, *name, REPLACED);
        }
    }
    let positions = field.get("index_options").and_then(Value::as_str);
    if kind == "keyword" && matches!(positions, Some("positions" | "offsets")) {
        field.remove("index_options");
        notes.add_field(path, "index_options", REPLACED);
    }
    field
}

/// A `multi_field` holds all its fields side by side; the one of its own name is the main one.
fn unfold(mut field: Field) -> Field {
    let Some(Value::Object(mut fields)) = field.remove("fields") else { return field };
    let main = ["default", "value"].iter().find_map(|name| fields.remove(*name));
    let main = main.or_else(|| {
        let name = field.get("_name").and_then(Value::as_str).map(str::to_owned)?;
        fields.remove(&name)
    });
    let mut unfolded = match main {
        Some(Value::Object(main)) => main,
        _ => Map::from_iter([
            ("type".to_owned(), "string".into()),
            ("index".to_owned(), "no".into()),
        ]),
    };
    if !fields.is_empty() {
        unfolded.insert("fields".to_owned(), Value::Object(fields));
    }
    unfolded
}

fn rename(field: &mut Field, old: &str, new: &str) {
    if let Some(value) = field.remove(old) {
        field.entry(new).or_insert(value);
    }
}

/// Old versions took many words for true.
fn is_yes(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        Value::String(word) => !matches!(word.as_str(), "false" | "no" | "off" | "0"),
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn modern(field: Value) -> Value {
        let Value::Object(field) = field else { panic!("no object") };
        Value::Object(modernise("f", field, &mut Notes::default()))
    }

    #[test]
    fn a_string_becomes_text_or_keyword() {
        for (old, new) in [
            (json!({"type": "string"}), json!({"type": "text"})),
            (json!({"type": "string", "index": "analyzed"}), json!({"type": "text"})),
            (
                json!({"type": "string", "index": "not_analyzed", "ignore_above": 9, "analyzer": "x"}),
                json!({"type": "keyword", "ignore_above": 9}),
            ),
            (
                json!({"type": "string", "index": "no"}),
                json!({"type": "keyword", "index": false, "doc_values": false}),
            ),
            (
                json!({"type": "string", "doc_values": true, "norms": {"enabled": false}}),
                json!({"type": "text", "norms": false}),
            ),
            (
                json!({"type": "string", "index_analyzer": "a", "omit_norms": true, "store": "yes"}),
                json!({"type": "text", "analyzer": "a", "norms": false, "store": true}),
            ),
        ] {
            assert_eq!(modern(old.clone()), new, "{old}");
        }
    }

    #[test]
    fn other_types_say_true_or_false() {
        assert_eq!(
            modern(json!({"type": "long", "index": "no", "store": "no"})),
            json!({"type": "long", "index": false, "store": false})
        );
        assert_eq!(
            modern(json!({"type": "date", "index": "not_analyzed"})),
            json!({"type": "date", "index": true})
        );
        let today = json!({"type": "text", "norms": false, "index": true, "fielddata": true});
        assert_eq!(modern(today.clone()), today);
    }

    #[test]
    fn a_multi_field_is_its_main_field() {
        let old = json!({"type": "multi_field", "_name": "f", "fields": {
            "f": {"type": "string"}, "raw": {"type": "string", "index": "not_analyzed"}}});
        assert_eq!(
            modern(old),
            json!({"type": "text", "fields": {"raw": {"type": "string", "index": "not_analyzed"}}})
        );
    }
}
