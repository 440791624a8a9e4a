//! Where a run writes and where it is coordinated.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use snapfill::SystemClock;
use snapfill::cluster::{HttpCluster, TargetAddress};
use snapfill::coordination::{IndexWorkStore, Session, WorkStore};
use snapfill::settings::state_folder;

use crate::backfill_options::config;
use crate::cluster::require_none;
use crate::{BackfillOptions, Result};

/// Where a run writes and where it is coordinated.
pub(crate) struct Place {
    /// The folder that this machine has for the run: the target itself, where that is one.
    pub(crate) folder: PathBuf,
    /// The target, where it is a cluster.
    pub(crate) cluster: Option<HttpCluster>,
    /// The working state, where it is in a cluster.
    pub(crate) store: Option<Arc<dyn WorkStore>>,
}

/// Refuses options that do not go together, before anything is opened.
pub(crate) fn check(options: &BackfillOptions) -> Result<()> {
    Session::named(options.session())?;
    let given = |option: &Option<String>| option.is_some();
    match options.target.parse()? {
        TargetAddress::Url(url) => {
            options.target_options.config(url.as_str())?;
            match options.coordinator.as_deref() {
                None | Some("local") => require_none(&options.coordinator_options),
                Some(address) => options.coordinator_options.config(address).map(drop),
            }
        }
        _ if given(&options.coordinator) || given(&options.state) => Err(config(
            "coordinator and state are for targets that are clusters; that of a folder is in it",
        )),
        _ => require_none(&options.target_options),
    }
}

impl Place {
    pub(crate) async fn open(options: &BackfillOptions, lease: Duration) -> Result<Self> {
        let url = match options.target.parse()? {
            TargetAddress::Url(url) => url,
            folder => return Ok(Self { folder: folder.folder()?, cluster: None, store: None }),
        };
        let folder = match &options.state {
            Some(folder) => folder.into(),
            None => state_folder(&url).ok_or_else(|| {
                config("there is no home folder to keep the run's files in; name a folder as state")
            })?,
        };
        let cluster = options.target_options.connect(url.as_str()).await?;
        let coordinator = match options.coordinator.as_deref() {
            Some("local") => return Ok(Self { folder, cluster: Some(cluster), store: None }),
            Some(address) => options.coordinator_options.connect(address).await?,
            None => cluster.clone(),
        };
        let session = Session::named(options.session())?;
        let clock = Arc::new(SystemClock::new());
        let store = IndexWorkStore::for_leases(coordinator, session, clock, lease)?;
        Ok(Self { folder, cluster: Some(cluster), store: Some(Arc::new(store)) })
    }
}
