//! A backfill that is killed at any moment, interrupted, or run twice at once ends with exactly its documents.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use snapfill::cluster::{ClusterClient, LocalCluster};
use snapfill_tests::fixtures::{Fixture, assert_same};
use snapfill_tests::random::Random;
use snapfill_tests::target::{counts_of, documents_of};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::program::{SNAPFILL, path, run_arguments, snapfill};

const KILLS: usize = 20;

/// Kills that must have hit a target with some of its documents.
const KILLS_AMID: usize = 15;

/// Longer than any run here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn fixture() -> Fixture {
    Fixture::named("opensearch-2.19.6")
}

/// A run of many bulk requests, so that there is something to interrupt.
fn slow_run(target: &Path) -> Command {
    let mut command = Command::new(SNAPFILL);
    command.args(run_arguments(fixture(), "snap-2", target));
    command.args(["--bulk-documents", "1", "--workers", "2"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Waits for the first word about progress: from then on workers are at it.
async fn begin(child: &mut Child) {
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    timeout(PATIENCE, stderr.read_line(&mut line)).await.unwrap().unwrap();
    assert!(line.contains(" documents, "), "{line}");
    // Somebody must go on listening, or the program would find its standard error closed.
    tokio::spawn(async move { stderr.read_to_end(&mut Vec::new()).await });
}

async fn end(child: &mut Child) -> ExitStatus {
    timeout(PATIENCE, child.wait()).await.unwrap().unwrap()
}

/// When a run is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So long after its start: it may still be planning.
    After(Duration),
    /// When it has written so many documents more. Told by progress and not by time, it is met on a busy machine, too.
    Written(u64),
}

impl Moment {
    fn draw(random: &mut Random) -> Self {
        match random.below(5) {
            0 => Self::After(Duration::from_micros(random.below(60_000))),
            _ => Self::Written(1 + random.below(80)),
        }
    }
}

/// Kills the run at the moment. False if it ended before.
async fn kill(target: &Path, moment: Moment) -> bool {
    let goal = match moment {
        Moment::After(_) => 0,
        Moment::Written(more) => written(target).await + more,
    };
    let mut child = slow_run(target).spawn().unwrap();
    let mut look = match moment {
        Moment::After(time) => time,
        Moment::Written(_) => {
            begin(&mut child).await;
            Duration::from_micros(500)
        }
    };
    loop {
        if let Ok(status) = timeout(look, child.wait()).await {
            assert_eq!(status.unwrap().code(), Some(3));
            return false;
        }
        if written(target).await >= goal {
            child.kill().await.unwrap();
            return true;
        }
        look = Duration::from_micros(500);
    }
}

/// How many documents the target has.
async fn written(target: &Path) -> u64 {
    if !target.join("snapfill.db").is_file() {
        return 0;
    }
    let rows = LocalCluster::open_existing(target).unwrap().cat_indices().await.unwrap();
    rows.iter().filter_map(|row| row.docs_count).sum()
}

fn deep_status(target: &Path) -> Value {
    let target = path(target);
    snapfill(["backfill", "status", "--target", &target, "--deep-check", "--json"])
        .ends_with(0)
        .json()
}

/// After a kill the target may have more documents than the books say, never fewer. Says how many it has.
async fn assert_books_are_not_ahead(target: &Path, what: &str) -> u64 {
    if !target.join("snapfill.db").is_file() {
        return 0;
    }
    let counts = counts_of(target).await;
    for index in deep_status(target)["work"]["indices"].as_array().unwrap() {
        let there = counts.get(index["index"].as_str().unwrap()).copied().unwrap_or(0);
        let booked = index["books"]["written"].as_u64().unwrap();
        assert!(booked <= there, "{what}: {there} documents there, books {index}");
    }
    counts.values().sum()
}

async fn assert_done(target: &Path, what: &str) {
    let expected = fixture().expected_with_source("snap-2");
    assert_same(&documents_of(target).await, &expected, what);
    let status = deep_status(target);
    assert_eq!(status["end"], "completed_with_errors", "{what}");
    assert_eq!(status["work"]["books"]["overwritten"], 0, "{what}");
    assert_eq!(status["work"]["books"]["written"], expected.len(), "{what}");
    for index in status["work"]["indices"].as_array().unwrap() {
        let books = &index["books"];
        let skipped: u64 = books["skipped"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(_, count)| count.as_u64().unwrap())
            .sum();
        let accounted = books["written"].as_u64().unwrap() + skipped;
        assert_eq!(index["live"], accounted, "{what}: {index}");
    }
}

#[tokio::test]
async fn killed_at_twenty_moments_it_ends_with_exactly_its_documents() {
    let seed = std::env::var("SNAPFILL_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(7);
    eprintln!("SNAPFILL_SEED={seed}");
    let mut random = Random::new(seed);

    let expected = fixture().expected_with_source("snap-2").len() as u64;
    let mut target = tempfile::tempdir().unwrap();
    let (mut kills, mut amid, mut ends) = (0, 0, 0);
    while kills < KILLS || amid < KILLS_AMID {
        let moment = Moment::draw(&mut random);
        let what = format!("seed {seed}, kill {kills}: {moment:?}");
        if kill(target.path(), moment).await {
            kills += 1;
            let there = assert_books_are_not_ahead(target.path(), &what).await;
            amid += usize::from((1..expected).contains(&there));
            assert!(kills < 3 * KILLS, "{what}: {amid} hit the run amid its work");
        } else {
            ends += 1;
            assert!(ends < 10 * KILLS, "{what}: the run is too short to be killed");
            assert_done(target.path(), &what).await;
            target = tempfile::tempdir().unwrap();
        }
    }
    let mut last = slow_run(target.path()).spawn().unwrap();
    assert_eq!(end(&mut last).await.code(), Some(3));
    assert_done(target.path(), &format!("seed {seed}, at the end")).await;
    eprintln!("{kills} kills, {amid} of them amid the work, {ends} runs ended before one");
}

fn interrupt(child: &Child) {
    let kill = format!("kill -INT {}", child.id().unwrap());
    assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

#[tokio::test]
async fn interrupted_it_ends_in_order_and_goes_on_the_next_time() {
    let target = tempfile::tempdir().unwrap();
    let mut child = slow_run(target.path()).spawn().unwrap();
    begin(&mut child).await;
    interrupt(&child);
    let ended = timeout(Duration::from_secs(20), child.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(130));
    let status = deep_status(target.path());
    assert_eq!((&status["end"], &status["running"]), (&Value::Null, &Value::from(0)));
    assert_eq!(status["work"]["shards"]["in_progress"], 0, "what was held was let go");
    assert_books_are_not_ahead(target.path(), "interrupted").await;
    let mut again = slow_run(target.path()).spawn().unwrap();
    assert_eq!(end(&mut again).await.code(), Some(3));
    assert_done(target.path(), "interrupted, then gone on").await;
}

#[tokio::test]
async fn a_command_that_only_reads_ends_at_once_when_interrupted() {
    // Nobody reads its output, so it stands still once the pipe is full.
    let repository = path(&fixture().repository());
    let mut cat = Command::new(SNAPFILL);
    cat.args(["snapshot", "cat", &repository, "snap-2"]).kill_on_drop(true);
    let mut child = cat.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut first = [0];
    timeout(PATIENCE, child.stdout.as_mut().unwrap().read_exact(&mut first))
        .await
        .unwrap()
        .unwrap();
    interrupt(&child);
    assert_eq!(end(&mut child).await.code(), Some(130));
}

#[tokio::test]
async fn two_at_once_share_the_work() {
    let target = tempfile::tempdir().unwrap();
    let mut both = [(); 2].map(|()| slow_run(target.path()).spawn().unwrap());
    let [one, other] = &mut both;
    // Either listens only so that the program finds its standard error open.
    let ends = tokio::join!(end(one), end(other));
    assert_eq!((ends.0.code(), ends.1.code()), (Some(3), Some(3)));
    assert_done(target.path(), "two at once").await;
}
