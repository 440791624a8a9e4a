//! Backfills and their events.

use std::sync::Arc;

use napi_derive::napi;
use snapfill_ffi as ffi;

use crate::call::Call;
use crate::failure::Failure;
use crate::options::{self, BackfillOptions, FailedFilter, GradualOptions, RateLimits};
use crate::transform::{self, Ask};

/// A backfill.
#[napi]
pub struct Backfill(Arc<ffi::Backfill>);

#[napi]
impl Backfill {
    /// A backfill by its options, as JSON, and with a function that changes the documents.
    #[napi(constructor)]
    pub fn new(options: String, transform: Option<Ask>) -> napi::Result<Self> {
        let options: BackfillOptions = options::read(&options)?;
        let transform = transform.map(transform::of_function);
        let backfill = ffi::Backfill::with_transform(options.into(), transform);
        Ok(Self(backfill.map_err(Failure::from)?))
    }

    /// The backfill of a configuration file.
    #[napi(factory)]
    pub fn from_config(path: String, transform: Option<Ask>) -> napi::Result<Self> {
        let transform = transform.map(transform::of_function);
        let backfill = ffi::Backfill::from_config_with_transform(path, transform);
        Ok(Self(backfill.map_err(Failure::from)?))
    }

    /// What a run would do.
    #[napi]
    pub fn plan(&self) -> Call {
        Call::json(Arc::clone(&self.0).plan())
    }

    /// Plans, makes the indices, and brings up workers.
    #[napi]
    pub fn start(&self) -> Call {
        Call::json(Arc::clone(&self.0).start())
    }

    /// Sets the number of workers.
    #[napi]
    pub fn scale(&self, workers: u32) -> Call {
        Call::json(Arc::clone(&self.0).scale(workers))
    }

    /// Sets the number of workers step by step, as long as the target is well; the options are JSON.
    #[napi]
    pub fn scale_gradually(&self, workers: u32, options: String) -> napi::Result<GradualScaling> {
        let options: GradualOptions = options::read(&options)?;
        let scaling = self.0.scale_gradually(workers, options.into()).map_err(Failure::from)?;
        Ok(GradualScaling(scaling))
    }

    /// Sends all workers away.
    #[napi]
    pub fn pause(&self) -> Call {
        Call::json(Arc::clone(&self.0).pause())
    }

    /// Sends all workers away, archives the working state and deletes it; gives the file.
    #[napi]
    pub fn stop(&self, folder: Option<String>) -> Call {
        Call::json(Arc::clone(&self.0).stop(folder))
    }

    /// The same for a backfill whose workers are gone.
    #[napi]
    pub fn archive(&self, folder: Option<String>) -> Call {
        Call::json(Arc::clone(&self.0).archive(folder))
    }

    /// Brings a stopped backfill back.
    #[napi]
    pub fn restore(&self, file: String) -> Call {
        Call::json(Arc::clone(&self.0).restore(file))
    }

    /// Stops, and lets the session be begun anew; gives the file.
    #[napi]
    pub fn reset(&self, folder: Option<String>) -> Call {
        Call::json(Arc::clone(&self.0).reset(folder))
    }

    /// Whether workers are at it.
    #[napi]
    pub fn status(&self) -> Call {
        Call::json(Arc::clone(&self.0).status())
    }

    /// The same, and how far the work is.
    #[napi]
    pub fn deep_status(&self) -> Call {
        Call::json(Arc::clone(&self.0).deep_status())
    }

    /// Ceilings of what each process that works on the run sends.
    #[napi]
    pub fn limits(&self) -> Call {
        Call::json(Arc::clone(&self.0).limits())
    }

    /// Changes these ceilings; they are JSON.
    #[napi]
    pub fn limit(&self, limits: String) -> napi::Result<Call> {
        let limits: RateLimits = options::read(&limits)?;
        Ok(Call::json(Arc::clone(&self.0).limit(limits.into())))
    }

    /// How many documents the target refused, and why.
    #[napi]
    pub fn failed_summary(&self) -> Call {
        Call::json(Arc::clone(&self.0).failed_summary())
    }

    /// The documents that the target refused; the filter is JSON.
    #[napi]
    pub fn failed_documents(&self, filter: String) -> napi::Result<FailedDocumentStream> {
        let filter: FailedFilter = options::read(&filter)?;
        let failed = self.0.failed_documents(filter.into()).map_err(Failure::from)?;
        Ok(FailedDocumentStream(failed))
    }

    /// Sends failed documents again; the filter is JSON.
    #[napi]
    pub fn redrive(&self, filter: String) -> napi::Result<Call> {
        let filter: FailedFilter = options::read(&filter)?;
        Ok(Call::json(Arc::clone(&self.0).redrive(filter.into())))
    }

    /// What was moved so far.
    #[napi]
    pub fn report(&self) -> Call {
        Call::json(Arc::clone(&self.0).report())
    }

    /// Waits for the end of the run and gives its word.
    #[napi]
    pub fn wait(&self) -> Call {
        Call::json(Arc::clone(&self.0).wait())
    }

    /// Sends away the workers of this process, when a call was given up.
    #[napi]
    pub fn interrupt(&self) -> Call {
        Call::json(Arc::clone(&self.0).interrupt())
    }

    /// What happens from now on.
    #[napi]
    pub fn events(&self) -> EventStream {
        EventStream(self.0.events())
    }
}

/// Documents that the target refused.
#[napi]
pub struct FailedDocumentStream(Arc<ffi::FailedDocumentStream>);

#[napi]
impl FailedDocumentStream {
    /// The next ones: none when all have come.
    #[napi]
    pub fn next_batch(&self, max: u32) -> Call {
        Call::json(Arc::clone(&self.0).next_batch(max))
    }
}

/// A fleet that is made larger step by step.
#[napi]
pub struct GradualScaling(Arc<ffi::GradualScaling>);

#[napi]
impl GradualScaling {
    /// The next step; null after the end.
    #[napi]
    pub fn next(&self) -> Call {
        Call::json(Arc::clone(&self.0).next())
    }
}

/// The events of a backfill.
#[napi]
pub struct EventStream(Arc<ffi::EventStream>);

#[napi]
impl EventStream {
    /// The next events: none once the workers are gone.
    #[napi]
    pub fn next_batch(&self, max: u32) -> Call {
        Call::json(Arc::clone(&self.0).next_batch(max))
    }

    /// What has happened since the last call.
    #[napi]
    pub fn ready(&self) -> Call {
        Call::json(Arc::clone(&self.0).ready())
    }
}
