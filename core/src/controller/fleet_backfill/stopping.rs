//! The end of a run before its time, and the way back.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{FleetBackfill, Shared};
use crate::controller::Event;
use crate::controller::archive::{
    self, Expected, SessionRecord, archive_folder, clear, wait_for_workers,
};
use crate::coordination::{Run, Session, Standing, WorkStore};
use crate::fleet::Fleet;
use crate::{Error, ErrorKind, Result};

/// Among the settings of a run that was begun from scratch.
const FROM_SCRATCH: &str = "fromScratch";

impl<F: Fleet + ?Sized> FleetBackfill<F> {
    /// Sends everybody away and moves the working state to a file. `stopped`: the session is not begun again by accident.
    pub(super) async fn end(
        &self,
        folder: Option<&Path>,
        stopped: bool,
    ) -> Result<Option<PathBuf>> {
        let shared = &self.shared;
        if shared.coordinator.standing().await? == Standing::Absent {
            self.send_away().await?;
            return shared.forget(stopped);
        }
        shared.coordinator.stop().await?;
        self.set_size(0).await?;
        shared.events.send(Event::Archiving);
        self.until_gone().await?;
        // Workers of other processes that fill the same target.
        wait_for_workers(&shared.coordinator, &*shared.clock, &shared.events).await?;
        shared.put_back().await?;
        let folder = archive_folder(folder);
        let store: &dyn WorkStore = &**shared.coordinator.store();
        let archived = archive::archive(store, &*shared.clock, &folder).await?;
        if let Some(archived) = &archived {
            // Before anything is deleted: whoever finds nothing must find this.
            SessionRecord::of(archived, stopped).write(&shared.settings.target)?;
            shared.events.send(Event::Archived { file: archived.file.clone() });
        }
        clear(&shared.coordinator, &*shared.clock, &shared.events).await?;
        Ok(archived.map(|archived| archived.file))
    }

    pub(super) async fn bring_back(&self, file: &Path) -> Result<()> {
        let shared = &self.shared;
        let asks = !shared.settings.snapshot.is_empty() && shared.store.run().await?.is_none();
        let run = if asks { Some(shared.run_of(shared.snapshot().await?)?) } else { None };
        let target = shared.cluster.address();
        let expected = Expected { target: &target, run: run.as_ref() };
        archive::restore(&shared.coordinator, file, expected).await.map(|_| ())
    }
}

impl Shared {
    pub(super) fn session_record(&self) -> Result<Option<SessionRecord>> {
        SessionRecord::read(&self.settings.target, &Session::named(&self.settings.session)?)
    }

    /// A reset of a session that was stopped before: it may be begun again.
    fn forget(&self, stopped: bool) -> Result<Option<PathBuf>> {
        if let Some(record) = self.session_record()?
            && record.stopped
            && !stopped
        {
            SessionRecord { stopped, ..record }.write(&self.settings.target)?;
        }
        Ok(None)
    }

    /// Refuses to plan a session anew that was stopped, unless that is asked for.
    pub(super) fn require_not_stopped(&self) -> Result<()> {
        match self.session_record()? {
            Some(record) if !self.settings.from_scratch => record.require_not_stopped(),
            _ => Ok(()),
        }
    }

    /// Refuses to begin from scratch what is going on; a run that was begun so goes on by the same command.
    pub(super) fn require_begun_alike(&self, known: &Run) -> Result<()> {
        if !self.settings.from_scratch || known.settings.get(FROM_SCRATCH).is_some() {
            return Ok(());
        }
        let message = format!(
            "session {} has a run already, which `--from-scratch` does not end: run without it to go on, or end it first \
             (`backfill stop`, or `backfill reset`)",
            known.session
        );
        Err(Error::new(ErrorKind::State, message))
    }

    /// Writes into a run that is about to be planned how it was begun.
    pub(super) fn note_beginning(&self, run: &mut Run) {
        if !self.settings.from_scratch {
            return;
        }
        if !run.settings.is_object() {
            run.settings = Value::Object(Map::new());
        }
        if let Some(settings) = run.settings.as_object_mut() {
            settings.insert(FROM_SCRATCH.to_owned(), true.into());
        }
    }

    /// The number of the last lease of earlier runs of the session: what failed then is outvoted by leases after it.
    pub(super) fn last_lease(&self) -> Result<u64> {
        Ok(self.session_record()?.map_or(0, |record| record.highest_lease))
    }
}
