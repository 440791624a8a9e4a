//! Documents, inside a transaction.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, ToSql, params};

use super::super::{BulkBody, BulkOperation, BulkOutcome, ItemOutcome};
use super::database::Step;
use super::indices;
use crate::{Document, DocumentBatch, DocumentBatchBuilder, DocumentRef};

/// A page of a scan ends at the first document past either.
const PAGE_BYTES: usize = 2 * 1024 * 1024;
const PAGE_DOCUMENTS: usize = 2_000;

/// Writes all documents of `body`.
pub(super) fn bulk(connection: &Connection, body: &BulkBody) -> Step<BulkOutcome> {
    let number = indices::number(connection, &body.index)?;
    let mut writer = Writer::new(connection, number, body.operation)?;
    let items =
        body.documents.iter().map(|document| writer.write(document)).collect::<Step<_>>()?;
    let (documents, bytes) = (writer.documents, writer.bytes);
    indices::add(connection, number, documents, bytes)?;
    Ok(BulkOutcome { items })
}

/// The statements of one bulk, and what it changes in sum.
struct Writer<'c> {
    index: i64,
    operation: BulkOperation,
    insert: CachedStatement<'c>,
    find: CachedStatement<'c>,
    replace: CachedStatement<'c>,
    documents: i64,
    bytes: i64,
}

impl<'c> Writer<'c> {
    fn new(connection: &'c Connection, index: i64, operation: BulkOperation) -> Step<Self> {
        Ok(Self {
            index,
            operation,
            insert: connection.prepare_cached(
                "INSERT INTO documents (index_no, type, id, routing, parent, source)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
            )?,
            find: connection.prepare_cached(
                "SELECT number, octet_length(source) FROM documents
                 WHERE index_no = ?1 AND type = ?2 AND id = ?3 AND routing = ?4",
            )?,
            replace: connection.prepare_cached(
                "UPDATE documents SET parent = ?2, source = ?3 WHERE number = ?1",
            )?,
            documents: 0,
            bytes: 0,
        })
    }

    /// Most documents are new, so the insert is tried first and its conflict is the test.
    fn write(&mut self, document: DocumentRef<'_>) -> Step<ItemOutcome> {
        let doc_type = document.doc_type.unwrap_or_default();
        let routing = document.routing.unwrap_or_default();
        let parent = document.parent.unwrap_or_default();
        let source = Source(document.source);
        let key = params![self.index, doc_type, document.id, routing, parent, source];
        if self.insert.execute(key)? == 1 {
            self.documents += 1;
            self.bytes += length(document.source);
            return Ok(ItemOutcome::Created);
        }
        if self.operation == BulkOperation::Create {
            return Ok(ItemOutcome::Present);
        }
        let (number, before) =
            self.find.query_row(params![self.index, doc_type, document.id, routing], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
            })?;
        self.replace.execute(params![number, parent, source])?;
        self.bytes += length(document.source) - before;
        Ok(ItemOutcome::Updated)
    }
}

fn length(source: &[u8]) -> i64 {
    i64::try_from(source.len()).unwrap_or(i64::MAX)
}

/// A source as it is stored: TEXT if it is text. A NUL would end text for SQLite's functions, so such bytes stay a BLOB.
#[derive(Clone, Copy)]
struct Source<'a>(&'a [u8]);

impl ToSql for Source<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let is_text = memchr::memchr(0, self.0).is_none() && std::str::from_utf8(self.0).is_ok();
        Ok(ToSqlOutput::Borrowed(if is_text {
            ValueRef::Text(self.0)
        } else {
            ValueRef::Blob(self.0)
        }))
    }
}

/// The document of an id. Where several types share it, the first by name.
pub(super) fn get(
    connection: &Connection,
    index: &str,
    id: &str,
    routing: Option<&str>,
) -> Step<Option<Document>> {
    let number = indices::number(connection, index)?;
    let mut statement = connection.prepare_cached(
        "SELECT number, type, id, routing, parent, source FROM documents
         WHERE index_no = ?1 AND id = ?2 AND routing = ?3 ORDER BY type LIMIT 1",
    )?;
    let found = statement
        .query_row(params![number, id, routing.unwrap_or_default()], |row| {
            borrow(row).map(Document::from)
        })
        .optional()?;
    Ok(found)
}

/// The documents of an index whose row number is above `after`, as many as fit a page, and the last one's number.
pub(super) fn page(connection: &Connection, index: i64, after: i64) -> Step<(DocumentBatch, i64)> {
    let mut statement = connection.prepare_cached(
        "SELECT number, type, id, routing, parent, source FROM documents
         WHERE index_no = ?1 AND number > ?2 ORDER BY number",
    )?;
    let mut rows = statement.query([index, after])?;
    let mut builder = DocumentBatchBuilder::default();
    let mut last = after;
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        builder.push(borrow(row)?);
        if builder.bytes() >= PAGE_BYTES || builder.len() >= PAGE_DOCUMENTS {
            break;
        }
    }
    Ok((builder.finish(), last))
}

fn borrow<'r>(row: &'r Row<'_>) -> rusqlite::Result<DocumentRef<'r>> {
    let text = |column| row.get_ref(column).and_then(|value| Ok(value.as_str()?));
    let optional = |column| text(column).map(|text| Some(text).filter(|text| !text.is_empty()));
    Ok(DocumentRef {
        number: u32::try_from(row.get::<_, i64>(0)?).unwrap_or(u32::MAX),
        doc_type: optional(1)?,
        id: text(2)?,
        routing: optional(3)?,
        parent: optional(4)?,
        source: row.get_ref(5)?.as_bytes()?,
    })
}
