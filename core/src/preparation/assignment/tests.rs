use super::super::rename::Rename;
use super::super::selection::Selection;
use super::super::target::tests::{elasticsearch, opensearch, target};
use super::*;
use crate::cluster::Distribution;
use serde_json::json;

fn index(name: &str, mappings: Value) -> IndexMetadata {
    IndexMetadata::for_tests(name, json!({"index.number_of_shards": "1"}), mappings)
}

fn family() -> IndexMetadata {
    index("family", json!([{"blog": {}}, {"Comment": {"_parent": {"type": "blog"}}}]))
}

fn facts(version: TargetVersion) -> TargetFacts {
    let data_streams = Some(BTreeMap::new());
    TargetFacts { version, indices: BTreeMap::new(), data_streams }
}

fn local() -> TargetVersion {
    target(Distribution::Local, "0.1.0")
}

fn by(selection: Selection, indices: &[&IndexMetadata], facts: &TargetFacts) -> Assignment {
    let selector = Selector::new(&selection).unwrap();
    assign(indices, &selector, &IndexOptions::default(), facts)
}

fn types(types: Types) -> Selection {
    Selection { types, ..Selection::default() }
}

fn names(assignment: &Assignment) -> Vec<&str> {
    assignment.targets.keys().map(String::as_str).collect()
}

#[test]
fn several_types_are_refused_split_or_merged() {
    let family = family();
    let opensearch = facts(opensearch("2.19.6"));
    let refused = by(types(Types::Refuse), &[&family], &opensearch);
    assert!(refused.targets.is_empty());
    let reason = &refused.refused["family"];
    assert!(reason.contains("Comment, blog") && reason.contains("--types split"), "{reason}");

    let split = by(types(Types::Split), &[&family], &opensearch);
    assert_eq!(names(&split), ["family-blog", "family-comment"]);
    assert_eq!(split.targets["family-comment"].sources, ["family/Comment"]);
    let merged = by(types(Types::Merge), &[&family], &opensearch);
    assert_eq!(names(&merged), ["family"]);
    assert!(merged.targets["family"].warnings[0].contains("_parent"));

    assert_eq!(names(&by(types(Types::Refuse), &[&family], &facts(local()))), ["family"]);
    assert_eq!(by(types(Types::Split), &[&family], &facts(local())).targets.len(), 2);
    let six = by(types(Types::Refuse), &[&family], &facts(elasticsearch("6.8.23")));
    assert_eq!(six.refused.len(), 1);
}

