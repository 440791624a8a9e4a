//! Finds a run that was begun earlier, maybe by another process.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use snapfill::cluster::HttpCluster;
use snapfill::controller::{BackfillBuilder, FleetBackfill};
use snapfill::settings::BackfillSettings;
use snapfill::{Error, ErrorKind};
use url::Url;

use crate::arguments::{ClusterOptions, Target};
use crate::exit::Failure;
use crate::fleet::{self, FleetOptions};
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
    #[command(flatten)]
    pub(crate) fleet: FleetOptions,
}

impl OfRun {
    pub(crate) fn which(&self) -> WhichRun<'_> {
        let Self { target, state, session, cluster, fleet } = self;
        WhichRun { target, state, session, cluster, fleet }
    }

    /// Its controller.
    pub(crate) async fn attach(&self) -> Result<FleetBackfill, Failure> {
        self.which().attach().await
    }
}

/// A run, by where it writes and where it is coordinated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WhichRun<'a> {
    pub(crate) target: &'a Target,
    pub(crate) state: &'a StateOption,
    pub(crate) session: &'a str,
    pub(crate) cluster: &'a ClusterOptions,
    pub(crate) fleet: &'a FleetOptions,
}

impl WhichRun<'_> {
    /// Its controller: beside a local target, in the cluster that coordinates it, or in the folder that is kept for a cluster.
    pub(crate) async fn attach(&self) -> Result<FleetBackfill, Failure> {
        let Some(url) = self.target.url()? else {
            require_none(self.cluster)?;
            let folder = self.target.folder()?;
            let builder = BackfillBuilder::attach(&folder, self.session).await?;
            return self.over_fleet(builder, &folder).await;
        };
        let (folder, cluster) = self.reach(&url).await?;
        let builder = match self.state.store(&cluster, self.session, usual_lease())? {
            Some(store) => BackfillBuilder::attach_over(store, cluster, &folder).await?,
            None => BackfillBuilder::attach_to(&folder, self.session, cluster)
                .await
                .map_err(|error| unknown(error, &folder, &url))?,
        };
        self.over_fleet(builder, &folder).await
    }

    /// The same where there may be nothing yet.
    pub(crate) async fn attach_or_make(&self) -> Result<FleetBackfill, Failure> {
        let settings = |folder: PathBuf| BackfillSettings {
            session: self.session.to_owned(),
            ..BackfillSettings::new("", "", folder)
        };
        let Some(url) = self.target.url()? else {
            require_none(self.cluster)?;
            let folder = self.target.folder()?;
            let builder = BackfillBuilder::new(settings(folder.clone()));
            return self.over_fleet(builder, &folder).await;
        };
        let (folder, cluster) = self.reach(&url).await?;
        let store = self.state.store(&cluster, self.session, usual_lease())?;
        let builder = BackfillBuilder::new(settings(folder.clone())).with_cluster(cluster);
        let builder = match store {
            Some(store) => builder.with_store(store),
            None => builder,
        };
        self.over_fleet(builder, &folder).await
    }

    async fn reach(&self, url: &Url) -> Result<(PathBuf, Arc<HttpCluster>), Failure> {
        Ok((self.state.folder(url)?, Arc::new(connect(url, self.cluster).await?)))
    }

    async fn over_fleet(
        &self,
        builder: BackfillBuilder,
        folder: &Path,
    ) -> Result<FleetBackfill, Failure> {
        let fleet = fleet::open(self, folder, builder.settings().lease).await?;
        Ok(builder.build_over(fleet)?)
    }
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
