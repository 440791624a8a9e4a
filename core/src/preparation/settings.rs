//! The settings that go along, by a list of those that may, and why the others do not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::analysis;
use super::left_out::Notes;
use super::target::{ALWAYS, NEVER, Support, TargetVersion, between, since, support};
use crate::snapshot::{Distribution, IndexMetadata};

type Settings = Map<String, Value>;

/// A row a setting, or all settings below a name that ends in a dot.
static CARRIED: &[(&str, Support)] = &[
    ("index.analysis.", support(ALWAYS, ALWAYS)),
    ("index.codec", support(since(2, 0), ALWAYS)),
    ("index.codec.compression_level", support(NEVER, since(2, 9))),
    ("index.hidden", support(since(7, 7), ALWAYS)),
    ("index.highlight.max_analyzed_offset", support(since(6, 2), ALWAYS)),
    ("index.knn", support(NEVER, ALWAYS)),
    ("index.knn.advanced.approximate_threshold", support(NEVER, since(2, 18))),
    ("index.knn.algo_param.ef_construction", support(NEVER, between((0, 0), (3, 0)))),
    ("index.knn.algo_param.ef_search", support(NEVER, ALWAYS)),
    ("index.knn.algo_param.m", support(NEVER, between((0, 0), (3, 0)))),
    ("index.knn.space_type", support(NEVER, between((0, 0), (3, 0)))),
    ("index.mapping.coerce", support(ALWAYS, ALWAYS)),
    ("index.mapping.depth.limit", support(since(5, 0), ALWAYS)),
    ("index.mapping.dimension_fields.limit", support(since(8, 0), NEVER)),
    ("index.mapping.field_name_length.limit", support(since(6, 4), ALWAYS)),
    ("index.mapping.ignore_malformed", support(ALWAYS, ALWAYS)),
    ("index.mapping.nested_fields.limit", support(since(5, 0), ALWAYS)),
    ("index.mapping.nested_objects.limit", support(since(6, 5), ALWAYS)),
    ("index.mapping.total_fields.ignore_dynamic_beyond_limit", support(since(8, 14), NEVER)),
    ("index.mapping.total_fields.limit", support(since(5, 0), ALWAYS)),
    ("index.max_docvalue_fields_search", support(since(6, 0), ALWAYS)),
    ("index.max_inner_result_window", support(since(6, 0), ALWAYS)),
    ("index.max_ngram_diff", support(since(6, 0), ALWAYS)),
    ("index.max_refresh_listeners", support(since(5, 0), ALWAYS)),
    ("index.max_regex_length", support(since(6, 0), ALWAYS)),
    ("index.max_rescore_window", support(since(5, 0), ALWAYS)),
    ("index.max_result_window", support(since(2, 1), ALWAYS)),
    ("index.max_script_fields", support(since(6, 0), ALWAYS)),
    ("index.max_shingle_diff", support(since(6, 0), ALWAYS)),
    ("index.max_slices_per_scroll", support(since(5, 0), ALWAYS)),
    ("index.max_terms_count", support(since(6, 0), ALWAYS)),
    ("index.number_of_replicas", support(ALWAYS, ALWAYS)),
    ("index.number_of_routing_shards", support(since(6, 1), ALWAYS)),
    ("index.number_of_shards", support(ALWAYS, ALWAYS)),
    ("index.query.default_field", support(ALWAYS, ALWAYS)),
    ("index.query_string.lenient", support(ALWAYS, ALWAYS)),
    ("index.refresh_interval", support(ALWAYS, ALWAYS)),
    ("index.routing_partition_size", support(since(5, 3), ALWAYS)),
    ("index.search.idle.after", support(since(6, 4), ALWAYS)),
    ("index.similarity.", support(ALWAYS, ALWAYS)),
    ("index.sort.field", support(since(6, 0), ALWAYS)),
    ("index.sort.missing", support(since(6, 0), ALWAYS)),
    ("index.sort.mode", support(since(6, 0), ALWAYS)),
    ("index.sort.order", support(since(6, 0), ALWAYS)),
];

