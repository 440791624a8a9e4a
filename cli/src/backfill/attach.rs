//! Finds a run that was begun earlier, maybe by another process.

use snapfill::cluster::TargetAddress;
use snapfill::controller::LocalBackfill;
use snapfill::{Error, ErrorKind};

use crate::arguments::{StateOption, Target};
use crate::exit::Failure;
use crate::target::state_folder;

/// The controller of the run into a target: beside a local target, or in the folder that is kept for a cluster.
pub(crate) async fn attach(
    target: &Target,
    state: &StateOption,
    session: &str,
) -> Result<LocalBackfill, Failure> {
    let url = match target.address()? {
        TargetAddress::Url(url) => url,
        folder => return Ok(LocalBackfill::attach(&folder.folder()?, session).await?),
    };
    let state = state_folder(&url, state.state.clone())?;
    LocalBackfill::attach(&state, session).await.map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let message = format!(
                "this machine knows of no run into {url}: its working state would be in {}; name its folder by --state",
                state.display()
            );
            Error::new(ErrorKind::NotFound, message).into()
        }
        _ => error.into(),
    })
}
