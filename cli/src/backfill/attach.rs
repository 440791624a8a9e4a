//! Finds a run that was begun earlier, maybe by another process.

use std::sync::Arc;

use snapfill::cluster::TargetAddress;
use snapfill::controller::LocalBackfill;
use snapfill::settings::BackfillSettings;
use snapfill::{Error, ErrorKind};

use crate::arguments::{ClusterOptions, Target};
use crate::exit::Failure;
use crate::target::connect;
use crate::working_state::StateOption;

/// The controller of the run into a target: beside a local target, in the cluster that coordinates it, or in the folder that
/// is kept for a cluster.
pub(crate) async fn attach(
    target: &Target,
    state: &StateOption,
    session: &str,
    cluster: &ClusterOptions,
) -> Result<LocalBackfill, Failure> {
    let url = match target.address()? {
        TargetAddress::Url(url) => url,
        folder => return Ok(LocalBackfill::attach(&folder.folder()?, session).await?),
    };
    let (folder, cluster) = (state.folder(&url)?, connect(&url, cluster).await?);
    let lease = BackfillSettings::new("", "", "").lease;
    if let Some(store) = state.store(&cluster, session, lease)? {
        return Ok(LocalBackfill::attach_to(store, Arc::new(cluster), &folder).await?);
    }
    LocalBackfill::attach(&folder, session).await.map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let message = format!(
                "this machine knows of no run into {url}: its working state would be in {}; name its folder by --state",
                folder.display()
            );
            Error::new(ErrorKind::NotFound, message).into()
        }
        _ => error.into(),
    })
}
