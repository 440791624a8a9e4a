//! A backfill that is stopped, and the ways back.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use snapfill::{Clock, SystemClock};
use snapfill_tests::fixtures::{Fixture, assert_same};
use snapfill_tests::platform::FakeCluster;
use snapfill_tests::random::Random;
use snapfill_tests::target::documents_of;

use crate::program::{Ended, command, path, run_arguments, snapfill};

fn fixture() -> Fixture {
    Fixture::named("opensearch-2.19.6")
}

fn backfill(words: &[&str]) -> Ended {
    snapfill([&["backfill"], words].concat())
}

/// A run of many bulk requests that is at it.
fn begin(target: &Path) -> Child {
    let mut command = command(run_arguments(fixture(), "snap-2", target));
    command.args(["--bulk-documents", "1"]);
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.contains(" documents, "), "{line}");
    std::thread::spawn(move || stderr.read_to_end(&mut Vec::new()));
    child
}

/// Where `stop` says that the archive lies.
fn archive_of(ended: &Ended) -> PathBuf {
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines[0], "Backfill stopped successfully.");
    assert_eq!(
        lines[1],
        "Workers of this machine set to 0 desired count. Currently 0 running and 0 pending."
    );
    assert_eq!(lines[2], "Archiving the working state of the backfill operation...");
    let waited = "RFS Workers are still running, waiting for them to complete...";
    assert!(lines.len() == 4 || lines[3] == waited, "{lines:?}");
    lines.last().unwrap().strip_prefix("Backfill working state archived to: ").unwrap().into()
}

#[tokio::test]
async fn a_run_is_stopped_by_another_process_and_restored_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let (target, archives) = (folder.path().join("target"), folder.path().join("archives"));
    let mut child = begin(&target);
    let (text, dir) = (path(&target), path(&archives));
    let of_target = ["--target", &text];
    let stop = [&["stop", "--archive-dir", &dir][..], &of_target].concat();
    let ended = backfill(&stop).ends_with(0);
    let archive = archive_of(&ended);
    assert!(archive.is_file() && archive.parent().unwrap().ends_with("archives"));
    let code = child.wait().unwrap().code();
    assert!(matches!(code, Some(1 | 3)), "stopped, or quicker than the stop: {code:?}");
    let again = backfill(&stop).ends_with(0);
    assert!(
        again.stdout.contains("Working state index doesn't exist, skipping archive operation.")
    );

    let run = run_arguments(fixture(), "snap-2", &target);
    let refused = snapfill(&run);
    refused.fails_with(1, &["was stopped", &path(&archive), "--from-scratch", "pause"]);
    let file = path(&archive);
    let restore = [&["restore", &file][..], &of_target].concat();
    let restored = backfill(&restore).ends_with(0);
    assert!(restored.stdout.starts_with("Backfill restored: "), "{restored:?}");
    assert!(restored.stdout.contains(" of 25 work items done, "), "{restored:?}");
    backfill(&restore).fails_with(1, &["has a working state already"]);
    snapfill(&run).ends_with(3);
    let expected = fixture().expected_with_source("snap-2");
    assert_same(&documents_of(&target).await, &expected, "restored");
}

#[test]
fn a_stopped_session_may_be_begun_anew_when_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    let (text, dir) = (path(&target), path(folder.path()));
    let run = run_arguments(fixture(), "snap-2", &target);
    let run = |more: &[&str]| {
        let mut words = run.clone();
        words.extend(["--index", "five"].iter().chain(more).map(|word| (*word).to_owned()));
        snapfill(words)
    };
    run(&[]).ends_with(0);
    let stop = ["stop", "--target", &text, "--archive-dir", &dir];
    archive_of(&backfill(&stop).ends_with(0));
    run(&[]).ends_with(1);
    let anew = run(&["--from-scratch"]).ends_with(0);
    assert!(anew.stderr.starts_with("From scratch: every document is written again"), "{anew:?}");
    assert!(anew.stdout.contains("\nOverwritten 7: "), "{anew:?}");
    run(&["--from-scratch"]).ends_with(0);
    let reset = ["reset", "--target", &text, "--archive-dir", &dir];
    let ended = backfill(&reset).ends_with(0);
    assert!(ended.stdout.starts_with("Backfill reset successfully.\n"), "{ended:?}");
    run(&[]).ends_with(0);
    let told = backfill(&[&reset[..], &["--json"]].concat()).ends_with(0).json();
    assert!(told["archive"].as_str().unwrap().contains("working_state_backup_"), "{told}");
}

#[test]
fn archives_go_where_users_look_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    let stop = |shared: Option<&Path>| {
        snapfill(run_arguments(fixture(), "snap-1", &target)).ends_with(0);
        let mut stop = command(["backfill", "reset", "--json", "--target", &path(&target)]);
        stop.current_dir(folder.path()).env_remove("SHARED_LOGS_DIR_PATH");
        if let Some(shared) = shared {
            stop.env("SHARED_LOGS_DIR_PATH", shared);
        }
        let ended = Ended::from(stop.output().unwrap()).ends_with(0).json();
        PathBuf::from(ended["archive"].as_str().unwrap())
    };
    let shared = folder.path().join("shared");
    let root = folder.path().canonicalize().unwrap();
    assert_eq!(stop(Some(&shared)).parent(), Some(&*root.join("shared/backfill_working_state")));
    assert_eq!(stop(None).parent(), Some(&*root.join("backfill_working_state")));
}

