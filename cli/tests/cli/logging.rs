//! Log lines, as text and as JSON.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use snapfill_tests::fixtures::Fixture;

use crate::program::{Ended, command, path, run_arguments, snapfill};

fn fixture() -> Fixture {
    Fixture::named("opensearch-2.19.6")
}

/// A worker that plans the run of one index itself.
fn worker(target: &Path, more: &[&str]) -> Ended {
    let repository = path(&fixture().repository());
    let words = ["worker", "--repo", &repository, "--snapshot", "snap-2", "--index", "five"];
    let target = path(target);
    snapfill(words.iter().chain(&["--target", &target]).chain(more))
}

/// Standard error as log lines, each one JSON object.
fn lines(ended: &Ended) -> Vec<Value> {
    let line = |text| match serde_json::from_str::<Value>(text) {
        Ok(line) => line,
        Err(error) => panic!("{error}: {text}"),
    };
    ended.stderr.lines().map(line).collect()
}

#[test]
fn a_worker_logs_each_item_and_all_of_it_as_json_if_asked() {
    let folder = tempfile::tempdir().unwrap();
    let ended = worker(&folder.path().join("one"), &["--log-format", "json"]).ends_with(0);
    assert_eq!(ended.stdout, "");
    let lines = lines(&ended);
    let mut finished = BTreeSet::new();
    for line in &lines {
        let keys = ["timestamp", "level", "target", "fields"].map(|key| !line[key].is_null());
        assert_eq!(keys, [true; 4], "{line}");
        if line["fields"]["message"] == "item finished" {
            assert_eq!(
                (&line["level"], &line["fields"]["index"]),
                (&"INFO".into(), &"five".into())
            );
            finished.insert(line["fields"]["shard"].as_u64().unwrap());
        }
    }
    assert_eq!(finished.len(), 5, "{lines:?}");
    let text = worker(&folder.path().join("two"), &[]).ends_with(0);
    assert_eq!(text.stderr.matches(" INFO snapfill::backfill: item taken index=five ").count(), 5);
    assert!(!text.stderr.contains("bulk settled") && !text.stderr.contains('\u{1b}'), "{text:?}");
    let quiet = worker(&folder.path().join("three"), &["--log-level", "error"]).ends_with(0);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn what_ends_a_worker_is_a_log_line_too() {
    let folder = tempfile::tempdir().unwrap();
    let target = path(&folder.path().join("target"));
    let ended = snapfill(["worker", "--target", &target, "--log-format", "json"]).ends_with(1);
    let lines = lines(&ended);
    let last = lines.last().unwrap();
    assert_eq!(last["level"], "ERROR");
    assert!(last["fields"]["message"].as_str().unwrap().contains("nothing is planned"), "{last}");
}

#[test]
fn other_commands_log_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, level: Option<&str>| {
        let mut command = command(run_arguments(fixture(), "snap-2", &folder.path().join(name)));
        command.args(["--index", "five"]).envs(level.map(|level| ("SNAPFILL_LOG_LEVEL", level)));
        Ended::from(command.output().unwrap()).ends_with(0).stderr
    };
    assert!(!run("usual", None).contains("item taken"));
    let detailed = run("detailed", Some("debug"));
    assert!(detailed.contains("item taken") && detailed.contains(" DEBUG "), "{detailed}");
}
