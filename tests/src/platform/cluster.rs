//! A cluster that keeps documents, and refuses those that a test tells it to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use super::http::{self, Request};

/// What a server that was asked nothing else says.
const GREETING: &str = r#"{"name":"n","cluster_name":"c","cluster_uuid":"u","version":{"distribution":"opensearch",
    "number":"2.19.6","lucene_version":"9.12.3"},"tagline":"The OpenSearch Project: https://opensearch.org/"}"#;

/// What the cluster holds and how it behaves. It goes on until the process ends.
///
/// A test in another process tells it by requests: `POST /_fake/refuse` with `id`, `word` and `explanation`, and
/// `POST /_fake/mend`.
#[derive(Clone, Default)]
pub struct FakeCluster {
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

impl FakeCluster {
    /// A cluster without indices.
    #[must_use]
    pub fn start() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let server = Arc::clone(&state);
        let url = http::serve(move |request| answer(&server, request));
        Self { url, state }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Refuses the document of an id from now on.
    pub fn refuse(&self, id: &str, word: &str, explanation: &str) {
        self.state().refuse(id, word, explanation);
    }

    /// Answers no bulk request from now on.
    pub fn hang(&self) {
        self.state().hangs = true;
    }

    /// Knows nobody from now on.
    pub fn deny(&self) {
        self.state().denies = true;
    }

    /// Takes everything from now on.
    pub fn mend(&self) {
        self.state().refused.clear();
    }

    /// Is busy from now on, or not any more.
    pub fn be_busy(&self, is_busy: bool) {
        self.state().is_busy = is_busy;
    }

    /// Puts a document there, as somebody else would.
    pub fn put(&self, index: &str, id: &str, source: &str) {
        let mut state = self.state();
        state.indices.insert(index.to_owned());
        state.documents.insert((index.to_owned(), id.to_owned()), source.to_owned());
    }

    /// The documents of an index by id.
    #[must_use]
    pub fn documents(&self, index: &str) -> BTreeMap<String, String> {
        let state = self.state();
        let of_index = state.documents.iter().filter(|((of, _), _)| of == index);
        of_index.map(|((_, id), source)| (id.clone(), source.clone())).collect()
    }

    /// How many bulk requests came.
    #[must_use]
    pub fn bulks(&self) -> usize {
        self.state().bulks
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(state: &Mutex<State>, request: &Request) -> (u16, String) {
    if request.target.contains("_bulk") && lock(state).hangs {
        loop {
            std::thread::park();
        }
    }
    lock(state).answer(request)
}

impl State {
    fn answer(&mut self, Request { method, target, body, .. }: &Request) -> (u16, String) {
        let path = target.split('?').next().unwrap_or_default();
        let parts: Vec<_> = path.trim_matches('/').split('/').collect();
        if self.denies {
            let why = json!({"error": {"type": "security_exception", "reason": "who?"}});
            return (401, why.to_string());
        }
        match (method.as_str(), parts.as_slice()) {
            ("GET", [""]) => (200, GREETING.to_owned()),
            ("GET", ["_cat", "indices"]) => (200, self.rows().to_string()),
            ("GET", ["_cluster", "health"]) => {
                (200, json!({"status": "green", "number_of_data_nodes": 1}).to_string())
            }
            ("GET", ["_nodes", "stats", _]) => {
                let busy = if self.is_busy { 99 } else { 10 };
                (200, json!({"nodes": {"n": {"os": {"cpu": {"percent": busy}}}}}).to_string())
            }
            ("GET", [index, "_settings"]) => (200, format!(r#"{{"{index}":{{"settings":{{}}}}}}"#)),
            (_, [index, "_count"]) if self.indices.contains(*index) => {
                (200, json!({ "count": self.count(index) }).to_string())
            }
            ("HEAD", [index]) => {
                (if self.indices.contains(*index) { 200 } else { 404 }, String::new())
            }
            ("PUT", [index]) => {
                self.indices.insert((*index).to_owned());
                (200, json!({"acknowledged": true}).to_string())
            }
            ("POST", ["_fake", order]) => self.obey(order, body),
            ("POST", [index, "_bulk"]) => (200, self.bulk(Some(index), body)),
            ("POST", ["_bulk"]) => (200, self.bulk(None, body)),
            _ => (200, "{}".to_owned()),
        }
    }

    fn rows(&self) -> Value {
        let row = |index: &String| {
            let documents = self.count(index).to_string();
            json!({"index": index, "status": "open", "uuid": "u", "docs.count": documents})
        };
        self.indices.iter().map(row).collect()
    }

    fn count(&self, index: &str) -> usize {
        self.documents.keys().filter(|(of, _)| of == index).count()
    }

    fn refuse(&mut self, id: &str, word: &str, explanation: &str) {
        self.refused.insert(id.to_owned(), (word.to_owned(), explanation.to_owned()));
    }

    fn obey(&mut self, order: &str, body: &[u8]) -> (u16, String) {
        let said: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| said[name].as_str().unwrap_or_default();
        match order {
            "refuse" => self.refuse(text("id"), text("word"), text("explanation")),
            "mend" => self.refused.clear(),
            _ => return (404, "{}".to_owned()),
        }
        (200, "{}".to_owned())
    }

    fn bulk(&mut self, index: Option<&str>, body: &[u8]) -> String {
        self.bulks += 1;
        let mut items = Vec::new();
        let text = String::from_utf8_lossy(body);
        let mut lines = text.lines();
        while let (Some(action), Some(source)) = (lines.next(), lines.next()) {
            let asked: Map<String, Value> = serde_json::from_str(action).unwrap_or_default();
            let Some((word, place)) = asked.iter().next() else { panic!("no action: {action}") };
            let index = place["_index"].as_str().or(index).unwrap_or_default();
            let Some(id) = place["_id"].as_str() else { panic!("no id: {action}") };
            let item = self.write(index, id, source, word);
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
