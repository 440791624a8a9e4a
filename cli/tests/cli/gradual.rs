//! A fleet that is scaled step by step from the command line, before a target that is not always well.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command};

use serde_json::Value;
use snapfill_tests::fixtures::Fixture;
use snapfill_tests::platform::FakeCluster;

use crate::program::{Ended, command, path, snapfill};

/// A run that takes long.
const SLOW: [&str; 11] = [
    "--snapshot",
    "snap-2",
    "--index",
    "shapes",
    "--index",
    "routed",
    "--max-docs-per-second",
    "1",
    "--bulk-documents",
    "1",
    "--lease=6s",
];

/// A run into a cluster that is busy and recovers when it is told to.
struct Bench {
    cluster: FakeCluster,
    state: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { cluster: FakeCluster::start(), state: tempfile::tempdir().unwrap() }
    }

    fn words(&self, words: &[&str]) -> Vec<String> {
        let state = path(self.state.path());
        let place = ["--target", self.cluster.url(), "--coordinator", "local", "--state", &state];
        [&["backfill"], words, &place].concat().into_iter().map(str::to_owned).collect()
    }

    fn call(&self, words: &[&str]) -> Ended {
        snapfill(self.words(words))
    }

    /// Begins to scale a run that takes long; its steps are the lines of the result.
    fn scale(&self, goal: &str) -> (Child, std::io::Lines<BufReader<ChildStdout>>) {
        let repository = path(&Fixture::named("opensearch-2.19.6").repository());
        let scale = ["scale", goal, "--gradual", "--settle", "1", "--repo", &repository];
        let words = self.words(&[&scale[..], &SLOW, &["--json"]].concat());
        let mut child = command(words).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        (child, lines)
    }

    fn running(&self) -> u64 {
        self.call(&["status", "--json"]).ends_with(0).json()["running"].as_u64().unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // A test that failed must not leave workers behind.
        drop(self.call(&["pause"]));
    }
}

/// The steps until one is as it should be; all of them are told.
fn until(
    lines: &mut std::io::Lines<BufReader<ChildStdout>>,
    is_it: impl Fn(&Value) -> bool,
) -> Vec<Value> {
    let mut steps = Vec::new();
    for line in lines {
        let step: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let found = is_it(&step);
        steps.push(step);
        if found {
            return steps;
        }
    }
    panic!("it ended before: {steps:?}");
}

fn workers_are(count: u64) -> impl Fn(&Value) -> bool {
    move |step| step["workers"] == count
}

fn has(steps: &[Value], action: &str) -> bool {
    steps.iter().any(|step| step["action"] == action)
}

#[test]
fn it_stops_stepping_up_steps_back_and_recovers_when_the_target_does() {
    let bench = Bench::new();
    let (mut child, mut lines) = bench.scale("10");
    let up = until(&mut lines, workers_are(4));
    assert!(has(&up, "up") && !has(&up, "down"), "{up:?}");

    bench.cluster.be_busy(true);
    let back = until(&mut lines, workers_are(1));
    assert!(has(&back, "down") && !has(&back, "up"), "{back:?}");
    let last = back.last().unwrap()["reason"].as_str().unwrap();
    assert_eq!(last, "the target's processors are 99 % busy");

    bench.cluster.be_busy(false);
    let on = until(&mut lines, workers_are(3));
    assert!(has(&on, "up") && !has(&on, "down"), "{on:?}");

    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(bench.running(), 3, "the workers stay as they are");
    bench.call(&["pause"]).ends_with(0);
    assert_eq!(bench.running(), 0);
}

#[test]
fn a_line_a_step_and_options_for_it_alone() {
    let bench = Bench::new();
    let repository = path(&Fixture::named("opensearch-2.19.6").repository());
    let scale = ["scale", "1", "--gradual", "--settle", "1", "--repo", &repository];
    let ended = bench.call(&[&scale[..], &SLOW].concat()).ends_with(0);
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("Up to 1 worker: "), "{ended:?}");
    assert!(lines.last().unwrap().starts_with("Done with 1 worker: "), "{ended:?}");
    let down = bench.call(&["scale", "0", "--gradual"]).ends_with(0).stdout;
    assert_eq!(down.lines().next(), Some("Down to 0 workers: that is what was asked for"));
    assert_eq!(bench.running(), 0);
    let wrong = bench.call(&["scale", "2", "--settle", "5"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    let wrong = bench.call(&["scale", "2", "--gradual", "--step", "0"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}
