//! Finds a run that was begun earlier, maybe by another process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use snapfill::cluster::TargetAddress;
use snapfill::controller::LocalBackfill;
use snapfill::settings::BackfillSettings;
use snapfill::{Error, ErrorKind};
use url::Url;

use crate::arguments::{StateOption, Target};
use crate::exit::Failure;
use crate::target::{connect, require_none, state_folder};

use super::stop::OfRun;

/// The controller of the run into a target, to see how it stands: beside a local target, or in the folder that is kept for a
/// cluster.
pub(crate) async fn attach(
    target: &Target,
    state: &StateOption,
    session: &str,
) -> Result<LocalBackfill, Failure> {
    match place_of(target, state)? {
        (folder, None) => Ok(LocalBackfill::attach(&folder, session).await?),
        (folder, Some(url)) => LocalBackfill::attach(&folder, session)
            .await
            .map_err(|error| unknown(error, &folder, &url)),
    }
}

/// The same, to act on the target as well.
pub(crate) async fn attach_to_target(run: &OfRun) -> Result<LocalBackfill, Failure> {
    match place_of(&run.target, &run.state)? {
        (folder, None) => {
            require_none(&run.cluster)?;
            Ok(LocalBackfill::attach(&folder, &run.session).await?)
        }
        (folder, Some(url)) => {
            let cluster = Arc::new(connect(&url, &run.cluster)?);
            LocalBackfill::attach_to(&folder, &run.session, cluster)
                .await
                .map_err(|error| unknown(error, &folder, &url))
        }
    }
}

/// The same where there may be nothing yet.
pub(crate) fn attach_or_make(run: &OfRun) -> Result<LocalBackfill, Failure> {
    let (folder, url) = place_of(&run.target, &run.state)?;
    let mut settings = BackfillSettings::new("", "", folder);
    settings.session.clone_from(&run.session);
    let builder = LocalBackfill::builder(settings);
    let builder = match url {
        Some(url) => builder.with_cluster(Arc::new(connect(&url, &run.cluster)?)),
        None => {
            require_none(&run.cluster)?;
            builder
        }
    };
    Ok(builder.build()?)
}

/// The folder of the working state, and the address of the target where that is a cluster.
fn place_of(target: &Target, state: &StateOption) -> Result<(PathBuf, Option<Url>), Failure> {
    match target.address()? {
        TargetAddress::Url(url) => Ok((state_folder(&url, state.state.clone())?, Some(url))),
        folder => Ok((folder.folder()?, None)),
    }
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
