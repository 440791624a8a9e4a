//! The tables of the embedded working state.

use crate::cluster::local::database::Component;

/// `session` is the name of the working-state index that the session would have on a cluster, `document` the JSON it would
/// hold; the other columns are what is searched by.
pub(super) const COMPONENT: Component = Component {
    table: "work_items",
    statements: "
        CREATE TABLE work_runs (
            session TEXT NOT NULL PRIMARY KEY,
            version INTEGER NOT NULL,
            document TEXT NOT NULL
        );
        CREATE TABLE work_items (
            session TEXT NOT NULL,
            id TEXT NOT NULL,
            version INTEGER NOT NULL,
            sort_key INTEGER NOT NULL,
            open INTEGER NOT NULL,
            expiration INTEGER NOT NULL,
            holder TEXT,
            document TEXT NOT NULL,
            PRIMARY KEY (session, id)
        ) WITHOUT ROWID;
        CREATE INDEX work_items_open ON work_items (session, sort_key) WHERE open;
        CREATE INDEX work_items_held ON work_items (session, holder) WHERE holder IS NOT NULL;
    ",
};
