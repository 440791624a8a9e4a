//! Clusters.

use std::sync::Arc;

use napi_derive::napi;
use snapfill_ffi as ffi;

use crate::call::Call;
use crate::failure::Failure;
use crate::options::{self, ClusterOptions};

/// A search cluster, or a folder that stands for one.
#[napi]
pub struct Cluster(Arc<ffi::Cluster>);

#[napi]
impl Cluster {
    /// The cluster at an address, with options as JSON.
    #[napi(constructor)]
    pub fn new(address: String, options: String) -> napi::Result<Self> {
        let options: ClusterOptions = options::read(&options)?;
        Ok(Self(ffi::Cluster::new(address, options.into()).map_err(Failure::from)?))
    }

    /// Who it is.
    #[napi]
    pub fn info(&self) -> Call {
        Call::json(Arc::clone(&self.0).info())
    }

    /// How it fares.
    #[napi]
    pub fn health(&self) -> Call {
        Call::json(Arc::clone(&self.0).health())
    }

    /// The indices it has.
    #[napi]
    pub fn indices(&self) -> Call {
        Call::json(Arc::clone(&self.0).indices())
    }

    /// How many documents an index shows.
    #[napi]
    pub fn count(&self, index: String) -> Call {
        Call::json(Arc::clone(&self.0).count(index))
    }

    /// Makes what was written visible.
    #[napi]
    pub fn refresh(&self, index: String) -> Call {
        Call::json(Arc::clone(&self.0).refresh(index))
    }
}
