//! A cluster on this machine that keeps documents and refuses those that a test tells it to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

/// What a server that was asked nothing else says.
const GREETING: &str = r#"{"name":"n","cluster_name":"c","cluster_uuid":"u","version":{"distribution":"opensearch",
    "number":"2.19.6","lucene_version":"9.12.3"},"tagline":"The OpenSearch Project: https://opensearch.org/"}"#;

/// What the server holds and how it behaves. It goes on until the tests end.
#[derive(Clone, Default)]
pub(crate) struct Fake {
    url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    indices: BTreeSet<String>,
    documents: BTreeMap<(String, String), String>,
    /// Why documents of these ids are refused: the word, and the explanation.
    refused: BTreeMap<String, (String, String)>,
    bulks: usize,
    /// Its processors are.
    is_busy: bool,
    /// Bulk requests are never answered.
    hangs: bool,
    /// Nobody is let in.
    denies: bool,
}

impl Fake {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let fake = Self { url, ..Self::default() };
        let server = fake.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let server = server.clone();
                std::thread::spawn(move || server.talk(stream));
            }
        });
        fake
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Refuses the document of an id from now on.
    pub(crate) fn refuse(&self, id: &str, word: &str, explanation: &str) {
        let why = (word.to_owned(), explanation.to_owned());
        self.state().refused.insert(id.to_owned(), why);
    }

    /// Answers no bulk request from now on.
    pub(crate) fn hang(&self) {
        self.state().hangs = true;
    }

    /// Knows nobody from now on.
    pub(crate) fn deny(&self) {
        self.state().denies = true;
    }

    /// Takes everything from now on.
    pub(crate) fn mend(&self) {
        self.state().refused.clear();
    }

    /// Is busy from now on, or not any more.
    pub(crate) fn be_busy(&self, is_busy: bool) {
        self.state().is_busy = is_busy;
    }

    /// Puts a document there, as somebody else would.
    pub(crate) fn put(&self, index: &str, id: &str, source: &str) {
        let mut state = self.state();
        state.indices.insert(index.to_owned());
        state.documents.insert((index.to_owned(), id.to_owned()), source.to_owned());
    }

    /// The documents of an index by id.
    pub(crate) fn documents(&self, index: &str) -> BTreeMap<String, String> {
        let state = self.state();
        let of_index = state.documents.iter().filter(|((of, _), _)| of == index);
        of_index.map(|((_, id), source)| (id.clone(), source.clone())).collect()
    }

    /// How many bulk requests came.
    pub(crate) fn bulks(&self) -> usize {
        self.state().bulks
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn talk(&self, stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut writer = stream;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let mut words = line.split(' ');
            let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
            let mut length = 0;
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).ok()?;
                let header = header.trim_end().to_ascii_lowercase();
                if header.is_empty() {
                    break;
                }
                if let Some(text) = header.strip_prefix("content-length: ") {
                    length = text.parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            if target.contains("_bulk") && self.state().hangs {
                loop {
                    std::thread::park();
                }
            }
            let (status, text) = self.answer(&method, &target, &body);
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                text.len()
            );
            writer.write_all(head.as_bytes()).ok()?;
            if method != "HEAD" {
                writer.write_all(text.as_bytes()).ok()?;
            }
        }
    }

    fn answer(&self, method: &str, target: &str, body: &[u8]) -> (u16, String) {
        let path = target.split('?').next().unwrap_or_default();
        let parts: Vec<_> = path.trim_matches('/').split('/').collect();
        let mut state = self.state();
        if state.denies {
            return (
                401,
                json!({"error": {"type": "security_exception", "reason": "who?"}}).to_string(),
            );
        }
        match (method, parts.as_slice()) {
            ("GET", [""]) => (200, GREETING.to_owned()),
            ("GET", ["_cat", "indices"]) => {
                let rows = state.indices.iter().map(|index| {
                    let documents = state.documents.keys().filter(|(of, _)| of == index).count();
                    json!({"index": index, "status": "open", "uuid": "u", "docs.count": documents.to_string()})
                });
                (200, rows.collect::<Value>().to_string())
            }
            ("GET", ["_cluster", "health"]) => {
                (200, json!({"status": "green", "number_of_data_nodes": 1}).to_string())
            }
            ("GET", ["_nodes", "stats", _]) => {
                let busy = if state.is_busy { 99 } else { 10 };
                (200, json!({"nodes": {"n": {"os": {"cpu": {"percent": busy}}}}}).to_string())
            }
            ("GET", [index, "_settings"]) => (200, format!(r#"{{"{index}":{{"settings":{{}}}}}}"#)),
            (_, [index, "_count"]) if state.indices.contains(*index) => {
                let count = state.documents.keys().filter(|(of, _)| of == index).count();
                (200, json!({ "count": count }).to_string())
            }
            ("HEAD", [index]) => {
                (if state.indices.contains(*index) { 200 } else { 404 }, String::new())
            }
            ("PUT", [index]) => {
                state.indices.insert((*index).to_owned());
                (200, json!({"acknowledged": true}).to_string())
            }
            ("POST", [index, "_bulk"]) => (200, state.bulk(Some(index), body)),
            ("POST", ["_bulk"]) => (200, state.bulk(None, body)),
            _ => (200, "{}".to_owned()),
        }
    }
}

impl State {
    fn bulk(&mut self, index: Option<&str>, body: &[u8]) -> String {
        self.bulks += 1;
        let mut items = Vec::new();
        let mut lines = std::str::from_utf8(body).unwrap().lines();
        while let (Some(action), Some(source)) = (lines.next(), lines.next()) {
            let action: Value = serde_json::from_str(action).unwrap();
            let (word, place) = action.as_object().unwrap().iter().next().unwrap();
            let index = place["_index"].as_str().or(index).unwrap();
            let item = self.write(index, place["_id"].as_str().unwrap(), source, word);
            items.push(json!({ word.as_str(): item }));
        }
        json!({"took": 1, "errors": true, "items": items}).to_string()
    }

    fn write(&mut self, index: &str, id: &str, source: &str, word: &str) -> Value {
        if let Some((word, explanation)) = self.refused.get(id) {
            return json!({"status": 400, "error": {"type": word, "reason": explanation}});
        }
        let key = (index.to_owned(), id.to_owned());
        let is_there = self.documents.contains_key(&key);
        if is_there && word == "create" {
            return json!({"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "exists"}});
        }
        self.documents.insert(key, source.to_owned());
        json!({"status": if is_there { 200 } else { 201 }})
    }
}
