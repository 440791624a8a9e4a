//! Listing and making data streams.

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::dialect::Dialect;
use super::indices::{ALREADY_THERE, exists, settable};
use super::refusal::{Complaint, success};
use super::request::Request;
use super::transport::Transport;
use crate::cluster::{Created, DataStreamDefinition};
use crate::{Error, ErrorKind, Result};

/// Above templates with wildcards, which would otherwise decide about the stream without making one of it.
const PRIORITY: u32 = 1_000_000;

/// What a server without data streams makes of their paths: those of an index or of a type, with impossible names.
const UNKNOWN: [StatusCode; 3] =
    [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];

#[derive(Deserialize)]
struct Listed {
    data_streams: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    name: String,
}

/// The data streams; `None` from a server that takes the path for something else, since it has none.
pub(super) async fn list(transport: &Transport) -> Result<Option<Vec<String>>> {
    let request = Request::new(Method::GET, "_data_stream");
    let answer = transport.send(&request).await?;
    if UNKNOWN.contains(&answer.status) {
        return Ok(None);
    }
    let answer = success(answer, &request)?;
    let listed: Listed = serde_json::from_slice(&answer.body).map_err(|error| {
        let message = format!("the target's list of data streams cannot be understood: {error}");
        Error::new(ErrorKind::Unavailable, message)
    })?;
    Ok(Some(listed.data_streams.into_iter().map(|stream| stream.name).collect()))
}

/// Makes a data stream, by a template of the target's own where it has one for that name, else by one that is made here and
/// stays: the stream's next backing index is made by it, too.
pub(super) async fn create(
    transport: &Transport,
    dialect: Dialect,
    name: &str,
    definition: &DataStreamDefinition,
) -> Result<Created> {
    if exists(transport, name).await? {
        return Ok(Created::AlreadyThere);
    }
    let stream = Request::named(Method::PUT, "_data_stream", name)?;
    let mut answer = transport.send(&stream).await?;
    if UNKNOWN.contains(&answer.status) && list(transport).await?.is_none() {
        let message = format!("the target has no data streams, and `{name}` would be one");
        return Err(Error::new(ErrorKind::Unsupported, message).with_context("data stream", name));
    }
    if Complaint::of_body(&answer.body).is(&["illegal_argument_exception"]) {
        let template = Request::named(Method::PUT, "_index_template", &format!("snapfill-{name}"))?;
        let template = template.json(&template_of(dialect, name, definition));
        let made = transport.send(&template).await?;
        success(made, &template).map_err(|error| error.with_context("data stream", name))?;
        answer = transport.send(&stream).await?;
    }
    if Complaint::of_body(&answer.body).is(&ALREADY_THERE) {
        return Ok(Created::AlreadyThere);
    }
    success(answer, &stream)
        .map(|_| Created::Created)
        .map_err(|error| error.with_context("data stream", name))
}

fn template_of(dialect: Dialect, name: &str, definition: &DataStreamDefinition) -> Value {
    // Elasticsearch knows no other field and takes no member that names it.
    let stream = match definition.timestamp_field.as_str() {
        "@timestamp" => json!({}),
        field => json!({ "timestamp_field": { "name": field } }),
    };
    json!({
        "index_patterns": [name],
        "priority": PRIORITY,
        "data_stream": stream,
        "template": {
            "settings": settable(&definition.indices.settings),
            "mappings": dialect.mappings(&definition.indices.mappings),
        },
        "_meta": { "made_by": "snapfill" },
    })
}
