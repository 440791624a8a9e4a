//! Workers that are killed, a network that is cut and a server that is restarted: the target ends with exactly its documents.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use snapfill_harness::{Cable, Server, Version, runs};
use snapfill_tests::fixtures::{Line, assert_same};
use snapfill_tests::node::documents_on;
use snapfill_tests::random::Random;
use tokio::process::{Child, Command};
use tokio::time::{interval, timeout};

use crate::program::{SNAPFILL, path, snapfill};

const WORKERS: usize = 8;
const SHARDS: usize = 40;
const DOCUMENTS: usize = 48_000;

/// Longer than it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

fn expected() -> Vec<Line> {
    let mut lines: Vec<Line> = (0..DOCUMENTS)
        .map(|number| Line {
            index: "chaos".into(),
            doc_type: None,
            id: format!("d{number}"),
            routing: None,
            parent: None,
            source: Some(format!("{{\"n\":{number},\"text\":\"{}\"}}", "ab ".repeat(number % 50))),
        })
        .collect();
    lines.sort();
    lines
}

/// A snapshot of an index that is deleted afterwards.
fn take_snapshot(server: &Server, lines: &[Line]) {
    let settings = json!({
        "settings": {"number_of_shards": SHARDS, "number_of_replicas": 0},
        "mappings": {"dynamic": false},
    });
    server.call("PUT", "/chaos", &settings.to_string()).unwrap();
    for lines in lines.chunks(4000) {
        let mut body = String::new();
        for line in lines {
            let source = line.source.as_deref().unwrap();
            writeln!(body, "{{\"index\":{{\"_id\":\"{}\"}}}}\n{source}", line.id).unwrap();
        }
        let answer = server.call("POST", "/chaos/_bulk", &body).unwrap();
        assert_eq!(answer["errors"], false, "{answer}");
    }
    let repository = json!({"type": "fs", "settings": {"location": server.repo_dir()}});
    server.call("PUT", "/_snapshot/repo", &repository.to_string()).unwrap();
    let taken = server.call("PUT", "/_snapshot/repo/one?wait_for_completion=true", "").unwrap();
    assert_eq!(taken["snapshot"]["state"], "SUCCESS", "{taken}");
    server.call("DELETE", "/chaos", "").unwrap();
}

/// How often a document was written more than once.
fn repeats(server: &Server) -> u64 {
    let query = json!({"size": 5000, "version": true, "_source": false, "sort": ["_doc"]});
    let mut page = server.call("POST", "/chaos/_search?scroll=1m", &query.to_string()).unwrap();
    let mut repeats = 0;
    loop {
        let hits = page["hits"]["hits"].as_array().unwrap();
        if hits.is_empty() {
            return repeats;
        }
        repeats += hits.iter().map(|hit| hit["_version"].as_u64().unwrap() - 1).sum::<u64>();
        let next = json!({"scroll": "1m", "scroll_id": page["_scroll_id"]}).to_string();
        page = server.call("POST", "/_search/scroll", &next).unwrap();
    }
}

/// The workers of a run, started anew when they end before their time.
struct Fleet {
    arguments: Vec<String>,
    workers: Vec<Option<Child>>,
    kills: u32,
}

impl Fleet {
    fn start(arguments: Vec<String>) -> Self {
        let workers = (0..WORKERS).map(|_| Some(Self::spawn(&arguments))).collect();
        Self { arguments, workers, kills: 0 }
    }

    fn spawn(arguments: &[String]) -> Child {
        let mut command = Command::new(SNAPFILL);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.kill_on_drop(true).spawn().unwrap()
    }

    /// Whether every worker has found that nothing is left. One that was killed, or lost the cluster, is replaced.
    fn tend(&mut self) -> bool {
        for worker in &mut self.workers {
            let Some(child) = worker else { continue };
            match child.try_wait().unwrap() {
                Some(status) if status.success() => *worker = None,
                Some(_) => *worker = Some(Self::spawn(&self.arguments)),
                None => {}
            }
        }
        self.workers.iter().all(Option::is_none)
    }

    fn kill_one(&mut self, random: &mut Random) {
        let place = usize::try_from(random.below(WORKERS as u64)).unwrap();
        if let Some(child) = &mut self.workers[place] {
            child.start_kill().unwrap();
            self.kills += 1;
        }
    }
}

fn worker(server: &Server, cable: &Cable, state: &str) -> Vec<String> {
    let words = format!(
        "worker --target {} --coordinator {} --repo {} --snapshot one --session chaos --state {state} --lease 3s \
         --bulk-documents 10 --bulks-in-flight 1 --max-docs-per-second 150",
        server.url(),
        cable.url(),
        path(server.repo_dir()),
    );
    words.split(' ').map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_whatever_happens_to_workers_network_and_server() {
    if !runs(Version::OpenSearch2_19_6) {
        return;
    }
    let lines = expected();
    let mut server = Server::start(Version::OpenSearch2_19_6).unwrap();
    take_snapshot(&server, &lines);
    let state = tempfile::tempdir().unwrap();
    let port = server.url().rsplit(':').next().unwrap().parse().unwrap();
    let cable = Cable::to_port(port).unwrap();
    let arguments = worker(&server, &cable, &path(state.path()));
    let mut fleet = Fleet::start(arguments);
    let mut random = Random::new(0xC4A05);
    let run = async {
        let mut seconds = interval(Duration::from_secs(1));
        for second in 0_u32.. {
            seconds.tick().await;
            if fleet.tend() {
                return second;
            }
            fleet.kill_one(&mut random);
            match second {
                // Longer than a lease.
                8 => cable.cut(),
                14 => cable.mend(),
                20 | 30 => server.restart().unwrap(),
                _ => {}
            }
        }
        0
    };
    let seconds = timeout(PATIENCE, run).await.expect("the run comes to its end");
    assert!(seconds > 30, "all faults fell into the run: it took {seconds} s");
    assert!(fleet.kills >= 20, "{} workers were killed", fleet.kills);

    let status = ["backfill", "status", "--deep-check", "--json", "--session", "chaos"];
    let status = snapfill([&status[..], &["--target", server.url()]].concat()).ends_with(0).json();
    let work: &Value = &status["work"];
    assert_eq!(status["end"], "completed", "{work}");
    assert_eq!(work["items"]["completed"], SHARDS, "{work}");
    assert_eq!(work["books"]["written"], DOCUMENTS, "{work}");
    assert_eq!(work["books"]["overwritten"], 0, "{work}");
    let shards = 0..u32::try_from(SHARDS).unwrap();
    let mut found: Vec<_> =
        shards.flat_map(|shard| documents_on(&server, "chaos", shard)).collect();
    found.sort();
    assert_same(&found, &lines, "chaos");
    let repeats = repeats(&server);
    println!("{repeats} documents were written twice, of {DOCUMENTS}; {} kills", fleet.kills);
    assert!(repeats * 20 < DOCUMENTS as u64, "{repeats} of {DOCUMENTS} documents twice");
}
