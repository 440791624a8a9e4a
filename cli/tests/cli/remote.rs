//! A working state in an index of a real cluster: it is stopped, restored, reset, and workers of other processes are waited
//! for.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr};

use serde_json::Value;
use snapfill_harness::{Server, Version, runs};
use snapfill_tests::fixtures::{Fixture, assert_same};
use snapfill_tests::node::{by_index, documents_of};

use crate::program::{Ended, command, path, snapfill};

/// What is selected: three indices of several shards, 409 documents.
const INDICES: [&str; 3] = ["shapes", "five", "routed"];

/// Short, so that a stop looks again soon.
const LEASE: [&str; 2] = ["--lease", "3s"];

/// So that a run can be met amid its work.
const SLOWLY: [&str; 4] = ["--bulk-documents", "1", "--max-docs-per-second", "60"];

/// A run of a session into a real cluster.
struct OfRun<'a> {
    server: &'a Server,
    session: &'a str,
    folder: &'a Path,
}

impl OfRun<'_> {
    fn words(&self, words: &[&str]) -> Vec<String> {
        let state = path(&self.folder.join("state"));
        let of_run = ["--target", self.server.url(), "--session", self.session, "--state", &state];
        words.iter().chain(&of_run).map(|word| (*word).to_owned()).collect()
    }

    fn call(&self, words: &[&str]) -> Ended {
        snapfill(self.words(words))
    }

    fn run_words(&self, more: &[&str]) -> Vec<String> {
        let repository = path(&Fixture::named("opensearch-2.19.6").repository());
        let run = ["backfill", "run", "--repo", &repository, "--snapshot", "snap-2"];
        let indices = INDICES.iter().flat_map(|index| ["--index", index]).collect::<Vec<_>>();
        self.words(&[&run[..], &indices, &LEASE, more].concat())
    }

    fn run(&self, more: &[&str]) -> Ended {
        snapfill(self.run_words(more))
    }

    /// Begins a run and interrupts it when it has written something, but not all.
    fn run_half(&self) {
        let mut child = command(self.run_words(&SLOWLY)).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        wait_for(&mut stderr, " documents, ");
        wait_until(|| self.written() > 0);
        signal(&child, "INT");
        stderr.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(self.written() < 409, "the run was to be interrupted amid its work");
    }

    /// A worker that is at it, and for some seconds: these shards have most of the documents.
    fn worker(&self) -> (Child, BufReader<ChildStderr>) {
        let mut child = command(self.words(&["worker"])).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        wait_for(&mut stderr, "item taken index=shapes ");
        (child, stderr)
    }

    fn stop_words(&self) -> Vec<String> {
        let dir = path(&self.folder.join("archives"));
        self.words(&["backfill", "stop", "--archive-dir", &dir])
    }

    /// Stops the run, and says where its archive lies.
    fn stop(&self) -> PathBuf {
        let archive = archive_of(&snapfill(self.stop_words()).ends_with(0));
        assert!(!self.is_there(), "the working state is gone");
        archive
    }

    fn restore(&self, archive: &Path) -> Ended {
        self.call(&["backfill", "restore", &path(archive)])
    }

    fn is_there(&self) -> bool {
        let index = format!("/.migrations_working_state_{}", self.session);
        self.server.http().request("GET", &index, b"").unwrap().status == 200
    }

    fn deep_status(&self) -> Value {
        self.call(&["backfill", "status", "--deep-check", "--json"]).ends_with(0).json()
    }

    fn written(&self) -> u64 {
        self.deep_status()["work"]["books"]["written"].as_u64().unwrap()
    }

    /// All documents are there, each once, and the books say so.
    fn assert_done(&self, overwritten: u64) {
        let expected = by_index(Fixture::named("opensearch-2.19.6").expected_with_source("snap-2"));
        let status = self.deep_status();
        assert_eq!(status["end"], "completed", "{status}");
        for index in status["work"]["indices"].as_array().unwrap() {
            let (name, books) = (index["index"].as_str().unwrap(), &index["books"]);
            assert_same(&documents_of(self.server, name), &expected[name], name);
            assert_eq!(books["written"], expected[name].len(), "{index}");
            assert_eq!(index["live"], books["written"], "{index}");
        }
        assert_eq!(status["work"]["books"]["overwritten"], overwritten);
    }

    fn delete_documents(&self) {
        for index in INDICES {
            self.server.call("DELETE", &format!("/{index}"), "").unwrap();
        }
    }
}

