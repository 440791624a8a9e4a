//! Requests to the index.

use bytes::Bytes;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::super::Version;
use super::answer::{
    BulkAnswer, Found, Reach, created, is_about_absence, parse, primary_term_of,
    require_all_shards, senseless,
};
use super::definition::{Incarnation, definition, is_ours};
use super::dialect::IndexDialect;
use crate::cluster::http::{ALREADY_THERE, Answer, Body, Complaint, HttpCluster, Request, refusal};
use crate::cluster::{ClusterClient, Created};
use crate::{Error, ErrorKind, Result};

/// Where the alias is gone, a template for all indices would have the server look for that template's pipeline first.
const NO_PIPELINE: &str = "&pipeline=_none";

/// How many replicas the index has at least and at most, as the nodes allow: one, on a node alone none. Clusters that keep
/// zones in balance want as many copies as they have zones.
const REPLICAS: [&str; 3] = ["0-1", "0-2", "0-all"];

/// What such a cluster says.
const UNBALANCED: &str = "awareness attributes";

/// The index of a session in a cluster.
#[derive(Debug)]
pub(super) struct Access {
    cluster: HttpCluster,
    index: String,
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

/// Refuses a cluster of which it is known, before anything is asked, that it cannot hold the working state.
pub(super) fn require_room_in(cluster: &HttpCluster) -> Result<()> {
    if cluster.capability().working_state { Ok(()) } else { Err(no_room_in(cluster)) }
}

fn no_room_in(cluster: &HttpCluster) -> Error {
    let message = format!(
        "{} is a serverless collection, which cannot hold the working state of a run: keep it in another cluster by \
         `--coordinator URL`, or in a file for workers on this machine by `--coordinator local`",
        cluster.address()
    );
    Error::new(ErrorKind::Config, message)
}

impl Access {
    pub(super) fn new(cluster: HttpCluster, index: String) -> Self {
        Self { cluster, index }
    }

    pub(super) fn index(&self) -> &str {
        &self.index
    }

    /// How the cluster is spoken to. All but the time is asked for in a dialect, so a cluster that has no room for the
    /// working state is refused here.
    pub(super) async fn dialect(&self) -> Result<IndexDialect> {
        require_room_in(&self.cluster)?;
        let info = self.cluster.identity().await?;
        if info.serverless {
            return Err(no_room_in(&self.cluster));
        }
        Ok(IndexDialect::of(info))
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
    pub(super) async fn make(&self, run: Incarnation) -> Result<Created> {
        let dialect = self.dialect().await?;
        for replicas in REPLICAS {
            let body = definition(&self.index, run, replicas, dialect);
            let request = Request::of_index(Method::PUT, &self.index, &[])?.json(&body);
            let answer = self.cluster.ask(&request).await?;
            if answer.status.is_success() {
                return Ok(Created::Created);
            }
            let complaint = Complaint::of_body(&answer.body);
            if complaint.is(&ALREADY_THERE) {
                return Ok(Created::AlreadyThere);
            }
            if !complaint.reason.contains(UNBALANCED) {
                return Err(self.refused(&answer, &request));
            }
        }
        let message = "the cluster takes no number of copies that we know for the working state";
        Err(Error::new(ErrorKind::Config, message).with_context("index", &self.index))
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
            require_all_shards(&parse::<Reach>(&answer)?)?;
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
            Expected::At(version) if dialect.has_sequence_numbers => {
                format!("if_seq_no={}&if_primary_term={}", version.number, primary_term_of(version))
            }
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
        created(&parse::<BulkAnswer>(&answer)?)
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
        require_all_shards(&parse::<Reach>(&answer)?)?;
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
    Body { parts: Bytes::from(text).into(), content_type, is_gzip: false }
}
