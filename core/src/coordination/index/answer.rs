//! What answers mean.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::Version;
use super::definition::Incarnation;
use super::dialect::IndexDialect;
use crate::cluster::http::{Answer, Complaint, NO_INDEX, PASSING};
use crate::{Error, ErrorKind, Result};

/// What a server says that was to make an index named like an alias which is gone.
const NO_NAME: &str = "invalid_index_name_exception";

/// Takes 32 bits of [`Version::term`] each: the incarnation, and the primary term.
const TERM_BITS: u32 = 32;

/// A document of an answer.
#[derive(Debug, Deserialize)]
pub(super) struct Found<'a> {
    #[serde(default)]
    pub(super) found: bool,
    #[serde(default, rename = "_index")]
    pub(super) index: Option<String>,
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

/// A version, which knows its incarnation.
fn version(run: Incarnation, primary_term: u64, number: u64) -> Version {
    Version { term: u64::from(run.0) << TERM_BITS | primary_term & u64::from(u32::MAX), number }
}

/// The primary term of a version.
pub(super) fn primary_term_of(version: Version) -> u64 {
    version.term & u64::from(u32::MAX)
}

/// The incarnation that a version is of.
pub(super) fn incarnation_of(version: Version) -> Incarnation {
    Incarnation(u32::try_from(version.term >> TERM_BITS).unwrap_or_default())
}

/// Whether an answer says that there is no such index or alias.
pub(super) fn is_about_absence(answer: &Answer) -> bool {
    !answer.status.is_success() && is_absence(&Complaint::of_body(&answer.body))
}

fn is_absence(complaint: &Complaint) -> bool {
    complaint.is(&NO_INDEX) || complaint.is(&[NO_NAME])
}

#[derive(Deserialize)]
pub(super) struct Reach {
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

pub(super) fn require_all_shards(reach: &Reach) -> Result<()> {
    if !reach.timed_out && reach.shards.failed == 0 {
        return Ok(());
    }
    let message = "the cluster could not read all of the working state";
    Err(Error::new(ErrorKind::Unavailable, message))
}

#[derive(Deserialize)]
pub(super) struct BulkAnswer {
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

pub(super) fn created(answer: &BulkAnswer) -> Result<Option<usize>> {
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
