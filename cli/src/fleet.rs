//! The fleet of a run: the workers of this machine, and how each of them is called.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use snapfill::ErrorKind;
use snapfill::fleet::{Fleet, ProcessFleet, WorkerProgram};

use crate::backfill::attach::WhichRun;
use crate::exit::Failure;

/// The fleet of the run whose folder on this machine is `folder`.
pub(crate) fn open(
    run: &WhichRun<'_>,
    folder: &Path,
    lease: Duration,
) -> Result<Arc<dyn Fleet>, Failure> {
    let folder = std::path::absolute(folder).map_err(snapfill::Error::from)?;
    let program = std::env::current_exe().map_err(snapfill::Error::from)?;
    let mut worker = vec!["worker".to_owned(), "--until-stdin-closes".to_owned()];
    // How exactly the working state's clock must be known follows from it.
    worker.push(format!("--lease={}s", lease.as_secs()));
    worker.extend(arguments_of(run, &folder)?);
    let worker = WorkerProgram { program: program.clone(), arguments: worker };
    let supervisor = WorkerProgram { program, arguments: vec!["supervise".to_owned()] };
    Ok(Arc::new(ProcessFleet::new(control_folder(&folder, run.session), worker, supervisor)))
}

/// The folder through which the workers of a session are controlled.
fn control_folder(folder: &Path, session: &str) -> PathBuf {
    match session {
        "" => folder.join("fleet"),
        session => folder.join(format!("fleet_{session}")),
    }
}

/// What a worker must know to find its run, and nothing secret: it shows in process lists.
fn arguments_of(run: &WhichRun<'_>, folder: &Path) -> Result<Vec<String>, Failure> {
    let mut arguments = Vec::new();
    let mut give = |name: &str, value: &str| {
        arguments.push(format!("{name}={value}"));
    };
    if !run.session.is_empty() {
        give("--session", run.session);
    }
    match run.target.url()? {
        Some(url) => {
            give("--target", url.as_str());
            give("--state", &text(folder)?);
        }
        // The folder is the target.
        None => give("--target", &text(folder)?),
    }
    arguments.extend(run.state.to_arguments()?);
    arguments.extend(run.cluster.to_arguments()?);
    Ok(arguments)
}

/// A path as an argument, valid whatever folder the program is run in.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    let path = std::path::absolute(path).map_err(snapfill::Error::from)?;
    path.to_str().map(str::to_owned).ok_or_else(|| {
        let message = format!("{} is no UTF-8; give another folder", path.display());
        Failure::usage(snapfill::Error::new(ErrorKind::Config, message))
    })
}