#[test]
fn two_indices_of_one_new_name_are_refused_unless_they_may_merge() {
    let (a, b, c) = (index("a", json!([])), index("b", json!([])), index("c", json!([])));
    let map = ["a", "b"].map(|name| (name.to_owned(), "both".to_owned()));
    let rename = Rename { map: map.into(), ..Rename::default() };
    let selection = Selection { rename, ..Selection::default() };
    for version in [local(), opensearch("2.19.6")] {
        let made = by(selection.clone(), &[&a, &b, &c], &facts(version));
        assert_eq!(names(&made), ["c"]);
        assert_eq!(made.refused.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert!(made.refused["a"].contains("a, b would all become `both`"));
        let merge = Selection { types: Types::Merge, ..selection.clone() };
        let made = by(merge, &[&a, &b, &c], &facts(version));
        assert_eq!(names(&made), ["both", "c"]);
        assert_eq!(made.targets["both"].sources, ["a", "b"]);
    }
}

#[test]
fn what_the_target_has_is_kept_and_told() {
    let a = index("a", json!([]));
    let mut facts = facts(opensearch("2.19.6"));
    let settings = json!({"index.final_pipeline": "p"});
    let existing = ExistingIndex {
        documents: Some(7),
        is_open: true,
        settings: settings.as_object().cloned(),
    };
    facts.indices.insert("a".to_owned(), existing.clone());
    let made = by(Selection::default(), &[&a], &facts);
    let planned = &made.targets["a"];
    assert!(planned.definition.is_none());
    assert!(planned.warnings[0].contains("7 documents"));
    assert!(planned.warnings[1].contains("final pipeline `p`"));
    facts.indices.insert("a".to_owned(), ExistingIndex { is_open: false, ..existing });
    assert!(by(Selection::default(), &[&a], &facts).refused["a"].contains("closed"));
}

#[test]
fn an_absent_index_is_refused_where_none_is_made() {
    let a = index("a", json!([]));
    let options = IndexOptions { create: CreateIndices::Never, ..IndexOptions::default() };
    let made = assign(&[&a], &Selector::default(), &options, &facts(local()));
    assert!(made.refused["a"].contains("--create-indices missing"));
}

#[test]
fn names_that_no_cluster_takes_are_refused_there() {
    let a = index("a", json!([]));
    let rename = Rename { prefix: "Big_".to_owned(), ..Rename::default() };
    let selection = Selection { rename, ..Selection::default() };
    assert!(
        by(selection.clone(), &[&a], &facts(opensearch("2.19.6"))).refused["a"]
            .contains("lower case")
    );
    assert_eq!(names(&by(selection, &[&a], &facts(local()))), ["Big_a"]);
}

fn backing(generation: u32, kind: &str) -> IndexMetadata {
    IndexMetadata::for_tests(
        &format!(".ds-logs-{generation:06}"),
        json!({"index.number_of_shards": generation.to_string(), "index.hidden": "true",
               "index.version.created": "136408427"}),
        json!([{"_doc": {"_data_stream_timestamp": {"enabled": true}, "properties": {"a": {"type": kind}}}}]),
    )
}

#[test]
fn backing_indices_go_to_their_stream_which_is_made_like_the_newest() {
    let (old, new) = (backing(1, "long"), backing(2, "keyword"));
    let assigned = by(Selection::default(), &[&old, &new], &facts(opensearch("2.19.6")));
    assert!(assigned.refused.is_empty(), "{:?}", assigned.refused);
    let stream = &assigned.targets["logs"];
    assert_eq!(stream.sources, [".ds-logs-000001", ".ds-logs-000002"]);
    assert_eq!(stream.data_stream.as_ref().unwrap().timestamp_field, "@timestamp");
    let definition = stream.definition.as_ref().unwrap();
    assert_eq!(definition.settings["index.number_of_shards"], "2");
    assert!(definition.settings.get("index.hidden").is_none());
    assert_eq!(definition.mappings, json!({"properties": {"a": {"type": "keyword"}}}));

    let local = by(Selection::default(), &[&old, &new], &facts(local()));
    assert_eq!(names(&local), [".ds-logs-000001", ".ds-logs-000002"]);
    assert!(local.targets.values().all(|target| target.data_stream.is_none()));
}

#[test]
fn a_stream_that_is_there_is_kept_and_told() {
    let mut facts = facts(opensearch("2.19.6"));
    let there = ExistingIndex { documents: Some(7), is_open: true, settings: None };
    facts.data_streams = Some(BTreeMap::from([("logs".to_owned(), there)]));
    let assigned = by(Selection::default(), &[&backing(1, "long")], &facts);
    let stream = &assigned.targets["logs"];
    assert!(stream.definition.is_none() && stream.data_stream.is_some());
    assert!(stream.warnings[0].contains("7 documents already"), "{:?}", stream.warnings);
    assert!(stream.warnings[0].contains("left alone"), "{:?}", stream.warnings);
}

#[test]
fn a_target_without_streams_refuses_them_and_says_how_to_go_on() {
    let without = TargetFacts { data_streams: None, ..facts(elasticsearch("8.19.21")) };
    let backing = backing(1, "long");
    let refused = by(Selection::default(), &[&backing], &without);
    let reason = &refused.refused[".ds-logs-000001"];
    assert!(reason.contains("data stream `logs`"), "{reason}");
    assert!(reason.contains("--rename .ds-logs-000001=NAME"), "{reason}");
    let mut selection = Selection::default();
    selection.rename.map.insert(backing.name.clone(), "plain".to_owned());
    let named = by(selection, &[&backing], &without);
    assert!(named.targets["plain"].data_stream.is_none());
    assert!(named.targets["plain"].warnings[0].contains("outside any data stream"));
}

#[test]
fn a_stream_and_an_index_do_not_become_one() {
    let mut selection = types(Types::Merge);
    selection.rename.map.insert("plain".to_owned(), "logs".to_owned());
    let (backing, plain) = (backing(1, "long"), index("plain", json!({})));
    let refused = by(selection, &[&backing, &plain], &facts(opensearch("2.19.6")));
    assert_eq!(refused.refused.len(), 2);
    assert!(refused.refused["plain"].contains("rename them apart"));
}