/// Why a setting below a name does not go along; the first row that fits.
static WHY_NOT: &[(&str, &str)] = &[
    ("index.uuid", "is the source index's own"),
    ("index.version.", "is the source index's own"),
    ("index.creation_date", "is the source index's own"),
    ("index.provided_name", "is the source index's own"),
    ("index.history.uuid", "is the source index's own"),
    ("index.resize.", "tells where the source index came from"),
    ("index.shrink.", "tells where the source index came from"),
    ("index.default_pipeline", "a pipeline would change documents"),
    ("index.final_pipeline", "a pipeline would change documents"),
    ("index.search.default_pipeline", "names a pipeline of the source cluster"),
    ("index.blocks.", "would keep documents from being written"),
    ("index.routing.allocation.", "names nodes of the source cluster"),
    ("index.allocation.", "is about nodes of the source cluster"),
    ("index.auto_expand_replicas", "replicas are set by number"),
    ("index.lifecycle.", "a lifecycle would move or delete the index"),
    ("index.plugins.index_state_management.", "a lifecycle would move or delete the index"),
    ("index.opendistro.index_state_management.", "a lifecycle would move or delete the index"),
    ("index.soft_deletes.", "decides how the source kept its deletes; not allowed everywhere"),
    ("index.mode", "documents are the same without a mode"),
    ("index.routing_path", "belongs to a mode that does not go along"),
    ("index.time_series.", "belongs to a mode that does not go along"),
    ("index.mapping.source.", "decides how documents are stored, not what they are"),
    ("index.derived_source.", "decides how documents are stored, not what they are"),
    ("index.mapping.exclude_source_vectors", "decides how documents are stored, not what they are"),
    ("index.replication.", "is the target cluster's affair"),
    ("index.remote_store.", "is the target cluster's affair"),
    ("index.store.", "is the target cluster's affair"),
    ("index.translog.", "is the target cluster's affair"),
    ("index.merge.", "is the target cluster's affair"),
    ("index.mapper.dynamic", "has become `dynamic` of the mapping"),
    ("index.mapping.single_type", "types are treated as the target wants it"),
];

/// The settings for a target, and the similarities that they lack.
pub(super) fn carried(
    metadata: &IndexMetadata,
    target: TargetVersion,
    replicas: Option<u32>,
    notes: &mut Notes,
) -> (Settings, BTreeSet<String>) {
    let mut settings = lists(&metadata.settings);
    if let Some(shards) = routing_shards(metadata) {
        settings.insert("index.number_of_routing_shards".to_owned(), shards.to_string().into());
    }
    if target.is_modern() {
        let made_by = metadata.created_by();
        let before_7 = made_by.distribution() == Distribution::Elasticsearch && made_by.major() < 7;
        analysis::modernise(&mut settings, before_7, notes);
    }
    settings.retain(|name, _| {
        let goes = is_carried(name, target);
        if !goes {
            notes.add(format!("`{name}`"), why_not(name, target));
        }
        goes
    });
    if let Some(replicas) = replicas {
        settings.insert("index.number_of_replicas".to_owned(), replicas.to_string().into());
    }
    codec(&mut settings, target, notes);
    let lost = lost_similarities(&mut settings, target, notes);
    if target.is_serverless() {
        for name in ["number_of_shards", "number_of_replicas", "number_of_routing_shards"] {
            if settings.remove(&format!("index.{name}")).is_some() {
                notes.add(format!("`index.{name}`"), "a serverless target decides by itself");
            }
        }
    }
    (settings, lost)
}

/// Where the source divided routings otherwise than the target would by itself. With one shard it makes no difference.
fn routing_shards(metadata: &IndexMetadata) -> Option<u32> {
    let shards = metadata.shards().ok()?;
    let is_multiple = |routing: &u32| *routing >= shards && routing.is_multiple_of(shards);
    let routing = match metadata.created_by().maps_routing_by_remainder() {
        // As many parts as shards: then a target that maps part by part puts documents where the remainder did.
        true => shards,
        false => metadata.routing_shards().unwrap_or(shards),
    };
    Some(routing).filter(is_multiple).filter(|_| shards > 1)
}

