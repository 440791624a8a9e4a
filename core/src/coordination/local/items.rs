//! Work items, inside a transaction.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::random;
use super::super::totals::TotalsBuilder;
use super::super::{CasOutcome, ItemPage, ItemTotals, StoreTime, Version, Versioned, WorkItem};
use super::runs;
use crate::cluster::local::database::{Step, unsigned};
use crate::{Error, ErrorKind, Result};

/// An item as it is written. Made before the transaction begins, to keep that short.
#[derive(Debug)]
pub(super) struct Stored {
    id: String,
    sort_key: i64,
    open: bool,
    expiration: i64,
    holder: Option<String>,
    document: String,
}

impl Stored {
    pub(super) fn of(item: &WorkItem) -> Result<Self> {
        let is_open = !item.is_completed() && !item.quarantined;
        Ok(Self {
            id: item.id(),
            sort_key: i64::try_from(item.sort_key).unwrap_or(i64::MAX),
            open: is_open,
            expiration: millis(item.expiration),
            holder: item.lease_holder.clone().filter(|_| is_open),
            document: item.to_json()?,
        })
    }
}

pub(super) fn create(connection: &Connection, session: &str, items: &[Stored]) -> Step<usize> {
    if !items.is_empty() && runs::read(connection, session)?.is_none() {
        let message =
            "nothing is planned under this session, or it was stopped meanwhile: plan a run first";
        return Err(Error::new(ErrorKind::State, message).with_context("session", session).into());
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO work_items (session, id, version, sort_key, open, expiration, holder, document)
         VALUES (?1, ?2, ?8, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
    )?;
    let mut created = 0;
    for item in items {
        created += statement.execute(params![
            session,
            item.id,
            item.sort_key,
            item.open,
            item.expiration,
            item.holder,
            item.document,
            first_version()
        ])?;
    }
    Ok(created)
}

pub(super) fn read(
    connection: &Connection,
    session: &str,
    id: &str,
) -> Step<Option<Versioned<WorkItem>>> {
    let row = connection
        .prepare_cached("SELECT version, document FROM work_items WHERE session = ?1 AND id = ?2")?
        .query_row([session, id], raw)
        .optional()?;
    Ok(row.map(parse).transpose()?)
}

pub(super) fn replace(
    connection: &Connection,
    session: &str,
    item: &Stored,
    expected: Version,
) -> Step<CasOutcome> {
    let changed = connection
        .prepare_cached(
            "UPDATE work_items SET version = version + 1, open = ?4, expiration = ?5, holder = ?6,
                    document = ?7
             WHERE session = ?1 AND id = ?2 AND version = ?3",
        )?
        .execute(params![
            session,
            item.id,
            number(expected),
            item.open,
            item.expiration,
            item.holder,
            item.document
        ])?;
    let next = Version { number: expected.number + 1, ..expected };
    Ok(if changed == 1 { CasOutcome::Done(next) } else { CasOutcome::Conflict })
}

pub(super) fn open(
    connection: &Connection,
    session: &str,
    expired_before: StoreTime,
    from_sort_key: u64,
    limit: usize,
) -> Step<Vec<Versioned<WorkItem>>> {
    let from = i64::try_from(from_sort_key).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    for comparison in ["sort_key >= ?2", "sort_key < ?2"] {
        let sql = format!(
            "SELECT version, document FROM work_items
             WHERE session = ?1 AND open AND {comparison} AND (holder IS NULL OR expiration < ?3)
             ORDER BY sort_key LIMIT ?4"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let left = i64::try_from(limit - found.len()).unwrap_or(i64::MAX);
        let rows =
            statement.query_map(params![session, from, millis(expired_before), left], raw)?;
        for row in rows {
            found.push(parse(row?)?);
        }
    }
    Ok(found)
}

pub(super) fn page(
    connection: &Connection,
    session: &str,
    after: &str,
    limit: usize,
) -> Step<ItemPage> {
    let mut statement = connection.prepare_cached(
        "SELECT version, document FROM work_items WHERE session = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
    )?;
    let rows = statement
        .query_map(params![session, after, i64::try_from(limit).unwrap_or(i64::MAX)], raw)?;
    let items = rows.map(|row| Ok(parse(row?)?)).collect::<Step<Vec<_>>>()?;
    let next = items.last().filter(|_| items.len() == limit).map(|item| item.value.id());
    Ok(ItemPage { items, next })
}

pub(super) fn unfinished(connection: &Connection, session: &str) -> Step<u64> {
    let mut statement =
        connection.prepare_cached("SELECT count(*) FROM work_items WHERE session = ?1 AND open")?;
    Ok(statement.query_row([session], |row| unsigned(row, 0))?)
}

pub(super) fn totals(connection: &Connection, session: &str, now: StoreTime) -> Step<ItemTotals> {
    let mut statement =
        connection.prepare_cached("SELECT version, document FROM work_items WHERE session = ?1")?;
    let mut builder = TotalsBuilder::new(now);
    for row in statement.query_map([session], raw)? {
        builder.add(&parse(row?)?.value);
    }
    Ok(builder.finish())
}

/// The items that a worker holds, or that anybody does, whether or not the lease has run out.
pub(super) fn held(
    connection: &Connection,
    session: &str,
    worker: Option<&str>,
) -> Step<Vec<Versioned<WorkItem>>> {
    let mut statement = connection.prepare_cached(
        "SELECT version, document FROM work_items
         WHERE session = ?1 AND holder IS NOT NULL AND holder = ifnull(?2, holder)",
    )?;
    let rows = statement.query_map(params![session, worker], raw)?;
    rows.map(|row| Ok(parse(row?)?)).collect()
}

fn raw(row: &Row<'_>) -> rusqlite::Result<(u64, String)> {
    Ok((unsigned(row, 0)?, row.get(1)?))
}

fn parse((stored, text): (u64, String)) -> Result<Versioned<WorkItem>> {
    Ok(Versioned { value: WorkItem::from_json(&text)?, version: version(stored) })
}

/// Where versions of a document begin: not where they began when the session was there before, so that what was read then
/// fits nothing now.
pub(super) fn first_version() -> i64 {
    i64::try_from(random::number()).unwrap_or(1)
}

pub(super) fn version(number: u64) -> Version {
    Version { term: 1, number }
}

pub(super) fn number(version: Version) -> i64 {
    i64::try_from(version.number).unwrap_or(i64::MAX)
}

fn millis(time: StoreTime) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}
