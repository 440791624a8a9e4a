//! Indices, inside a transaction.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};

use super::super::{Created, IndexDefinition, IndexRow};
use super::database::{Step, unsigned};
use crate::{Error, ErrorKind};

pub(super) fn create(
    connection: &Connection,
    name: &str,
    definition: &IndexDefinition,
) -> Step<Created> {
    let made = connection
        .prepare_cached(
            "INSERT INTO indices (name, uuid, settings, mappings, aliases)
             VALUES (?1, lower(hex(randomblob(11))), ?2, ?3, ?4) ON CONFLICT (name) DO NOTHING",
        )?
        .execute(params![
            name,
            definition.settings.to_string(),
            definition.mappings.to_string(),
            definition.aliases.to_string()
        ])?;
    Ok(if made == 1 { Created::Created } else { Created::AlreadyThere })
}

/// The identity of the file, which stays when the directory is moved.
pub(super) fn cluster_uuid(connection: &Connection) -> Step<String> {
    Ok(connection.query_row("SELECT uuid FROM cluster", [], |row| row.get(0))?)
}

/// The number of an index within the file.
pub(super) fn number(connection: &Connection, name: &str) -> Step<i64> {
    let number = connection
        .prepare_cached("SELECT no FROM indices WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(number.ok_or_else(|| absent(name))?)
}

pub(super) fn count(connection: &Connection, name: &str) -> Step<u64> {
    let count = connection
        .prepare_cached("SELECT document_count FROM indices WHERE name = ?1")?
        .query_row([name], |row| unsigned(row, 0))
        .optional()?;
    Ok(count.ok_or_else(|| absent(name))?)
}

pub(super) fn rows(connection: &Connection) -> Step<Vec<IndexRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT name, uuid, document_count, source_bytes FROM indices ORDER BY name",
    )?;
    let rows = statement.query_map([], |row| {
        let size = IndexRow::human_size(unsigned(row, 3)?);
        Ok(IndexRow {
            health: Some("green".into()),
            status: Some("open".into()),
            index: row.get(0)?,
            uuid: Some(row.get(1)?),
            pri: Some(1),
            rep: Some(0),
            docs_count: Some(unsigned(row, 2)?),
            docs_deleted: Some(0),
            store_size: Some(size.clone()),
            pri_store_size: Some(size),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn definition(connection: &Connection, name: &str) -> Step<Option<IndexDefinition>> {
    let texts = connection
        .prepare_cached("SELECT settings, mappings, aliases FROM indices WHERE name = ?1")?
        .query_row([name], |row| {
            Ok([row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?])
        })
        .optional()?;
    let Some([settings, mappings, aliases]) = texts else { return Ok(None) };
    let parse = |text: &str| {
        serde_json::from_str(text).map_err(|error| {
            let message = format!("the definition of index `{name}` is not JSON: {error}");
            Error::new(ErrorKind::Corrupt, message)
        })
    };
    Ok(Some(IndexDefinition {
        settings: parse(&settings)?,
        mappings: parse(&mappings)?,
        aliases: parse(&aliases)?,
    }))
}

/// Merges `settings` into those of an index; a null takes one away.
/// Settings by flat name, as clusters show them: nested and flat ones, with and without `index.`, become the same.
pub(super) fn flat(settings: &Value) -> Map<String, Value> {
    fn add(prefix: &str, value: &Value, flat: &mut Map<String, Value>) {
        let Value::Object(members) = value else {
            flat.insert(prefix.to_owned(), value.clone());
            return;
        };
        for (name, value) in members {
            let name = match prefix {
                "" if name == "index" || name.starts_with("index.") => name.clone(),
                "" => format!("index.{name}"),
                prefix => format!("{prefix}.{name}"),
            };
            add(&name, value, flat);
        }
    }
    let mut flat = Map::new();
    if settings.is_object() {
        add("", settings, &mut flat);
    }
    flat
}

pub(super) fn update_settings(connection: &Connection, name: &str, settings: &str) -> Step<()> {
    let changed = connection
        .prepare_cached("UPDATE indices SET settings = json_patch(settings, ?2) WHERE name = ?1")?
        .execute([name, settings])?;
    if changed == 1 { Ok(()) } else { Err(absent(name).into()) }
}

pub(super) fn delete(connection: &Connection, name: &str) -> Step<()> {
    let number = number(connection, name)?;
    connection.execute("DELETE FROM documents WHERE index_no = ?1", [number])?;
    connection.execute("DELETE FROM indices WHERE no = ?1", [number])?;
    Ok(())
}

/// Changes the counters of an index, in the transaction that changes its documents.
pub(super) fn add(connection: &Connection, number: i64, documents: i64, bytes: i64) -> Step<()> {
    connection
        .prepare_cached(
            "UPDATE indices SET document_count = document_count + ?2, source_bytes = source_bytes + ?3
             WHERE no = ?1",
        )?
        .execute([number, documents, bytes])?;
    Ok(())
}

pub(super) fn absent(name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no index `{name}`; create it first"))
}
