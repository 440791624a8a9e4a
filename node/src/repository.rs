//! Repositories and snapshots.

use std::sync::Arc;

use napi_derive::napi;
use snapfill_ffi as ffi;

use crate::call::Call;
use crate::documents::DocumentStream;
use crate::options::{self, RepositoryOptions};

/// A snapshot repository.
#[napi]
pub struct Repository(Arc<ffi::Repository>);

#[napi]
impl Repository {
    /// The repository at a place, with options as JSON.
    #[napi(constructor)]
    pub fn new(location: String, options: String) -> napi::Result<Self> {
        let options: RepositoryOptions = options::read(&options)?;
        Ok(Self(ffi::Repository::new(location, options.into())))
    }

    /// Its snapshots.
    #[napi]
    pub fn snapshots(&self) -> Call {
        Call::json(Arc::clone(&self.0).snapshots())
    }

    /// The snapshot of that name.
    #[napi]
    pub fn snapshot(&self, name: String) -> Snapshot {
        Snapshot(Arc::clone(&self.0).snapshot(name))
    }
}

/// One snapshot of a repository.
#[napi]
pub struct Snapshot(Arc<ffi::Snapshot>);

#[napi]
impl Snapshot {
    /// What it says of itself.
    #[napi]
    pub fn info(&self) -> Call {
        Call::json(Arc::clone(&self.0).info())
    }

    /// Its indices with their metadata.
    #[napi]
    pub fn indices(&self) -> Call {
        Call::json(Arc::clone(&self.0).indices())
    }

    /// The documents of all indices or of one, of all their shards or of those with one number.
    #[napi]
    pub fn documents(&self, index: Option<String>, shard: Option<u32>) -> DocumentStream {
        DocumentStream(Arc::clone(&self.0).documents(index, shard))
    }
}
