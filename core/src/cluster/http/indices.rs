//! Making, listing, counting and changing indices.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::dialect::Dialect;
use super::refusal::{Complaint, refusal, success};
use super::request::Request;
use super::transport::Transport;
use crate::cluster::{Created, IndexDefinition, IndexRow};
use crate::{Error, ErrorKind, Result};

/// What another client was faster with.
pub(crate) const ALREADY_THERE: [&str; 2] =
    ["resource_already_exists_exception", "index_already_exists_exception"];

/// Settings that a server gives an index by itself and takes from nobody.
const OWN_SETTINGS: [&str; 9] = [
    "uuid",
    "version",
    "creation_date",
    "creation_date_string",
    "provided_name",
    "history",
    "resize",
    "routing.allocation.initial_recovery",
    "legacy",
];

/// The settings without those that no server takes. Flat and nested names are both understood.
fn settable(settings: &Value) -> Value {
    let Some(members) = settings.as_object() else { return settings.clone() };
    let is_own = |name: &str| {
        let name = name.strip_prefix("index.").unwrap_or(name);
        OWN_SETTINGS.iter().any(|own| {
            name.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let kept = members.iter().filter(|(name, _)| !is_own(name)).map(|(name, value)| {
        let value = if name == "index" { settable(value) } else { value.clone() };
        (name.clone(), value)
    });
    Value::Object(kept.collect())
}

/// Whether there is an index, an alias or a data stream of that name: something to write to.
pub(super) async fn exists(transport: &Transport, index: &str) -> Result<bool> {
    let request = Request::of_index(Method::HEAD, index, &[])?;
    let answer = transport.send(&request).await?;
    if answer.status == StatusCode::NOT_FOUND {
        return Ok(false);
    }
    success(answer, &request).map(|_| true).map_err(|error| error.with_context("index", index))
}

/// Refuses what is not there.
pub(super) async fn require(transport: &Transport, index: &str) -> Result<()> {
    if exists(transport, index).await? { Ok(()) } else { Err(absent(index)) }
}

fn absent(index: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no index `{index}` in the target"))
        .with_context("index", index)
}

pub(super) async fn create(
    transport: &Transport,
    dialect: Dialect,
    index: &str,
    definition: &IndexDefinition,
) -> Result<Created> {
    if exists(transport, index).await? {
        return Ok(Created::AlreadyThere);
    }
    let body = json!({
        "settings": settable(&definition.settings),
        "mappings": dialect.mappings(&definition.mappings),
        "aliases": definition.aliases,
    });
    let request = Request::of_index(Method::PUT, index, &[])?.json(&body);
    let answer = transport.send(&request).await?;
    if Complaint::of_body(&answer.body).is(&ALREADY_THERE) {
        return Ok(Created::AlreadyThere);
    }
    let answer = success(answer, &request).map_err(|error| error.with_context("index", index))?;
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if said.get("acknowledged") == Some(&Value::Bool(false)) {
        let message =
            "the target did not make the index in time; its nodes may not all know it yet";
        return Err(Error::new(ErrorKind::Unavailable, message).with_context("index", index));
    }
    Ok(Created::Created)
}

pub(super) async fn list(transport: &Transport, dialect: Dialect) -> Result<Vec<IndexRow>> {
    let query =
        if dialect.has_hidden_indices { "format=json&expand_wildcards=all" } else { "format=json" };
    let request = Request::new(Method::GET, "_cat/indices").query(query);
    let answer = success(transport.send(&request).await?, &request)?;
    let mut rows: Vec<IndexRow> = serde_json::from_slice(&answer.body).map_err(|error| {
        Error::new(
            ErrorKind::Unavailable,
            format!("the target's list of indices cannot be understood: {error}"),
        )
    })?;
    if rows.iter().any(|row| row.uuid.is_none()) {
        add_uuids(transport, &mut rows).await?;
    }
    rows.sort_by(|a, b| a.index.cmp(&b.index));
    Ok(rows)
}

/// Elasticsearch 1 tells them only among the settings.
async fn add_uuids(transport: &Transport, rows: &mut [IndexRow]) -> Result<()> {
    let request = Request::new(Method::GET, "_settings");
    let answer = success(transport.send(&request).await?, &request)?;
    let settings: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    for row in rows.iter_mut().filter(|row| row.uuid.is_none()) {
        let index = settings.get(&row.index);
        let uuid = index.and_then(|index| index.pointer("/settings/index/uuid"));
        row.uuid = uuid.and_then(Value::as_str).map(str::to_owned);
    }
    Ok(())
}

#[derive(Deserialize)]
struct Count {
    count: u64,
    #[serde(default)]
    _shards: Shards,
}

#[derive(Default, Deserialize)]
struct Shards {
    #[serde(default)]
    failed: u64,
    #[serde(default)]
    total: u64,
}

pub(super) async fn count(transport: &Transport, index: &str) -> Result<u64> {
    let request = Request::of_index(Method::GET, index, &["_count"])?;
    let answer = transport.send(&request).await?;
    let answer = success(answer, &request).map_err(|error| error.with_context("index", index))?;
    let counted: Count = serde_json::from_slice(&answer.body).map_err(|error| {
        Error::new(
            ErrorKind::Unavailable,
            format!("the target's count cannot be understood: {error}"),
        )
        .with_context("index", index)
    })?;
    if counted._shards.failed > 0 {
        let message = format!(
            "{} of {} shards did not count their documents",
            counted._shards.failed, counted._shards.total
        );
        return Err(Error::new(ErrorKind::Unavailable, message).with_context("index", index));
    }
    Ok(counted.count)
}

pub(super) async fn refresh(transport: &Transport, index: &str) -> Result<()> {
    let request = Request::of_index(Method::POST, index, &["_refresh"])?;
    let answer = transport.send(&request).await?;
    success(answer, &request).map(|_| ()).map_err(|error| error.with_context("index", index))
}

pub(super) async fn update_settings(
    transport: &Transport,
    dialect: Dialect,
    index: &str,
    settings: &Value,
) -> Result<()> {
    // Servers refuse an empty change before they look for the index.
    if settings.as_object().is_some_and(Map::is_empty) {
        return require(transport, index).await;
    }
    let request =
        Request::of_index(Method::PUT, index, &["_settings"])?.json(&dialect.settings(settings));
    let answer = transport.send(&request).await?;
    if answer.status.is_success() {
        return Ok(());
    }
    Err(refusal(&answer, &request).with_context("index", index))
}

/// The settings of one index, by flat name. Nothing for an alias or a data stream of several indices, and where we may not
/// look.
pub(super) async fn settings(
    transport: &Transport,
    index: &str,
) -> Result<Option<Map<String, Value>>> {
    #[derive(Deserialize)]
    struct Index {
        settings: Map<String, Value>,
    }
    let request =
        Request::of_index(Method::GET, index, &["_settings"])?.query("flat_settings=true");
    let answer = match success(transport.send(&request).await?, &request) {
        Err(error) if error.kind() == ErrorKind::Auth => return Ok(None),
        answer => answer.map_err(|error| error.with_context("index", index))?,
    };
    let told: BTreeMap<String, Index> = serde_json::from_slice(&answer.body).map_err(|error| {
        Error::new(
            ErrorKind::Unavailable,
            format!("the target's settings of an index cannot be understood: {error}"),
        )
        .with_context("index", index)
    })?;
    let mut indices = told.into_values();
    match (indices.next(), indices.next()) {
        (Some(only), None) => Ok(Some(only.settings)),
        (None, _) => Err(absent(index)),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_a_server_gives_by_itself_are_left_out() {
        let own = json!({"index.uuid": "u", "index.version.created": "1", "index.versions": 1, "index": {"provided_name": "a",
            "number_of_shards": "3"}, "index.creation_date": "5", "number_of_replicas": 1});
        let kept = json!({"index.versions": 1, "index": {"number_of_shards": "3"}, "number_of_replicas": 1});
        assert_eq!(settable(&own), kept);
    }
}
