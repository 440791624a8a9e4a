//! A report of what was moved.

use serde_json::{Value, json};
use snapfill_tests::fixtures::Fixture;
use snapfill_tests::platform::FakeCluster;

use crate::program::{Ended, path, run_arguments, snapfill};

fn fixture() -> Fixture {
    Fixture::named("opensearch-2.19.6")
}

fn report(target: &str, words: &[&str]) -> Ended {
    snapfill([&["backfill", "report", "--target", target][..], words].concat())
}

fn read(file: &std::path::Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn a_run_writes_it_at_its_end_and_anybody_later_gets_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (target, file) = (folder.path().join("filled"), folder.path().join("moved.md"));
    let mut run = run_arguments(fixture(), "snap-2", &target);
    run.extend(["--report".to_owned(), path(&file)]);
    let ended = snapfill(&run).ends_with(3);
    assert!(ended.stderr.contains(&format!("Report written to {}", file.display())), "{ended:?}");
    let target = path(&target);
    let markdown = report(&target, &[]).ends_with(0).stdout;
    let but_time = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with("| Report made"));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(but_time(&markdown), but_time(&read(&file)));
    assert!(markdown.starts_with("# Backfill report\n\n**Completed with errors**: all "));
    assert!(markdown.contains("\n## Warnings before the run\n"), "{markdown}");

    let json = report(&target, &["--json"]).ends_with(0).json();
    assert_eq!((&json["end"], &json["balanced"]), (&json!("completed_with_errors"), &json!(true)));
    let (live, books) = (&json["live"], &json["books"]);
    assert_eq!(live.as_u64().unwrap(), fixture().expected("snap-2").len() as u64);
    let written = fixture().expected_with_source("snap-2").len() as u64;
    assert_eq!(books["written"].as_u64().unwrap(), written);
    let checks = json["targets"].as_array().unwrap();
    let there: u64 = checks.iter().map(|check| check["documents"].as_u64().unwrap()).sum();
    assert_eq!(there, written);
    assert!(checks.iter().all(|check| check["difference"] == 0), "{checks:?}");

    let out = folder.path().join("moved.json");
    let out_text = path(&out);
    let said = report(&target, &["--out", &out_text]).ends_with(0).stdout;
    assert_eq!(said, format!("Report written to {out_text}\n"));
    let written: Value = serde_json::from_str(&read(&out)).unwrap();
    assert_eq!(written["targets"], json["targets"], "the end of the name says how");
    let said =
        report(&target, &["--format", "markdown", "--out", &out_text, "--json"]).ends_with(0);
    assert_eq!(said.json(), json!({ "report": out_text }));
    assert!(read(&out).starts_with("# Backfill report\n"));
    // The run is over: another time it is the same at once.
    snapfill(&run).ends_with(3);
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("filled");
    for (place, why) in [("absent/moved.md", "no folder"), (".", "it is a folder")] {
        let file = path(&folder.path().join(place));
        let mut run = run_arguments(fixture(), "snap-2", &target);
        run.extend(["--report".to_owned(), file]);
        snapfill(&run).fails_with(2, &["the report cannot be written", why]);
    }
    assert!(!target.exists());
}

#[test]
fn after_a_stop_it_is_made_of_the_archive() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("filled");
    std::fs::create_dir(&target).unwrap();
    let text = path(&target);
    report(&text, &[]).fails_with(1, &[]);
    snapfill(run_arguments(fixture(), "snap-1", &target)).ends_with(0);
    let before = report(&text, &["--json"]).ends_with(0).json();
    let archives = path(&folder.path().join("archives"));
    snapfill(["backfill", "stop", "--target", &text, "--archive-dir", &archives]).ends_with(0);
    let after = report(&text, &["--json"]).ends_with(0).json();
    for name in ["end", "live", "books", "indices", "targets", "settings", "begun", "ended"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    let archive = after["archive"].as_str().unwrap();
    assert!(report(&text, &[]).ends_with(0).stdout.contains(&format!("| Archive     | {archive}")));
    std::fs::remove_file(archive).unwrap();
    report(&text, &[]).fails_with(1, &[archive, "is not there any more"]);
}

#[test]
fn a_cluster_that_refused_and_had_documents_is_compared_by_the_books() {
    let (cluster, state) = (FakeCluster::start(), tempfile::tempdir().unwrap());
    cluster.put("five", "f3", "theirs");
    cluster.put("five", "other", "theirs");
    cluster.refuse("f1", "mapper_parsing_exception", "failed to parse field [n]");
    cluster.refuse("f2", "mapper_parsing_exception", "failed to parse field [n]");
    let state = path(state.path());
    let of_run = ["--target", cluster.url(), "--coordinator", "local", "--state", &state];
    let repository = path(&fixture().repository());
    let run = ["backfill", "run", "--repo", &repository, "--snapshot", "snap-2", "--index", "five"];
    snapfill([&run[..], &of_run, &["--op", "create"]].concat()).ends_with(3);
    let report = |words: &[&str]| snapfill([&["backfill", "report"], words, &of_run].concat());
    let json = report(&["--json"]).ends_with(0).json();
    let check = &json["targets"][0];
    assert_eq!(check["targets"][0]["before"], 2);
    assert_eq!((&check["expected"], &check["documents"]), (&json!(6), &json!(6)), "{check}");
    assert_eq!(check["explanation"], "as the books say: 1 were there already, 2 were refused");
    let group = &json["failures"]["groups"][0];
    assert_eq!(
        (&group["documents"], &group["error_type"]),
        (&json!(2), &json!("mapper_parsing_exception"))
    );
    let mut ids: Vec<_> = group["example_ids"].as_array().unwrap().clone();
    ids.sort_by_key(Value::to_string);
    assert_eq!(ids, ["f1", "f2"]);
    cluster.mend();
    snapfill([&["backfill", "failed", "redrive"][..], &of_run].concat()).ends_with(0);
    let check = report(&["--json"]).ends_with(0).json()["targets"][0].clone();
    assert_eq!((&check["redriven"], &check["expected"]), (&json!(2), &json!(8)), "{check}");
    assert_eq!(check["difference"], 0, "{check}");
    let markdown = report(&[]).ends_with(0).stdout;
    assert!(!markdown.contains("## Refused documents"), "{markdown}");
}
