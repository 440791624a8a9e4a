//! A worker of its own, as a supervisor or a container runs it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use snapfill::{Clock, SystemClock};
use snapfill_tests::fixtures::Fixture;
use snapfill_tests::platform::FakeCluster;

use crate::program::{Ended, command, path, snapfill};

/// So that a worker can be met amid its work.
const SLOWLY: [&str; 4] = ["--bulk-documents", "1", "--max-docs-per-second", "20"];

/// Of the run that a worker plans itself.
fn of_snapshot() -> Vec<String> {
    let repository = path(&Fixture::named("opensearch-2.19.6").repository());
    ["--repo", &repository, "--snapshot", "snap-2"].map(str::to_owned).to_vec()
}

/// A worker that plans the run into a folder itself.
fn worker(target: &Path, more: &[&str]) -> Command {
    let mut command = command(["worker", "--index", "shapes", "--target", &path(target)]);
    command.args(of_snapshot()).args(more);
    command
}

/// A worker that was started, and what it says.
pub(crate) struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr }
    }

    /// Waits for a line that holds `what`.
    pub(crate) fn wait_for(&mut self, what: &str) -> String {
        let mut line = String::new();
        while !line.contains(what) {
            line.clear();
            let read = self.stderr.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "it ended before it said `{what}`");
        }
        line
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// What it said to its end, and its exit code.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nothing is held, and something is left to be done.
fn assert_let_go(target: &Path) {
    let target = path(target);
    let status = ["backfill", "status", "--target", &target, "--deep-check", "--json"];
    let status = snapfill(status).ends_with(0).json();
    assert_eq!(status["work"]["shards"]["in_progress"], 0, "{status}");
    assert_eq!(status["end"], Value::Null, "it was to be met amid its work: {status}");
}

/// What a worker answers whose log says where.
fn get(line: &str, path: &str) -> (u16, String) {
    let address = line.trim_end().rsplit_once("address=").unwrap().1;
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

#[test]
fn a_worker_whose_supervisor_died_lets_go_and_ends() {
    let target = tempfile::tempdir().unwrap();
    let mut command = worker(target.path(), &SLOWLY);
    command.arg("--until-stdin-closes").stdin(Stdio::piped());
    let mut running = Running::start(command);
    running.wait_for("item taken");
    assert!(running.child.try_wait().unwrap().is_none(), "its supervisor lives");
    drop(running.child.stdin.take());
    assert_eq!(running.end().0, Some(143));
    assert_let_go(target.path());
    // Dead before the worker began: the usual end, and no waiting.
    let mut late = worker(target.path(), &SLOWLY);
    let ended = late.arg("--until-stdin-closes").output().unwrap();
    assert_eq!(ended.status.code(), Some(143));
}

#[test]
fn a_worker_is_told_everything_by_its_environment() {
    let folder = tempfile::tempdir().unwrap();
    let target = path(folder.path());
    let words = of_snapshot();
    let variables = [
        ("SNAPFILL_TARGET", &*target),
        ("SNAPFILL_REPO", &words[1]),
        ("SNAPFILL_SNAPSHOT", "snap-2"),
        ("SNAPFILL_INDEX", "five\nrouted"),
        ("SNAPFILL_RENAME_PREFIX", "new-"),
        ("SNAPFILL_DISABLE_REFRESH", "true"),
        ("SNAPFILL_BULK_DOCUMENTS", "3"),
        ("SNAPFILL_WORKERS", "2"),
    ];
    let mut by_environment = command(["worker"]);
    Ended::from(by_environment.envs(variables).output().unwrap()).ends_with(0);
    let status = ["backfill", "status", "--target", &target, "--deep-check", "--json"];
    let status = snapfill(status).ends_with(0).json();
    let names: Vec<_> = status["work"]["indices"].as_array().unwrap().iter().collect();
    assert_eq!((names.len(), &status["end"]), (2, &"completed".into()), "{status}");
    let listed = snapfill(["clusters", "cat-indices", "--target", &target]).ends_with(0).stdout;
    assert!(listed.contains("new-five") && listed.contains("new-routed"), "{listed}");
    // What is typed counts more, and what is wrong is refused like a flag.
    let mut wrong = command(["worker"]);
    wrong.envs(variables).env("SNAPFILL_WORKERS", "none");
    let refused = Ended::from(wrong.output().unwrap()).ends_with(2);
    assert!(refused.stderr.contains("--workers"), "{refused:?}");
    wrong.args(["--workers", "1"]);
    Ended::from(wrong.output().unwrap()).ends_with(0);
    let help = command(["worker", "--help"]).env("SNAPFILL_TARGET", "hunter2").output().unwrap();
    let help = Ended::from(help).ends_with(0).stdout;
    assert!(help.contains("[env: SNAPFILL_STALL_LEASES]") && !help.contains("hunter2"), "{help}");
}

#[test]
fn a_worker_that_stays_waits_for_a_run_sees_it_to_its_end_and_waits_again() {
    let folder = tempfile::tempdir().unwrap();
    let target = path(&folder.path().join("target"));
    let staying = ["worker", "--when-done", "stay", "--target", &target];
    let mut running = Running::start(command(staying));
    running.wait_for("waiting for work why=nothing is planned");
    let run = ["run", &of_snapshot()[1], "snap-2", &target, "--index", "five"];
    snapfill(run).ends_with(0);
    running.wait_for("waiting for work why=nothing is left to be done");
    running.terminate();
    assert_eq!(running.end().0, Some(143));
    // Without staying there is nothing to wait for.
    snapfill(["worker", "--target", &target]).ends_with(0);
    let elsewhere = path(&folder.path().join("elsewhere"));
    snapfill(["worker", "--target", &elsewhere]).fails_with(1, &["nothing is planned"]);
}

#[test]
fn a_worker_that_stays_begins_nothing_again_that_was_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (target, dir) = (folder.path().join("target"), path(folder.path()));
    let mut running = Running::start(worker(&target, &["--when-done", "stay", "--index", "five"]));
    running.wait_for("waiting for work why=nothing is left to be done");
    let stop = ["backfill", "stop", "--target", &path(&target), "--archive-dir", &dir];
    snapfill(stop).ends_with(0);
    let line = running.wait_for("waiting for work why=");
    assert!(line.contains("was stopped"), "{line}");
    running.terminate();
    assert_eq!(running.end().0, Some(143));
}

