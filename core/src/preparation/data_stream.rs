//! Backing indices of data streams. On a cluster their documents go into the data stream; a local target keeps each under its
//! own name.

use serde::Serialize;

use crate::snapshot::IndexMetadata;

/// Where nothing is said about it, the field that orders a data stream's documents.
const TIMESTAMP: &str = "@timestamp";

/// The digits of a generation, at least.
const GENERATION: usize = 6;

/// A data stream of the target that documents go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedStream {
    /// The field that orders its documents.
    pub timestamp_field: String,
}

impl PlannedStream {
    /// As the mapping of a backing index says.
    pub(super) fn of(metadata: &IndexMetadata) -> Self {
        let said = metadata.mappings.pointer("/_data_stream_timestamp/timestamp_field/name");
        let field = said.and_then(serde_json::Value::as_str).unwrap_or(TIMESTAMP);
        Self { timestamp_field: field.to_owned() }
    }
}

/// The data stream whose backing index this is, by its name: `.ds-<stream>-<generation>`, since Elasticsearch 7.11
/// `.ds-<stream>-<yyyy.MM.dd>-<generation>`. A date that older versions and OpenSearch show there is the stream's own.
pub(super) fn stream_of(metadata: &IndexMetadata) -> Option<&str> {
    let (stream, generation) = metadata.name.strip_prefix(".ds-")?.rsplit_once('-')?;
    if generation.len() < GENERATION || !is_number(generation) {
        return None;
    }
    let dated = metadata.created_by().dates_backing_indices();
    let stream = match stream.rsplit_once('-') {
        Some((stream, date)) if dated && is_date(date) => stream,
        _ => stream,
    };
    (!stream.is_empty()).then_some(stream)
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `2024.01.31`.
fn is_date(text: &str) -> bool {
    let mut parts = text.split('.');
    let mut next =
        |length| parts.next().is_some_and(|part| part.len() == length && is_number(part));
    next(4) && next(2) && next(2) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn index(name: &str, created: &str) -> IndexMetadata {
        IndexMetadata::for_tests(name, json!({"index.version.created": created}), json!({}))
    }

    #[test]
    fn names_of_backing_indices_tell_the_stream() {
        let (old, new, opensearch) = ("7100299", "8512000", "136408427");
        let names = [
            (".ds-ds-1-000001", opensearch, Some("ds-1")),
            (".ds-logs-2024.01.31-000012", opensearch, Some("logs-2024.01.31")),
            (".ds-logs-2024.01.31-000012", old, Some("logs-2024.01.31")),
            (".ds-logs-2024.01.31-000012", new, Some("logs")),
            (".ds-logs-2024.01.31-1234567", "7110099", Some("logs")),
            (".ds-logs-000012", new, Some("logs")),
            (".ds-logs-2024.1.31-000012", new, Some("logs-2024.1.31")),
            (".ds-logs-12", new, None),
            (".ds-logs-00001x", new, None),
            (".ds--000001", new, None),
            (".ds-000001", new, None),
            ("ds-logs-000001", new, None),
        ];
        for (name, created, stream) in names {
            assert_eq!(stream_of(&index(name, created)), stream, "{name} of {created}");
        }
    }

    #[test]
    fn the_mapping_may_name_another_field() {
        assert_eq!(PlannedStream::of(&index(".ds-a-000001", "1")).timestamp_field, "@timestamp");
        let own = json!([{"_doc": {"_data_stream_timestamp": {"enabled": true, "timestamp_field": {"name": "at"}}}}]);
        let own = IndexMetadata::for_tests(".ds-a-000001", json!({}), own);
        assert_eq!(PlannedStream::of(&own).timestamp_field, "at");
    }
}
