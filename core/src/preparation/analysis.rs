//! Analysers of old versions, as later ones name and bound them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::left_out::Notes;

type Settings = Map<String, Value>;

const PREFIX: &str = "index.analysis.";

/// Components by their old names.
static RENAMED: &[(&str, &str)] = &[
    ("nGram", "ngram"),
    ("edgeNGram", "edge_ngram"),
    ("PathHierarchy", "path_hierarchy"),
    ("htmlStrip", "html_strip"),
    ("delimited_payload_filter", "delimited_payload"),
];

/// How far apart the shortest and the longest gram may be without a setting that allows more.
const NGRAM_DIFFERENCE: u64 = 1;
const SHINGLE_DIFFERENCE: u64 = 3;

/// Rewrites the analysis settings for Elasticsearch 7, OpenSearch 1 and newer.
pub(super) fn modernise(settings: &mut Settings, made_before_7: bool, notes: &mut Notes) {
    let standard = remove_standard_filters(settings, notes);
    for (name, value) in settings.iter_mut() {
        let Some((kind, last)) = component(name) else { continue };
        match (kind, last) {
            ("analyzer" | "normalizer", "filter") => {
                *value = without_standard(value, &standard);
                rename(value);
            }
            ("analyzer" | "normalizer", "tokenizer" | "char_filter" | "type") => rename(value),
            (_, "type") => rename(value),
            _ => {}
        }
    }
    if made_before_7 {
        allow_differences(settings);
    }
    for name in settings.keys() {
        if name.starts_with(PREFIX) && name.ends_with("_path") {
            notes.add(
                format!("the file of `{name}`"),
                "lies on the nodes of the source: the target's nodes need it too",
            );
        }
    }
}

/// `index.analysis.<kind>.<name>.<last>`.
fn component(setting: &str) -> Option<(&str, &str)> {
    let (kind, rest) = setting.strip_prefix(PREFIX)?.split_once('.')?;
    let (_, last) = rest.rsplit_once('.')?;
    Some((kind, last))
}

/// The token filter `standard` did nothing, and is no more. Says under which names it was known.
fn remove_standard_filters(settings: &mut Settings, notes: &mut Notes) -> BTreeSet<String> {
    let mut names = BTreeSet::from(["standard".to_owned()]);
    let defined = settings.iter().filter_map(|(name, value)| {
        let filter = name.strip_prefix("index.analysis.filter.")?.strip_suffix(".type")?;
        (value.as_str() == Some("standard")).then(|| filter.to_owned())
    });
    let defined: Vec<String> = defined.collect();
    for filter in defined {
        let prefix = format!("index.analysis.filter.{filter}.");
        settings.retain(|name, _| !name.starts_with(&prefix));
        notes.add(
            format!("token filter `{filter}`"),
            "the filter `standard` did nothing, and is no more",
        );
        names.insert(filter);
    }
    names
}

fn without_standard(value: &Value, standard: &BTreeSet<String>) -> Value {
    let filters: Vec<&str> = match value {
        Value::Array(filters) => filters.iter().filter_map(Value::as_str).collect(),
        Value::String(filters) => filters.split(',').map(str::trim).collect(),
        _ => return value.clone(),
    };
    filters.into_iter().filter(|filter| !standard.contains(*filter)).map(Value::from).collect()
}

fn rename(value: &mut Value) {
    match value {
        Value::String(name) => {
            if let Some((_, new)) = RENAMED.iter().find(|(old, _)| old == name) {
                *value = Value::from(*new);
            }
        }
        Value::Array(names) => names.iter_mut().for_each(rename),
        _ => {}
    }
}

/// What earlier versions only warned of needs leave now.
fn allow_differences(settings: &mut Settings) {
    let widest = |types: &[&str], least: (&str, u64), most: (&str, u64)| {
        let prefixes = settings.iter().filter_map(|(name, value)| {
            let of = name.strip_suffix(".type")?;
            component(name)?;
            value.as_str().is_some_and(|kind| types.contains(&kind)).then_some(of)
        });
        prefixes
            .map(|of| {
                let at = |(name, usual): (&str, u64)| {
                    settings.get(&format!("{of}.{name}")).and_then(number).unwrap_or(usual)
                };
                at(most).saturating_sub(at(least))
            })
            .max()
            .unwrap_or(0)
    };
    let grams = widest(&["ngram"], ("min_gram", 1), ("max_gram", 2));
    let shingles = widest(&["shingle"], ("min_shingle_size", 2), ("max_shingle_size", 2));
    if grams > NGRAM_DIFFERENCE {
        settings.entry("index.max_ngram_diff").or_insert_with(|| grams.to_string().into());
    }
    if shingles > SHINGLE_DIFFERENCE {
        settings.entry("index.max_shingle_diff").or_insert_with(|| shingles.to_string().into());
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn modern(settings: Value) -> Value {
        let Value::Object(mut settings) = settings else { panic!("no object") };
        modernise(&mut settings, true, &mut Notes::default());
        Value::Object(settings)
    }

    #[test]
    fn old_names_become_new_ones_and_the_standard_filter_goes() {
        let old = json!({
            "index.analysis.tokenizer.t.type": "edgeNGram",
            "index.analysis.filter.s.type": "standard",
            "index.analysis.analyzer.a.tokenizer": "nGram",
            "index.analysis.analyzer.a.filter": ["standard", "lowercase", "s"],
            "index.analysis.analyzer.b.filter": "standard, asciifolding",
            "index.analysis.analyzer.b.tokenizer": "standard",
        });
        let new = json!({
            "index.analysis.tokenizer.t.type": "edge_ngram",
            "index.analysis.analyzer.a.tokenizer": "ngram",
            "index.analysis.analyzer.a.filter": ["lowercase"],
            "index.analysis.analyzer.b.filter": ["asciifolding"],
            "index.analysis.analyzer.b.tokenizer": "standard",
        });
        assert_eq!(modern(old), new);
    }

    #[test]
    fn wide_grams_are_allowed() {
        let old = json!({
            "index.analysis.filter.f.type": "nGram",
            "index.analysis.filter.f.min_gram": "2",
            "index.analysis.filter.f.max_gram": 20,
            "index.analysis.filter.h.type": "shingle",
            "index.analysis.filter.h.max_shingle_size": "6",
        });
        let new = modern(old);
        assert_eq!(new["index.max_ngram_diff"], "18");
        assert_eq!(new["index.max_shingle_diff"], "4");
    }
}
