//! The answer to a bulk request becomes outcomes, one a document.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::refusal::{Complaint, NO_INDEX, PASSING};
use super::server_ids::Ids;
use crate::cluster::{BulkOperation, BulkOutcome, ItemError, ItemOutcome};
use crate::{Error, ErrorKind, Result};

/// What the answer is asked to hold: the rest of it, as long as ids and more, is not even sent.
pub(super) const WANTED: &str = "filter_path=error,status,items.*.status,items.*.error";

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    items: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, alias = "create")]
    index: Entry<'a>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    status: u16,
    /// Looked into only where there is one.
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// What decides over an item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judge<'a> {
    pub(super) operation: BulkOperation,
    pub(super) allowed: &'a BTreeSet<String>,
    /// Whose ids there are to be, where the bulk held some.
    pub(super) ids: Option<&'a Ids>,
}

impl Judge<'_> {
    /// Understands the answer to a bulk of `count` documents.
    ///
    /// An answer that is cut off or makes no sense is `Unavailable`: what it is about may well have been written, and is sent
    /// again. A complaint that would meet every document is an error of the whole bulk, and no document's fault.
    pub(super) fn outcome(self, body: &[u8], count: usize) -> Result<BulkOutcome> {
        let answer: Answer<'_> = serde_json::from_slice(body).map_err(|error| {
            senseless(&format!("cannot be understood: {error}, {} bytes", body.len()))
        })?;
        if answer.items.len() != count {
            return Err(senseless(&format!(
                "holds {} items for {count} documents",
                answer.items.len()
            )));
        }
        let items =
            answer.items.into_iter().map(|item| self.item(&item.index)).collect::<Result<_>>()?;
        Ok(BulkOutcome { items })
    }

    fn item(self, entry: &Entry<'_>) -> Result<ItemOutcome> {
        let complaint = match entry.error {
            None if (200..300).contains(&entry.status) => {
                return Ok(if entry.status == 201 {
                    ItemOutcome::Created
                } else {
                    ItemOutcome::Updated
                });
            }
            None => Complaint::default(),
            Some(error) => {
                Complaint::of_error(&serde_json::from_str(error.get()).unwrap_or_default())
            }
        };
        let Complaint { error_type, reason } = &complaint;
        let whole =
            |kind, what: &str| Err(Error::new(kind, format!("{what} ({error_type}: {reason})")));
        match entry.status {
            409 if self.operation == BulkOperation::Create => return Ok(ItemOutcome::Present),
            _ if self.allowed.contains(error_type) => return Ok(ItemOutcome::Present),
            _ if complaint.is(&NO_INDEX) => {
                return whole(ErrorKind::NotFound, "there is no such index");
            }
            _ if error_type == "index_closed_exception" => {
                return whole(ErrorKind::Config, "the index is closed; open it");
            }
            401 => return whole(ErrorKind::Auth, "the target does not know us"),
            403 if !complaint.is(&PASSING) => {
                return whole(ErrorKind::Auth, "the target does not let us write to the index");
            }
            _ => {}
        }
        let takes_no_ids = self.ids.filter(|_| Ids::is_refusal(&complaint));
        if takes_no_ids.is_some_and(|ids| !ids.refused()) {
            return whole(
                ErrorKind::Config,
                "the target takes no ids and gives documents its own; allow it (`--server-ids auto`)",
            );
        }
        let is_passing = matches!(entry.status, 408 | 409 | 429 | 502..=504)
            || complaint.is(&PASSING)
            || takes_no_ids.is_some();
        let Complaint { error_type, reason } = complaint;
        let error = Box::new(ItemError { status: entry.status, error_type, reason });
        Ok(if is_passing { ItemOutcome::Retry(error) } else { ItemOutcome::Failed(error) })
    }
}

