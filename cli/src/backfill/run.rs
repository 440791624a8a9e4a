//! `snapfill backfill run`.

use std::path::PathBuf;
use std::sync::Arc;

use snapfill::cluster::TargetAddress;
use snapfill::controller::{BackfillController, DeepStatus, LocalBackfill, RunEnd};
use snapfill::settings::{BackfillSettings, BulkSettings};
use snapfill::snapshot::{RepositoryOptions, Snapshot};
use snapfill::{Error, ErrorKind};

use crate::arguments::Run;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::snapshot::{open, require_selected};
use crate::target::{connect, require_none, state_folder};

use super::progress::Progress;
use super::status::print_work;

pub(crate) async fn run(mut arguments: Run, output: &Output) -> Result<Exit, Failure> {
    let options = RepositoryOptions::from(arguments.how.reading.clone());
    let selection = arguments.how.choosing.selection(options.recovery_source);
    let snapshot = open(&arguments.repo, &arguments.snapshot, options).await?;
    require_selected(&snapshot, &selection)?;
    let allowed = std::mem::take(&mut arguments.how.refusals.allowed.exceptions);
    arguments.how.cluster.allowed_exceptions = allowed;
    if arguments.how.from_scratch && !output.is_json() {
        output.remark(
            "From scratch: every document is written again, also those that are in the target",
        );
    }
    let backfill = build(arguments, snapshot, output)?;
    let mut events = backfill.events();
    // One listener from beginning to end: a Ctrl-C between planning and the first bulk is not lost.
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    tokio::select! {
        started = backfill.start() => started.map_err(refused)?,
        signal = &mut interrupted => {
            signal.map_err(Error::from)?;
            return interrupt(&backfill, output).await;
        }
    }
    let mut progress = Progress::new(&backfill.deep_status().await?.work, output);
    let ended = {
        let end = backfill.wait();
        tokio::pin!(end);
        loop {
            tokio::select! {
                end = &mut end => break Some(end),
                Some(event) = events.next() => progress.note(&event),
                signal = &mut interrupted => {
                    signal.map_err(Error::from)?;
                    break None;
                }
            }
        }
    };
    progress.finish();
    match ended {
        Some(end) => conclude(end?, &backfill.deep_status().await?, output),
        None => interrupt(&backfill, output).await,
    }
}

/// The controller: a local target has its working state beside it, a cluster in a folder on this machine.
fn build(arguments: Run, snapshot: Snapshot, output: &Output) -> Result<LocalBackfill, Failure> {
    let builder = match arguments.target.address()? {
        TargetAddress::Url(url) => {
            let cluster = connect(&url, &arguments.how.cluster)?;
            let state = state_folder(&url, arguments.how.state.state.clone())?;
            if !output.is_json() {
                output.remark(&format!("The working state is kept in {}", state.display()));
            }
            LocalBackfill::builder(settings(arguments, state)).with_cluster(Arc::new(cluster))
        }
        folder => {
            require_none(&arguments.how.cluster)?;
            LocalBackfill::builder(settings(arguments, folder.folder()?))
        }
    };
    Ok(builder.with_snapshot(snapshot).build()?)
}

fn settings(arguments: Run, folder: PathBuf) -> BackfillSettings {
    let bulk = BulkSettings {
        bytes: usize::try_from(arguments.how.bulk_bytes).unwrap_or(usize::MAX),
        documents: usize::try_from(arguments.how.bulk_documents).unwrap_or(usize::MAX),
        ..BulkSettings::default()
    };
    let selection = arguments.how.choosing.selection(arguments.how.reading.recovery_source);
    BackfillSettings {
        repository_options: arguments.how.reading.into(),
        session: arguments.how.session,
        indices: selection.indices,
        exclude: selection.exclude,
        max_docs_per_shard: selection.max_docs_per_shard,
        rename: selection.rename,
        types: selection.types,
        target_indices: arguments.how.making.into(),
        load: arguments.how.loading.into(),
        workers: arguments.how.workers.into(),
        lease: arguments.how.lease,
        max_failed: arguments.how.refusals.limit(),
        failed_store: arguments.how.refusals.failed_store,
        operation: selection.operation,
        from_scratch: arguments.how.from_scratch,
        bulk,
        ..BackfillSettings::new(arguments.repo, arguments.snapshot, folder)
    }
}

/// Planning reads the snapshot: what it finds wrong there is the snapshot's fault.
fn refused(error: Error) -> Failure {
    if error.context().any(|(name, _)| name == "selection") {
        return Failure::nothing_selected(error.message().to_owned());
    }
    let of_snapshot = error.context().any(|(name, _)| name == "file" || name == "shard");
    match error.kind() {
        ErrorKind::Corrupt | ErrorKind::Unsupported | ErrorKind::NotFound if of_snapshot => {
            Failure::unreadable(error)
        }
        _ => error.into(),
    }
}

fn conclude(end: RunEnd, status: &DeepStatus, output: &Output) -> Result<Exit, Failure> {
    if output.is_json() {
        output.print_json(status)?;
    } else {
        print_work(status, output)?;
    }
    Ok(end.into())
}

/// The first Ctrl-C lets what is in flight finish, so that the next run goes on right there.
async fn interrupt(backfill: &LocalBackfill, output: &Output) -> Result<Exit, Failure> {
    if !output.is_json() {
        output.remark(
            "Interrupted: waiting for what is in flight. Run the same command again to go on.",
        );
    }
    tokio::select! {
        paused = backfill.pause() => paused?,
        signal = tokio::signal::ctrl_c() => signal.map_err(Error::from)?,
    }
    if output.is_json() {
        output.print_json(&backfill.deep_status().await?)?;
    }
    Ok(Exit::Interrupted)
}
