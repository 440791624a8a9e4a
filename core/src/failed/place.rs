//! Where failed documents are kept, as a setting.

use std::path::PathBuf;

use serde_json::Value;
use url::Url;

use crate::fleet::FleetKind;
use crate::preparation::section;
use crate::{Error, ErrorKind, Result};

/// Under which name the place stands among the settings of a run.
const KEY: &str = "failedStore";

/// Checks that workers of a fleet can reach the place for failed documents: those on other machines need an object store, as
/// a folder there goes with them.
///
/// # Errors
/// `Config`, saying what to give.
///
/// ```
/// use snapfill::failed::require_reachable;
/// use snapfill::fleet::FleetKind;
///
/// assert!(require_reachable(FleetKind::Tasks, None).is_ok());
/// assert!(require_reachable(FleetKind::Ecs, None).is_err());
/// ```
pub fn require_reachable(fleet: FleetKind, failed_store: Option<&str>) -> Result<()> {
    let is_remote = |place: &str| {
        Url::parse(place).is_ok_and(|url| place.contains("://") && url.scheme() != "file")
    };
    if fleet.is_on_this_machine() || failed_store.is_some_and(is_remote) {
        return Ok(());
    }
    let given = match failed_store {
        Some(_) => "the place that is given is a folder",
        None => "none is given",
    };
    let message = format!(
        "workers {fleet} keep failed documents in an object store, since their folders go with them, and {given}; give its URL \
         (`--failed-store`)"
    );
    Err(Error::new(ErrorKind::Config, message))
}

/// The folder that a place names; none for the URL of an object store.
pub(super) fn folder_of(place: &str) -> Result<Option<PathBuf>> {
    if !place.contains("://") {
        return Ok(Some(PathBuf::from(place)));
    }
    // What cannot be understood is not shown: it may hold a password.
    let refuse = |why: &str| {
        Err(Error::new(ErrorKind::Config, format!("the place for failed documents {why}")))
    };
    let Ok(url) = Url::parse(place) else { return refuse("is neither a path nor a URL") };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("holds a user or a password; give them apart from it, since it is shown");
    }
    if url.scheme() != "file" {
        return Ok(None);
    }
    match url.to_file_path() {
        Ok(path) => Ok(Some(path)),
        Err(()) => refuse("names no local folder; write file:///path"),
    }
}

/// The place that a run says, if it is not the usual one.
pub(crate) fn of_run(settings: &Value) -> Option<String> {
    settings.get(KEY)?.as_str().map(str::to_owned)
}

/// Writes the place among the settings of a run, so that whoever comes later finds it.
pub(crate) fn write(url: &str, settings: &mut Value) {
    section::write(settings, KEY, &url);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_elsewhere_need_a_store_that_outlives_them() {
        for kind in [FleetKind::Tasks, FleetKind::Processes] {
            require_reachable(kind, None).unwrap();
            require_reachable(kind, Some("/folder")).unwrap();
        }
        for kind in [FleetKind::Ecs, FleetKind::Kubernetes] {
            require_reachable(kind, Some("s3://bucket/failed")).unwrap();
            for refused in [None, Some("/folder"), Some("folder"), Some("file:///folder")] {
                let error = require_reachable(kind, refused).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Config);
                assert!(error.message().contains("--failed-store"), "{error}");
            }
        }
    }

    #[test]
    fn a_password_in_a_place_is_refused_and_not_shown() {
        let error = folder_of("s3://me:hunter2@bucket").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!error.to_string().contains("hunter2"));
        assert_eq!(folder_of("s3://bucket/a").unwrap(), None);
        assert_eq!(folder_of("file:///a").unwrap(), Some(PathBuf::from("/a")));
    }
}
