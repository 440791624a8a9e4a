//! One failed document, as a line.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Map;
use serde_json::value::RawValue;

use super::FailureClass;
use crate::cluster::{BulkOperation, ItemError};
use crate::{Document, Error, ErrorKind, Result};

/// A document that the target refused for good: where it comes from, why, and the whole operation, so that it can be
/// sent again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FailedDocument {
    /// The index of the snapshot.
    pub source_index: String,
    /// The shard of that index.
    pub shard: u32,
    /// The document's number in the shard.
    pub number: u32,
    /// The lease under which it was sent; a later one's word counts for more.
    pub lease: u64,
    /// The index that was to receive it.
    pub index: String,
    /// `_id`.
    pub id: String,
    /// `_type`, where the source's version had types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_type: Option<String>,
    /// `_routing`, where the document has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<String>,
    /// `_parent`, for children of Elasticsearch ≤ 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// What was to be done with an id that is there already.
    pub operation: BulkOperation,
    /// What kind of failure it was.
    pub class: FailureClass,
    /// The HTTP status of the item.
    pub status: u16,
    /// The target's word for it.
    pub error_type: String,
    /// The target's explanation.
    pub reason: String,
    /// The document, where it is JSON, so that people can read it.
    #[serde(rename = "_source", default, skip_serializing_if = "Option::is_none")]
    json: Option<Box<RawValue>>,
    /// The document in base64, where it is not.
    #[serde(rename = "_source_base64", default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// What the failures of one bulk request have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) source_index: &'a str,
    pub(crate) shard: u32,
    pub(crate) lease: u64,
    pub(crate) operation: BulkOperation,
}

impl FailedDocument {
    pub(crate) fn new(
        attempt: Attempt<'_>,
        index: &str,
        document: &Document,
        error: &ItemError,
    ) -> Self {
        let text = std::str::from_utf8(&document.source).ok();
        let json = text.and_then(|text| serde_json::from_str::<Box<RawValue>>(text).ok());
        let base64 = json.is_none().then(|| STANDARD.encode(&document.source));
        Self {
            source_index: attempt.source_index.to_owned(),
            shard: attempt.shard,
            number: document.number,
            lease: attempt.lease,
            index: index.to_owned(),
            id: document.id.clone(),
            doc_type: document.doc_type.as_deref().map(str::to_owned),
            routing: document.routing.clone(),
            parent: document.parent.clone(),
            operation: attempt.operation,
            class: FailureClass::of(error),
            status: error.status,
            error_type: error.error_type.clone(),
            reason: error.reason.clone(),
            json,
            base64,
        }
    }

    /// The document's bytes, as they were sent.
    ///
    /// # Errors
    /// `Corrupt` when the record holds none that can be read.
    pub fn source(&self) -> Result<Bytes> {
        if let Some(json) = &self.json {
            return Ok(Bytes::copy_from_slice(json.get().as_bytes()));
        }
        let decoded = self.base64.as_deref().map(|text| STANDARD.decode(text));
        match decoded {
            Some(Ok(bytes)) => Ok(bytes.into()),
            _ => Err(Error::new(ErrorKind::Corrupt, "a failed document without its source")
                .with_context("index", &self.source_index)
                .with_context("document", &self.id)),
        }
    }

    /// Writes the operation as two lines of a bulk request: what is to be done, and the document as it was sent. Types and
    /// parents, which targets from Elasticsearch 7 on do not have, are left out; a child is routed to its parent.
    ///
    /// # Errors
    /// What `to` fails with; `InvalidData` when the record holds no document.
    pub fn write_operation(&self, to: &mut impl Write) -> std::io::Result<()> {
        let mut place = Map::new();
        place.insert("_index".to_owned(), self.index.as_str().into());
        place.insert("_id".to_owned(), self.id.as_str().into());
        if let Some(routing) = self.routing.as_ref().or(self.parent.as_ref()) {
            place.insert("routing".to_owned(), routing.as_str().into());
        }
        let word = match self.operation {
            BulkOperation::Index => "index",
            BulkOperation::Create => "create",
        };
        serde_json::to_writer(&mut *to, &Map::from_iter([(word.to_owned(), place.into())]))?;
        to.write_all(b"\n")?;
        let source = self.source().map_err(|error| {
            std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string())
        })?;
        to.write_all(&source)?;
        to.write_all(b"\n")
    }

    /// The document, to be sent again.
    ///
    /// # Errors
    /// As [`FailedDocument::source`].
    pub(crate) fn document(&self) -> Result<Document> {
        Ok(Document {
            number: self.number,
            id: self.id.clone(),
            doc_type: self.doc_type.as_deref().map(Into::into),
            routing: self.routing.clone(),
            parent: self.parent.clone(),
            source: self.source()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(source: &'static [u8]) -> FailedDocument {
        let attempt =
            Attempt { source_index: "logs", shard: 1, lease: 7, operation: BulkOperation::Create };
        let document = Document {
            number: 12,
            id: "a\nb".to_owned(),
            doc_type: None,
            routing: Some("r".to_owned()),
            parent: None,
            source: Bytes::from_static(source),
        };
        let error = ItemError {
            status: 400,
            error_type: "mapper_parsing_exception".to_owned(),
            reason: "no".to_owned(),
        };
        FailedDocument::new(attempt, "logs-new", &document, &error)
    }

    #[test]
    fn an_operation_is_two_lines_of_a_bulk_request() {
        let mut lines = Vec::new();
        record(b"{\"a\": 1.10}").write_operation(&mut lines).unwrap();
        let expected = concat!(
            r#"{"create":{"_id":"a\nb","_index":"logs-new","routing":"r"}}"#,
            "\n{\"a\": 1.10}\n"
        );
        assert_eq!(String::from_utf8(lines).unwrap(), expected);
    }

    #[test]
    fn the_bytes_survive_a_line_whatever_they_are() {
        for source in [
            &b"{\"a\": 1.10,  \"a\":12345678901234567890123}"[..],
            b"{\"torn\":",
            b"\xff\xfe{}",
            b"",
        ] {
            let line = serde_json::to_string(&record(source)).unwrap();
            assert!(!line.contains('\n'));
            let read: FailedDocument = serde_json::from_str(&line).unwrap();
            assert_eq!(read.source().unwrap(), source);
            assert_eq!(read.document().unwrap().id, "a\nb");
            assert_eq!(
                (read.class, read.operation),
                (FailureClass::Mapping, BulkOperation::Create)
            );
        }
    }
}