#[test]
fn archives_of_something_else_and_damaged_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    let dir = path(folder.path());
    snapfill(run_arguments(fixture(), "snap-2", &one)).ends_with(3);
    let ended = backfill(&["stop", "--target", &path(&one), "--archive-dir", &dir]).ends_with(0);
    let archive = archive_of(&ended);
    let restore = |target: &Path, more: &[&str]| {
        backfill(&[&["restore", &path(&archive), "--target", &path(target)], more].concat())
    };
    restore(&other, &[]).fails_with(1, &["the archive is of target", &path(&one)]);
    restore(&one, &["--session", "s2"]).fails_with(1, &["of session", "s2"]);
    let whole = std::fs::read(&archive).unwrap();
    std::fs::write(&archive, &whole[..whole.len() / 2]).unwrap();
    restore(&one, &[]).fails_with(1, &["damaged", &path(&archive)]);
    let absent = ["restore", "absent.json", "--target", &path(&one)];
    backfill(&absent).fails_with(1, &["absent.json", "meta.json"]);
    std::fs::write(&archive, &whole).unwrap();
    let told = restore(&one, &["--json"]).ends_with(0).json();
    assert_eq!((&told["items"], &told["completed"]), (&25.into(), &25.into()));
    snapfill(run_arguments(fixture(), "snap-2", &one)).ends_with(3);
}

#[test]
fn a_run_into_a_cluster_is_stopped_and_restored_without_a_word_of_its_password() {
    let cluster = FakeCluster::start();
    let folder = tempfile::tempdir().unwrap();
    let (state, dir) = (path(&folder.path().join("state")), path(&folder.path().join("archives")));
    let local = ["--coordinator", "local", "--state"];
    let of_run =
        [&["--target", cluster.url(), "--target-user", "me"][..], &local, &[&state]].concat();
    let call = |words: &[&str]| {
        let mut command = command([words, &of_run[..]].concat());
        let ended: Ended =
            command.env("SNAPFILL_TARGET_PASSWORD", "hunter2").output().unwrap().into();
        ended
    };
    let repository = path(&fixture().repository());
    let run = ["backfill", "run", "--repo", &repository, "--snapshot", "snap-2", "--index", "five"];
    call(&run).ends_with(0);
    let archive = archive_of(&call(&["backfill", "stop", "--archive-dir", &dir]).ends_with(0));
    let beside = std::fs::read_to_string(format!("{}.meta.json", path(&archive))).unwrap();
    let text = std::fs::read_to_string(&archive).unwrap();
    assert!(text.contains(cluster.url()) && beside.contains(cluster.url()));
    assert!(!text.contains("hunter2") && !beside.contains("hunter2"));
    call(&run).fails_with(1, &["was stopped"]);
    // Another machine: its folder knows nothing.
    let elsewhere = path(&folder.path().join("elsewhere"));
    let file = path(&archive);
    let restore = ["backfill", "restore", &file, "--target", cluster.url()];
    snapfill([&restore[..], &local, &[&elsewhere]].concat()).ends_with(0);
    call(&["backfill", "restore", &file]).ends_with(0);
    let ended = call(&run).ends_with(0);
    assert!(ended.stdout.ends_with("Backfill complete: all 5 shards done\n"), "{ended:?}");
}

/// Runs the program and kills it after so many microseconds, if it still runs then.
async fn kill_after(words: &[&str], micros: u64) -> Option<i32> {
    let mut child = command(words).spawn().unwrap();
    SystemClock::new().sleep(Duration::from_micros(micros)).await;
    let _ = child.kill();
    child.wait().unwrap().code()
}

#[tokio::test]
async fn a_stop_and_a_restore_that_are_killed_at_any_moment_are_ended_by_the_next() {
    let mut random = Random::new(5);
    let (mut cut_stops, mut cut_restores) = (0, 0);
    for round in 0..15 {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        let (text, dir) = (path(&target), path(folder.path()));
        let mut child = begin(&target);
        child.kill().unwrap();
        child.wait().unwrap();
        let stop = ["backfill", "stop", "--target", &text, "--archive-dir", &dir];
        cut_stops += usize::from(kill_after(&stop, random.below(12_000)).await.is_none());
        snapfill(stop).ends_with(0);
        let refused = snapfill(run_arguments(fixture(), "snap-2", &target)).ends_with(1).stderr;
        let (_, rest) = refused.split_once("`backfill restore ").unwrap();
        let archive = rest.split_once('`').unwrap().0;
        let restore = ["backfill", "restore", archive, "--target", &text];
        let cut = kill_after(&restore, random.below(12_000)).await.is_none();
        cut_restores += usize::from(cut);
        let again = snapfill(restore);
        assert!(
            again.code == Some(0) || again.stderr.contains("has a working state already"),
            "{again:?}"
        );
        snapfill(run_arguments(fixture(), "snap-2", &target)).ends_with(3);
        let expected = fixture().expected_with_source("snap-2");
        assert_same(&documents_of(&target).await, &expected, &format!("round {round}"));
    }
    assert!(cut_stops > 0 && cut_restores > 0, "{cut_stops} and {cut_restores} of 15");
}
