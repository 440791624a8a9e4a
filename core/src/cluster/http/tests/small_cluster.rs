//! A small search cluster in the memory of a test: as much of the API as filling it needs.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Mutex;

use serde_json::{Map, Value, json};

use super::fake::{GREETING, Reply, Seen};

/// What kind of service it passes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A domain: all that a server has.
    Domain,
    /// Serverless: no greeting, no health, no refresh.
    Search,
    /// Serverless that takes no ids.
    TimeSeries,
}

#[derive(Debug, Default)]
struct Index {
    settings: Map<String, Value>,
    aliases: Vec<String>,
    documents: BTreeMap<String, Value>,
}

/// A small search cluster.
#[derive(Debug)]
pub(super) struct SmallCluster {
    kind: Kind,
    indices: Mutex<BTreeMap<String, Index>>,
}

impl SmallCluster {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, indices: Mutex::default() }
    }

    /// The documents of an index, by id.
    pub(super) fn documents(&self, index: &str) -> BTreeMap<String, Value> {
        self.indices.lock().unwrap()[index].documents.clone()
    }

    pub(super) fn answer(&self, seen: &Seen) -> Reply {
        let path = seen.target.split('?').next().unwrap_or_default().trim_matches('/');
        let is_domain = self.kind == Kind::Domain;
        match (seen.method.as_str(), path) {
            ("GET", "") if is_domain => Reply::new(200, GREETING),
            ("GET", "_cluster/health") if is_domain => {
                Reply::new(200, r#"{"status":"green","number_of_data_nodes":1}"#)
            }
            ("GET", "_nodes/stats/thread_pool,jvm,fs,os") if is_domain => {
                Reply::new(200, r#"{"nodes":{}}"#)
            }
            ("GET", "_cat/indices") => self.list(),
            (_, path) if path.is_empty() || path.starts_with('_') => Reply::new(404, ""),
            (method, path) => {
                let (index, rest) = path.split_once('/').unwrap_or((path, ""));
                self.of_index(method, index, rest, &body_of(seen))
            }
        }
    }

    fn list(&self) -> Reply {
        let indices = self.indices.lock().unwrap();
        let rows: Vec<Value> = indices
            .iter()
            .map(|(name, index)| {
                json!({"health": "green", "status": "open", "index": name, "uuid": format!("uuid-of-{name}"),
                    "pri": "1", "rep": "0", "docs.count": index.documents.len().to_string(), "docs.deleted": "0",
                    "store.size": "1kb", "pri.store.size": "1kb"})
            })
            .collect();
        said(&Value::from(rows))
    }

    fn of_index(&self, method: &str, name: &str, rest: &str, body: &[u8]) -> Reply {
        let mut indices = self.indices.lock().unwrap();
        if (method, rest) == ("PUT", "") {
            return match indices.contains_key(name) {
                true => complaint(400, "resource_already_exists_exception"),
                false => {
                    indices.insert(name.to_owned(), made(body));
                    said(&json!({"acknowledged": true}))
                }
            };
        }
        let found = indices.iter_mut().find(|(known, index)| {
            known.as_str() == name || index.aliases.iter().any(|alias| alias == name)
        });
        let Some((name, index)) = found else {
            return complaint(404, "index_not_found_exception");
        };
        match (method, rest) {
            ("HEAD", "") => Reply::new(200, ""),
            ("GET", "_count") => said(&json!({"count": index.documents.len()})),
            ("POST", "_refresh") if self.kind == Kind::Domain => said(&json!({})),
            ("GET", "_settings") => said(&json!({ name: {"settings": index.settings} })),
            ("PUT", "_settings") => {
                for (name, value) in flat(&serde_json::from_slice(body).unwrap()) {
                    match value.is_null() {
                        true => index.settings.remove(&name),
                        false => index.settings.insert(name, value),
                    };
                }
                said(&json!({"acknowledged": true}))
            }
            ("POST", "_bulk") => said(&json!({"items": index.write(body, self.kind)})),
            _ => Reply::new(404, ""),
        }
    }
}

impl Index {
    fn write(&mut self, body: &[u8], kind: Kind) -> Vec<Value> {
        let mut lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut items = Vec::new();
        while let Some(action) = lines.next() {
            let action: Value = serde_json::from_slice(action).unwrap();
            let source: Value = serde_json::from_slice(lines.next().unwrap()).unwrap();
            let (operation, entry) = action.as_object().unwrap().iter().next().unwrap();
            let id = entry.get("_id").and_then(Value::as_str);
            items.push(json!({ operation: self.put(operation, id, source, kind) }));
        }
        items
    }

    fn put(&mut self, operation: &str, id: Option<&str>, source: Value, kind: Kind) -> Value {
        if id.is_some() && kind == Kind::TimeSeries {
            let reason = "Document ID is not supported in create/index operation request";
            let error = json!({"type": "illegal_argument_exception", "reason": reason});
            return json!({"status": 400, "error": error});
        }
        let own = format!("given-{}", self.documents.len());
        let id = id.unwrap_or(&own).to_owned();
        if operation == "create" && self.documents.contains_key(&id) {
            let error = json!({"type": "version_conflict_engine_exception", "reason": "there"});
            return json!({"status": 409, "error": error});
        }
        let replaced = self.documents.insert(id, source);
        json!({"status": if replaced.is_some() { 200 } else { 201 }})
    }
}

fn body_of(seen: &Seen) -> Vec<u8> {
    if seen.header("content-encoding") != Some("gzip") {
        return seen.body.clone();
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&seen.body[..]).read_to_end(&mut plain).unwrap();
    plain
}

fn made(body: &[u8]) -> Index {
    let definition: Value = serde_json::from_slice(body).unwrap();
    let aliases = definition["aliases"].as_object().into_iter().flat_map(Map::keys);
    let aliases = aliases.cloned().collect();
    Index { settings: flat(&definition["settings"]), aliases, ..Index::default() }
}

/// Settings by flat name, as a cluster shows them.
fn flat(settings: &Value) -> Map<String, Value> {
    let members = settings.as_object().into_iter().flatten();
    let flattened = members.flat_map(|(name, value)| match value {
        Value::Object(_) => flat(value).into_iter().collect(),
        value => vec![(format!("index.{}", name.trim_start_matches("index.")), value.clone())],
    });
    flattened.collect()
}

fn said(value: &Value) -> Reply {
    Reply::new(200, &value.to_string())
}

fn complaint(status: u16, name: &str) -> Reply {
    let body = json!({"status": status, "error": {"type": name, "reason": "so it is"}});
    Reply::new(status, &body.to_string())
}
