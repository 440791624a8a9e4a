//! Documents become the body of a bulk request.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::buffers::Buffers;
use super::dialect::Dialect;
use super::parts::Parts;
use super::request::Body;
use crate::cluster::{BulkBody, BulkOperation};
use crate::{DocumentRef, Error, ErrorKind, Result};

/// Bytes of an action line, without id and routing.
const ACTION: usize = 48;

/// What the action lines of a body look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) dialect: Dialect,
    /// Whether they hold ids; where not, the server gives some.
    pub(super) has_ids: bool,
}

/// Sources from this size on are not copied. Smaller ones are: to hand over many small parts costs more than their copy.
const SHARED: usize = 128 << 10;

/// The body. Sources go as they are: nothing is parsed. Large ones are sent from the batch, the rest from lent buffers.
pub(super) fn plain(bulk: &BulkBody, form: Form, buffers: &Buffers) -> Result<Body> {
    let documents = &bulk.documents;
    let large: usize =
        documents.iter().map(|document| document.source.len()).filter(|size| *size >= SHARED).sum();
    let mut buffer = buffers.take();
    buffer.reserve(documents.bytes() - large + documents.len() * ACTION);
    let mut parts = Parts::default();
    for (document, source) in documents.iter().zip(documents.shared_sources()) {
        write_action(document, bulk.operation, form, &mut buffer)
            .map_err(|error| unwritten(&error))?;
        if source.len() < SHARED {
            buffer.extend_from_slice(&source);
        } else {
            parts.push(buffers.lend(std::mem::take(&mut buffer)));
            parts.push(source);
        }
        buffer.push(b'\n');
    }
    parts.push(buffers.lend(buffer));
    Ok(body(parts, false))
}

/// The same, compressed as it is written: the plain text is never held as a whole.
pub(super) fn gzip(bulk: &BulkBody, form: Form, buffers: &Buffers) -> Result<Body> {
    let mut encoder = GzEncoder::new(buffers.take(), Compression::fast());
    let written = write(bulk, form, &mut encoder).and_then(|()| encoder.finish());
    let buffer = written.map_err(|error| unwritten(&error))?;
    Ok(body(buffers.lend(buffer).into(), true))
}

fn body(parts: Parts, is_gzip: bool) -> Body {
    Body { parts, content_type: "application/x-ndjson", is_gzip }
}

fn unwritten(error: &io::Error) -> Error {
    Error::new(ErrorKind::Unexpected, format!("a bulk's body cannot be written: {error}"))
}

fn write(bulk: &BulkBody, form: Form, to: &mut impl Write) -> io::Result<()> {
    for document in bulk.documents.iter() {
        write_action(document, bulk.operation, form, to)?;
        to.write_all(document.source)?;
        to.write_all(b"\n")?;
    }
    Ok(())
}

