//! Where a run writes and where it is coordinated.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use snapfill::SystemClock;
use snapfill::cluster::{HttpCluster, TargetAddress};
use snapfill::coordination::{IndexWorkStore, LeaseRules, Session, WorkStore};
use url::Url;

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
            None => usual_folder(&url)?,
        };
        let cluster = options.target_options.connect(url.as_str()).await?;
        let coordinator = match options.coordinator.as_deref() {
            Some("local") => return Ok(Self { folder, cluster: Some(cluster), store: None }),
            Some(address) => options.coordinator_options.connect(address).await?,
            None => cluster.clone(),
        };
        IndexWorkStore::require_room_in(&coordinator)?;
        let session = Session::named(options.session())?;
        // Half of the margin is for the clocks of the cluster's nodes.
        let precision = LeaseRules::for_length(lease).margin / 2;
        let store = IndexWorkStore::new(coordinator, session, Arc::new(SystemClock::new()));
        let store = Arc::new(store.with_clock_precision(precision));
        Ok(Self { folder, cluster: Some(cluster), store: Some(store) })
    }
}

/// The folder for a run into a cluster: a rerun from any folder finds it.
fn usual_folder(url: &Url) -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")));
    let base = base.ok_or_else(|| {
        config("there is no home folder to keep the run's files in; name a folder as state")
    })?;
    Ok(base.join("snapfill").join(name_of(url)))
}

/// A folder's name for an address, the same that the command line gives it.
fn name_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let text = format!("{host}_{port}{}", url.path().trim_end_matches('/'));
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
    text.chars().map(|letter| if allowed(letter) { letter } else { '_' }).collect()
}
