//! Runs, inside a transaction.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::{CasOutcome, Run, Session, Version, Versioned};
use super::items::{first_version, number, version};
use crate::cluster::Created;
use crate::cluster::local::database::{Step, unsigned};

pub(super) fn read(connection: &Connection, session: &str) -> Step<Option<Versioned<Run>>> {
    let row = connection
        .prepare_cached("SELECT version, document FROM work_runs WHERE session = ?1")?
        .query_row([session], |row| Ok((unsigned(row, 0)?, row.get::<_, String>(1)?)))
        .optional()?;
    let Some((stored, text)) = row else { return Ok(None) };
    Ok(Some(Versioned { value: Run::from_json(&text)?, version: version(stored) }))
}

pub(super) fn create(connection: &Connection, session: &str, document: &str) -> Step<Created> {
    let made = connection.execute(
        "INSERT INTO work_runs (session, version, document) VALUES (?1, ?3, ?2) ON CONFLICT DO NOTHING",
        params![session, document, first_version()],
    )?;
    Ok(if made == 1 { Created::Created } else { Created::AlreadyThere })
}

pub(super) fn replace(
    connection: &Connection,
    session: &str,
    document: &str,
    expected: Version,
) -> Step<CasOutcome> {
    let changed = connection.execute(
        "UPDATE work_runs SET version = version + 1, document = ?2 WHERE session = ?1 AND version = ?3",
        params![session, document, number(expected)],
    )?;
    let next = Version { number: expected.number + 1, ..expected };
    Ok(if changed == 1 { CasOutcome::Done(next) } else { CasOutcome::Conflict })
}

pub(super) fn sessions(connection: &Connection) -> Step<Vec<Session>> {
    let mut statement = connection.prepare("SELECT session FROM work_runs ORDER BY session")?;
    let names = statement
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(names.iter().filter_map(|name| Session::of_index(name)).collect())
}

pub(super) fn drop_session(connection: &Connection, session: &str) -> Step<()> {
    connection.execute("DELETE FROM work_items WHERE session = ?1", [session])?;
    connection.execute("DELETE FROM work_runs WHERE session = ?1", [session])?;
    Ok(())
}
