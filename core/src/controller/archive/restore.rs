//! A store, from the file.

use std::path::Path;

use serde_json::{Map, Value};

use super::ArchiveManifest;
use super::read::{Entry, Reading};
use super::verify::check;
use crate::cluster::Created;
use crate::coordination::{Coordinator, Run, StoreTime, WorkItem};
use crate::preparation::LoadRecord;
use crate::{Error, ErrorKind, Result};

/// Among the settings of a run that is being restored: the checksum of the file.
const MARK: &str = "restoring";

/// What an archive must be of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected<'a> {
    /// The address of the target.
    pub(crate) target: &'a str,
    /// The run that is asked for, where it is known: its snapshot and selection must be the same.
    pub(crate) run: Option<&'a Run>,
}

/// Whether a run is only half restored.
pub(crate) fn is_being_restored(run: &Run) -> bool {
    run.settings.get(MARK).is_some()
}

/// Brings a stopped backfill back to where it was: its run, and its items with their checkpoints and books, free to be
/// leased. A restore that was interrupted goes on when it is repeated.
///
/// # Errors
/// `NotFound` when there is no archive, `Corrupt` when it is damaged, `Unsupported` when a newer release wrote it, `State` when
/// it is of another session, target or run or when the session has something already; what the store fails with.
pub(crate) async fn restore(
    coordinator: &Coordinator,
    file: &Path,
    expected: Expected<'_>,
) -> Result<ArchiveManifest> {
    let manifest = ArchiveManifest::beside(file)?;
    let store = coordinator.store();
    require_same("session", &manifest.session, store.session())?;
    require_same("target", &manifest.target, &expected.target)?;
    let run = check(file, &manifest).await?;
    if let Some(asked) = expected.run {
        require_same("snapshot", &run.snapshot.name, &asked.snapshot.name)?;
        require_same("snapshot with the uuid", &run.snapshot.uuid, &asked.snapshot.uuid)?;
        run.matches(asked)?;
    }
    begin(coordinator, &run, &manifest).await?;
    write_items(coordinator, file, &manifest).await?;
    let done = |known: &mut Run| {
        known.clone_from(&as_it_was(&run));
        Ok(())
    };
    coordinator.change_run(done).await?;
    Ok(manifest)
}

fn require_same<T: std::fmt::Display + PartialEq<U>, U: std::fmt::Display>(
    what: &str,
    archived: &T,
    asked: &U,
) -> Result<()> {
    if archived == asked {
        return Ok(());
    }
    let message =
        format!("the archive is of {what} `{archived}`, and asked was to restore `{asked}`");
    Err(Error::new(ErrorKind::State, message))
}

/// Takes the session: nobody plans or leases before everything is there.
async fn begin(coordinator: &Coordinator, run: &Run, manifest: &ArchiveManifest) -> Result<()> {
    let store = coordinator.store();
    let taken = || {
        let message = format!(
            "session {} has a working state already; stop it first (`backfill stop`), or restore under the archive's session \
             where there is none",
            store.session()
        );
        Err(Error::new(ErrorKind::State, message))
    };
    let mut settings = run.settings.as_object().cloned().unwrap_or_else(Map::new);
    settings.insert(MARK.to_owned(), manifest.sha256.clone().into());
    let mine = Run {
        stopping: true,
        completed_at: None,
        settings: Value::Object(settings),
        ..run.clone()
    };
    if store.run().await?.is_none() {
        if !store.items(None, 1).await?.items.is_empty() {
            return taken();
        }
        if store.create_run(&mine).await? == Created::Created {
            return Ok(());
        }
    }
    let known = store.run().await?;
    let mark = known.as_ref().and_then(|known| known.value.settings.get(MARK)?.as_str());
    if mark == Some(&manifest.sha256) { Ok(()) } else { taken() }
}

async fn write_items(
    coordinator: &Coordinator,
    file: &Path,
    manifest: &ArchiveManifest,
) -> Result<()> {
    let store = coordinator.store();
    let mut reading = Reading::begin(file);
    while let Some(batch) = reading.next().await {
        let items: Vec<WorkItem> = batch
            .into_iter()
            .filter_map(|entry| match entry {
                Entry::Item(item) => Some(free(*item)),
                Entry::Run(_) => None,
            })
            .collect();
        store.create_items(&items).await?;
    }
    let seen = reading.finish().await?;
    let totals = store.totals().await?;
    let is_whole = totals.items.total == manifest.items && totals.books == manifest.books;
    if is_whole && seen.sha256 == manifest.sha256 {
        return Ok(());
    }
    let message = format!(
        "{} of {} work items are there; restore again to add the rest",
        totals.items.total, manifest.items
    );
    Err(Error::new(ErrorKind::Unavailable, message))
}

/// Leases are of workers that are gone.
fn free(item: WorkItem) -> WorkItem {
    WorkItem { lease_holder: None, expiration: StoreTime::ZERO, ..item }
}

/// The run before it was stopped. Its target's indices are put back as they were, and shown, when it ends.
fn as_it_was(run: &Run) -> Run {
    let mut run = Run { stopping: false, ..run.clone() };
    if let Some(settings) = run.settings.as_object_mut() {
        settings.remove(MARK);
    }
    let record = LoadRecord { done: false, ..LoadRecord::of_run(&run.settings) };
    record.write(&mut run.settings);
    run
}
