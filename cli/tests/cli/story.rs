//! The whole story of a backfill as users of the incumbent know it, on a real cluster: the console's commands and nothing but
//! a `services.yaml`, every line looked at.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use snapfill::{Clock, SystemClock};
use snapfill_harness::{Server, Version, runs};
use snapfill_tests::fixtures::{Fixture, assert_same};
use snapfill_tests::node::{by_index, documents_of};

use crate::program::{Ended, SNAPFILL, path};

const INDICES: [&str; 3] = ["best", "routed", "shapes"];

/// Of those indices.
const SHARDS: u64 = 8;

/// A terminal of somebody who has the console and a `services.yaml`.
struct Terminal {
    folder: tempfile::TempDir,
    server: Server,
}

impl Terminal {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(SNAPFILL, folder.path().join("console")).unwrap();
        let server = Server::start(Version::OpenSearch2_19_6).unwrap();
        let repository = path(&fixture().repository());
        let services = format!(
            "target_cluster:\n  endpoint: {}\n  no_auth:\nbackfill:\n  reindex_from_snapshot:\n    docker:\n\
             snapshot:\n  snapshot_name: snap-2\n  fs:\n    repo_path: {repository}\n",
            server.url()
        );
        std::fs::write(folder.path().join("services.yaml"), services).unwrap();
        Self { folder, server }
    }

    fn console(&self, words: &str) -> Ended {
        let mut console = Command::new(self.folder.path().join("console"));
        console
            .args(words.split_whitespace())
            .env("SNAPFILL_CONFIG", self.folder.path().join("services.yaml"))
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .env("SHARED_LOGS_DIR_PATH", self.folder.path().join("logs"));
        Ended::from(console.output().unwrap()).ends_with(0)
    }

    fn lines(&self, words: &str) -> Vec<String> {
        self.console(words).stdout.lines().map(str::to_owned).collect()
    }

    /// The nine lines that the incumbent prints, as words and numbers.
    fn deep_status(&self) -> (String, [u64; 8]) {
        let lines = self.lines("backfill status --deep-check");
        let number = |at: usize, name: &str| -> u64 {
            let line = lines.get(at).unwrap_or_else(|| panic!("{at} of {lines:?}"));
            let rest = line.strip_prefix(name).unwrap_or_else(|| panic!("{name} in {line}"));
            rest.parse().unwrap()
        };
        let names = [
            "Running=",
            "Pending=",
            "Desired=",
            "Shards total: ",
            "Shards completed: ",
            "Shards incomplete: ",
            "Shards in progress: ",
            "Shards unclaimed: ",
        ];
        let mut numbers = [0; 8];
        for (at, name) in names.into_iter().enumerate() {
            numbers[at] = number(at + 1, name);
        }
        (lines[0].clone(), numbers)
    }

    async fn until(&self, what: &str, is_so: impl Fn((String, [u64; 8])) -> bool) {
        for _ in 0..600 {
            if is_so(self.deep_status()) {
                return;
            }
            SystemClock::new().sleep(Duration::from_millis(100)).await;
        }
        panic!("never {what}: {:?}", self.console("backfill status --deep-check"));
    }

    fn archives(&self) -> PathBuf {
        self.folder.path().join("logs/backfill_working_state")
    }
}

impl Drop for Terminal {
    /// A test that failed leaves no worker behind.
    fn drop(&mut self) {
        let mut console = Command::new(self.folder.path().join("console"));
        let _ = console
            .args(["backfill", "pause"])
            .env("SNAPFILL_CONFIG", self.folder.path().join("services.yaml"))
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .output();
    }
}

fn fixture() -> Fixture {
    Fixture::named("opensearch-2.19.6")
}

fn set_to(desired: u64, running: u64) -> String {
    format!(
        "Workers of this machine set to {desired} desired count. Currently {running} running and 0 pending."
    )
}

/// Rows of a table of indices: name and number of documents.
fn documents_in(lines: &[String]) -> Vec<(String, u64)> {
    let head: Vec<_> = lines[0].split_whitespace().collect();
    let columns =
        "health status index uuid pri rep docs.count docs.deleted store.size pri.store.size";
    assert_eq!(head, columns.split(' ').collect::<Vec<_>>());
    let rows = lines[1..].iter().take_while(|line| !line.is_empty()).map(|line| {
        let cells: Vec<_> = line.split_whitespace().collect();
        (cells[2].to_owned(), cells[6].replace(',', "").parse().unwrap())
    });
    rows.collect()
}

#[tokio::test]
async fn from_cat_indices_to_the_archive() {
    if !runs(Version::OpenSearch2_19_6) {
        return;
    }
    let terminal = Terminal::new();
    before_it_begins(&terminal);
    it_begins(&terminal).await;
    it_is_scaled_and_paused(&terminal);
    it_ends(&terminal).await;
    it_is_stopped(&terminal);
}

