//! The tables of the embedded cluster.

use super::database::Component;

/// `type`, `routing` and `parent` hold '' when absent, because NULLs would never collide in a unique key. Nothing is lost by
/// that: servers treat an empty routing as none, and an empty type or parent cannot be. The view shows NULL.
///
/// Rows keep their number when they are replaced, so that reading by number is stable; the index on `index_no` holds the
/// numbers of one index in order. `_source` is TEXT where it is UTF-8, so that `json_extract` works, else BLOB.
pub(super) const COMPONENT: Component = Component {
    table: "documents",
    statements: "
        CREATE TABLE cluster (uuid TEXT NOT NULL);
        INSERT INTO cluster VALUES (lower(hex(randomblob(11))));
        CREATE TABLE indices (
            no INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            uuid TEXT NOT NULL,
            settings TEXT NOT NULL,
            mappings TEXT NOT NULL,
            aliases TEXT NOT NULL,
            document_count INTEGER NOT NULL DEFAULT 0,
            source_bytes INTEGER NOT NULL DEFAULT 0
        );
        CREATE TABLE documents (
            number INTEGER PRIMARY KEY,
            index_no INTEGER NOT NULL,
            type TEXT NOT NULL,
            id TEXT NOT NULL,
            routing TEXT NOT NULL,
            parent TEXT NOT NULL,
            source NOT NULL
        );
        CREATE UNIQUE INDEX documents_key ON documents (index_no, id, routing, type);
        CREATE INDEX documents_of_index ON documents (index_no);
        CREATE VIEW documents_view AS
            SELECT i.name AS index_name, nullif(d.type, '') AS type, d.id AS id,
                   nullif(d.routing, '') AS routing, d.source AS source
            FROM documents d JOIN indices i ON i.no = d.index_no;
    ",
};
