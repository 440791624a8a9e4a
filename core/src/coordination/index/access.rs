//! Requests to the index, and what their answers mean.

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::Version;
use super::definition::{Incarnation, definition, is_ours};
use super::dialect::IndexDialect;
use crate::cluster::http::{
    ALREADY_THERE, Answer, Body, Complaint, HttpCluster, NO_INDEX, PASSING, Request, refusal,
};
use crate::{Error, ErrorKind, Result};

/// What a server says that was to make an index named like an alias which is gone.
const NO_NAME: &str = "invalid_index_name_exception";

/// Where the alias is gone, a template for all indices would have the server look for that template's pipeline first.
const NO_PIPELINE: &str = "&pipeline=_none";

/// Takes 32 bits of [`Version::term`] each: the incarnation, and the primary term.
const TERM_BITS: u32 = 32;

/// The index of a session in a cluster.
#[derive(Debug)]
pub(super) struct Access {
    cluster: HttpCluster,
    index: String,
}

/// What became of the making of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    Created,
    AlreadyThere,
}

/// A document by its id.
#[derive(Debug)]
pub(super) enum Got<T> {
    NoIndex,
    NoDocument,
    Document(T),
}

/// What became of the write of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Done(Version),
    /// It is there already, or in another state than expected.
    Conflict,
    /// The index, or this incarnation of it.
    Gone,
}

/// What a document must be like to be written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    Absent,
    At(Version),
}

/// A document of an answer.
#[derive(Debug, Deserialize)]
pub(super) struct Found<'a> {
    #[serde(default)]
    found: bool,
    #[serde(default, rename = "_index")]
    index: Option<String>,
    #[serde(borrow, default, rename = "_source")]
    source: Option<&'a RawValue>,
    #[serde(default, rename = "_seq_no")]
    seq_no: u64,
    #[serde(default, rename = "_primary_term")]
    primary_term: u64,
    #[serde(default, rename = "_version")]
    version: u64,
    /// The values that it was sorted by.
    #[serde(default)]
    pub(super) sort: Vec<Value>,
}

impl<'a> Found<'a> {
    pub(super) fn source(&self) -> Result<&'a str> {
        self.source.map(RawValue::get).ok_or_else(|| senseless("holds no source"))
    }

    pub(super) fn version(&self, run: Incarnation, dialect: IndexDialect) -> Version {
        if dialect.has_sequence_numbers {
            version(run, self.primary_term, self.seq_no)
        } else {
            version(run, 0, self.version)
        }
    }
}

fn version(run: Incarnation, primary_term: u64, number: u64) -> Version {
    Version { term: u64::from(run.0) << TERM_BITS | primary_term & u64::from(u32::MAX), number }
}

/// The incarnation that a version is of.
pub(super) fn incarnation_of(version: Version) -> Incarnation {
    Incarnation(u32::try_from(version.term >> TERM_BITS).unwrap_or_default())
}

impl Access {
    pub(super) fn new(cluster: HttpCluster, index: String) -> Self {
        Self { cluster, index }
    }

    pub(super) fn index(&self) -> &str {
        &self.index
    }

    pub(super) async fn dialect(&self) -> Result<IndexDialect> {
        self.cluster.identity().await.map(IndexDialect::of)
    }

    /// The seconds of the cluster's clock.
    pub(super) async fn seconds(&self) -> Result<u64> {
        let request = Request::new(Method::GET, "_cat/health").query("format=json&h=epoch");
        let answer = self.success(&request).await?;
        let rows: Vec<Value> = parse(&answer)?;
        let epoch = rows.first().and_then(|row| row.get("epoch"));
        let seconds = match epoch {
            Some(Value::String(text)) => text.parse().ok(),
            Some(number) => number.as_u64(),
            None => None,
        };
        seconds.ok_or_else(|| senseless("does not tell the time"))
    }

