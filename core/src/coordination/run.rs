//! What a session is about: the sentinel document `shard_setup`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::time::{optional_seconds, seconds};
use super::work_item::SCRIPT_VERSION;
use super::{Session, StoreTime};
use crate::{Error, ErrorKind, Result};

/// The `_id` of the document that holds the run.
pub const RUN_ID: &str = "shard_setup";

/// Raised when an older release could no longer read the run rightly.
pub const FORMAT_VERSION: u32 = 1;

/// A snapshot, by the name people know and the id that no other has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotName {
    /// Its name.
    pub name: String,
    /// Its uuid.
    pub uuid: String,
}

/// What a session is about. The first planner writes it; everyone else obeys it. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Always [`FORMAT_VERSION`].
    pub format_version: u32,
    /// What marks the document as ours.
    pub script_version: String,
    /// The session.
    pub session: Session,
    /// The snapshot that is read.
    pub snapshot: SnapshotName,
    /// The URL of its repository.
    pub repository: String,
    /// The address of the target.
    pub target: String,
    /// Which indices, under which names, split how: everything that decides which items there are and where documents go.
    pub selection: Value,
    /// SHA-256 of all of the above, save the session.
    pub fingerprint: String,
    /// When planning began.
    #[serde(with = "seconds")]
    pub created_at: StoreTime,
    /// When planning was done: all items are there.
    #[serde(default, with = "optional_seconds", skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<StoreTime>,
    /// Somebody asked for the end: nothing is leased any more.
    #[serde(default)]
    pub stopping: bool,
    /// What does not decide what the run does: target settings to put back, …
    #[serde(default)]
    pub settings: Value,
}

impl Run {
    /// A run that is not planned yet.
    pub fn new(
        session: Session,
        snapshot: SnapshotName,
        repository: impl Into<String>,
        target: impl Into<String>,
        selection: Value,
    ) -> Self {
        let mut run = Self {
            format_version: FORMAT_VERSION,
            script_version: SCRIPT_VERSION.to_owned(),
            session,
            snapshot,
            repository: repository.into(),
            target: target.into(),
            selection,
            fingerprint: String::new(),
            created_at: StoreTime::ZERO,
            completed_at: None,
            stopping: false,
            settings: Value::Null,
        };
        run.fingerprint = run.fingerprint_of_request();
        run
    }

    /// Refuses another request under the same session.
    ///
    /// # Errors
    /// `State`, saying both and the ways out.
    pub fn matches(&self, other: &Self) -> Result<()> {
        if self.fingerprint == other.fingerprint {
            return Ok(());
        }
        let message = format!(
            "session {} is about another run. It fills {}; asked was to fill {}. Use another session name for the \
             second, or stop the first (`backfill stop`) and begin anew with `--from-scratch`",
            self.session,
            self.describe(other),
            other.describe(self),
        );
        Err(Error::new(ErrorKind::State, message))
    }

    /// The run as the document `shard_setup`.
    ///
    /// # Errors
    /// `Unexpected`, never in practice.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| {
            Error::new(ErrorKind::Unexpected, format!("cannot write the run: {error}"))
        })
    }

    /// The run of the document `shard_setup`.
    ///
    /// # Errors
    /// `State` when the document is not ours, `Unsupported` when a newer release wrote it.
    pub fn from_json(text: &str) -> Result<Self> {
        let run: Self = serde_json::from_str(text).map_err(|error| {
            let message = format!(
                "the session's working state belongs to another program ({error}); use another session name"
            );
            Error::new(ErrorKind::State, message)
        })?;
        if run.format_version > FORMAT_VERSION {
            let message = format!(
                "session {} was begun by a newer release (format {}, this one knows {FORMAT_VERSION}): update",
                run.session, run.format_version
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        Ok(run)
    }

    /// Names what it fills; the selection only where that of `other` differs, since it can be long.
    fn describe(&self, other: &Self) -> String {
        let mut text = format!(
            "{} from snapshot `{}` ({}) of {}",
            self.target, self.snapshot.name, self.snapshot.uuid, self.repository
        );
        if self.selection != other.selection {
            text.push_str(&format!(" with selection {}", canonical(&self.selection)));
        }
        text
    }

    fn fingerprint_of_request(&self) -> String {
        let request = serde_json::json!({
            "formatVersion": self.format_version,
            "snapshot": [&self.snapshot.name, &self.snapshot.uuid],
            "repository": &self.repository,
            "target": &self.target,
            "selection": &self.selection,
        });
        let digest = Sha256::digest(canonical(&request));
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// JSON with sorted keys and no blanks, whatever the features `serde_json` was built with.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let entries: Vec<String> = entries
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::String(key.clone()), canonical(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Array(values) => {
            format!("[{}]", values.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(target: &str, selection: Value) -> Run {
        let snapshot = SnapshotName { name: "nightly".into(), uuid: "u1".into() };
        Run::new(Session::default(), snapshot, "file:///backup", target, selection)
    }

    #[test]
    fn the_same_request_matches_whatever_was_done_since() {
        let mut first = run("http://a", json!({"b": 1, "a": [2]}));
        first.stopping = true;
        first.settings = json!({"x": 1});
        first.completed_at = Some(StoreTime::from_secs(9));
        let second = run("http://a", serde_json::from_str(r#"{"a":[2],"b":1}"#).unwrap());
        assert!(first.matches(&second).is_ok());
        assert_eq!(first.fingerprint.len(), 64);
    }

    #[test]
    fn another_request_is_refused_and_both_are_named() {
        let error = run("http://a", json!({})).matches(&run("http://b", json!(["x"]))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State);
        for part in ["http://a", "http://b", "nightly", "[\"x\"]", "--from-scratch"] {
            assert!(error.message().contains(part), "{error}");
        }
    }

    #[test]
    fn a_run_reads_back_and_a_strange_document_does_not() {
        let run = run("http://a", json!({}));
        assert_eq!(Run::from_json(&run.to_json().unwrap()).unwrap(), run);
        assert_eq!(
            Run::from_json(r#"{"scriptVersion":"2.0"}"#).unwrap_err().kind(),
            ErrorKind::State
        );
        let newer = Run { format_version: 2, ..run };
        let error = Run::from_json(&newer.to_json().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}
