//! How much memory a run takes at most, whatever the size of its documents.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use snapfill_tests::hostile::HostileRepository;
use snapfill_tests::lucene_writer::{Index, Mode};
use snapfill_tests::random::Random;

use crate::program::{Ended, command, path};

/// Bulks in flight.
const BULKS: usize = 8;

/// Bytes of a large document.
const LARGE: usize = 20_000_000;

/// How many large ones there are, behind small ones with which the worker finds out how many bulks it may have out.
const LARGE_COUNT: usize = 17;
const SMALL_COUNT: usize = 60;

/// The most that a run may take.
const MOST_KIBIBYTES: u64 = 300_000_000 >> 10;

/// How long a bulk is held back at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the target has seen.
#[derive(Debug, Default)]
struct Seen {
    /// Bulks that are out and hold a large document.
    open_large: usize,
    most_large: usize,
    documents: usize,
    /// The process that sends, and the most memory that it has had at any bulk.
    sender: Option<u32>,
    peak_kibibytes: u64,
}

/// A cluster that answers large documents only when as many are out as there may be, until it has seen that many.
#[derive(Debug, Default)]
struct Slow {
    /// Large ones that are to be out before any is answered.
    in_flight: usize,
    seen: Mutex<Seen>,
    changed: Condvar,
}

impl Slow {
    /// A server and its address. It ends with the test.
    fn start(in_flight: usize) -> (Arc<Self>, String) {
        let slow = Arc::new(Self { in_flight, ..Self::default() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&slow);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let slow = Arc::clone(&shared);
                std::thread::spawn(move || slow.talk(&stream));
            }
        });
        (slow, url)
    }

    fn talk(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let (request, length) = head(&mut reader)?;
            let body = if request.contains("/_bulk") {
                self.bulk(&mut reader, length)?
            } else {
                std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink()).ok()?;
                answer(&request).to_owned()
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let body = if request.starts_with("HEAD") { "" } else { &body };
            let mut stream = stream;
            stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
        }
    }

    /// Reads one bulk of one document, and answers in its turn.
    fn bulk(&self, reader: &mut BufReader<&TcpStream>, length: u64) -> Option<String> {
        let large = usize::from(length > LARGE as u64 / 4);
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.open_large += large;
            seen.most_large = seen.most_large.max(seen.open_large);
        }
        let read = std::io::copy(&mut reader.take(length), &mut std::io::sink()).ok()?;
        assert_eq!(read, length);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.most_large >= self.in_flight {
            self.changed.notify_all();
        } else if large > 0 {
            // A sender that never has as many out is not waited for for ever.
            let waited = self
                .changed
                .wait_timeout_while(seen, PATIENCE, |seen| seen.most_large < self.in_flight);
            seen = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let peak = seen.sender.and_then(peak_kibibytes).unwrap_or(0);
        seen.peak_kibibytes = seen.peak_kibibytes.max(peak);
        seen.open_large -= large;
        seen.documents += 1;
        Some(r#"{"items":[{"index":{"status":201}}]}"#.to_owned())
    }
}

/// The first line of a request, and the length of its body.
fn head(reader: &mut impl BufRead) -> Option<(String, u64)> {
    let mut lines = reader.by_ref().lines();
    let request = lines.next()?.ok()?;
    let mut length = 0;
    for line in lines {
        let line = line.ok()?.to_ascii_lowercase();
        if line.is_empty() {
            return Some((request, length));
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().ok()?;
        }
    }
    None
}

fn answer(request: &str) -> &'static str {
    match request {
        _ if request.starts_with("GET / ") => {
            r#"{"name":"n","cluster_name":"c","cluster_uuid":"u","version":{"distribution":"opensearch","number":"2.19.6"},
                "tagline":"The OpenSearch Project: https://opensearch.org/"}"#
        }
        _ if request.contains("/_cluster/health") => r#"{"status":"green"}"#,
        _ if request.contains("/_count") => r#"{"count":0}"#,
        _ if request.contains("/_cat/") => "[]",
        _ => r#"{"acknowledged":true}"#,
    }
}

/// A document that no codec makes smaller than three quarters.
fn document(random: &mut Random, number: usize, length: usize) -> (String, Vec<u8>) {
    const LETTERS: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    let mut source = Vec::with_capacity(length + 16);
    source.extend(br#"{"text":""#);
    while source.len() < length {
        let bits = random.below(u64::MAX);
        source.extend((0..10).map(|place| LETTERS[(bits >> (place * 6)) as usize & 63]));
    }
    source.extend(br#""}"#);
    (number.to_string(), source)
}

/// A snapshot of all of them in one shard.
fn snapshot(folder: &std::path::Path) {
    let mut random = Random::new(7);
    let lengths = (0..SMALL_COUNT + LARGE_COUNT).map(|n| if n < SMALL_COUNT { 100 } else { LARGE });
    let documents: Vec<_> = lengths
        .enumerate()
        .map(|(number, length)| Some(document(&mut random, number, length)))
        .collect();
    HostileRepository::of(&Index::new(Mode::Fast).write(&documents).0).write(folder);
}

/// The most memory that a process has had in its life so far.
fn peak_kibibytes(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
#[cfg(target_os = "linux")]
fn eight_bulks_of_a_document_of_20_mb_stay_under_300_mb() {
    let folder = tempfile::tempdir().unwrap();
    snapshot(&folder.path().join("repo"));
    // Eight of the largest at a time; and compressed, which takes a second copy, with what is usual.
    for (compress, bulk_bytes, in_flight) in [("off", "20971520", BULKS), ("gzip", "10485760", 1)] {
        let (slow, url) = Slow::start(in_flight);
        let state = folder.path().join(compress);
        let (repo, state) = (path(&folder.path().join("repo")), path(&state));
        let bulks = in_flight.max(4).to_string();
        let how =
            ["--bulks-in-flight", &bulks, "--bulk-documents", "1", "--bulk-bytes", bulk_bytes];
        let run = ["backfill", "run", "--repo", &repo, "--snapshot", "snap", "--target", &url];
        let rest = ["--coordinator", "local", "--state", &state, "--compress", compress];
        let child = command([&run[..], &how, &rest].concat()).spawn().unwrap();
        slow.seen.lock().unwrap().sender = Some(child.id());
        Ended::from(child.wait_with_output().unwrap()).ends_with(0);
        let seen = slow.seen.lock().unwrap();
        assert_eq!(seen.documents, SMALL_COUNT + LARGE_COUNT, "each once");
        assert!(seen.most_large >= in_flight, "{seen:?}");
        let peak = seen.peak_kibibytes;
        println!("{compress}: {} at a time, {} MB", seen.most_large, peak * 1024 / 1_000_000);
        assert!(peak > 0 && peak < MOST_KIBIBYTES, "{compress}: {peak} KiB");
    }
}
