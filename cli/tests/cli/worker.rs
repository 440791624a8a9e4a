//! A worker of its own, as a supervisor or a container runs it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use snapfill_tests::fixtures::Fixture;

use crate::program::{command, path, snapfill};

/// So that a worker can be met amid its work.
const SLOWLY: [&str; 4] = ["--bulk-documents", "1", "--max-docs-per-second", "20"];

/// A worker that plans the run into a folder itself.
fn worker(target: &Path, more: &[&str]) -> Command {
    let repository = path(&Fixture::named("opensearch-2.19.6").repository());
    let words = ["worker", "--repo", &repository, "--snapshot", "snap-2", "--index", "shapes"];
    let mut command = command(words);
    command.args(["--target", &path(target)]).args(more);
    command
}

/// Starts a worker and waits until it is at it.
fn begin(mut command: Command) -> (Child, BufReader<ChildStderr>) {
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("item taken ") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended before it began");
    }
    (child, stderr)
}

/// How the worker ended; nothing may be held any more.
fn end(mut child: Child, mut stderr: BufReader<ChildStderr>, target: &Path) -> Option<i32> {
    stderr.read_to_string(&mut String::new()).unwrap();
    let code = child.wait().unwrap().code();
    let target = path(target);
    let status = ["backfill", "status", "--target", &target, "--deep-check", "--json"];
    let status = snapfill(status).ends_with(0).json();
    assert_eq!(status["work"]["shards"]["in_progress"], 0, "{status}");
    assert_eq!(status["end"], serde_json::Value::Null, "it was to be met amid its work: {status}");
    code
}

#[test]
fn a_worker_whose_supervisor_died_lets_go_and_ends() {
    let target = tempfile::tempdir().unwrap();
    let mut command = worker(target.path(), &SLOWLY);
    command.arg("--until-stdin-closes").stdin(Stdio::piped());
    let (mut child, stderr) = begin(command);
    assert!(child.try_wait().unwrap().is_none(), "its supervisor lives");
    drop(child.stdin.take());
    assert_eq!(end(child, stderr, target.path()), Some(143));
    // Dead before the worker began: the usual end, and no waiting.
    let mut late = worker(target.path(), &SLOWLY);
    let ended = late.arg("--until-stdin-closes").output().unwrap();
    assert_eq!(ended.status.code(), Some(143));
}
