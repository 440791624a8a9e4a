//! What is wrong around a run: the folder that is named, the disk, the rights. One line says what, where, and what to do.

use std::path::Path;
use std::process::Command;

use snapfill_tests::fixtures::{Fixture, assert_same};
use snapfill_tests::random::Random;
use snapfill_tests::target::documents_of;

use crate::program::{Ended, SNAPFILL, path, run_arguments, snapfill};

/// The commands that read a snapshot, and the code that each ends with when it cannot.
fn readers(repository: &str, snapshot: &str, target: &Path) -> Vec<(Vec<String>, i32)> {
    let target = path(target);
    let source = ["--repo", repository, "--snapshot", snapshot];
    let commands: [(Vec<&str>, i32); 7] = [
        (vec!["snapshot", "cat", repository, snapshot], 5),
        (vec!["snapshot", "verify", repository, snapshot], 5),
        (vec!["run", repository, snapshot, &target], 5),
        ([&["backfill", "run"], &source[..], &["--target", &target]].concat(), 5),
        ([&["backfill", "plan"], &source[..]].concat(), 5),
        ([&["clusters", "cat-indices"], &source[..]].concat(), 1),
        (vec!["snapshot", "describe", repository, snapshot], 1),
    ];
    let owned = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect();
    commands.into_iter().map(|(words, code)| (owned(words), code)).collect()
}

#[track_caller]
fn assert_refused(repository: &str, snapshot: &str, parts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    for (command, code) in readers(repository, snapshot, &target) {
        let ended = snapfill(&command).fails_with(code, parts);
        assert_eq!(ended.stdout, "", "{command:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{command:?}: {}", ended.stderr);
        assert!(!target.exists(), "{command:?} made a target");
    }
}

#[test]
fn what_is_no_repository_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    let empty = path(folder.path());
    assert_refused(&empty, "snap-1", &[&empty, "no snapshot repository", "`index-N`"]);
    let file = path(&file);
    assert_refused(&file, "snap-1", &[&file, "is a file", "is a folder"]);
    let absent = path(&folder.path().join("absent"));
    assert_refused(&absent, "snap-1", &[&absent, "no folder"]);
    assert_refused("gs://bucket/path", "snap-1", &["gs://", "copy the repository"]);
}

#[test]
fn a_snapshot_that_is_not_there_is_refused() {
    let repository = path(&Fixture::named("opensearch-2.19.6").repository());
    assert_refused(&repository, "snap-9", &["`snap-9`", "`snap-1`", "`snap-2`", &repository]);
}

#[test]
fn a_target_that_is_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let absent = path(&folder.path().join("absent"));
    for words in [
        vec!["backfill", "status", "--target", &absent],
        vec!["clusters", "cat-indices", "--target", &absent],
        vec!["get", &absent, "index", "id"],
    ] {
        snapfill(&words).fails_with(1, &[&absent, "snapfill.db", "check the path"]);
        assert!(!Path::new(&absent).exists(), "{words:?} made it");
    }
}

#[test]
fn a_target_that_cannot_be_written_is_refused() {
    let fixture = Fixture::named("opensearch-2.19.6");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    for target in [file.clone(), file.join("below")] {
        let refused = snapfill(run_arguments(fixture, "snap-1", &target));
        refused.fails_with(1, &[&path(&target), "target folder", "name a folder"]);
    }
    let kind = snapfill([run_arguments(fixture, "snap-1", &file), vec!["--json".into()]].concat());
    assert_eq!(kind.ends_with(1).json()["error"]["kind"], "io");
    assert_eq!(std::fs::read(&file).unwrap(), b"text");

    // Somebody else's database in its place.
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("snapfill.db"), "text".repeat(300)).unwrap();
    let refused = snapfill(run_arguments(fixture, "snap-1", &other));
    refused.fails_with(1, &[&path(&other), "no sound SQLite file", "another directory"]);
    assert_eq!(std::fs::read(other.join("snapfill.db")).unwrap(), "text".repeat(300).as_bytes());
}

/// Runs into a target whose files may grow to so many kibibytes.
fn run_with_little_room(fixture: Fixture, target: &Path, kibibytes: u64) -> Ended {
    let script = format!("ulimit -f {kibibytes}; trap '' XFSZ; exec \"$@\"");
    let mut bash = Command::new("bash");
    bash.args(["-c", &script, "bash", SNAPFILL]);
    bash.args(run_arguments(fixture, "snap-2", target)).args(["--bulk-documents", "10"]);
    bash.output().unwrap().into()
}

#[tokio::test]
async fn a_full_disk_ends_the_run_and_room_lets_it_go_on() {
    let fixture = Fixture::named("opensearch-2.19.6");
    let expected = fixture.expected_with_source("snap-2");
    let mut random = Random::new(11);
    let mut amid = 0;
    for step in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let kibibytes = 8 + 400 * step + random.below(400);
        let ended = run_with_little_room(fixture, folder.path(), kibibytes);
        let what = format!("{kibibytes} KiB");
        if ended.code == Some(3) {
            assert!(kibibytes > 500, "{what} cannot have been enough");
        } else {
            let file = path(&folder.path().join("snapfill.db"));
            ended.fails_with(1, &[&file, "check that it has room", "run again"]);
            let there = documents_of(folder.path()).await;
            assert!(there.iter().all(|line| expected.contains(line)), "{what}");
            amid += usize::from(!there.is_empty());
            snapfill(run_arguments(fixture, "snap-2", folder.path())).ends_with(3);
        }
        assert_same(&documents_of(folder.path()).await, &expected, &what);
    }
    assert!(amid >= 2, "the disk was to be full in the middle of the work");
}