fn is_carried(name: &str, target: TargetVersion) -> bool {
    CARRIED
        .iter()
        .filter(|(row, _)| name == *row || (row.ends_with('.') && name.starts_with(row)))
        .any(|(_, support)| support.includes(target))
}

fn why_not(name: &str, target: TargetVersion) -> String {
    let reason = WHY_NOT.iter().find(|(row, _)| {
        name == *row
            || name
                .strip_prefix(row)
                .is_some_and(|rest| row.ends_with('.') || rest.starts_with('.'))
    });
    match reason {
        Some((_, why)) => (*why).to_owned(),
        None if CARRIED.iter().any(|(row, _)| *row == name) => {
            format!("{target} does not have it")
        }
        None => "changes neither documents nor routing".to_owned(),
    }
}

/// Lists were written one element a setting before Elasticsearch 6: `x.0`, `x.1`.
fn lists(settings: &Settings) -> Settings {
    let mut made = Settings::new();
    let mut lists: BTreeMap<&str, BTreeMap<usize, &Value>> = BTreeMap::new();
    for (name, value) in settings {
        match name.rsplit_once('.').and_then(|(list, at)| Some((list, at.parse().ok()?))) {
            Some((list, at)) => {
                lists.entry(list).or_default().insert(at, value);
            }
            None => {
                made.insert(name.clone(), value.clone());
            }
        }
    }
    for (name, elements) in lists {
        let whole = elements.keys().copied().eq(0..elements.len());
        if whole && !made.contains_key(name) {
            made.insert(name.to_owned(), elements.into_values().cloned().collect());
        } else {
            let single =
                elements.into_iter().map(|(at, value)| (format!("{name}.{at}"), value.clone()));
            made.extend(single);
        }
    }
    made
}

/// A codec that the target does not have becomes the one of like purpose that it has.
fn codec(settings: &mut Settings, target: TargetVersion, notes: &mut Notes) {
    let Some(name) = settings.get("index.codec").and_then(Value::as_str).map(str::to_owned) else {
        return;
    };
    let known = match name.as_str() {
        "default" | "best_compression" => support(ALWAYS, ALWAYS),
        "lz4" | "zlib" | "zstd" | "zstd_no_dict" => support(NEVER, since(2, 9)),
        "qat_lz4" | "qat_deflate" => support(NEVER, since(2, 14)),
        _ => support(NEVER, NEVER),
    };
    if known.includes(target) {
        return;
    }
    let small = matches!(name.as_str(), "zlib" | "zstd" | "zstd_no_dict" | "qat_deflate");
    let instead = if small { "best_compression" } else { "default" };
    settings.insert("index.codec".to_owned(), instead.into());
    settings.remove("index.codec.compression_level");
    notes.add(
        format!("`index.codec: {name}`"),
        format!("{target} does not have it; it gets `{instead}`"),
    );
}

