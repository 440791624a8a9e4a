//! What stands in a real cluster.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use snapfill_harness::{Server, Version};

use crate::fixtures::Line;

/// More than any index of a fixture has: all documents come in one answer.
const ALL: usize = 10_000;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    hits: Hits<'a>,
}

#[derive(Deserialize)]
struct Hits<'a> {
    #[serde(borrow)]
    hits: Vec<&'a RawValue>,
}

/// Every document of an index as the server returns it, its source byte for byte, sorted; without types, which targets of
/// today show for all alike.
///
/// # Panics
/// When the server does not answer.
#[must_use]
pub fn documents_of(server: &Server, index: &str) -> Vec<Line> {
    search(server, index, "", &json!({ "size": ALL }))
}

/// Those of one shard.
///
/// # Panics
/// When the server does not answer.
#[must_use]
pub fn documents_on(server: &Server, index: &str, shard: u32) -> Vec<Line> {
    search(server, index, &format!("preference=_shards:{shard}"), &json!({ "size": ALL }))
}

/// Those with one id that a search by a routing finds.
///
/// # Panics
/// When the server does not answer.
#[must_use]
pub fn documents_by_routing(server: &Server, index: &str, id: &str, routing: &str) -> Vec<Line> {
    let routing: String = url::form_urlencoded::byte_serialize(routing.as_bytes()).collect();
    let query = json!({ "query": { "ids": { "values": [id] } } });
    search(server, index, &format!("routing={routing}"), &query)
}

fn search(server: &Server, index: &str, parameters: &str, request: &Value) -> Vec<Line> {
    let mut request = request.clone();
    if is_elasticsearch_1(server.version()) {
        request["fields"] = json!(["_source", "_routing", "_parent"]);
    }
    let path = format!("/{index}/_search?{parameters}");
    let text = ask(server, "POST", &path, &request.to_string());
    let answer: Answer<'_> = match serde_json::from_str(&text) {
        Ok(answer) => answer,
        Err(error) => panic!("{error} in {}", text.chars().take(500).collect::<String>()),
    };
    assert!(answer.hits.hits.len() < ALL, "{index} has more than one answer holds");
    let mut lines: Vec<_> = answer.hits.hits.iter().map(|hit| line(hit.get())).collect();
    lines.sort();
    lines
}

fn is_elasticsearch_1(version: Version) -> bool {
    !version.is_opensearch() && version.major() == 1
}

fn line(hit: &str) -> Line {
    let mut line = without_type(Line::parse(hit));
    // Where Elasticsearch 1 puts them.
    let fields = serde_json::from_str::<Value>(hit).unwrap_or_default();
    let field = |name: &str| fields["fields"][name].as_str().map(str::to_owned);
    line.routing = line.routing.or_else(|| field("_routing"));
    line.parent = line.parent.or_else(|| field("_parent"));
    line
}

/// The documents of each index.
#[must_use]
pub fn by_index(lines: Vec<Line>) -> BTreeMap<String, Vec<Line>> {
    let mut indices = BTreeMap::<_, Vec<_>>::new();
    for line in lines {
        indices.entry(line.index.clone()).or_default().push(without_type(line));
    }
    indices
}

fn without_type(line: Line) -> Line {
    Line { doc_type: None, ..line }
}

fn ask(server: &Server, method: &str, path: &str, body: &str) -> String {
    match server.http().request(method, path, body.as_bytes()) {
        Ok(response) if response.status < 300 => {
            String::from_utf8_lossy(&response.body).into_owned()
        }
        other => panic!("{method} {path}: {other:?}"),
    }
}
