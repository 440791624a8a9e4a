//! A document as one line of JSON, in the form that people know from search hits.

use serde_json::Value;

use crate::DocumentRef;

/// Appends `{"_index":…,"_type":…,"_id":…,"_routing":…,"_parent":…,"_source":…}` without a newline. Members that the
/// document does not have are left out; the source stands there byte for byte.
///
/// ```
/// use snapfill::{DocumentRef, write_hit};
///
/// let document =
///     DocumentRef { number: 0, id: "a\"b", doc_type: None, routing: Some("r"), parent: None, source: b"{\"n\": 1.10}" };
/// let mut line = Vec::new();
/// write_hit(&mut line, "logs", &document);
/// assert_eq!(line, br#"{"_index":"logs","_id":"a\"b","_routing":"r","_source":{"n": 1.10}}"#);
/// ```
pub fn write_hit(line: &mut Vec<u8>, index: &str, document: &DocumentRef<'_>) {
    line.extend_from_slice(b"{\"_index\":");
    write_text(line, index);
    let members = [
        ("_type", document.doc_type),
        ("_id", Some(document.id)),
        ("_routing", document.routing),
        ("_parent", document.parent),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            line.extend_from_slice(b",\"");
            line.extend_from_slice(name.as_bytes());
            line.extend_from_slice(b"\":");
            write_text(line, value);
        }
    }
    line.extend_from_slice(b",\"_source\":");
    line.extend_from_slice(document.source);
    line.push(b'}');
}

/// Ids, names and routings seldom hold anything that JSON escapes.
fn write_text(line: &mut Vec<u8>, text: &str) {
    let plain = text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
    if plain {
        line.push(b'"');
        line.extend_from_slice(text.as_bytes());
        line.push(b'"');
    } else {
        line.extend_from_slice(Value::from(text).to_string().as_bytes());
    }
}
