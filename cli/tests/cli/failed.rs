//! Documents that a cluster refuses: kept, shown, counted, sent again when it is mended.

use snapfill_tests::fixtures::Fixture;
use snapfill_tests::platform::FakeCluster;

use crate::program::{Ended, path, snapfill};

const LISTED: &str = include_str!("golden/failed-list.txt");
const SUMMARY: &str = include_str!("golden/failed-summary.txt");

/// A cluster that will not take three of the seven documents of `five`, and where the run keeps its state.
struct Bench {
    cluster: FakeCluster,
    state: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { cluster: FakeCluster::start(), state: tempfile::tempdir().unwrap() };
        for id in ["f3", "f4"] {
            let explanation = format!("failed to parse field [n] in document with id '{id}'");
            bench.cluster.refuse(id, "mapper_parsing_exception", &explanation);
        }
        bench.cluster.refuse("f5", "some_other_exception", "no, not this one");
        bench
    }

    fn run(&self, more: &[&str]) -> Ended {
        let repository = path(&Fixture::named("opensearch-2.19.6").repository());
        let words = ["backfill", "run", "--repo", &repository, "--snapshot", "snap-2"];
        self.call(&[&words[..], &["--index", "five"], more].concat())
    }

    fn failed(&self, words: &[&str]) -> Ended {
        self.call(&[&["backfill", "failed"][..], words].concat())
    }

    /// The command about this target with this state.
    fn call(&self, words: &[&str]) -> Ended {
        let state = path(self.state.path());
        snapfill(
            [words, &["--target", self.cluster.url(), "--coordinator", "local", "--state", &state]]
                .concat(),
        )
    }

    fn count(&self) -> usize {
        self.cluster.documents("five").len()
    }
}

#[test]
fn what_a_cluster_refuses_is_kept_shown_and_sent_again_when_it_is_mended() {
    let bench = Bench::new();
    let ended = bench.run(&[]).ends_with(3);
    let said = "Refused 3: kept, to be looked at (`backfill failed summary`) and sent again (`backfill failed redrive`)\n";
    assert!(ended.stdout.contains(said), "{ended:?}");
    assert!(ended.stdout.contains("not every document was written\n"), "{ended:?}");
    assert_eq!(bench.count(), 4);

    let listed = bench.failed(&["list"]).ends_with(0);
    let mut lines: Vec<_> = listed.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.join("\n") + "\n", LISTED);
    assert_eq!(listed.stderr, "3 failed documents\n");
    assert_eq!(bench.failed(&["summary"]).ends_with(0).stdout, SUMMARY);

    let refused = bench.failed(&["redrive"]).ends_with(1);
    let reasons = "0 documents taken, 3 still refused\n  2 × mapper_parsing_exception\n  1 × some_other_exception\n";
    assert_eq!(refused.stdout, reasons);
    bench.cluster.mend();
    let mapping = bench.failed(&["redrive", "--class", "mapping"]).ends_with(0);
    assert_eq!(mapping.stdout, "2 documents taken, 0 still refused\n");
    assert_eq!(bench.count(), 6);
    let told = bench.failed(&["redrive", "--json"]).ends_with(0).json();
    assert_eq!((&told["written"], &told["failed"]), (&1.into(), &0.into()));
    assert_eq!(bench.count(), 7);
    let bulks = bench.cluster.bulks();
    let again = bench.failed(&["redrive"]).ends_with(0);
    assert_eq!(again.stdout, "No failed document is left to be sent\n");
    assert_eq!(bench.cluster.bulks(), bulks, "nothing is sent twice");
    assert_eq!(bench.failed(&["summary"]).ends_with(0).stdout, "0 failed documents\n");
    assert_eq!(bench.failed(&["list"]).ends_with(0).stdout, "");
}

#[test]
fn failed_documents_are_listed_and_counted_for_programs() {
    let bench = Bench::new();
    bench.run(&["--session", "s1"]).ends_with(3);
    let failed = |words: &[&str]| bench.failed(&[words, &["--session", "s1"]].concat());
    let listed = failed(&["list", "--json", "--class", "other"]).ends_with(0);
    let line: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(
        (&line["index"], &line["id"], &line["class"]),
        (&"five".into(), &"f5".into(), &"other".into())
    );
    assert_eq!((&line["status"], &line["reason"]), (&400.into(), &"no, not this one".into()));
    assert_eq!(listed.stderr, "");
    let some = failed(&["list", "--limit", "2"]).ends_with(0);
    assert_eq!(some.stdout.lines().count(), 2);
    assert_eq!(some.stderr, "2 failed documents, and there are more\n");
    assert_eq!(failed(&["list", "--index", "shapes"]).ends_with(0).stdout, "");
    let summary = failed(&["summary", "--json"]).ends_with(0).json();
    assert_eq!((&summary["total"], &summary["groups"][0]["documents"]), (&3.into(), &2.into()));
    assert_eq!(bench.failed(&["list"]).ends_with(0).stdout, "", "another session has none");
    snapfill(["backfill", "failed", "list"]).ends_with(2);
}

#[test]
fn exported_operations_can_be_sent_by_hand() {
    let bench = Bench::new();
    bench.run(&["--op", "create"]).ends_with(3);
    let file = bench.state.path().join("failed.ndjson");
    let export = bench.failed(&["export", &path(&file)]).ends_with(0);
    assert_eq!(export.stdout, format!("3 failed documents written to {}\n", path(&file)));
    bench.failed(&["export", &path(&file)]).fails_with(1, &["cannot write", &path(&file)]);
    let lines = std::fs::read_to_string(&file).unwrap();
    assert!(
        lines.contains("{\"create\":{\"_id\":\"f3\",\"_index\":\"five\"}}\n{\"n\": 3}\n"),
        "{lines}"
    );
    let printed = bench.failed(&["export", "-"]).ends_with(0);
    assert_eq!((printed.stdout, printed.stderr.as_str()), (lines, "3 failed documents\n"));
    let one = bench.failed(&["export", "-", "--class", "other"]).ends_with(0);
    assert_eq!(one.stdout.lines().count(), 2);
}

