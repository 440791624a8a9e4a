//! The incumbent's commands over its own `services.yaml`: every line that its users know, as they know it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use snapfill::{Clock, SystemClock};
use snapfill_tests::fixtures::Fixture;
use snapfill_tests::platform::FakeCluster;

use crate::program::{Ended, SNAPFILL, path};

const PASSWORD: &str = "hunter2-of-the-file";

/// A migration as its users have one: a file, and the program under the name that they know.
struct Console {
    folder: tempfile::TempDir,
    fake: FakeCluster,
}

impl Console {
    fn new() -> Self {
        let console = Self { folder: tempfile::tempdir().unwrap(), fake: FakeCluster::start() };
        let repository = path(&Fixture::named("elasticsearch-7.10.2").repository());
        let text = format!(
            "source_cluster:\n  endpoint: {0}\n  no_auth:\n\
             target_cluster:\n  endpoint: {0}\n  basic_auth:\n    username: admin\n    password: {PASSWORD}\n\
             backfill:\n  reindex_from_snapshot:\n    docker:\n\
             snapshot:\n  snapshot_name: snap-1\n  fs:\n    repo_path: {repository}\n\
             metadata_migration:\n  from_snapshot:\n",
            console.fake.url()
        );
        std::fs::write(console.file(), text).unwrap();
        std::os::unix::fs::symlink(SNAPFILL, console.folder.path().join("console")).unwrap();
        console
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("services.yaml")
    }

    fn archives(&self) -> PathBuf {
        self.folder.path().join("shared-logs/backfill_working_state")
    }

    fn says(&self, words: &str) -> Ended {
        let mut command = std::process::Command::new(self.folder.path().join("console"));
        command.args(["--config-file", &path(&self.file())]).args(words.split(' '));
        command.env("SNAPFILL_COORDINATOR", "local");
        command.env("SNAPFILL_STATE", self.folder.path().join("state"));
        command.env("SHARED_LOGS_DIR_PATH", self.folder.path().join("shared-logs"));
        let ended: Ended = command.output().unwrap().into();
        let ended = ended.ends_with(0);
        let shown = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!shown.contains(PASSWORD), "{words}: {shown}");
        ended
    }

    fn deep(&self) -> Value {
        self.says("backfill status --deep-check --json").json()
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..600 {
            if is_so(self) {
                return;
            }
            SystemClock::new().sleep(Duration::from_millis(100)).await;
        }
        panic!("never: {what}; {}", self.deep());
    }

    /// What processes of this migration were told, on their command lines and in their environments.
    fn told(&self) -> Vec<String> {
        let folder = path(self.folder.path());
        let mut told = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            for name in ["cmdline", "environ"] {
                let text = std::fs::read(entry.path().join(name)).unwrap_or_default();
                let text = String::from_utf8_lossy(&text).replace('\0', " ");
                if text.contains(&folder) {
                    told.push(text);
                }
            }
        }
        told
    }
}

/// The archive's name without the time at which it was made.
fn without_time(archive: &Path) -> String {
    let name = archive.file_name().unwrap().to_str().unwrap();
    name.chars().map(|letter| if letter.is_ascii_digit() { '9' } else { letter }).collect()
}

#[tokio::test]
async fn a_migration_from_its_start_to_its_archive() {
    let console = Console::new();
    let slow = "--max-docs-per-second 20 --bulk-documents 1";
    let started = console.says(&format!("backfill start {slow}")).stdout;
    assert_eq!(
        started,
        "Backfill started successfully.\nWorkers of this machine set to 1 desired count. Currently 1 running and 0 pending.\n"
    );
    console.until("it has begun", |console| console.fake.bulks() > 0).await;
    let told = console.told();
    assert!(told.iter().any(|text| text.contains("worker")), "{told:?}");
    assert!(told.iter().all(|text| !text.contains(PASSWORD)), "a secret among {told:?}");

    let status = console.says("backfill status").stdout;
    assert_eq!(status, "BackfillStatus.RUNNING\nRunning=1\nPending=0\nDesired=1\n");
    let deep = console.says("backfill status --deep-check").stdout;
    let lines: Vec<_> = deep.lines().collect();
    assert_eq!(
        lines[..5],
        ["BackfillStatus.RUNNING", "Running=1", "Pending=0", "Desired=1", "Shards total: 8"]
    );
    for (line, start) in lines[5..9].iter().zip([
        "Shards completed: ",
        "Shards incomplete: ",
        "Shards in progress: ",
        "Shards unclaimed: ",
    ]) {
        let number = line.strip_prefix(start).unwrap_or_else(|| panic!("{line}"));
        number.parse::<u64>().unwrap();
    }

    let scaled = console.says("backfill scale 5").stdout;
    assert_eq!(
        scaled,
        "Workers of this machine set to 5 desired count. Currently 5 running and 0 pending.\n"
    );
    let paused = console.says("backfill pause").stdout;
    let mut lines = paused.lines();
    assert_eq!(lines.next(), Some("Backfill paused successfully."));
    let line = lines.next().unwrap();
    assert!(
        line.starts_with("Workers of this machine set to 0 desired count. Currently "),
        "{line}"
    );
    let status = console.says("backfill status").stdout;
    assert_eq!(status, "BackfillStatus.STOPPED\nRunning=0\nPending=0\nDesired=0\n");

    console.says("backfill limit --docs-per-second none");
    console.says("backfill scale 3");
    console.until("complete", |console| console.deep()["end"] == "completed").await;
    let deep = console.says("backfill status --deep-check").stdout;
    let counts = "Shards total: 8\nShards completed: 8\nShards incomplete: 0\nShards in progress: 0\nShards unclaimed: 0\n";
    assert!(deep.contains(counts), "{deep}");
    assert!(deep.contains("\nBackfill complete: all 8 shards done\n"), "{deep}");

    let stopped = console.says("backfill stop").stdout;
    let archives: Vec<_> = std::fs::read_dir(console.archives())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|file| !file.to_str().unwrap().ends_with(".meta.json"))
        .collect();
    let [archive] = archives.as_slice() else { panic!("{archives:?}") };
    assert_eq!(without_time(archive), "working_state_backup_99999999999999.json");
    assert!(!std::fs::read_to_string(archive).unwrap().contains(PASSWORD));
    let lines: Vec<_> = stopped.lines().collect();
    assert_eq!(lines[0], "Backfill stopped successfully.", "{stopped}");
    let change = "Workers of this machine set to 0 desired count. Currently ";
    assert!(lines[1].starts_with(change), "{stopped}");
    assert_eq!(lines[2], "Archiving the working state of the backfill operation...");
    let archived = format!("Backfill working state archived to: {}", archive.display());
    let waited = "RFS Workers are still running, waiting for them to complete...";
    // Workers that had ended by themselves are not waited for.
    assert!(
        lines[3..] == [waited, archived.as_str()] || lines[3..] == [archived.as_str()],
        "{stopped}"
    );
}

#[test]
fn indices_are_listed_for_both_clusters() {
    let console = Console::new();
    console.fake.put("books", "1", "{}");
    let table = "health status index uuid pri rep docs.count docs.deleted store.size pri.store.size\n       open   books u                     1\n";
    let listed = console.says("clusters cat-indices").stdout;
    assert_eq!(listed, format!("SOURCE CLUSTER\n{table}\nTARGET CLUSTER\n{table}\n"));
    let told = console.says("clusters cat-indices --json").json();
    for side in ["source_cluster", "target_cluster"] {
        let row = &told[side][0];
        assert_eq!((row["index"].as_str(), row["docs.count"].as_str()), (Some("books"), Some("1")));
    }
}