    /// Makes the index, unless there is one.
    pub(super) async fn make(&self, run: Incarnation) -> Result<Made> {
        let info = self.cluster.identity().await?;
        if info.serverless {
            let message = "a serverless collection cannot hold the working state: name another cluster as the coordinator";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let body = definition(&self.index, run, IndexDialect::of(info));
        let request = Request::of_index(Method::PUT, &self.index, &[])?.json(&body);
        let answer = self.cluster.ask(&request).await?;
        if answer.status.is_success() {
            return Ok(Made::Created);
        }
        if Complaint::of_body(&answer.body).is(&ALREADY_THERE) {
            return Ok(Made::AlreadyThere);
        }
        Err(self.refused(&answer, &request))
    }

    /// Refuses an index that is not ours; one that is not there is no fault. Says whether it is there.
    pub(super) async fn require_ours(&self) -> Result<bool> {
        let Some(answer) = self.about(Method::GET, &["_mapping"]).await? else { return Ok(false) };
        if is_ours(&self.index, &parse(&answer)?) {
            return Ok(true);
        }
        Err(self.not_ours())
    }

    fn not_ours(&self) -> Error {
        let message = format!(
            "`{}` is no index of snapfill's: use another session name, or see whose it is and delete it",
            self.index
        );
        Error::new(ErrorKind::State, message)
    }

    /// The incarnation of the index, as its alias says.
    pub(super) async fn incarnation(&self) -> Result<Option<Incarnation>> {
        let Some(answer) = self.about(Method::GET, &["_alias"]).await? else { return Ok(None) };
        Ok(Incarnation::of_aliases(&self.index, &parse(&answer)?))
    }

    pub(super) async fn delete(&self) -> Result<()> {
        self.about(Method::DELETE, &[]).await.map(|_| ())
    }

    /// Shows what was written to searches, on all copies of the index.
    pub(super) async fn refresh(&self) -> Result<()> {
        if let Some(answer) = self.about(Method::POST, &["_refresh"]).await? {
            require_all_shards(&parse(&answer)?)?;
        }
        Ok(())
    }

    /// A document as it is now, not as it was at the last refresh.
    pub(super) async fn get<T>(
        &self,
        id: &str,
        read: impl FnOnce(&Found<'_>, IndexDialect) -> Result<T>,
    ) -> Result<Got<T>> {
        let dialect = self.dialect().await?;
        let request = Request::of_index(Method::GET, &self.index, &[dialect.doc_type, id])?;
        let answer = self.cluster.ask(&request).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return match serde_json::from_slice::<Found<'_>>(&answer.body) {
                Ok(_) if !is_about_absence(&answer) => Ok(Got::NoDocument),
                _ if is_about_absence(&answer) => Ok(Got::NoIndex),
                _ => Err(self.refused(&answer, &request)),
            };
        }
        if !answer.status.is_success() {
            return Err(self.refused(&answer, &request));
        }
        let found: Found<'_> = parse(&answer)?;
        if !found.found {
            return Ok(Got::NoDocument);
        }
        if found.index.as_ref().is_some_and(|index| *index != self.index) {
            return Err(self.not_ours());
        }
        read(&found, dialect).map(Got::Document)
    }

    /// Writes a document under the alias of an incarnation: where that is gone, nothing is made.
    pub(super) async fn put(
        &self,
        run: Incarnation,
        id: &str,
        expected: Expected,
        document: String,
    ) -> Result<Written> {
        let dialect = self.dialect().await?;
        let mut query = match expected {
            Expected::Absent => "op_type=create".to_owned(),
            Expected::At(version) if dialect.has_sequence_numbers => format!(
                "if_seq_no={}&if_primary_term={}",
                version.number,
                version.term & u64::from(u32::MAX)
            ),
            Expected::At(version) => format!("version={}", version.number),
        };
        if dialect.definitions.has_no_pipeline {
            query.push_str(NO_PIPELINE);
        }
        let body = body(document, "application/json");
        let request =
            Request::of_index(Method::PUT, &run.alias(&self.index), &[dialect.doc_type, id])?
                .query(query)
                .body(body);
        let answer = self.cluster.ask(&request).await?;
        if answer.status.is_success() {
            let written: Found<'_> = parse(&answer)?;
            return Ok(Written::Done(written.version(run, dialect)));
        }
        if answer.status == StatusCode::CONFLICT {
            return Ok(Written::Conflict);
        }
        if is_about_absence(&answer) {
            return Ok(Written::Gone);
        }
        Err(self.refused(&answer, &request))
    }