fn before_it_begins(terminal: &Terminal) {
    let lines = terminal.lines("clusters cat-indices");
    assert_eq!(lines[0], "SOURCE CLUSTER");
    let source = documents_in(&lines[1..]);
    for index in INDICES {
        assert!(source.iter().any(|(name, documents)| name == index && *documents > 0));
    }
    let target = lines.iter().position(|line| line == "TARGET CLUSTER").unwrap();
    let target = documents_in(&lines[target + 1..]);
    assert!(target.iter().all(|(name, _)| !INDICES.contains(&name.as_str())), "{target:?}");
    let lines = terminal.lines("backfill status --deep-check");
    assert_eq!(
        lines[..5],
        ["BackfillStatus.NOT_STARTED", "Running=0", "Pending=0", "Desired=0", "Shards total: 0"]
    );
    assert_eq!(lines.last().unwrap(), "Planning is not finished");
}

async fn it_begins(terminal: &Terminal) {
    let slow =
        "--index best --index routed --index shapes --max-docs-per-second 20 --bulk-documents 1";
    let lines = terminal.lines(&format!("backfill start {slow} --lease 6s"));
    assert_eq!(lines, ["Backfill started successfully.".to_owned(), set_to(1, 1)]);
    terminal.until("is something in progress", |(_, numbers)| numbers[6] > 0).await;
    let (status, numbers) = terminal.deep_status();
    assert_eq!(status, "BackfillStatus.RUNNING");
    let [running, pending, desired, total, completed, incomplete, ..] = numbers;
    assert_eq!((running, pending, desired), (1, 0, 1));
    assert_eq!((total, completed + incomplete), (SHARDS, SHARDS));
}

fn it_is_scaled_and_paused(terminal: &Terminal) {
    assert_eq!(terminal.lines("backfill scale 5"), [set_to(5, 5)]);
    assert_eq!(
        terminal.lines("backfill status"),
        ["BackfillStatus.RUNNING", "Running=5", "Pending=0", "Desired=5"]
    );
    let lines = terminal.lines("backfill pause");
    assert_eq!(lines[0], "Backfill paused successfully.");
    assert!(lines[1].starts_with("Workers of this machine set to 0 desired count. "), "{lines:?}");
    assert_eq!(lines.len(), 2);
    assert_eq!(
        terminal.lines("backfill status"),
        ["BackfillStatus.STOPPED", "Running=0", "Pending=0", "Desired=0"]
    );
    assert_eq!(terminal.lines("backfill scale 3"), [set_to(3, 3)]);
}

async fn it_ends(terminal: &Terminal) {
    terminal.console("backfill limit --docs-per-second none");
    terminal
        .until("complete", |(status, numbers)| {
            status == "BackfillStatus.STOPPED" && numbers[4] == SHARDS
        })
        .await;
    let (_, numbers) = terminal.deep_status();
    assert_eq!(numbers, [0, 0, 0, SHARDS, SHARDS, 0, 0, 0]);
    let said = terminal.console("backfill status --deep-check").stdout;
    assert!(said.contains(&format!("\nBackfill complete: all {SHARDS} shards done\n")), "{said}");

    let expected = by_index(fixture().expected_with_source("snap-2"));
    for index in INDICES {
        let found = documents_of(&terminal.server, index);
        assert_same(&found, &expected[index], index);
    }
    let lines = terminal.lines("clusters cat-indices");
    let target = lines.iter().position(|line| line == "TARGET CLUSTER").unwrap();
    let (source, target) = (documents_in(&lines[1..]), documents_in(&lines[target + 1..]));
    let status = terminal.console("backfill status --deep-check --json").json();
    let moved = status["work"]["indices"].as_array().unwrap();
    for index in INDICES {
        let count = |rows: &[(String, u64)]| {
            rows.iter().find(|(name, _)| name == index).map(|(_, documents)| *documents)
        };
        assert_eq!(count(&source), count(&target), "{index}");
        // Lucene's count, which has the nested documents too.
        let nested =
            moved.iter().find(|one| one["index"] == index).unwrap()["books"]["nested"].as_u64();
        assert_eq!(
            count(&target),
            nested.map(|nested| expected[index].len() as u64 + nested),
            "{index}"
        );
    }
}

fn it_is_stopped(terminal: &Terminal) {
    let lines = terminal.lines("backfill stop");
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(lines[0], "Backfill stopped successfully.");
    assert_eq!(lines[1], set_to(0, 0));
    assert_eq!(lines[2], "Archiving the working state of the backfill operation...");
    let archive = lines[3].strip_prefix("Backfill working state archived to: ").unwrap();
    let archive = PathBuf::from(archive);
    assert_eq!(archive.parent().unwrap(), terminal.archives());
    let name = archive.file_name().unwrap().to_str().unwrap();
    let stamp =
        name.strip_prefix("working_state_backup_").and_then(|name| name.strip_suffix(".json"));
    assert!(
        stamp.is_some_and(
            |stamp| stamp.len() == 14 && stamp.bytes().all(|byte| byte.is_ascii_digit())
        )
    );
    let batches: Vec<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_slice(&std::fs::read(&archive).unwrap()).unwrap();
    let items: usize = batches.iter().map(serde_json::Map::len).sum();
    assert_eq!(items as u64, SHARDS + 1, "every shard and the run");
    assert_eq!(
        terminal.lines("backfill stop"),
        [
            "Backfill stopped successfully.",
            &set_to(0, 0),
            "Working state index doesn't exist, skipping archive operation."
        ]
    );
}
