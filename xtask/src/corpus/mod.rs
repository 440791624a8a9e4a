//! `cargo xtask corpus`: a snapshot of any size, written by a real server.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use snapfill_harness::{Http, Options, Server, Version};

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::stopwatch::{Stopwatch, pause};
use crate::workspace::Workspace;

mod document;

const INDEX: &str = "big";
const SNAPSHOT: &str = "snap-1";
const BULK_BYTES: usize = 8 << 20;
const GIB: f64 = (1_u64 << 30) as f64;
const MIB: f64 = (1_u64 << 20) as f64;
/// How often a bulk request that the server was too busy for is sent again.
const ATTEMPTS: u32 = 30;

/// What was asked for.
#[derive(Debug)]
struct Order {
    source_bytes: u64,
    out: PathBuf,
    version: Version,
}

/// What has been indexed.
#[derive(Debug, Default)]
struct Written {
    documents: u64,
    source_bytes: u64,
}

pub(crate) fn run(_: &Workspace, words: &[String]) -> Result {
    let order = order(words)?;
    let out = make_empty(&order.out)?;
    println!("Starting {} …", order.version);
    let mut options = Options::default();
    options.repos = vec![out.join("repo")];
    options.scratch = Some(out.clone());
    let server = Server::start_with(order.version, &options)?;
    let written = fill(server.http(), order.source_bytes)?;
    println!("Taking the snapshot …");
    take_snapshot(&server)?;
    let facts = facts(&server, &written)?;
    server.stop()?;
    let path = out.join("facts.json");
    fs::write(&path, format!("{facts:#}\n")).map_err(Failure::at(&path))?;
    println!(
        "{} documents, {:.1} MiB of source: snapshot {SNAPSHOT} in {}",
        written.documents,
        written.source_bytes as f64 / MIB,
        out.join("repo").display()
    );
    Ok(())
}

fn order(words: &[String]) -> Result<Order> {
    let arguments = Arguments::parse(words, &[], &["--gib", "--out", "--server"])?;
    let gib = arguments.required("--gib")?;
    let size = gib.parse().ok().filter(|size: &f64| size.is_finite() && *size > 0.0);
    let size = size.ok_or_else(|| Failure::Usage(format!("--gib {gib} is no size")))?;
    let name = arguments.value("--server").unwrap_or(Version::OpenSearch2_19_6.name());
    let version = name.parse().map_err(|error| Failure::Usage(format!("--server: {error}")))?;
    let out = PathBuf::from(arguments.required("--out")?);
    Ok(Order { source_bytes: (size * GIB) as u64, out, version })
}

/// The output folder, which must hold nothing yet: nothing of anyone's is ever overwritten.
fn make_empty(out: &Path) -> Result<PathBuf> {
    fs::create_dir_all(out).map_err(Failure::at(out))?;
    if fs::read_dir(out).map_err(Failure::at(out))?.next().is_some() {
        return Failure::failed(format!("{} is not empty", out.display()));
    }
    fs::canonicalize(out).map_err(Failure::at(out))
}

fn fill(http: Http, source_bytes: u64) -> Result<Written> {
    let settings = json!({
        "settings": {
            "index.number_of_shards": 1,
            "index.number_of_replicas": 0,
            "index.refresh_interval": "-1",
        },
        // Only what costs little to index: it is the stored source that matters here.
        "mappings": {
            "dynamic": false,
            "properties": {"sequence": {"type": "long"}, "@timestamp": {"type": "date"}},
        },
    });
    http.call("PUT", &format!("/{INDEX}"), &settings.to_string())?;
    let watch = Stopwatch::start();
    let mut written = Written::default();
    let mut next_report = 0;
    while written.source_bytes < source_bytes {
        let mut body = String::with_capacity(BULK_BYTES + (8 << 10));
        while body.len() < BULK_BYTES && written.source_bytes < source_bytes {
            body += &format!("{{\"index\":{{\"_id\":\"{}\"}}}}\n", written.documents);
            let start = body.len();
            document::write(written.documents, &mut body);
            written.source_bytes += (body.len() - start) as u64;
            written.documents += 1;
            body.push('\n');
        }
        send(http, &body)?;
        if written.source_bytes >= next_report {
            let done = written.source_bytes as f64;
            let (mib, rate) = (done / MIB, done / MIB / watch.seconds());
            println!("{mib:.0} MiB, {:.0} % ({rate:.1} MiB/s)", done * 100.0 / source_bytes as f64);
            next_report = written.source_bytes + source_bytes / 10;
        }
    }
    Ok(written)
}

/// Sends one bulk request, again while the server is too busy: writing a document twice under its
/// id does no harm but for a deleted one in the segments.
fn send(http: Http, body: &str) -> Result {
    let path = format!("/{INDEX}/_bulk?filter_path=errors,items.*.error.reason");
    for _ in 0..ATTEMPTS {
        let response = http.request("POST", &path, body.as_bytes())?;
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        match response.status {
            200 if answer["errors"] == false => return Ok(()),
            429 => pause(Duration::from_secs(1)),
            status => {
                let text: String = answer.to_string().chars().take(1000).collect();
                return Failure::failed(format!("a bulk request was answered {status}: {text}"));
            }
        }
    }
    Failure::failed(format!("the server was too busy for {ATTEMPTS} attempts"))
}

fn take_snapshot(server: &Server) -> Result {
    let repository = json!({"type": "fs", "settings": {"location": server.repo_dir()}});
    server.call("PUT", "/_snapshot/repo", &repository.to_string())?;
    let selection = json!({"indices": INDEX, "include_global_state": false}).to_string();
    let path = format!("/_snapshot/repo/{SNAPSHOT}?wait_for_completion=true");
    let snapshot = server.call("PUT", &path, &selection)?;
    match snapshot["snapshot"]["state"].as_str() {
        Some("SUCCESS") => Ok(()),
        _ => Failure::failed(format!("the snapshot did not succeed: {snapshot}")),
    }
}

/// What one needs to know to check a reader against the snapshot.
fn facts(server: &Server, written: &Written) -> Result<Value> {
    server.call("POST", &format!("/{INDEX}/_refresh"), "")?;
    let count = server.call("GET", &format!("/{INDEX}/_count"), "")?;
    if count["count"] != written.documents {
        let sent = written.documents;
        return Failure::failed(format!("{sent} documents were sent, the server has {count}"));
    }
    Ok(json!({
        "server": server.version().name(),
        "index": INDEX,
        "snapshot": SNAPSHOT,
        "documents": written.documents,
        "source_bytes": written.source_bytes,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read() {
        let words: Vec<String> =
            ["--gib=0.5", "--out", "x", "--server", "opensearch-3.8.0"].map(str::to_owned).into();
        let order = order(&words).unwrap();
        assert_eq!(order.source_bytes, 1 << 29);
        assert_eq!(order.version, Version::OpenSearch3_8_0);
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        assert!(make_empty(folder.path()).is_ok());
        fs::write(folder.path().join("mine"), "").unwrap();
        assert!(matches!(make_empty(folder.path()), Err(Failure::Failed(_))));
    }
}