fn senseless(what: &str) -> Error {
    Error::new(ErrorKind::Unavailable, format!("the target's answer to a bulk {what}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn judged(operation: BulkOperation, item: &Value) -> Result<ItemOutcome> {
        let allowed = BTreeSet::from(["version_conflict_engine_exception".to_owned()]);
        let judge = Judge {
            operation,
            allowed: if operation == BulkOperation::Create { &BTreeSet::new() } else { &allowed },
            ids: None,
        };
        let body = json!({"took": 1, "errors": true, "items": [item]}).to_string();
        judge.outcome(body.as_bytes(), 1).map(|mut outcome| outcome.items.remove(0))
    }

    fn index(item: Value) -> Result<ItemOutcome> {
        judged(BulkOperation::Index, &json!({ "index": item }))
    }

    fn complaint(status: u16, error_type: &str) -> Value {
        json!({"status": status, "error": {"type": error_type, "reason": "so"}})
    }

    #[test]
    fn what_was_written_is_told_by_the_status() {
        assert_eq!(
            index(json!({"status": 201, "_id": "a", "result": "created"})).unwrap(),
            ItemOutcome::Created
        );
        assert_eq!(index(json!({"status": 200})).unwrap(), ItemOutcome::Updated);
        let created = judged(BulkOperation::Create, &json!({"create": {"status": 201}}));
        assert_eq!(created.unwrap(), ItemOutcome::Created);
    }

    #[test]
    fn what_is_there_is_present_in_create_mode_only() {
        let conflict = complaint(409, "document_already_exists_exception");
        let create = judged(BulkOperation::Create, &json!({"create": conflict})).unwrap();
        assert_eq!(create, ItemOutcome::Present);
        assert!(matches!(index(conflict).unwrap(), ItemOutcome::Retry(_)));
        let allowed = index(complaint(409, "version_conflict_engine_exception")).unwrap();
        assert_eq!(allowed, ItemOutcome::Present, "allowed by name");
    }

    #[test]
    fn passing_troubles_are_sent_again() {
        let by_status = [429, 503, 502, 504, 408].map(|status| complaint(status, "whatever"));
        let by_name = PASSING.map(|name| complaint(403, name));
        for item in by_status.into_iter().chain(by_name) {
            assert!(matches!(index(item.clone()).unwrap(), ItemOutcome::Retry(_)), "{item}");
        }
        let old = json!({"status": 503, "error": "UnavailableShardsException[[a][0] [2] shardIt]"});
        let ItemOutcome::Retry(error) = index(old).unwrap() else { panic!("not sent again") };
        assert_eq!(error.error_type, "unavailable_shards_exception");
    }

    #[test]
    fn the_rest_fails_for_good() {
        for (status, name) in
            [(400, "mapper_parsing_exception"), (400, "illegal_argument_exception"), (500, "x")]
        {
            let ItemOutcome::Failed(error) = index(complaint(status, name)).unwrap() else {
                panic!("{name}")
            };
            assert_eq!(
                (error.status, error.error_type.as_str(), error.reason.as_str()),
                (status, name, "so")
            );
        }
    }

    #[test]
    fn what_would_meet_every_document_is_no_documents_fault() {
        let kind = |status, name| index(complaint(status, name)).unwrap_err().kind();
        assert_eq!(kind(404, "index_not_found_exception"), ErrorKind::NotFound);
        assert_eq!(kind(403, "security_exception"), ErrorKind::Auth);
        assert_eq!(kind(400, "index_closed_exception"), ErrorKind::Config);
    }

    #[test]
    fn an_answer_without_sense_may_be_asked_for_again() {
        let allowed = BTreeSet::new();
        let judge = Judge { operation: BulkOperation::Index, allowed: &allowed, ids: None };
        let whole = br#"{"items":[{"index":{"status":201}},{"index":{"status":201}}]}"#;
        for end in 0..whole.len() {
            let error = judge.outcome(&whole[..end], 2).unwrap_err();
            assert!(error.is_retryable() && error.kind() == ErrorKind::Unavailable, "{error}");
        }
        assert!(judge.outcome(whole, 3).unwrap_err().is_retryable());
        assert_eq!(judge.outcome(whole, 2).unwrap().items.len(), 2);
    }
}