    /// Writes documents that are not there yet, and says how many that were; none when the incarnation is gone.
    pub(super) async fn create(
        &self,
        run: Incarnation,
        documents: impl Iterator<Item = Result<(String, String)>>,
    ) -> Result<Option<usize>> {
        let dialect = self.dialect().await?;
        let mut lines = String::new();
        for document in documents {
            let (id, source) = document?;
            let mut action = serde_json::json!({ "_id": id });
            if dialect.is_typed {
                action["_type"] = dialect.doc_type.into();
            }
            lines.push_str(&serde_json::json!({ "create": action }).to_string());
            lines.push('\n');
            lines.push_str(&source);
            lines.push('\n');
        }
        let mut query = "filter_path=items.*.status,items.*.error".to_owned();
        if dialect.definitions.has_no_pipeline {
            query.push_str(NO_PIPELINE);
        }
        let request = Request::of_index(Method::POST, &run.alias(&self.index), &["_bulk"])?
            .query(query)
            .body(body(lines, "application/x-ndjson"));
        let answer = self.cluster.ask(&request).await?;
        if is_about_absence(&answer) {
            return Ok(None);
        }
        if !answer.status.is_success() {
            return Err(self.refused(&answer, &request));
        }
        created(&parse(&answer)?)
    }

    /// Searches; none where the index is not there. An answer of some shards only is an error.
    pub(super) async fn search(&self, query: &'static str, body: &Value) -> Result<Option<Answer>> {
        let request =
            Request::of_index(Method::POST, &self.index, &["_search"])?.query(query).json(body);
        self.whole(&request).await
    }

    /// How many documents match.
    pub(super) async fn count(&self, query: &Value) -> Result<u64> {
        let body = serde_json::json!({ "query": query });
        let request = Request::of_index(Method::POST, &self.index, &["_count"])?.json(&body);
        let Some(answer) = self.whole(&request).await? else { return Ok(0) };
        let counted: Value = parse(&answer)?;
        counted.get("count").and_then(Value::as_u64).ok_or_else(|| senseless("holds no count"))
    }

    async fn whole(&self, request: &Request) -> Result<Option<Answer>> {
        let answer = self.cluster.ask(request).await?;
        if is_about_absence(&answer) {
            return Ok(None);
        }
        if !answer.status.is_success() {
            return Err(self.refused(&answer, request));
        }
        require_all_shards(&parse(&answer)?)?;
        Ok(Some(answer))
    }

    /// An answer about the index itself; none where it is not there.
    async fn about(&self, method: Method, rest: &[&str]) -> Result<Option<Answer>> {
        let request = Request::of_index(method, &self.index, rest)?;
        let answer = self.cluster.ask(&request).await?;
        if is_about_absence(&answer) {
            return Ok(None);
        }
        if answer.status.is_success() {
            return Ok(Some(answer));
        }
        Err(self.refused(&answer, &request))
    }

    async fn success(&self, request: &Request) -> Result<Answer> {
        let answer = self.cluster.ask(request).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(self.refused(&answer, request)) }
    }

    fn refused(&self, answer: &Answer, request: &Request) -> Error {
        refusal(answer, request).with_context("index", &self.index)
    }
}

fn body(text: String, content_type: &'static str) -> Body {
    Body { bytes: text.into(), content_type, is_gzip: false }
}

/// Whether an answer says that there is no such index or alias.
fn is_about_absence(answer: &Answer) -> bool {
    !answer.status.is_success() && is_absence(&Complaint::of_body(&answer.body))
}

fn is_absence(complaint: &Complaint) -> bool {
    complaint.is(&NO_INDEX) || complaint.is(&[NO_NAME])
}