/// Reads on until it says this, and gives what it said until then.
fn wait_for(output: &mut impl BufRead, what: &str) -> String {
    let mut said = String::new();
    while !said.contains(what) || !said.ends_with('\n') {
        assert_ne!(output.read_line(&mut said).unwrap(), 0, "it ended before it said `{what}`");
    }
    said
}

fn wait_until(mut is_so: impl FnMut() -> bool) {
    assert!((0..50_000).any(|_| is_so()), "it never came to be");
}

fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// The fleet's line of a stop of workers that somebody else runs.
const NOBODY_HERE: &str =
    "Workers of this machine set to 0 desired count. Currently 0 running and 0 pending.";

/// Where `stop` says that the archive lies.
fn archive_of(ended: &Ended) -> PathBuf {
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines[0], "Backfill stopped successfully.", "{ended:?}");
    assert_eq!(lines[1], NOBODY_HERE);
    assert_eq!(lines[2], "Archiving the working state of the backfill operation...");
    lines.last().unwrap().strip_prefix("Backfill working state archived to: ").unwrap().into()
}

#[test]
fn a_working_state_on_a_real_cluster_is_stopped_restored_and_reset() {
    if !runs(Version::OpenSearch2_19_6) {
        return;
    }
    let server = Server::start(Version::OpenSearch2_19_6).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let of_run = |session| OfRun { server: &server, session, folder: folder.path() };
    assert_eq!(of_run("a").deep_status()["status"], "NOT_STARTED");
    assert!(!folder.path().join("state").exists(), "who only looks makes no folder");
    half_a_run_is_stopped_restored_and_ended(&of_run("a"));
    what_does_not_fit_is_not_restored(&of_run("b"));
    a_worker_is_waited_for_and_goes(&of_run("c"));
    a_worker_that_is_killed_during_a_stop_is_waited_for_until_its_lease_is_over(&of_run("d"));
    half_a_plan_is_stopped_and_restored(&of_run("e"));
}

fn half_a_run_is_stopped_restored_and_ended(run: &OfRun<'_>) {
    run.run_half();
    assert!(run.is_there());
    let before = run.deep_status();
    assert_eq!(before["work"]["items"]["in_progress"], 0);
    let archive = run.stop();
    assert!(archive.parent().unwrap().ends_with("archives"), "{archive:?}");
    let again = snapfill(run.stop_words()).ends_with(0).stdout;
    assert_eq!(
        again,
        format!(
            "Backfill stopped successfully.\n{NOBODY_HERE}\nWorking state index doesn't exist, skipping archive operation.\n"
        )
    );
    run.run(&[]).fails_with(1, &["was stopped", &path(&archive), "--from-scratch", "session"]);
    assert!(!run.is_there(), "what was refused made nothing");
    let restored = run.restore(&archive).ends_with(0).stdout;
    assert!(restored.starts_with("Backfill restored: "), "{restored}");
    assert_eq!(run.deep_status(), before);
    run.restore(&archive).fails_with(1, &["has a working state already"]);
    run.run(&[]).ends_with(0);
    run.assert_done(0);
    // Begun anew, after a stop as it is said and after a reset as usual.
    run.stop();
    run.run(&[]).ends_with(1);
    run.run(&["--from-scratch"]).ends_with(0);
    run.assert_done(409);
    let dir = path(run.folder);
    let reset = run.call(&["backfill", "reset", "--archive-dir", &dir]).ends_with(0);
    assert!(reset.stdout.starts_with("Backfill reset successfully.\n"), "{reset:?}");
    assert!(!run.is_there());
    run.delete_documents();
    run.run(&[]).ends_with(0);
    run.assert_done(0);
    run.delete_documents();
}

