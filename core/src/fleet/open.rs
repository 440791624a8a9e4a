//! The fleet that a configuration names.

use std::sync::Arc;

use super::Fleet;
#[cfg(feature = "ecs")]
use super::ecs::EcsFleet;
#[cfg(feature = "kubernetes")]
use super::kubernetes::KubernetesFleet;
use crate::settings::FleetConfig;
use crate::{Clock, Result};
#[cfg(not(all(feature = "ecs", feature = "kubernetes")))]
use crate::{Error, ErrorKind};

/// Opens the fleet elsewhere that `config` names, for
/// [`BackfillBuilder::build_over`](crate::controller::BackfillBuilder::build_over); none for a fleet of this machine, which is
/// made together with its controller. Its platform is not asked yet.
///
/// # Errors
/// `Unsupported` when this build leaves the platform out, saying which feature it is; `Config` when something is not named or
/// cannot be read.
///
/// ```
/// # async fn example() -> snapfill::Result<()> {
/// use std::sync::Arc;
/// use snapfill::SystemClock;
/// use snapfill::settings::FleetConfig;
///
/// let clock = Arc::new(SystemClock::new());
/// assert!(snapfill::fleet::open(&FleetConfig::Tasks, clock).await?.is_none());
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[cfg_attr(
    not(any(feature = "ecs", feature = "kubernetes")),
    allow(unused_variables, clippy::unused_async)
)]
pub async fn open(config: &FleetConfig, clock: Arc<dyn Clock>) -> Result<Option<Arc<dyn Fleet>>> {
    match config {
        FleetConfig::Tasks | FleetConfig::Processes => Ok(None),
        #[cfg(feature = "ecs")]
        FleetConfig::Ecs(service) => {
            Ok(Some(Arc::new(EcsFleet::connect(service.clone(), clock).await?)))
        }
        #[cfg(feature = "kubernetes")]
        FleetConfig::Kubernetes(pods) => {
            Ok(Some(Arc::new(KubernetesFleet::connect(pods.clone(), clock).await?)))
        }
        #[cfg(not(feature = "ecs"))]
        FleetConfig::Ecs(_) => Err(left_out(config, "ecs")),
        #[cfg(not(feature = "kubernetes"))]
        FleetConfig::Kubernetes(_) => Err(left_out(config, "kubernetes")),
    }
}

#[cfg(not(all(feature = "ecs", feature = "kubernetes")))]
fn left_out(config: &FleetConfig, feature: &str) -> Error {
    let kind = config.kind();
    let message =
        format!("this build has no workers {kind}: build it with the feature `{feature}`");
    Error::new(ErrorKind::Unsupported, message)
}
