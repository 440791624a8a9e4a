use super::super::target::tests::{elasticsearch, opensearch};
use super::*;

fn made(
    target: TargetVersion,
    unknown: UnknownFields,
    major: u64,
    mapping: Value,
) -> (Value, Vec<String>, Notes) {
    let lost = BTreeSet::new();
    let mut notes = Notes::default();
    let mapper = Mapper::new(target, unknown, (true, major), &lost, &mut notes);
    let (made, refused) = mapper.mapping(&mapping);
    (made, refused, notes)
}

fn modern(major: u64, mapping: Value) -> Value {
    made(opensearch("2.19.6"), UnknownFields::Refuse, major, mapping).0
}

#[test]
fn what_changes_no_document_is_left_out_and_named() {
    let mapping = json!({
        "_all": {"enabled": false}, "_timestamp": {"enabled": true}, "_ttl": {"enabled": true},
        "_source": {"mode": "stored", "excludes": ["a"]}, "_routing": {"required": true, "path": "x"},
        "_data_stream_timestamp": {"enabled": true}, "dynamic": "strict",
        "properties": {"a": {"type": "keyword", "include_in_all": false}}
    });
    let (mapping, refused, notes) = made(opensearch("2.19.6"), UnknownFields::Refuse, 6, mapping);
    assert_eq!(
        mapping,
        json!({"_source": {"excludes": ["a"]}, "_routing": {"required": true}, "dynamic": "strict",
               "properties": {"a": {"type": "keyword"}}})
    );
    assert!(refused.is_empty());
    let left_out = notes.finish();
    let names: Vec<_> = left_out.iter().map(|one| one.what.as_str()).collect();
    let expected = [
        "include_in_all",
        "mapping `_all`",
        "mapping `_data_stream_timestamp`",
        "mapping `_routing.path`",
        "mapping `_source.mode`",
        "mapping `_timestamp`",
        "mapping `_ttl`",
    ];
    assert_eq!(names, expected);
    assert_eq!(left_out[0].fields, ["a"]);
}

#[test]
fn old_fields_are_made_new_at_every_depth() {
    let mapping = json!({
        "dynamic_templates": [{"strings": {"match_mapping_type": "string", "mapping": {"type": "string", "index": "not_analyzed"}}}],
        "properties": {
            "o": {"properties": {"s": {"type": "string", "fields": {"raw": {"type": "string", "index": "not_analyzed"}}}}},
            "type": {"type": "string"},
            "d": {"type": "date", "format": "dateOptionalTime"},
            "loc": {"type": "geo_point", "lat_lon": true, "validate": true}
        }
    });
    assert_eq!(
        modern(1, mapping),
        json!({
            "dynamic_templates": [{"strings": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}],
            "properties": {
                "o": {"properties": {"s": {"type": "text", "fields": {"raw": {"type": "keyword"}}}}},
                "type": {"type": "text"},
                "d": {"type": "date", "format": "date_optional_time||epoch_millis"},
                "loc": {"type": "geo_point"}
            }
        })
    );
}

#[test]
fn a_type_that_the_target_lacks_is_refused_replaced_or_kept() {
    let mapping = json!({"properties": {
        "v": {"type": "dense_vector", "dims": 3},
        "w": {"type": "keyword", "fields": {"x": {"type": "annotated_text"}}},
        "a": {"type": "alias", "path": "v"}
    }});
    let by = |unknown| made(opensearch("2.19.6"), unknown, 8, mapping.clone());
    let (_, refused, _) = by(UnknownFields::Refuse);
    assert_eq!(
        refused,
        ["field `v` is of type `dense_vector`", "field `w.x` is of type `annotated_text`"]
    );
    let (dropped, refused, notes) = by(UnknownFields::Drop);
    assert!(refused.is_empty());
    assert_eq!(
        dropped,
        json!({"properties": {"v": {"type": "object", "enabled": false}, "w": {"type": "keyword", "fields": {}}}})
    );
    assert_eq!(notes.finish().len(), 3);
    assert_eq!(by(UnknownFields::Keep).0, mapping);
}

#[test]
fn flattened_fields_have_another_name_in_opensearch() {
    let mapping = json!({"properties": {"f": {"type": "flattened", "ignore_above": 5}}});
    assert_eq!(modern(8, mapping.clone()), json!({"properties": {"f": {"type": "flat_object"}}}));
    let (_, refused, _) = made(opensearch("2.3.0"), UnknownFields::Refuse, 8, mapping);
    assert_eq!(refused.len(), 1);
    let back = json!({"properties": {"f": {"type": "flat_object"}}});
    let (back, ..) = made(elasticsearch("8.19.0"), UnknownFields::Refuse, 8, back);
    assert_eq!(back, json!({"properties": {"f": {"type": "flattened"}}}));
}

#[test]
fn what_only_elasticsearch_has_stays_there() {
    let mapping = json!({"runtime": {"r": {"type": "long"}}, "dynamic": "runtime",
        "properties": {"m": {"type": "keyword", "time_series_dimension": true}}});
    let (kept, ..) = made(elasticsearch("9.5.3"), UnknownFields::Refuse, 8, mapping.clone());
    assert_eq!(kept, mapping);
    assert_eq!(
        modern(8, mapping),
        json!({"dynamic": true, "properties": {"m": {"type": "keyword"}}})
    );
}

#[test]
fn a_mapping_without_bottom_is_refused() {
    let mut mapping = json!({"type": "keyword"});
    for _ in 0..MAX_DEPTH + 20 {
        mapping = json!({"properties": {"o": mapping}});
    }
    let (_, refused, _) = made(opensearch("2.19.6"), UnknownFields::Refuse, 8, mapping);
    assert!(refused[0].contains("too deeply"));
}