fn what_does_not_fit_is_not_restored(run: &OfRun<'_>) {
    run.run(&["--max-docs-per-shard", "1"]).ends_with(0);
    let archive = run.stop();
    let file = path(&archive);
    let elsewhere = ["backfill", "restore", &file, "--session", "b", "--coordinator"];
    let elsewhere =
        [&elsewhere[..], &[run.server.url(), "--target", "http://127.0.0.1:1"]].concat();
    snapfill(elsewhere).fails_with(1, &["the archive is of target", run.server.url()]);
    let of_other = OfRun { session: "other", ..*run };
    of_other.restore(&archive).fails_with(1, &["of session `b`", "`other`"]);
    let whole = std::fs::read_to_string(&archive).unwrap();
    let half = &whole[..whole.len() / 2];
    let other_snapshot = whole.replace("snap-2", "snap-1");
    assert_ne!(other_snapshot, whole);
    for damaged in [half, &other_snapshot] {
        std::fs::write(&archive, damaged).unwrap();
        run.restore(&archive).fails_with(1, &["damaged", &file]);
    }
    std::fs::write(&archive, &whole).unwrap();
    assert!(!run.is_there() && !of_other.is_there(), "what was refused made nothing");
    run.restore(&archive).ends_with(0);
    run.run(&[]).fails_with(1, &["session b"]);
    let repository = path(&Fixture::named("opensearch-2.19.6").repository());
    let of_snapshot = ["backfill", "run", "--repo", &repository, "--snapshot", "snap-1"];
    run.call(&of_snapshot).fails_with(1, &["session b"]);
    run.run(&["--max-docs-per-shard", "1"]).ends_with(0);
    run.delete_documents();
}

fn a_worker_is_waited_for_and_goes(run: &OfRun<'_>) {
    run.run_half();
    let (mut worker, mut stderr) = run.worker();
    let ended = snapfill(run.stop_words()).ends_with(0);
    assert!(
        ended.stdout.contains("RFS Workers are still running, waiting for them to complete..."),
        "{ended:?}"
    );
    let archive = archive_of(&ended);
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert!(said.contains("the backfill was stopped: this worker let go what it held\n"), "{said}");
    assert_eq!(worker.wait().unwrap().code(), Some(0));
    run.call(&["worker"]).fails_with(1, &["nothing is planned under this session"]);
    run.restore(&archive).ends_with(0);
    run.run(&[]).ends_with(0);
    run.assert_done(0);
    run.delete_documents();
}

fn a_worker_that_is_killed_during_a_stop_is_waited_for_until_its_lease_is_over(run: &OfRun<'_>) {
    run.run_half();
    let (mut worker, _stderr) = run.worker();
    // It cannot see that it is to go.
    signal(&worker, "STOP");
    let mut stop = command(run.stop_words()).spawn().unwrap();
    let mut stdout = BufReader::new(stop.stdout.take().unwrap());
    let mut said = wait_for(&mut stdout, "Workers are still running");
    worker.kill().unwrap();
    worker.wait().unwrap();
    stdout.read_to_string(&mut said).unwrap();
    let ended = Ended { stdout: said, ..stop.wait_with_output().unwrap().into() };
    let archive = archive_of(&ended);
    assert!(!run.is_there());
    run.restore(&archive).ends_with(0);
    run.run(&[]).ends_with(0);
    // What the dead had under way was sent again, and is known as that.
    run.assert_done(0);
    run.delete_documents();
}

fn half_a_plan_is_stopped_and_restored(run: &OfRun<'_>) {
    let child = command(run.run_words(&SLOWLY)).spawn().unwrap();
    wait_until(|| run.is_there());
    signal(&child, "KILL");
    child.wait_with_output().unwrap();
    // An index that was made a moment ago is not readable at once.
    let status = ["backfill", "status"];
    wait_until(|| run.call(&status).code == Some(0));
    // It may have been killed between the index and the first document in it.
    if run.deep_status()["status"] != "NOT_STARTED" {
        let archive = run.stop();
        run.restore(&archive).ends_with(0);
    }
    run.run(&[]).ends_with(0);
    run.assert_done(0);
}
