//! No secret shows anywhere: not in what is printed or logged, at whatever level, not in a file, not in a list of processes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use snapfill_tests::fixtures::Fixture;
use snapfill_tests::platform::FakeCluster;

use crate::program::{Ended, command, path};
use crate::worker::Running;

/// Each is told from every other text, and from the others.
const PASSWORD: &str = "pw-3Vq8zN-target";
const COORDINATOR_PASSWORD: &str = "pw-7Rk2xL-coordinator";
const IN_URL: &str = "pw-9Hd4cT-url";
const API_KEY: &str = "key-id-5:ak-6Mf1sW-apikey";
const TOKEN: &str = "tk-2Jb7yG-bearer";
const AWS_SECRET: &str = "aws-8Pz3uE-secret";
const AWS_SESSION: &str = "aws-4Xn6oA-session";
const PRIVATE_KEY: &str = "MIIkey1Wc5eR9privateQ";

/// The secrets, and what headers make of them.
fn secrets() -> Vec<String> {
    let encoded = [
        // of `me:` and each password, and of the API key
        "bWU6cHctM1ZxOHpOLXRhcmdldA",
        "bWU6cHctN1JrMnhMLWNvb3JkaW5hdG9y",
        "bWU6cHctOUhkNGNULXVybA",
        "a2V5LWlkLTU6YWstNk1mMXNXLWFwaWtleQ",
    ];
    let plain = [
        PASSWORD,
        COORDINATOR_PASSWORD,
        IN_URL,
        "ak-6Mf1sW-apikey",
        TOKEN,
        AWS_SECRET,
        AWS_SESSION,
        PRIVATE_KEY,
    ];
    plain.iter().chain(&encoded).map(|text| (*text).to_owned()).collect()
}

#[track_caller]
fn assert_clean(text: &[u8], of: &str) {
    for secret in secrets() {
        let shows = text.windows(secret.len()).any(|piece| piece == secret.as_bytes());
        assert!(!shows, "`{secret}` in {of}: {}", String::from_utf8_lossy(text));
    }
}

/// Looks into every file below a folder, SQLite files among them.
fn assert_clean_files(folder: &Path) -> usize {
    let mut looked_at = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            looked_at += assert_clean_files(&path);
        } else {
            assert_clean(&std::fs::read(&path).unwrap(), path.to_str().unwrap());
            looked_at += 1;
        }
    }
    looked_at
}

/// A way to log in: what is typed.
struct Way {
    name: &'static str,
    words: Vec<String>,
}

fn ways() -> Vec<Way> {
    let way = |name, words: &[&str]| Way {
        name,
        words: words.iter().map(|word| (*word).to_owned()).collect(),
    };
    vec![
        way("basic", &["--target-user", "me"]),
        way("api-key", &["--target-api-key-env", "PLANTED_API_KEY"]),
        way("token", &["--target-token-env", "PLANTED_TOKEN"]),
        way("aws", &["--target-aws-service", "es", "--target-aws-region", "eu-west-1"]),
    ]
}

/// The program with all secrets in its environment, at the highest level of its log.
fn with_secrets(words: &[String]) -> Command {
    let mut command = command(words);
    command.env("SNAPFILL_LOG_LEVEL", "trace");
    let planted = [
        ("SNAPFILL_TARGET_PASSWORD", PASSWORD),
        ("SNAPFILL_COORDINATOR_PASSWORD", COORDINATOR_PASSWORD),
        ("PLANTED_API_KEY", API_KEY),
        ("PLANTED_TOKEN", TOKEN),
        ("AWS_ACCESS_KEY_ID", "AKIAPLANTED"),
        ("AWS_SECRET_ACCESS_KEY", AWS_SECRET),
        ("AWS_SESSION_TOKEN", AWS_SESSION),
    ];
    command.envs(planted);
    command
}

