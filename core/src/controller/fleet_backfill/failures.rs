//! Where this run keeps its failed documents.

use std::sync::Arc;

use super::{FleetBackfill, Shared};
use crate::coordination::Run;
use crate::failed::{
    FailedFilter, FailedLog, FailedStore, FailureBudget, Redrive, Redriven, place,
};
use crate::fleet::Fleet;
use crate::pipeline::Failures;
use crate::{Error, ErrorKind, Result};

impl<F: Fleet + ?Sized> FleetBackfill<F> {
    /// The documents that the target refused for good.
    ///
    /// # Errors
    /// What the working state fails with, and what opening the place where they are kept fails with.
    pub async fn failed_documents(&self) -> Result<FailedLog> {
        self.shared.failed_log().await
    }

    /// Sends failed documents again. What is taken is noted; what is refused again stays.
    ///
    /// # Errors
    /// As [`FleetBackfill::failed_documents`], and as [`Redrive::run`].
    pub async fn redrive(&self, filter: FailedFilter) -> Result<Redriven> {
        let Shared { cluster, clock, settings, .. } = &*self.shared;
        let (cluster, clock) = (Arc::clone(cluster), Arc::clone(clock));
        let log = self.failed_documents().await?;
        Redrive::new(log, cluster, clock, settings.bulk.timeout).only(filter).run().await
    }
}

impl Shared {
    /// What workers keep failures with.
    pub(super) async fn failures(&self) -> Result<&Arc<Failures>> {
        let open = || async {
            let budget =
                FailureBudget::new(self.settings.max_failed, Arc::clone(&self.coordinator));
            Ok(Arc::new(Failures { log: self.failed_log().await?, budget }))
        };
        self.failures.get_or_try_init(open).await
    }

    /// The failed documents of the session. The place is that of the run, as the first planner said it; of a run that was
    /// stopped it is remembered.
    pub(super) async fn failed_log(&self) -> Result<FailedLog> {
        let of_run = match self.store.run().await? {
            Some(run) => place::of_run(&run.value.settings),
            None => self.session_record()?.and_then(|record| record.failed_store),
        };
        let store = match of_run.as_ref().or(self.settings.failed_store.as_ref()) {
            Some(place) => FailedStore::at(place, &self.settings.repository_options.s3).await?,
            None => self.usual_failed_store()?,
        };
        Ok(store.session(&self.settings.session))
    }

    /// In the folder, which may not be there yet.
    fn usual_failed_store(&self) -> Result<FailedStore> {
        std::fs::create_dir_all(&self.settings.target)?;
        FailedStore::inside(&self.settings.target)
    }

    /// Writes the place into a run that is about to be planned.
    pub(super) fn note_failed_store(&self, run: &mut Run) -> Result<()> {
        if let Some(place) = &self.settings.failed_store {
            place::write(&FailedStore::claim(place)?, &mut run.settings);
        }
        Ok(())
    }

    /// Refuses another place than that of the run: what failed before would be looked for in vain.
    pub(super) fn require_same_failed_store(&self, run: &Run) -> Result<()> {
        let Some(asked) = &self.settings.failed_store else { return Ok(()) };
        let known = match place::of_run(&run.settings) {
            Some(known) => known,
            None => self.usual_failed_store()?.url().to_owned(),
        };
        if FailedStore::claim(asked)? == known {
            return Ok(());
        }
        let message = format!(
            "session {} keeps its failed documents at {known}, not at {asked}; run again without `--failed-store`, or under another \
             session name",
            run.session,
        );
        Err(Error::new(ErrorKind::State, message))
    }
}
