//! `snapfill snapshot cat`: exactly the documents of the snapshot, and a word about each that is not printed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};
use snapfill_tests::fixtures::{FIXTURES, Fixture, Line, assert_same, expected_by_id, folder};

use crate::program::{Ended, command, path, snapfill};

fn cat(fixture: Fixture, snapshot: &str, more: &[&str]) -> Ended {
    let repository = path(&fixture.repository());
    snapfill([&["snapshot", "cat", &repository, snapshot], more].concat())
}

fn lines(ended: &Ended) -> Vec<Line> {
    let mut lines: Vec<_> = ended.stdout.split_terminator('\n').map(Line::parse).collect();
    lines.sort();
    lines
}

/// The counts per index, whatever the reasons.
fn skipped(summary: &Value) -> BTreeMap<String, u64> {
    let of_index = |reasons: &Value| {
        reasons.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
    };
    let indices = summary["skipped"].as_object().unwrap();
    indices.iter().map(|(index, reasons)| (index.clone(), of_index(reasons))).collect()
}

#[test]
fn every_fixture_comes_out_exactly() {
    for fixture in FIXTURES {
        for (repository, snapshot) in fixture.snapshots() {
            let what = format!("{} {snapshot}", repository.display());
            let without_source = fixture.expected_without_source(snapshot);
            let code = if without_source.is_empty() { 0 } else { 3 };
            let ended = snapfill(["snapshot", "cat", &path(&repository), snapshot, "--json"]);
            let ended = ended.ends_with(code);
            let (printed, expected) = (lines(&ended), fixture.expected_with_source(snapshot));
            assert_same(&printed, &expected, &what);
            for (printed, expected) in printed.iter().zip(&expected) {
                assert!(printed.value().is_some(), "{what}: {printed:?}");
                assert_eq!(printed.value(), expected.value(), "{what}");
            }
            let summary: Value = serde_json::from_str(&ended.stderr).unwrap();
            assert_eq!(summary["documents"], expected.len(), "{what}");
            assert_eq!(skipped(&summary), without_source, "{what}");
        }
    }
}

#[test]
fn odd_repositories_are_read_with_their_options() {
    let paths = path(&folder("opensearch-2.19.6-paths").join("prefix"));
    let refused = snapfill(["snapshot", "cat", &paths, "s1", "--base-path", "q/w"]);
    refused.fails_with(5, &["PARTIAL", "un[0]", "--allow-partial"]);
    let cat = ["snapshot", "cat", &paths, "s1", "--base-path", "q/w", "--allow-partial"];
    let ended = snapfill(cat).ends_with(3);
    let of_shard = "un: 1 shard not printed: the snapshot does not hold this shard\n";
    assert!(ended.stderr.ends_with(of_shard), "{}", ended.stderr);
    assert_eq!(by_id(&ended), expected_by_id("opensearch-2.19.6-paths"));

    let verify = ["snapshot", "verify", &paths, "s1", "--base-path", "q/w", "--allow-partial"];
    let ended = snapfill(verify).ends_with(3);
    assert!(ended.stdout.contains("does not hold 1 more shard"), "{}", ended.stdout);
    let plan = ["backfill", "plan", "--repo", &paths, "--snapshot", "s1", "--base-path", "q/w"];
    let ended = snapfill([&plan[..], &["--allow-partial"]].concat()).ends_with(0);
    assert!(ended.stdout.contains("un: the snapshot is PARTIAL"), "{}", ended.stdout);

    let shallow = folder("opensearch-2.19.6-shallow");
    let (snap, remote) = (path(&shallow.join("snap")), path(&shallow.join("rs")));
    snapfill(["snapshot", "cat", &snap, "s1"]).fails_with(5, &["--remote-store", "`rs`"]);
    let cat = ["snapshot", "cat", &snap, "s1", "--remote-store", &remote];
    let ended = snapfill([&cat[..], &["--remote-store-base-path", "bp/x"]].concat()).ends_with(0);
    assert_eq!(by_id(&ended), expected_by_id("opensearch-2.19.6-shallow"));
}