struct Bench {
    cluster: FakeCluster,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { cluster: FakeCluster::start(), folder: tempfile::tempdir().unwrap() }
    }

    fn folder(&self, name: &str) -> String {
        path(&self.folder.path().join(name))
    }

    /// Words of a command about the run of a session of its own for each way.
    fn about(&self, way: &Way, words: &[&str]) -> Vec<String> {
        let state = self.folder(way.name);
        let place = ["--coordinator", "local", "--state", &state, "--target", self.cluster.url()];
        let words = words.iter().chain(&place).map(|word| (*word).to_owned());
        words.chain(way.words.iter().cloned()).collect()
    }

    /// Runs it and looks at what it says, as text and as JSON.
    fn call(&self, words: &[String]) -> Ended {
        let output = with_secrets(words).output().unwrap();
        let what = format!("what `{}` printed", words.join(" "));
        assert_clean(&output.stdout, &what);
        assert_clean(&output.stderr, &what);
        output.into()
    }
}

fn of_snapshot() -> Vec<String> {
    let repository = path(&Fixture::named("opensearch-2.19.6").repository());
    ["--repo", &repository, "--snapshot", "snap-2", "--index", "five"].map(str::to_owned).to_vec()
}

/// A whole life of a run, with documents that are refused.
fn live(bench: &Bench, way: &Way) {
    let selected = of_snapshot();
    let selected: Vec<_> = selected.iter().map(String::as_str).collect();
    let call = |words: &[&str]| bench.call(&bench.about(way, words));
    let run = [&["backfill", "run"], &selected[..]].concat();
    call(&run).ends_with(3);
    call(&["backfill", "status", "--deep-check", "--log-format", "json"]).ends_with(0);
    call(&["backfill", "failed", "summary", "--json"]).ends_with(0);
    call(&["backfill", "failed", "list"]).ends_with(0);
    call(&["backfill", "failed", "redrive"]).ends_with(1);
    call(&["backfill", "limit", "--docs-per-second", "1000"]).ends_with(0);
    call(&["worker", "--log-format", "json"]).ends_with(0);
    let archives = bench.folder("archives");
    let stopped = call(&["backfill", "stop", "--archive-dir", &archives, "--json"]).ends_with(0);
    let stopped = &stopped.stdout[stopped.stdout.find('{').unwrap()..];
    let archive: serde_json::Value = serde_json::from_str(stopped).unwrap();
    call(&run).ends_with(1);
    call(&["backfill", "restore", archive["archive"].as_str().unwrap()]).ends_with(0);
}

#[test]
fn no_secret_shows_in_the_life_of_a_run() {
    let bench = Bench::new();
    bench.cluster.refuse("f3", "mapper_parsing_exception", "it does not fit");
    for way in ways() {
        live(&bench, &way);
    }
    let looked_at = assert_clean_files(bench.folder.path());
    assert!(looked_at > 20, "{looked_at} files: the state, the archives and what was refused");
}

#[test]
fn no_secret_shows_when_it_is_refused_or_nobody_is_there() {
    let bench = Bench::new();
    bench.cluster.deny();
    let check = ["clusters", "connection-check", "--target"];
    for way in ways() {
        let selected = of_snapshot();
        let selected: Vec<_> = selected.iter().map(String::as_str).collect();
        for verb in ["plan", "run"] {
            let mut words = [&["backfill", verb], &selected[..]].concat();
            words.extend(["--target", bench.cluster.url()]);
            let words = words.iter().map(|word| (*word).to_owned());
            bench.call(&words.chain(way.words.iter().cloned()).collect::<Vec<_>>()).ends_with(1);
        }
        let words = check.iter().chain(&["http://127.0.0.1:1"]).map(|word| (*word).to_owned());
        bench.call(&words.chain(way.words.iter().cloned()).collect::<Vec<_>>()).ends_with(1);
    }
}