#[derive(Deserialize)]
struct Reach {
    #[serde(default)]
    timed_out: bool,
    #[serde(default, rename = "_shards")]
    shards: Shards,
}

#[derive(Default, Deserialize)]
struct Shards {
    #[serde(default)]
    failed: u64,
}

fn require_all_shards(reach: &Reach) -> Result<()> {
    if !reach.timed_out && reach.shards.failed == 0 {
        return Ok(());
    }
    let message = "the cluster could not read all of the working state";
    Err(Error::new(ErrorKind::Unavailable, message))
}

#[derive(Deserialize)]
struct BulkAnswer {
    #[serde(default)]
    items: Vec<BulkItem>,
}

#[derive(Deserialize)]
struct BulkItem {
    create: BulkEntry,
}

#[derive(Deserialize)]
struct BulkEntry {
    status: u16,
    #[serde(default)]
    error: Value,
}

fn created(answer: &BulkAnswer) -> Result<Option<usize>> {
    let mut created = 0;
    for BulkItem { create } in &answer.items {
        match create.status {
            200..=299 => created += 1,
            409 => {}
            status => {
                let complaint = Complaint::of_error(&create.error);
                if is_absence(&complaint) {
                    return Ok(None);
                }
                let kind = match status {
                    429 => ErrorKind::RateLimited,
                    401 | 403 if !complaint.is(&PASSING) => ErrorKind::Auth,
                    408 | 502..=504 => ErrorKind::Unavailable,
                    _ if complaint.is(&PASSING) => ErrorKind::Unavailable,
                    _ => ErrorKind::Unexpected,
                };
                let Complaint { error_type, reason } = complaint;
                let message =
                    format!("a work item was not written (HTTP {status}, {error_type}: {reason})");
                return Err(Error::new(kind, message));
            }
        }
    }
    Ok(Some(created))
}

/// An answer that is cut off or makes no sense may be asked for again.
pub(super) fn parse<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T> {
    serde_json::from_slice(&answer.body)
        .map_err(|error| senseless(&format!("cannot be understood: {error}")))
}

pub(super) fn senseless(what: &str) -> Error {
    let message = format!("the cluster's answer about the working state {what}");
    Error::new(ErrorKind::Unavailable, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outcome(answer: Value) -> Result<Option<usize>> {
        created(&serde_json::from_value(answer).unwrap())
    }

    #[test]
    fn a_version_knows_its_incarnation_and_its_term() {
        let made = version(Incarnation(0xffff_fff1), 3, 57);
        assert_eq!(incarnation_of(made), Incarnation(0xffff_fff1));
        assert_eq!((made.term & u64::from(u32::MAX), made.number), (3, 57));
        assert_ne!(made, version(Incarnation(1), 3, 57));
    }

    #[test]
    fn items_that_are_there_are_not_counted_and_refused_ones_are_told() {
        let item = |status: u16, error_type: &str| json!({"create": {"status": status, "error": {"type": error_type, "reason": "so"}}});
        let made = json!({"create": {"status": 201}});
        let there = item(409, "version_conflict_engine_exception");
        assert_eq!(outcome(json!({"items": [made, there, made]})).unwrap(), Some(2));
        let gone = item(400, NO_NAME);
        assert_eq!(outcome(json!({"items": [gone]})).unwrap(), None);
        let busy = outcome(json!({"items": [made, item(429, "rejected_execution_exception")]}));
        assert_eq!(busy.unwrap_err().kind(), ErrorKind::RateLimited);
        let full = outcome(json!({"items": [item(403, "cluster_block_exception")]})).unwrap_err();
        assert!(full.is_retryable());
    }

    #[test]
    fn an_answer_of_some_shards_only_is_none() {
        let reach = |answer: Value| require_all_shards(&serde_json::from_value(answer).unwrap());
        assert!(reach(json!({"_shards": {"total": 1, "failed": 0}})).is_ok());
        assert!(reach(json!({"_shards": {"total": 1, "failed": 1}})).unwrap_err().is_retryable());
        assert!(reach(json!({"timed_out": true})).is_err());
    }
}