fn write_action(
    document: DocumentRef<'_>,
    operation: BulkOperation,
    form: Form,
    to: &mut impl Write,
) -> io::Result<()> {
    to.write_all(match operation {
        BulkOperation::Index => br#"{"index":{"#,
        BulkOperation::Create => br#"{"create":{"#,
    })?;
    let parent = document.parent.filter(|_| form.dialect.has_parents);
    let members: [(&[u8], _); 4] = [
        (br#""_id":"#, form.has_ids.then_some(document.id)),
        (br#""_type":"#, form.dialect.type_of(document.doc_type)),
        (br#""parent":"#, parent),
        (br#""routing":"#, document.routing.or(document.parent.filter(|_| parent.is_none()))),
    ];
    let mut is_first = true;
    for (name, value) in members {
        let Some(value) = value else { continue };
        if !is_first {
            to.write_all(b",")?;
        }
        is_first = false;
        to.write_all(name)?;
        write_text(value, to)?;
    }
    to.write_all(b"}}\n")
}

fn write_text(text: &str, to: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(to, text).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::testkit::samples::{bulk, document, documents};

    const NEW: Dialect = Dialect {
        default_type: None,
        has_parents: false,
        has_no_pipeline: true,
        has_null_settings: true,
        has_hidden_indices: true,
    };
    const OLD: Dialect = Dialect {
        default_type: Some("doc"),
        has_parents: true,
        has_no_pipeline: false,
        has_null_settings: false,
        has_hidden_indices: false,
    };

    fn with_ids(dialect: Dialect) -> Form {
        Form { dialect, has_ids: true }
    }

    fn text(document: DocumentRef<'_>, operation: BulkOperation, dialect: Dialect) -> String {
        formed(document, operation, with_ids(dialect))
    }

    fn formed(document: DocumentRef<'_>, operation: BulkOperation, form: Form) -> String {
        let body = bulk("a", operation, [document].into_iter().collect());
        let body = plain(&body, form, &Buffers::default()).unwrap();
        String::from_utf8(body.parts.whole().to_vec()).unwrap()
    }

    #[test]
    fn ids_are_escaped_and_sources_are_not_touched() {
        let source = br#"{"n": 1.00, "s":"\u00e9" }"#;
        let line = text(document(0, "a\"b\nc/é", source), BulkOperation::Index, NEW);
        assert_eq!(
            line,
            "{\"index\":{\"_id\":\"a\\\"b\\nc/é\"}}\n{\"n\": 1.00, \"s\":\"\\u00e9\" }\n"
        );
    }

    #[test]
    fn types_and_parents_go_to_those_who_have_them() {
        let child =
            DocumentRef { doc_type: Some("page"), parent: Some("p"), ..document(0, "1", b"{}") };
        assert_eq!(
            text(child, BulkOperation::Create, NEW),
            "{\"create\":{\"_id\":\"1\",\"routing\":\"p\"}}\n{}\n"
        );
        assert_eq!(
            text(child, BulkOperation::Index, OLD),
            "{\"index\":{\"_id\":\"1\",\"_type\":\"page\",\"parent\":\"p\"}}\n{}\n"
        );
        let routed = DocumentRef { routing: Some("r"), ..child };
        assert!(text(routed, BulkOperation::Index, OLD).contains(r#""parent":"p","routing":"r"}"#));
        assert!(text(routed, BulkOperation::Index, NEW).contains(r#""_id":"1","routing":"r"}"#));
    }

    #[test]
    fn ids_are_left_out_where_the_server_gives_them() {
        let form = Form { dialect: NEW, has_ids: false };
        let plain = document(0, "1", b"{}");
        assert_eq!(formed(plain, BulkOperation::Index, form), "{\"index\":{}}\n{}\n");
        let routed = DocumentRef { routing: Some("r"), ..plain };
        let line = formed(routed, BulkOperation::Create, form);
        assert_eq!(line, "{\"create\":{\"routing\":\"r\"}}\n{}\n");
    }

    #[test]
    fn compressed_and_plain_say_the_same() {
        let (buffers, body) =
            (Buffers::default(), bulk("a", BulkOperation::Index, documents(0..100)));
        let plain = plain(&body, with_ids(NEW), &buffers).unwrap();
        let packed = gzip(&body, with_ids(NEW), &buffers).unwrap();
        let mut unpacked = Vec::new();
        let (packed, plain) = (packed.parts.whole(), plain.parts.whole());
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain);
        assert!(packed.len() * 4 < plain.len());
    }

    #[test]
    fn large_sources_are_sent_from_where_they_are() {
        let large = [&b"{\"a\":\""[..], &vec![b'x'; SHARED], b"\"}"].concat();
        let documents =
            [document(0, "s", b"{}"), document(1, "l", &large), document(2, "t", b"{}")];
        let batch: crate::DocumentBatch = documents.into_iter().collect();
        let place = batch.iter().nth(1).unwrap().source.as_ptr();
        let body =
            plain(&bulk("a", BulkOperation::Index, batch), with_ids(NEW), &Buffers::default())
                .unwrap();
        assert!(body.parts.iter().any(|part| part.as_ptr() == place));
        let text = String::from_utf8(body.parts.whole().to_vec()).unwrap();
        let lines: Vec<&str> = text.split('\n').collect();
        assert_eq!(lines.len(), 7);
        assert_eq!(
            (lines[1], lines[3].as_bytes(), lines[5], lines[6]),
            ("{}", &large[..], "{}", "")
        );
    }
}
