//! Settings in a run: whoever works on it works as its first planner said, wherever it is.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BackfillSettings, BulkSettings, RateLimits};
use crate::coordination::Run;
use crate::failed::{FailureLimit, place};
use crate::preparation::{IndexOptions, LoadSettings, Selection, section};
use crate::snapshot::RepositoryOptions;
use crate::{Error, ErrorKind, Result};

/// The section of the run's settings.
const KEY: &str = "how";

/// What of the settings does not decide which documents go where, and is the same for all workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct How {
    repository: RepositoryOptions,
    indices: IndexOptions,
    load: LoadSettings,
    lease: Duration,
    max_failed: FailureLimit,
    bulk: BulkSettings,
}

impl Default for How {
    fn default() -> Self {
        Self::of(&BackfillSettings::new("", "", ""))
    }
}

impl How {
    fn of(settings: &BackfillSettings) -> Self {
        Self {
            repository: settings.repository_options.clone(),
            indices: settings.target_indices,
            load: settings.load,
            lease: settings.lease,
            max_failed: settings.max_failed,
            bulk: settings.bulk.clone(),
        }
    }
}

impl BackfillSettings {
    /// The sections of a run's settings that say how it is worked on.
    pub(crate) const SECTIONS: [&str; 2] = [KEY, RateLimits::KEY];

    /// Writes into the settings of a run how it is to be worked on. Holds no secret.
    pub(crate) fn write_to(&self, settings: &mut Value) {
        section::write(settings, KEY, &How::of(self));
    }

    /// The settings of a run that somebody else planned, for a worker that has `folder` on its machine.
    ///
    /// # Errors
    /// `State` when the run's selection cannot be understood.
    pub fn of_run(run: &Run, folder: impl Into<PathBuf>) -> Result<Self> {
        let how: How = match run.settings.get(KEY) {
            Some(how) => serde_json::from_value(how.clone()).map_err(|error| {
                let message = format!("the run's settings cannot be understood: {error}");
                Error::new(ErrorKind::State, message)
            })?,
            None => How::default(),
        };
        let selection = Selection::of_run(&run.selection)?;
        Ok(Self {
            repository_options: RepositoryOptions {
                recovery_source: selection.recovery_source,
                ..how.repository
            },
            session: run.session.name().to_owned(),
            indices: selection.indices,
            exclude: selection.exclude,
            max_docs_per_shard: selection.max_docs_per_shard,
            split_bytes: selection.split_bytes,
            rename: selection.rename,
            types: selection.types,
            operation: selection.operation,
            transformed: selection.transformed,
            target_indices: how.indices,
            load: how.load,
            lease: how.lease,
            max_failed: how.max_failed,
            failed_store: place::of_run(&run.settings),
            bulk: how.bulk,
            ..Self::new(&run.repository, &run.snapshot.name, folder)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordination::{Session, SnapshotName};
    use crate::preparation::Types;
    use crate::snapshot::S3Role;

    #[test]
    fn what_a_planner_said_reaches_the_workers() {
        let mut settings = BackfillSettings::new("file:///backup", "nightly", "/a");
        settings.session = "one".into();
        settings.indices = vec!["a*".into()];
        settings.types = Types::Merge;
        settings.transformed = true;
        settings.repository_options.allow_partial = true;
        settings.repository_options.recovery_source = true;
        settings.repository_options.s3.region = Some("eu-west-1".into());
        settings.repository_options.s3.endpoint = Some("https://minio".into());
        settings.repository_options.s3.path_style = true;
        settings.repository_options.s3.role = Some(S3Role { arn: "a".into(), ..S3Role::default() });
        settings.lease = Duration::from_secs(7);
        settings.bulk.bytes = 5;
        settings.max_failed = FailureLimit::Documents(3);
        settings.load.disable_refresh = true;
        let session = Session::named("one").unwrap();
        let snapshot = SnapshotName { name: "nightly".into(), uuid: "u".into() };
        let selection = settings.selection().to_value();
        let mut run = Run::new(session, snapshot, "file:///backup", "http://t", selection);
        let mut typed = settings.clone();
        typed.repository_options.s3.profile = Some("mine".into());
        typed.write_to(&mut run.settings);
        let run = Run::from_json(&run.to_json().unwrap()).unwrap();
        let expected = BackfillSettings { target: "/b".into(), ..settings };
        assert_eq!(BackfillSettings::of_run(&run, "/b").unwrap(), expected);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_and_none_are_the_usual() {
        let snapshot = SnapshotName::default();
        let mut run = Run::new(Session::default(), snapshot, "r", "t", Value::Null);
        assert_eq!(BackfillSettings::of_run(&run, "").unwrap().workers, 1);
        run.settings = serde_json::json!({KEY: {"bulk": "big"}});
        assert_eq!(BackfillSettings::of_run(&run, "").unwrap_err().kind(), ErrorKind::State);
    }
}