#[test]
fn a_worker_tells_those_who_watch_it_what_it_has_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut more = SLOWLY.to_vec();
    more.extend(["--listen", "127.0.0.1:0"]);
    let mut running = Running::start(worker(folder.path(), &more));
    let address = running.wait_for("answering /healthz and /metrics");
    running.wait_for("item finished");
    assert_eq!(get(&address, "/healthz").0, 200);
    let (status, metrics) = get(&address, "/metrics");
    assert_eq!(status, 200);
    assert!(metrics.contains("content-type: application/openmetrics-text; version=1.0.0"));
    let value = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {metrics}")).parse::<f64>().unwrap()
    };
    for name in ["documents", "written_bytes", "bulks", "items_taken", "items_completed"] {
        assert!(value(&format!("snapfill_{name}_total")) > 0.0, "{name}: {metrics}");
    }
    for name in ["retries", "failed_documents", "items_failed", "leases_lost"] {
        assert!(value(&format!("snapfill_{name}_total")).abs() < 1e-9, "{name}: {metrics}");
    }
    assert!(value("snapfill_bulks_in_flight_limit") >= 1.0 && metrics.ends_with("# EOF\n"));
    for name in ["leases_held", "bulks_in_flight", "sending_paused", "documents_per_second"] {
        assert!(value(&format!("snapfill_{name}")) >= 0.0, "{name}: {metrics}");
    }
    assert!(metrics.contains("snapfill_build_info{version=\""), "{metrics}");
    assert_eq!(get(&address, "/").0, 404);
    running.terminate();
    assert_eq!(running.end().0, Some(143));
    assert_let_go(folder.path());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let refused = snapfill(["worker", "--target", "x", "--listen", &taken]);
    refused.fails_with(2, &["cannot listen at", "--listen"]);
}

#[tokio::test]
async fn a_worker_that_does_not_come_forward_says_so_and_ends_when_its_grace_is_over() {
    let cluster = FakeCluster::start();
    cluster.hang();
    let folder = tempfile::tempdir().unwrap();
    let state = path(folder.path());
    let mut stuck = command(["worker", "--target", cluster.url(), "--index", "five"]);
    stuck.args(of_snapshot()).args(["--coordinator", "local", "--state", &state]);
    stuck.args(["--lease", "3s", "--stall-leases", "1", "--grace", "0s"]);
    stuck.args(["--listen", "127.0.0.1:0"]);
    let mut running = Running::start(stuck);
    let address = running.wait_for("answering /healthz and /metrics");
    running.wait_for("item taken");
    let mut answer = get(&address, "/healthz");
    while answer.0 == 200 {
        SystemClock::new().sleep(Duration::from_millis(50)).await;
        answer = get(&address, "/healthz");
    }
    let (status, body) = answer;
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("nothing came forward for"), "{body}");
    let metrics = get(&address, "/metrics").1;
    assert!(metrics.contains("\nsnapfill_leases_held 1"), "{metrics}");
    running.terminate();
    let (code, said) = running.end();
    assert_eq!(code, Some(143), "{said}");
    assert!(said.contains("the grace period is over"), "{said}");
}