fn by_id(ended: &Ended) -> BTreeMap<String, Value> {
    lines(ended).into_iter().map(|line| (line.id.clone(), line.value().unwrap())).collect()
}

#[test]
fn what_is_not_printed_is_counted_by_reason() {
    let ended = cat(Fixture::named("elasticsearch-9.5.3"), "snap-2", &[]).ends_with(3);
    let expected = "808 documents printed\n\
        logsdb: 30 not printed: synthetic `_source` is rebuilt on read and not stored\n\
        nosource: 10 not printed: `_source` is disabled in the mapping, so it was never stored\n\
        synthetic2: 39 not printed: synthetic `_source` is rebuilt on read and not stored\n\
        tsdb: 30 not printed: a time-series index stores no `_source`\n";
    assert_eq!(ended.stderr, expected);
    let ended = cat(Fixture::named("opensearch-3.8.0"), "snap-2", &["--json"]).ends_with(3);
    let summary: Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(summary["skipped"]["derived"], json!({ "source_derived": 39 }));
    assert_eq!(ended.stderr.lines().count(), 1, "one line: {}", ended.stderr);
}

#[test]
fn only_the_indices_asked_for() {
    let fixture = Fixture::named("elasticsearch-7.10.2");
    let ended = cat(fixture, "snap-2", &["--index", "five", "--index", "routed"]).ends_with(0);
    let mut expected = fixture.expected_with_source("snap-2");
    expected.retain(|line| ["five", "routed"].contains(&line.index.as_str()));
    assert_same(&lines(&ended), &expected, "five and routed");
    assert_eq!(ended.stderr, "61 documents printed\n");
}

#[test]
fn the_shards_make_up_the_index() {
    let fixture = Fixture::named("opensearch-1.3.20");
    let mut all = Vec::new();
    for shard in ["0", "1", "2", "3", "4"] {
        let ended = cat(fixture, "snap-1", &["--index", "routed", "--shard", shard]).ends_with(0);
        let printed = lines(&ended);
        assert!(printed.len() < 40, "one shard of five");
        all.extend(printed);
    }
    all.sort();
    let mut expected = fixture.expected_with_source("snap-1");
    expected.retain(|line| line.index == "routed");
    assert_same(&all, &expected, "routed, shard by shard");
}

#[test]
fn a_selection_that_matches_nothing_is_told_apart() {
    let fixture = Fixture::named("opensearch-2.19.6");
    let absent = cat(fixture, "snap-1", &["--index", "best", "--index", "nope"]);
    absent.fails_with(4, &["no index `nope`", "`snap-1`", "best, routed, shapes"]);
    let beyond = cat(fixture, "snap-1", &["--index", "routed", "--shard", "5"]);
    beyond.fails_with(4, &["shard 5", "`snap-1`", "numbered from 0"]);
    let told = cat(fixture, "snap-1", &["--index", "nope", "--json"]).ends_with(4);
    assert_eq!(told.stdout, "", "standard output is a stream of documents and nothing else");
    let error: Value = serde_json::from_str(&told.stderr).unwrap();
    assert_eq!(error["error"]["kind"], "not_found");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let repository = path(&Fixture::named("opensearch-2.19.6").repository());
    let mut child = command(["snapshot", "cat", &repository, "snap-2"]).spawn().unwrap();
    let mut head = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    head.read_line(&mut line).unwrap();
    drop(head);
    assert!(line.starts_with("{\"_index\":"));
    let ended: Ended = child.wait_with_output().unwrap().into();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn nobody_need_listen_to_the_summary() {
    let repository = path(&Fixture::named("opensearch-2.19.6").repository());
    let mut quiet = command(["snapshot", "cat", &repository, "snap-1"]);
    let mut child = quiet.stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}