#[test]
fn a_run_with_too_many_failures_pauses_and_goes_on_with_a_higher_limit() {
    let bench = Bench::new();
    let paused = bench.run(&["--max-failed", "1", "--bulk-documents", "1"]);
    paused.fails_with(
        1,
        &[
            "paused: 2 documents",
            "`five`",
            "more than the 1 that may",
            // Which shard comes first is left to chance: it is one of them, or two.
            " × mapper_parsing_exception: failed to parse field [n]",
            "backfill failed summary",
            "--max-failed",
        ],
    );
    let ended = bench.run(&["--max-failed", "3", "--bulk-documents", "1"]).ends_with(3);
    assert!(ended.stdout.contains(" 7 live = 4 written + 3 failed + 0 skipped\n"), "{ended:?}");
    assert_eq!(bench.failed(&["summary"]).ends_with(0).stdout, SUMMARY);
}

#[test]
fn failed_documents_may_be_kept_elsewhere_and_the_run_knows_where() {
    let bench = Bench::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let place = path(&elsewhere.path().join("kept"));
    bench.run(&["--failed-store", &place]).ends_with(3);
    assert!(!bench.state.path().join("failed").exists());
    assert_eq!(bench.failed(&["summary"]).ends_with(0).stdout, SUMMARY);
    let by_place = snapfill(["backfill", "failed", "summary", "--failed-store", &place]);
    assert_eq!(by_place.ends_with(0).stdout, SUMMARY);
    bench.run(&[]).ends_with(3);
    bench.run(&["--failed-store", &format!("file://{place}")]).ends_with(3);
    let other = path(&elsewhere.path().join("other"));
    bench.run(&["--failed-store", &other]).fails_with(1, &[&place, &other, "--failed-store"]);
    let archives = path(elsewhere.path());
    bench.call(&["backfill", "stop", "--archive-dir", &archives]).ends_with(0);
    assert_eq!(bench.failed(&["summary"]).ends_with(0).stdout, SUMMARY, "also after a stop");
    let unknown = bench.run(&["--failed-store", "gopher://x/y", "--session", "s2"]);
    unknown.fails_with(1, &["gopher://x/y", "file://"]);
    let absent = path(&elsewhere.path().join("absent"));
    snapfill(["backfill", "failed", "list", "--failed-store", &absent]).fails_with(1, &[&absent]);
}

#[test]
fn what_is_there_is_replaced_or_left_alone_and_the_end_says_so() {
    let bench = Bench::new();
    bench.cluster.mend();
    bench.cluster.put("five", "f3", "theirs");
    let ended = bench.run(&["--op", "create"]).ends_with(0);
    assert!(ended.stderr.contains("those of the same id are left alone"), "{ended:?}");
    let said =
        "Present 1: their ids were in the target already, and what was there is left alone\n";
    assert!(ended.stdout.contains(said), "{ended:?}");
    assert_eq!(bench.cluster.documents("five")["f3"], "theirs");
    assert_eq!(bench.count(), 7);
    bench.run(&[]).fails_with(1, &["another run", "create"]);

    let ended = bench.run(&["--session", "s2"]).ends_with(0);
    assert!(
        ended.stdout.contains("\nOverwritten 7: their ids were in the target already, "),
        "{ended:?}"
    );
    assert_eq!(bench.cluster.documents("five")["f3"], "{\"n\": 3}");
}

#[test]
fn documents_of_two_indices_that_share_an_id_are_said_to_have_replaced_each_other() {
    let bench = Bench::new();
    let repository = path(&Fixture::named("opensearch-2.19.6").repository());
    let run = ["backfill", "run", "--repo", &repository, "--snapshot", "snap-2"];
    let two = ["--index", "codec-lz4", "--index", "codec-zlib"];
    let one = ["--rename-regex", "codec-.*=codec", "--types", "merge"];
    let ended = bench.call(&[&run[..], &two, &one].concat()).ends_with(3);
    assert!(
        ended.stdout.contains("\nOverwritten 39: their ids were in the target already"),
        "{ended:?}"
    );
    let verdict =
        "all 2 shards done, but some documents share an id, and only one of them is there\n";
    assert!(ended.stdout.ends_with(verdict), "{ended:?}");
    assert_eq!(bench.cluster.documents("codec").len(), 39);
}

#[test]
fn refusals_that_are_allowed_are_no_failures() {
    let bench = Bench::new();
    let allowed = ["--allow-exception", "mapper_parsing_exception"];
    let more = ["--allow-exception", "some_other_exception"];
    let ended = bench.run(&[&allowed[..], &more].concat()).ends_with(0);
    assert!(ended.stdout.contains(" 7 live = 7 written + 0 failed + 0 skipped\n"), "{ended:?}");
    assert!(ended.stdout.contains("\nPresent 3: "), "{ended:?}");
    let folder = tempfile::tempdir().unwrap();
    let repository = path(&Fixture::named("opensearch-2.19.6").repository());
    let run = ["run", &repository, "snap-2", &path(folder.path())].map(str::to_owned);
    let ended = snapfill([&run[..], &allowed.map(str::to_owned)].concat()).ends_with(2);
    assert!(ended.stderr.contains("--allow-exception is for targets that are clusters"));
}
