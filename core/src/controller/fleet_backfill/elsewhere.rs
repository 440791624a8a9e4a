//! Controllers of workers on other machines.

use super::FleetBackfill;
#[cfg(feature = "ecs")]
use crate::fleet::EcsFleet;
#[cfg(feature = "kubernetes")]
use crate::fleet::KubernetesFleet;

/// A backfill whose workers are tasks of a service of Amazon ECS. They have every setting but their credentials from the working
/// state, which must be in a cluster. The service keeps its size when the work is done, unless
/// [`WhenDone`](crate::settings::WhenDone) says otherwise.
///
/// ```no_run
/// # async fn example() -> snapfill::Result<()> {
/// use std::sync::Arc;
/// use snapfill::SystemClock;
/// use snapfill::cluster::{HttpCluster, HttpConfig};
/// use snapfill::controller::{AwsBackfill, BackfillBuilder, BackfillController};
/// use snapfill::coordination::{IndexWorkStore, Session};
/// use snapfill::fleet::EcsFleet;
/// use snapfill::settings::{BackfillSettings, EcsFleetConfig};
///
/// let clock = Arc::new(SystemClock::new());
/// let target = HttpCluster::new(HttpConfig::new(["https://search.example.com:9200"])?)?;
/// let store = IndexWorkStore::new(target.clone(), Session::default(), clock.clone());
/// let service = EcsFleetConfig::new("migration", "snapfill-worker");
/// let fleet = EcsFleet::connect(service, clock).await?;
///
/// let mut settings = BackfillSettings::new("s3://backups/nightly", "snap-1", "./state");
/// settings.failed_store = Some("s3://backups/failed".into());
/// let backfill: AwsBackfill = BackfillBuilder::new(settings)
///     .with_cluster(Arc::new(target))
///     .with_store(Arc::new(store))
///     .build_over(Arc::new(fleet))?;
/// backfill.scale(5).await?;
/// println!("{:?}", backfill.wait().await?);
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "ecs")]
pub type AwsBackfill = FleetBackfill<EcsFleet>;

/// A backfill whose workers are pods of a Kubernetes deployment. They have every setting but their credentials from the working
/// state, which must be in a cluster. The deployment keeps its size when the work is done, unless
/// [`WhenDone`](crate::settings::WhenDone) says otherwise.
///
/// ```no_run
/// # async fn example(builder: snapfill::controller::BackfillBuilder) -> snapfill::Result<()> {
/// use std::sync::Arc;
/// use snapfill::SystemClock;
/// use snapfill::controller::{BackfillController, KubernetesBackfill};
/// use snapfill::fleet::KubernetesFleet;
/// use snapfill::settings::KubernetesFleetConfig;
///
/// let workers = KubernetesFleetConfig::new("snapfill-worker");
/// let fleet = KubernetesFleet::connect(workers, Arc::new(SystemClock::new())).await?;
/// // The builder has settings, a cluster and a working state there.
/// let backfill: KubernetesBackfill = builder.build_over(Arc::new(fleet))?;
/// backfill.scale(5).await?;
/// println!("{:?}", backfill.wait().await?);
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "kubernetes")]
pub type KubernetesBackfill = FleetBackfill<KubernetesFleet>;
