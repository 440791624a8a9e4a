//! Finds a run that was begun earlier, maybe by another process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use snapfill::cluster::TargetAddress;
use snapfill::controller::{BackfillBuilder, LocalBackfill};
use snapfill::settings::BackfillSettings;
use snapfill::{Error, ErrorKind};
use url::Url;

use crate::arguments::{ClusterOptions, Target};
use crate::exit::Failure;
use crate::target::{connect, require_none};
use crate::working_state::StateOption;

/// The run that is meant.
#[derive(Debug, Args)]
pub(crate) struct OfRun {
    /// The target: a folder or a cluster's URL
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) state: StateOption,
    /// The run's session, where it was given one
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) session: String,
    #[command(flatten)]
    pub(crate) cluster: ClusterOptions,
}

impl OfRun {
    /// Its controller.
    pub(crate) async fn attach(&self) -> Result<LocalBackfill, Failure> {
        attach(&self.target, &self.state, &self.session, &self.cluster).await
    }
}

/// The controller of the run into a target, to see how it stands and to act on it: beside a local target, in the cluster that
/// coordinates it, or in the folder that is kept for a cluster.
pub(crate) async fn attach(
    target: &Target,
    state: &StateOption,
    session: &str,
    cluster: &ClusterOptions,
) -> Result<LocalBackfill, Failure> {
    let url = match target.address()? {
        TargetAddress::Url(url) => url,
        folder => {
            require_none(cluster)?;
            return Ok(LocalBackfill::attach(&folder.folder()?, session).await?);
        }
    };
    let (folder, cluster) = (state.folder(&url)?, Arc::new(connect(&url, cluster).await?));
    if let Some(store) = state.store(&cluster, session, usual_lease())? {
        return Ok(BackfillBuilder::attach_over(store, cluster, &folder).await?.build()?);
    }
    let builder = BackfillBuilder::attach_to(&folder, session, cluster).await;
    Ok(builder.map_err(|error| unknown(error, &folder, &url))?.build()?)
}

/// The same where there may be nothing yet.
pub(crate) async fn attach_or_make(run: &OfRun) -> Result<LocalBackfill, Failure> {
    let TargetAddress::Url(url) = run.target.address()? else {
        require_none(&run.cluster)?;
        let mut settings = BackfillSettings::new("", "", run.target.folder()?);
        settings.session.clone_from(&run.session);
        return Ok(LocalBackfill::builder(settings).build()?);
    };
    let (folder, cluster) = (run.state.folder(&url)?, connect(&url, &run.cluster).await?);
    let mut settings = BackfillSettings::new("", "", folder);
    settings.session.clone_from(&run.session);
    let store = run.state.store(&cluster, &run.session, settings.lease)?;
    let builder = LocalBackfill::builder(settings).with_cluster(Arc::new(cluster));
    Ok(match store {
        Some(store) => builder.with_store(store).build()?,
        None => builder.build()?,
    })
}

fn usual_lease() -> Duration {
    BackfillSettings::new("", "", "").lease
}

fn unknown(error: Error, folder: &Path, url: &Url) -> Failure {
    if error.kind() != ErrorKind::NotFound {
        return error.into();
    }
    let message = format!(
        "this machine knows of no run into {url}: its working state would be in {}; name its folder by --state",
        folder.display()
    );
    Error::new(ErrorKind::NotFound, message).into()
}
