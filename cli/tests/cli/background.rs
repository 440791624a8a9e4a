//! A fleet of worker processes that any terminal controls.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use snapfill::{Clock, SystemClock};
use snapfill_tests::fixtures::{Fixture, assert_same};
use snapfill_tests::target::documents_of;

use crate::program::{Ended, path, snapfill};

fn fixture() -> Fixture {
    Fixture::named("opensearch-2.19.6")
}

/// A run into a folder, controlled by commands that share nothing but the folder's name.
struct Run {
    folder: tempfile::TempDir,
}

impl Run {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("target")
    }

    fn command(&self, words: &[&str]) -> Ended {
        let target = path(&self.target());
        snapfill([&["backfill"], words, &["--target", &target]].concat())
    }

    /// Begins a run that takes its time.
    fn start_slow(&self, more: &[&str]) -> Ended {
        let repository = path(&fixture().repository());
        let run = ["start", "--repo", &repository, "--snapshot", "snap-2", "--lease", "4s"];
        let slow = ["--max-docs-per-second", "20", "--bulk-documents", "1"];
        self.command(&[&run[..], &slow, more].concat())
    }

    fn hurry(&self) {
        self.command(&["limit", "--docs-per-second", "none"]).ends_with(0);
    }

    fn counts(&self) -> (u64, u64, u64) {
        let status = self.command(&["status", "--json"]).ends_with(0).json();
        let count = |name: &str| status[name].as_u64().unwrap();
        (count("running"), count("pending"), count("desired"))
    }

    fn has_begun(&self) -> bool {
        let status = self.command(&["status", "--deep-check", "--json"]).ends_with(0).json();
        status["work"]["books"]["written"].as_u64().unwrap() > 0
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..600 {
            if is_so(self) {
                return;
            }
            SystemClock::new().sleep(Duration::from_millis(100)).await;
        }
        panic!("never: {what}; {:?}", self.command(&["status", "--deep-check"]));
    }

    async fn until_complete(&self) {
        self.until("complete", |run| {
            let status = run.command(&["status", "--deep-check", "--json"]).json();
            status["end"] == "completed_with_errors" && status["running"] == 0
        })
        .await;
        let expected = fixture().expected_with_source("snap-2");
        assert_same(&documents_of(&self.target()).await, &expected, "by workers in the background");
        self.until("no process is left", |run| run.processes("").is_empty()).await;
    }

    /// The processes of the run whose command line holds a word.
    fn processes(&self, word: &str) -> Vec<u32> {
        let target = path(self.folder.path());
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(process) = entry.file_name().to_string_lossy().parse() else { continue };
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if line.contains(&target) && line.contains(word) {
                found.push(process);
            }
        }
        found
    }

    fn kill(&self, word: &str) {
        let found = self.processes(word);
        assert!(!found.is_empty(), "nobody to be killed");
        for process in found {
            let killed = Command::new("kill").args(["-9", &process.to_string()]).status();
            assert!(killed.unwrap().success());
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        for process in self.processes("") {
            let _ = Command::new("kill").args(["-9", &process.to_string()]).status();
        }
    }
}

fn set_to(desired: u64) -> String {
    format!("Workers of this machine set to {desired} desired count. Currently ")
}

#[tokio::test]
async fn another_terminal_scales_pauses_and_goes_on() {
    let run = Run::new();
    let started = run.start_slow(&[]).ends_with(0);
    let lines: Vec<_> = started.stdout.lines().collect();
    assert_eq!(lines[0], "Backfill started successfully.");
    assert_eq!(lines[1], set_to(1) + "1 running and 0 pending.");
    assert_eq!(run.counts(), (1, 0, 1));
    run.until("it has begun", Run::has_begun).await;

    let scaled = run.command(&["scale", "3"]).ends_with(0).stdout;
    assert_eq!(scaled, set_to(3) + "3 running and 0 pending.\n");
    assert_eq!(run.counts(), (3, 0, 3));
    run.start_slow(&[]).ends_with(0);
    assert_eq!(run.counts(), (3, 0, 3), "a second start shrinks nothing");

    let paused = run.command(&["pause"]).ends_with(0).stdout;
    assert!(paused.starts_with("Backfill paused successfully.\n"), "{paused}");
    assert!(paused.contains(&set_to(0)), "{paused}");
    assert_eq!(run.counts(), (0, 0, 0));
    assert!(run.processes("").is_empty(), "nobody is left");
    run.command(&["pause"]).ends_with(0);

    run.command(&["scale", "2"]).ends_with(0);
    assert_eq!(run.counts(), (2, 0, 2));
    run.hurry();
    run.until_complete().await;
    assert_eq!(run.counts(), (0, 0, 0), "workers end by themselves");
    run.command(&["start"]).ends_with(0);
    run.until_complete().await;
    let watched = run.command(&["watch", "--when-done", "pause"]).ends_with(3).stdout;
    let paused = format!("Backfill paused successfully.\n{}0 running and 0 pending.\n", set_to(0));
    assert!(watched.ends_with(&paused), "{watched}");
}

