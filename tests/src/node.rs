//! What stands in a real cluster.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use snapfill_harness::Server;

use crate::fixtures::Line;

#[derive(Deserialize)]
struct Page<'a> {
    _scroll_id: String,
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
    let mut lines = Vec::new();
    let first = format!("/{index}/_search?scroll=1m&size=500&sort=_doc");
    let mut text = ask(server, "GET", &first, "");
    loop {
        let page: Page<'_> = match serde_json::from_str(&text) {
            Ok(page) => page,
            Err(error) => panic!("{error} in {}", text.chars().take(500).collect::<String>()),
        };
        if page.hits.hits.is_empty() {
            break;
        }
        lines.extend(page.hits.hits.iter().map(|hit| without_type(Line::parse(hit.get()))));
        let next = serde_json::json!({"scroll": "1m", "scroll_id": page._scroll_id}).to_string();
        text = ask(server, "POST", "/_search/scroll", &next);
    }
    lines.sort();
    lines
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