/// The similarity that Elasticsearch used before 5 is no more.
fn lost_similarities(
    settings: &mut Settings,
    target: TargetVersion,
    notes: &mut Notes,
) -> BTreeSet<String> {
    if !target.is_modern() {
        return BTreeSet::new();
    }
    let names = settings.iter().filter_map(|(setting, value)| {
        let name = setting.strip_prefix("index.similarity.")?.strip_suffix(".type")?;
        matches!(value.as_str(), Some("classic" | "default")).then(|| name.to_owned())
    });
    let names: BTreeSet<String> = names.collect();
    for name in &names {
        let prefix = format!("index.similarity.{name}.");
        settings.retain(|setting, _| !setting.starts_with(&prefix));
        notes.add(format!("similarity `{name}`"), "the classic similarity is no more");
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::target::tests::{elasticsearch, opensearch};
    use super::*;
    use serde_json::json;

    fn of(settings: Value, target: TargetVersion) -> (Value, Vec<String>) {
        let metadata = IndexMetadata::for_tests("i", settings, json!({}));
        let mut notes = Notes::default();
        let (settings, _) = carried(&metadata, target, None, &mut notes);
        let left_out = notes.finish().into_iter().map(|one| one.what).collect();
        (Value::Object(settings), left_out)
    }

    #[test]
    fn what_would_change_documents_or_the_cluster_stays_behind() {
        let (settings, left_out) = of(
            json!({
                "index.number_of_shards": "1", "index.uuid": "u", "index.final_pipeline": "p",
                "index.blocks.write": "true", "index.routing.allocation.include._tier_preference": "x",
                "index.soft_deletes.enabled": "false", "index.lifecycle.name": "l", "index.unheard_of": "1",
                "index.mapping.total_fields.limit": "5000", "index.sort.field": ["n"],
                "index.analysis.analyzer.a.type": "custom",
            }),
            opensearch("2.19.6"),
        );
        assert_eq!(
            settings,
            json!({
                "index.number_of_shards": "1", "index.mapping.total_fields.limit": "5000",
                "index.sort.field": ["n"], "index.analysis.analyzer.a.type": "custom",
            })
        );
        assert_eq!(left_out.len(), 7);
        assert!(left_out.contains(&"`index.final_pipeline`".to_owned()));
    }

    #[test]
    fn routings_stay_divided_as_they_were() {
        let five = json!({"index.number_of_shards": "5", "index.routing_partition_size": "2"});
        let (settings, _) = of(five.clone(), opensearch("2.19.6"));
        assert_eq!(settings["index.number_of_routing_shards"], "5");
        assert_eq!(settings["index.routing_partition_size"], "2");
        assert!(of(five, elasticsearch("5.2.0")).0.get("index.number_of_routing_shards").is_none());
    }

    #[test]
    fn remainders_stay_remainders() {
        let routing_shards = |created: &str| {
            let five = json!({"index.number_of_shards": "5", "index.version.created": created});
            let metadata = IndexMetadata::for_tests("i", five, json!({})).with_routing_shards(640);
            let (settings, _) =
                carried(&metadata, opensearch("3.8.0"), None, &mut Notes::default());
            settings["index.number_of_routing_shards"].clone()
        };
        assert_eq!(routing_shards("8537000"), "640");
        assert_eq!(routing_shards("9111000"), "5", "Elasticsearch 9.5");
        assert_eq!(routing_shards("137297827"), "640", "OpenSearch 3.8");
    }

    #[test]
    fn lists_of_old_versions_become_lists() {
        let old = json!({
            "index.number_of_shards": "1",
            "index.analysis.analyzer.a.filter.0": "lowercase", "index.analysis.analyzer.a.filter.1": "stop",
        });
        let (settings, _) = of(old, elasticsearch("8.1.0"));
        assert_eq!(settings["index.analysis.analyzer.a.filter"], json!(["lowercase", "stop"]));
    }

    #[test]
    fn a_codec_that_is_not_there_is_replaced() {
        let with = |codec: &str, target| {
            of(json!({"index.number_of_shards": "1", "index.codec": codec}), target).0["index.codec"].clone()
        };
        assert_eq!(with("zstd", opensearch("2.19.6")), "zstd");
        assert_eq!(with("zstd", elasticsearch("8.1.0")), "best_compression");
        assert_eq!(with("lz4", opensearch("1.3.0")), "default");
    }

    #[test]
    fn a_classic_similarity_does_not_go_along() {
        let metadata = IndexMetadata::for_tests(
            "i",
            json!({"index.number_of_shards": "1", "index.similarity.s.type": "classic", "index.similarity.b.type": "BM25"}),
            json!({}),
        );
        let (settings, lost) =
            carried(&metadata, opensearch("1.3.0"), Some(2), &mut Notes::default());
        assert_eq!(lost, BTreeSet::from(["s".to_owned()]));
        assert_eq!(settings["index.similarity.b.type"], "BM25");
        assert_eq!(settings["index.number_of_replicas"], "2");
    }
}
