//! A backfill from its plan to its last document, in text and in JSON.

use std::path::Path;

use serde_json::Value;
use snapfill_tests::fixtures::{Fixture, assert_same};
use snapfill_tests::target::documents_of;

use crate::program::{Ended, command, path, run_arguments, snapfill, snapfill_words};

/// What a run of `opensearch-2.19.6`, `snap-2` says at its end.
const ENDED: &str = include_str!("golden/opensearch-2.19.6.txt");

fn run(fixture: Fixture, snapshot: &str, target: &Path, more: &[&str]) -> Ended {
    let mut arguments = run_arguments(fixture, snapshot, target);
    arguments.extend(more.iter().map(|text| (*text).to_owned()));
    snapfill(arguments)
}

async fn assert_filled(target: &Path, fixture: Fixture, snapshot: &str) {
    let expected = fixture.expected_with_source(snapshot);
    assert_same(&documents_of(target).await, &expected, fixture.name);
}

fn names(rows: &Value, key: &str) -> Vec<String> {
    rows.as_array().unwrap().iter().map(|row| row[key].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_run_says_how_it_ended_and_says_the_same_again() {
    let fixture = Fixture::named("opensearch-2.19.6");
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("made/on/the/way");
    let ended = run(fixture, "snap-2", &target, &["--workers", "2"]).ends_with(3);
    assert_eq!(ended.stdout, ENDED);
    assert!(ended.stderr.starts_with("0 of 1 124 documents, 0 of 25 shards\n"), "{ended:?}");
    assert_filled(&target, fixture, "snap-2").await;
    let again = run(fixture, "snap-2", &target, &[]).ends_with(3);
    assert_eq!(again.stdout, ENDED);
    assert_eq!(again.stderr, "1 124 of 1 124 documents, 25 of 25 shards\n");
    assert_filled(&target, fixture, "snap-2").await;

    let target = path(&target);
    let status = snapfill(["backfill", "status", "--target", &target]).ends_with(0);
    let fleet = "BackfillStatus.STOPPED\nRunning=0\nPending=0\nDesired=0\n";
    assert_eq!(status.stdout, fleet);
    let deep = snapfill(["backfill", "status", "--target", &target, "--deep-check"]).ends_with(0);
    assert_eq!(deep.stdout, format!("{fleet}{ENDED}"));
}

#[tokio::test]
async fn json_is_one_document() {
    let fixture = Fixture::named("elasticsearch-9.5.3");
    let folder = tempfile::tempdir().unwrap();
    let repository = path(&fixture.repository());
    let target = path(folder.path());
    let long = ["backfill", "run", "--repo", &repository, "--snapshot", "snap-2", "--target"];
    let ended = snapfill([&long[..], &[&target, "--json"]].concat()).ends_with(3);
    assert_eq!(ended.stderr, "");
    let mut told = ended.json();
    assert_eq!(told["end"], "completed_with_errors");
    assert_eq!(told["work"]["books"]["written"], 808);
    assert_eq!(told["work"]["books"]["skipped"]["source_synthetic"], 69);
    assert_eq!(told["work"]["shards"]["total"], 24);
    assert_filled(folder.path(), fixture, "snap-2").await;
    let deep = ["backfill", "status", "--target", &target, "--deep-check", "--json"];
    assert_eq!(snapfill(deep).ends_with(0).json(), told.take());
}

#[tokio::test]
async fn nothing_lost_is_exit_0() {
    let fixture = Fixture::named("elasticsearch-7.10.2");
    let folder = tempfile::tempdir().unwrap();
    let ended = run(fixture, "snap-1", folder.path(), &[]).ends_with(0);
    assert!(ended.stdout.ends_with("\nBackfill complete: all 8 shards done\n"), "{ended:?}");
    assert_filled(folder.path(), fixture, "snap-1").await;
}

#[tokio::test]
async fn only_the_indices_asked_for() {
    let fixture = Fixture::named("opensearch-3.8.0");
    let folder = tempfile::tempdir().unwrap();
    run(fixture, "snap-2", folder.path(), &["--index", "five", "--index", "merged"]).ends_with(0);
    let mut expected = fixture.expected_with_source("snap-2");
    expected.retain(|line| ["five", "merged"].contains(&line.index.as_str()));
    assert_same(&documents_of(folder.path()).await, &expected, "five and merged");
    let refused = run(fixture, "snap-2", folder.path(), &["--index", "five"]);
    refused.fails_with(1, &["another run", "five", "merged", "another session name"]);
    let absent = run(fixture, "snap-2", folder.path(), &["--index", "nope"]);
    absent.fails_with(4, &["no index `nope`", "`snap-2`", "five"]);
}

#[test]
fn what_a_run_has_come_to_does_not_depend_on_who_listens() {
    let fixture = Fixture::named("opensearch-2.19.6");
    let folder = tempfile::tempdir().unwrap();
    let mut child = command(run_arguments(fixture, "snap-2", folder.path())).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[test]
fn a_plan_lists_every_index_and_changes_nothing() {
    let fixture = Fixture::named("opensearch-2.19.6");
    let folder = tempfile::tempdir().unwrap();
    let (repository, target) = (path(&fixture.repository()), folder.path().join("target"));
    let plan = ["backfill", "plan", "--repo", &repository, "--snapshot", "snap-2", "--target"];
    let plan = [&plan[..], &[target.to_str().unwrap()]].concat();
    let text = snapfill(&plan).ends_with(0).stdout;
    assert!(!target.exists(), "nothing is made");
    for index in fixture.indices().keys() {
        let row = text.lines().find(|line| line.starts_with(&format!("{index} ")));
        assert!(row.is_some_and(|row| row.ends_with(" will migrate")), "{index} in {text}");
    }
    assert!(text.contains("\nnosource: `_source` is disabled in the mapping"), "{text}");
    assert!(text.ends_with("\n15 indices, 25 shards, 969 documents\n"), "{text}");

    run(fixture, "snap-1", &target, &["--index", "best"]).ends_with(0);
    let status = ["backfill", "status", "--target", target.to_str().unwrap(), "--deep-check"];
    let before = snapfill(status).stdout;
    let text = snapfill(&plan).ends_with(0).stdout;
    assert!(text.contains("\nAlready in the target, and kept as they are: best\n"), "{text}");
    let told = snapfill([&plan[..], &["--json", "--index", "five"]].concat()).ends_with(0).json();
    let indices = told["plan"]["indices"].as_array().unwrap();
    let migrated: Vec<_> = indices.iter().filter(|index| index["decision"] == "migrate").collect();
    assert_eq!((indices.len(), migrated.len()), (15, 1));
    assert_eq!(migrated[0]["name"], "five");
    assert_eq!(snapfill(status).stdout, before, "the run before is as it was");
}

#[test]
fn a_plan_shows_new_names_and_refuses_what_cannot_be() {
    let fixture = Fixture::named("opensearch-2.19.6");
    let folder = tempfile::tempdir().unwrap();
    let repository = path(&fixture.repository());
    let plan = ["backfill", "plan", "--repo", &repository, "--snapshot", "snap-2"];
    let plan = |more: &[&str]| snapfill([&plan[..], more].concat());
    let text = plan(&["--index", "f*", "--rename-prefix", "new-"]).ends_with(0).stdout;
    assert!(text.contains(" will migrate to new-five\n"), "{text}");
    let both = ["--index", "five", "--index", "empty", "--rename-regex", ".*=both"];
    let text = plan(&both).ends_with(1).stdout;
    assert!(text.contains("refused, because: empty, five would all become `both`"), "{text}");
    let told = plan(&[&both[..], &["--json"]].concat()).ends_with(1).json();
    let indices = told["plan"]["indices"].as_array().unwrap();
    assert_eq!(indices.iter().filter(|index| index["decision"] == "refuse").count(), 2);
    plan(&[&both[..], &["--types", "merge"]].concat()).ends_with(0);
    plan(&["--index", "regex:("]).fails_with(2, &["`regex:(` cannot be used as a pattern"]);
    plan(&["--create-indices", "never"]).ends_with(1);

    let run = run(fixture, "snap-2", &folder.path().join("t"), &both);
    run.fails_with(1, &["index `empty`", "--types merge"]);
}

#[tokio::test]
async fn a_trial_run_under_other_names() {
    let fixture = Fixture::named("opensearch-2.19.6");
    let folder = tempfile::tempdir().unwrap();
    let more = [
        "--index",
        "shapes",
        "--index",
        "m*",
        "--exclude",
        "merged",
        "--rename",
        "shapes=forms",
        "--max-docs-per-shard",
        "5",
        "--disable-refresh",
        "--defer-replicas",
    ];
    let ended = run(fixture, "snap-2", folder.path(), &more).ends_with(0);
    assert!(ended.stdout.contains(": left out by the limit that was asked for\n"), "{ended:?}");
    let counts = snapfill_tests::target::counts_of(folder.path()).await;
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [("forms".to_owned(), 10)]);
}

#[test]
fn source_and_target_are_listed_side_by_side() {
    let fixture = Fixture::named("elasticsearch-8.19.21");
    let folder = tempfile::tempdir().unwrap();
    run(fixture, "snap-1", folder.path(), &[]).ends_with(0);
    let (repository, target) = (path(&fixture.repository()), path(folder.path()));
    let source = ["--repo", &repository, "--snapshot", "snap-1"];
    let both = [&["clusters", "cat-indices"], &source[..], &["--target", &target]].concat();
    let told = snapfill([&both[..], &["--json"]].concat()).ends_with(0).json();
    let sides: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(sides, ["source_cluster", "target_cluster"]);
    for side in sides {
        assert_eq!(names(&told[side], "index"), ["best", "routed", "shapes"]);
        assert_eq!(names(&told[side], "docs.count")[0], "151", "{side}: counts are texts");
    }
    assert_eq!(names(&told["source_cluster"], "pri"), ["1", "5", "2"]);
    let text = snapfill(&both).ends_with(0).stdout;
    let heads: Vec<_> = text.lines().filter(|line| line.ends_with("CLUSTER")).collect();
    assert_eq!(heads, ["SOURCE CLUSTER", "TARGET CLUSTER"]);
    let row = text.lines().find(|line| line.contains(" routed ")).unwrap();
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!((cells[0], cells[1], cells[4], cells[6]), ("green", "open", "5", "60"));
    // A source that is still there, and was filled alike.
    let live = ["clusters", "cat-indices", "--source", &target, "--json"];
    let live = snapfill(live).ends_with(0).json();
    assert!(live["source_cluster"].as_array().is_some_and(|rows| !rows.is_empty()), "{live}");
    let target_only = snapfill(["clusters", "cat-indices", "--target", &target, "--json"]);
    assert_eq!(target_only.ends_with(0).json().as_object().unwrap().len(), 1);
}

#[test]
fn one_document_is_found_or_not() {
    let fixture = Fixture::named("opensearch-2.19.6");
    let folder = tempfile::tempdir().unwrap();
    run(fixture, "snap-2", folder.path(), &[]).ends_with(3);
    let target = path(folder.path());
    let get = |words: &[&str]| snapfill([&["get", &target], words].concat());
    let found = get(&["five", "f3"]).ends_with(0);
    assert_eq!(found.stdout, "{\"_index\":\"five\",\"_id\":\"f3\",\"_source\":{\"n\": 3}}\n");
    get(&["five", "nope"]).fails_with(1, &["no document `nope` in index `five`", &target]);
    get(&["none", "f3"]).fails_with(1, &["no index `none`", "best, ", &target]);
    let told = get(&["five", "nope", "--json"]).ends_with(1);
    assert_eq!(told.json()["error"]["kind"], "not_found");
    assert_eq!(told.stderr, "");
}

#[test]
fn a_snapshot_is_listed_described_and_verified() {
    let repository = path(&Fixture::named("elasticsearch-9.5.3").repository());
    let list = snapfill(["snapshot", "list", &repository]).ends_with(0).stdout;
    let heads: Vec<_> = list.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(heads.first(), Some(&"snapshot"));
    assert!(heads.contains(&"snap-1") && heads.contains(&"snap-2") && heads.len() == 3, "{list}");
    let told = snapfill(["snapshot", "list", &repository, "--json"]).ends_with(0).json();
    assert_eq!(told["snapshots"].as_array().unwrap().len(), 2);

    let describe = ["snapshot", "describe", &repository, "snap-2"];
    let text = snapfill(describe).ends_with(0).stdout;
    assert!(text.starts_with("Snapshot snap-2 ("), "{text}");
    let told = snapfill([&describe[..], &["--json"]].concat()).ends_with(0).json();
    assert_eq!(told["state"], "SUCCESS");
    assert_eq!(names(&told["indices"], "name").len(), 15);

    let verify = ["snapshot", "verify", &repository, "snap-2"];
    let ended = snapfill(verify).ends_with(3);
    let verdict = "Snapshot snap-2 is sound: 24 shards, 917 live documents, \
                   109 of them without a source that can be read\n";
    assert_eq!(ended.stdout, verdict);
    assert!(ended.stderr.lines().all(|line| line.contains("]: sound, ")), "{}", ended.stderr);
    let told = snapfill([&verify[..], &["--json"]].concat()).ends_with(3);
    assert_eq!((told.json()["damaged"].as_u64(), told.stderr.as_str()), (Some(0), ""));
    let sound = snapfill(["snapshot", "verify", &repository, "snap-1"]).ends_with(0);
    assert!(sound.stdout.starts_with("Snapshot snap-1 is sound: 8 shards, "), "{sound:?}");
    assert!(sound.stdout.ends_with(" live documents\n"), "{sound:?}");
}

#[test]
fn wrong_usage_is_exit_2_and_says_what_is_right() {
    for words in [
        "",
        "bogus",
        "snapshot cat",
        "snapshot cat here snap-1 --shard many",
        "run here",
        "run here snap-1 there --workers 0",
        "run here snap-1 there --bulk-documents 0",
        "run here snap-1 there --lease 2s",
        "run here snap-1 there --no-such-option",
        "backfill run --repo here --snapshot snap-1",
        "backfill status",
        "clusters cat-indices",
        "clusters cat-indices --repo here",
        "get there index",
    ] {
        let ended = snapfill_words(words).ends_with(2);
        assert!(ended.stdout.is_empty() && ended.stderr.contains("help"), "{words}: {ended:?}");
    }
    let help = snapfill_words("--help").ends_with(0);
    assert!(help.stdout.contains("Exit codes: 0 done"), "{}", help.stdout);
    assert!(snapfill_words("--version").ends_with(0).stdout.starts_with("snapfill "));
}
