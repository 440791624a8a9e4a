//! Looking at a backfill until its end.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command};

use serde_json::Value;
use snapfill_tests::fixtures::Fixture;

use crate::program::{Ended, command, path, run_arguments, snapfill};

fn fixture() -> Fixture {
    Fixture::named("opensearch-2.19.6")
}

fn words(target: &Path) -> Vec<String> {
    let words = ["backfill", "watch", "--target", &path(target), "--every", "0.1"];
    words.map(str::to_owned).to_vec()
}

/// A run that has hardly begun when this returns, and goes on until its ceiling is taken away.
fn begin(target: &Path) -> Child {
    let mut command = command(run_arguments(fixture(), "snap-2", target));
    command.args(["--workers", "2", "--max-docs-per-second", "1"]);
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.contains(" documents, "), "{line}");
    std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
    child
}

fn let_go(target: &Path) {
    let limit = ["backfill", "limit", "--docs-per-second", "none", "--target", &path(target)];
    snapfill(limit).ends_with(0);
}

fn interrupt(child: &Child, signal: &str) {
    let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

#[test]
fn it_follows_the_run_of_another_process_to_its_end_and_ends_as_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("filled");
    let mut run = begin(&target);
    let mut json = command(words(&target));
    let mut json = json.arg("--json").spawn().unwrap();
    let mut lines = BufReader::new(json.stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert!(first["end"].is_null() && first["running"].as_u64().unwrap() > 0, "{first}");
    let plain = command(words(&target)).spawn().unwrap();
    let_go(&target);
    let all: Vec<Value> = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    assert_eq!(json.wait().unwrap().code(), Some(3));
    let last = all.last().unwrap();
    assert_eq!(last["end"], "completed_with_errors");
    let done: Vec<_> =
        all.iter().map(|status| status["work"]["documents_done"].as_u64().unwrap()).collect();
    assert!(done.is_sorted(), "{done:?}");
    assert!(last["work"]["indices"].as_array().unwrap().len() > 3);

    let plain = Ended::from(plain.wait_with_output().unwrap()).ends_with(3);
    assert!(plain.stderr.lines().all(|line| line.contains(" documents, ")), "{plain:?}");
    assert!(plain.stdout.contains("\nBackfill complete with errors: "), "{plain:?}");
    assert_eq!(run.wait().unwrap().code(), Some(3));
    // It is over: the end is told at once.
    let again = snapfill(words(&target)).ends_with(3);
    assert_eq!((again.stdout, again.stderr.lines().count()), (plain.stdout, 1));
}

#[test]
fn an_interruption_ends_the_watching_alone() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("filled");
    let mut run = begin(&target);
    let mut watch = command(words(&target)).spawn().unwrap();
    let mut stderr = BufReader::new(watch.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    interrupt(&watch, "-INT");
    let rest: Vec<_> = stderr.lines().map(Result::unwrap).collect();
    assert_eq!(watch.wait().unwrap().code(), Some(130));
    assert_eq!(rest.last().unwrap(), "The backfill goes on; only the watching has ended.");
    assert!(run.try_wait().unwrap().is_none(), "the run goes on");
    let_go(&target);
    assert_eq!(run.wait().unwrap().code(), Some(3));
}

#[test]
fn a_backfill_that_nobody_is_at_is_not_watched_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("filled");
    let mut run = begin(&target);
    interrupt(&run, "-INT");
    assert_eq!(run.wait().unwrap().code(), Some(130));
    snapfill(words(&target)).fails_with(1, &["no worker is at the backfill", "start it again"]);
    let json = snapfill([words(&target), vec!["--json".to_owned()]].concat()).ends_with(1);
    assert!(json.stdout.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let error: Value = serde_json::from_str(json.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["kind"], "cancelled");
    let never = folder.path().join("never");
    std::fs::create_dir(&never).unwrap();
    snapfill(words(&never)).fails_with(1, &[]);
    let mut wrong = words(&target);
    wrong.extend(["--every".to_owned(), "0".to_owned()]);
    assert_eq!(snapfill(wrong).code, Some(2));
}
