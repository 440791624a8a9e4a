//! An answer that is no success becomes an error.

use std::borrow::Cow;

use reqwest::header::LOCATION;
use serde::Deserialize;
use serde_json::Value;

use super::request::Request;
use super::transport::Answer;
use crate::{Error, ErrorKind, Result};

/// A server's explanation may quote whole documents.
const LONGEST_REASON: usize = 600;

/// What a server says is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// `index_not_found_exception`, …; empty where it does not say.
    pub(crate) error_type: String,
    pub(crate) reason: String,
}

#[derive(Deserialize)]
struct Outer {
    #[serde(default)]
    error: Value,
    #[serde(default, alias = "Message")]
    message: Option<String>,
    /// How services of AWS name an error.
    #[serde(default, rename = "__type")]
    of_aws: Option<String>,
}

impl Complaint {
    /// Understands the body of an answer that is no success; one that is no JSON is quoted.
    pub(crate) fn of_body(body: &[u8]) -> Self {
        match serde_json::from_slice::<Outer>(body) {
            Ok(Outer { error: Value::Null, message, of_aws }) => {
                let name = of_aws.as_deref().unwrap_or_default();
                let error_type = name.rsplit('#').next().unwrap_or_default().to_owned();
                Self { error_type, reason: shortened(&one_line(&message.unwrap_or_default())) }
            }
            Ok(outer) => Self::of_error(&outer.error),
            Err(_) => {
                let text = String::from_utf8_lossy(body.get(..4096).unwrap_or(body));
                Self { error_type: String::new(), reason: shortened(&one_line(&text)) }
            }
        }
    }

    /// Understands `error`: an object, or the text of Elasticsearch 1.
    pub(crate) fn of_error(error: &Value) -> Self {
        match error {
            Value::String(text) => Self { error_type: type_of_text(text), reason: shortened(text) },
            error => {
                let text = |name| error.get(name).and_then(Value::as_str).unwrap_or_default();
                let cause = error.pointer("/caused_by/reason").and_then(Value::as_str);
                let reason = match cause {
                    Some(cause) if !text("reason").contains(cause) => {
                        Cow::Owned(format!("{}: {cause}", text("reason")))
                    }
                    _ => Cow::Borrowed(text("reason")),
                };
                Self { error_type: text("type").to_owned(), reason: shortened(&one_line(&reason)) }
            }
        }
    }

    pub(crate) fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.error_type.as_str())
    }
}