#[test]
fn no_secret_shows_that_stands_where_it_should_not() {
    let bench = Bench::new();
    let host = bench.cluster.url().strip_prefix("http://").unwrap();
    let key = bench.folder("key.pem");
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{PRIVATE_KEY}\n-----END PRIVATE KEY-----\n");
    std::fs::write(&key, pem).unwrap();
    let in_url = [format!("http://me:{IN_URL}@{host}"), format!("me:{IN_URL}@{host}")];
    let state = bench.folder("state");
    for url in &in_url {
        for words in [
            vec!["clusters", "info", "--target", url],
            vec!["backfill", "status", "--target", url, "--state", &state],
            vec!["backfill", "status", "--target", bench.cluster.url(), "--coordinator", url],
            vec!["worker", "--target", url],
            vec!["worker", "--target", bench.cluster.url(), "--coordinator", url],
        ] {
            let words: Vec<_> = words.into_iter().map(str::to_owned).collect();
            let ended = bench.call(&words);
            assert_ne!(ended.code, Some(0), "{ended:?}");
        }
    }
    let with_key = ["clusters", "info", "--target", "https://127.0.0.1:1", "--target-cert", &key];
    let ended = bench.call(&with_key.map(str::to_owned));
    assert_ne!(ended.code, Some(0), "{ended:?}");
    std::fs::remove_file(&key).unwrap();
    assert_clean_files(bench.folder.path());
}

/// What a list of processes shows of a process and its children.
fn command_lines(pid: u32) -> Vec<Vec<u8>> {
    let mut lines = vec![std::fs::read(format!("/proc/{pid}/cmdline")).unwrap()];
    let children = format!("/proc/{pid}/task/{pid}/children");
    let children = std::fs::read_to_string(PathBuf::from(children)).unwrap_or_default();
    for child in children.split_whitespace() {
        lines.extend(command_lines(child.parse().unwrap()));
    }
    lines
}

#[test]
fn no_secret_shows_in_the_list_of_processes() {
    let bench = Bench::new();
    bench.cluster.hang();
    let way = &ways()[0];
    let selected = of_snapshot();
    let selected: Vec<_> = selected.iter().map(String::as_str).collect();
    let words = bench.about(way, &[&["worker", "--grace", "0s"], &selected[..]].concat());
    let mut worker = with_secrets(&words);
    worker.stdin(Stdio::null());
    let mut running = Running::start(worker);
    running.wait_for("item taken");
    for line in command_lines(running.id()) {
        assert_clean(&line, "a list of processes");
    }
    running.terminate();
    let (code, said) = running.end();
    assert_eq!(code, Some(143));
    assert_clean(said.as_bytes(), "a log");
}

/// Sends the workers of a fleet away, however the test ends.
struct SentAway<'a>(&'a Bench, Vec<String>);

impl Drop for SentAway<'_> {
    fn drop(&mut self) {
        let _ = with_secrets(&self.1).output();
        let folder = self.0.folder.path();
        assert!(std::thread::panicking() || command_lines_about(folder).is_empty());
    }
}

/// What a list of processes shows of those that were told of a folder.
fn command_lines_about(folder: &Path) -> Vec<Vec<u8>> {
    let folder = folder.to_str().unwrap().as_bytes();
    let entries = std::fs::read_dir("/proc").unwrap();
    // A process may end while it is looked at.
    let lines = entries.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    lines.filter(|line| line.windows(folder.len()).any(|piece| piece == folder)).collect()
}

#[test]
fn no_secret_shows_of_a_fleet_of_processes() {
    let bench = Bench::new();
    let way = &ways()[0];
    let repository = path(&Fixture::named("opensearch-2.19.6").repository());
    let slowly = ["--bulk-documents", "1", "--max-docs-per-second", "5", "--workers", "2"];
    let start = ["backfill", "start", "--repo", &repository, "--snapshot", "snap-2"];
    let start = [&start[..], &["--index", "shapes"], &slowly].concat();
    bench.call(&bench.about(way, &start)).ends_with(0);
    let away = SentAway(&bench, bench.about(way, &["backfill", "pause"]));
    let lines = command_lines_about(bench.folder.path());
    assert_eq!(lines.len(), 3, "a supervisor and two workers");
    for line in lines {
        assert_clean(&line, "a list of processes");
    }
    for words in [
        &["backfill", "scale", "1"][..],
        &["backfill", "status", "--json"],
        &["backfill", "report"],
        &["backfill", "report", "--json"],
    ] {
        bench.call(&bench.about(way, words)).ends_with(0);
    }
    drop(away);
    assert!(assert_clean_files(bench.folder.path()) > 5);
}