#[tokio::test]
async fn workers_whose_supervisor_is_killed_end_by_themselves_and_a_start_goes_on() {
    let run = Run::new();
    run.start_slow(&["--workers", "2"]).ends_with(0);
    run.until("it has begun", Run::has_begun).await;
    run.kill("supervise");
    run.until("the workers are gone", |run| run.processes("").is_empty()).await;
    let (running, _, desired) = run.counts();
    assert_eq!((running, desired), (0, 2), "what was wanted is known");
    run.command(&["start"]).ends_with(0);
    assert_eq!(run.counts(), (2, 0, 2));
    run.hurry();
    run.until_complete().await;
}

#[tokio::test]
async fn a_worker_that_is_killed_begins_again() {
    let run = Run::new();
    run.start_slow(&[]).ends_with(0);
    run.until("it has begun", Run::has_begun).await;
    let before = run.processes("worker");
    run.kill("worker");
    run.until("another one", |run| {
        let now = run.processes("worker");
        !now.is_empty() && now != before
    })
    .await;
    run.hurry();
    run.until_complete().await;
}

#[tokio::test]
async fn a_busy_fleet_is_stopped_restored_and_ends_what_it_began() {
    let run = Run::new();
    let archives = path(&run.folder.path().join("archives"));
    run.start_slow(&["--workers", "2"]).ends_with(0);
    run.until("it has begun", Run::has_begun).await;
    let stopped = run.command(&["stop", "--archive-dir", &archives]).ends_with(0).stdout;
    let lines: Vec<_> = stopped.lines().collect();
    assert_eq!(lines[0], "Backfill stopped successfully.");
    assert!(lines[1].starts_with(&set_to(0)), "{lines:?}");
    assert_eq!(lines[2], "Archiving the working state of the backfill operation...");
    assert_eq!(lines[3], "RFS Workers are still running, waiting for them to complete...");
    let archive = lines[4].strip_prefix("Backfill working state archived to: ").unwrap();
    assert!(Path::new(archive).is_file());
    assert!(run.processes("").is_empty(), "nobody is left");
    let again = run.command(&["stop", "--archive-dir", &archives]).ends_with(0).stdout;
    assert!(again.ends_with("Working state index doesn't exist, skipping archive operation.\n"));
    run.start_slow(&[]).fails_with(1, &["was stopped", archive, "--from-scratch", "pause"]);
    run.command(&["start"]).fails_with(1, &["nothing is planned", "--repo"]);
    run.command(&["restore", archive]).ends_with(0);
    run.command(&["start", "--workers", "2"]).ends_with(0);
    run.hurry();
    run.until_complete().await;
}

#[tokio::test]
async fn a_fleet_that_cannot_work_says_why() {
    let run = Run::new();
    run.command(&["scale", "2"]).fails_with(1, &["nothing is planned", "--snapshot"]);
    run.start_slow(&[]).ends_with(0);
    run.until("it has begun", Run::has_begun).await;
    let repository = path(&fixture().repository());
    run.command(&["start", "--repo", &repository, "--snapshot", "snap-1"])
        .fails_with(1, &["snap-2", "session"]);
    assert_eq!(run.counts(), (1, 0, 1), "what is refused changes nothing");
    run.command(&["pause"]).ends_with(0);
}