/// `IndexMissingException[[a] missing]` says `index_missing_exception`.
fn type_of_text(text: &str) -> String {
    let name = text.split(['[', ':', ' ']).next().unwrap_or_default();
    let mut snake = String::with_capacity(name.len() + 8);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Names of an absent index: of today, and of Elasticsearch 1.
pub(crate) const NO_INDEX: [&str; 2] = ["index_not_found_exception", "index_missing_exception"];

/// Names of troubles that pass by themselves, whatever status they come with.
pub(crate) const PASSING: [&str; 20] = [
    "es_rejected_execution_exception",
    "rejected_execution_exception",
    "opensearch_rejected_execution_exception",
    "circuit_breaking_exception",
    "unavailable_shards_exception",
    "cluster_block_exception",
    "process_cluster_event_timeout_exception",
    "master_not_discovered_exception",
    "cluster_manager_not_discovered_exception",
    "not_master_exception",
    "not_cluster_manager_exception",
    "node_not_connected_exception",
    "node_disconnected_exception",
    "node_closed_exception",
    "connect_transport_exception",
    "receive_timeout_transport_exception",
    "no_shard_available_action_exception",
    "illegal_index_shard_state_exception",
    "shard_not_in_primary_mode_exception",
    "retry_on_primary_exception",
];

/// What AWS says in front of a cluster, and what that means.
const OF_AWS: [(&str, &str); 6] = [
    (
        "token included in the request is expired",
        "the AWS credentials have expired: fetch new ones",
    ),
    (
        "token included in the request is invalid",
        "AWS does not know this access key: check the credentials",
    ),
    (
        "signature we calculated does not match",
        "AWS does not accept our signature: check the secret key, the region and the service (`es` or `aoss`)",
    ),
    ("Signature expired", "AWS takes no signature as old: set this machine's clock"),
    ("Signature not yet current", "AWS takes no signature of the future: set this machine's clock"),
    (
        "Missing Authentication Token",
        "the target wants signed requests: say which service of AWS it is, `es` or `aoss`",
    ),
];

/// The answer, if it is a success; otherwise the error that it means.
pub(super) fn success(answer: Answer, request: &Request) -> Result<Answer> {
    if answer.status.is_success() { Ok(answer) } else { Err(refusal(&answer, request)) }
}

/// The error that an answer means.
pub(crate) fn refusal(answer: &Answer, request: &Request) -> Error {
    let complaint = Complaint::of_body(&answer.body);
    let status = answer.status.as_u16();
    let said = match (complaint.error_type.as_str(), complaint.reason.as_str()) {
        ("", "") => format!("HTTP {status}"),
        ("", reason) => format!("HTTP {status}, {reason}"),
        (name, reason) => format!("HTTP {status}, {name}: {reason}"),
    };
    let (kind, message) = match status {
        _ if complaint.is(&NO_INDEX) => {
            (ErrorKind::NotFound, format!("there is no such index ({said})"))
        }
        401 => (
            ErrorKind::Auth,
            format!("the target does not know us: check user and password, or the key ({said})"),
        ),
        429 => (ErrorKind::RateLimited, format!("the target asks us to slow down ({said})")),
        _ if complaint.is(&PASSING) => {
            (ErrorKind::Unavailable, format!("the target is not ready ({said})"))
        }
        403 => {
            let of_aws = OF_AWS.iter().find(|(words, _)| complaint.reason.contains(words));
            let advice = of_aws.map_or(
                "the target does not let us do this: grant the user this right",
                |(_, advice)| advice,
            );
            (ErrorKind::Auth, format!("{advice} ({said})"))
        }
        408 | 502..=504 => (ErrorKind::Unavailable, format!("the target is not ready ({said})")),
        409 => (ErrorKind::Conflict, format!("somebody else changed it first ({said})")),
        300..=399 => (
            ErrorKind::Config,
            format!("the target's address leads elsewhere{} ({said})", place(answer)),
        ),
        404 => (
            ErrorKind::Config,
            format!(
                "the target does not know this path: is the address one of a search cluster? ({said})"
            ),
        ),
        500.. => (ErrorKind::Unexpected, format!("the target failed ({said})")),
        _ => (ErrorKind::Config, format!("the target refuses this ({said})")),
    };
    let mut error = Error::new(kind, message).with_context("request", request.what());
    if let Some(wait) = answer.retry_after {
        error = error.with_retry_after(wait);
    }
    // A defect on the other side; most are gone at the next try.
    if status >= 500 { error.with_retryable(true) } else { error }
}

fn place(answer: &Answer) -> String {
    let place = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let without_query = place.and_then(|place| place.split('?').next());
    without_query.map(|place| format!(", to {place}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_of_all_ages_are_understood() {
        let today = br#"{"error":{"root_cause":[],"type":"index_not_found_exception","reason":"no such index [a]"},"status":404}"#;
        assert!(Complaint::of_body(today).is(&NO_INDEX));
        let old = br#"{"error":"IndexMissingException[[a] missing]","status":404}"#;
        assert!(Complaint::of_body(old).is(&NO_INDEX));
        let gateway = b"<html>\n<body>502 Bad Gateway</body>";
        assert_eq!(Complaint::of_body(gateway).reason, "<html> <body>502 Bad Gateway</body>");
        let aws = br#"{"message":"The security token included in the request is expired"}"#;
        assert!(Complaint::of_body(aws).reason.contains("expired"));
        assert_eq!(Complaint::of_body(b""), Complaint::default());
    }

    #[test]
    fn a_cause_is_told_and_a_long_reason_cut() {
        let long = "x".repeat(5000);
        let error = serde_json::json!({"type": "t", "reason": "failed to parse", "caused_by": {"reason": long}});
        let complaint = Complaint::of_error(&error);
        assert!(complaint.reason.starts_with("failed to parse: xxx"));
        assert_eq!(complaint.reason.chars().count(), LONGEST_REASON + 1);
    }
}
