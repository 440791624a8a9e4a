//! The service whose tasks are workers.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ecs::config::retry::RetryConfig;
use aws_sdk_ecs::config::timeout::TimeoutConfig;
use aws_sdk_ecs::types::{DesiredStatus, Service};
use aws_sdk_ecs::{Client, config};

use super::refusal::{Refusals, missing_service};
use crate::cluster::aws::{AssumedRole, AwsChain};
use crate::controller::FleetCounts;
use crate::fleet::{Fleet, FleetKind, looks};
use crate::retry::RetryPolicy;
use crate::settings::EcsFleetConfig;
use crate::{Clock, Error, ErrorKind, Result};

/// A call that takes longer is made again.
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// A service that cannot be connected to within this is away.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// What a task is called that is neither up nor gone.
const LEAVING: [&str; 3] = ["DEACTIVATING", "STOPPING", "DEPROVISIONING"];

/// A service of Amazon ECS whose tasks are workers (`snapfill worker --when-done stay`).
///
/// Calls that ECS throttles or answers with a failure of its own are made again, by the injected clock.
///
/// ```no_run
/// # async fn example() -> snapfill::Result<()> {
/// use std::sync::Arc;
/// use snapfill::SystemClock;
/// use snapfill::fleet::{EcsFleet, Fleet};
/// use snapfill::settings::EcsFleetConfig;
///
/// let service = EcsFleetConfig::new("migration", "snapfill-worker");
/// let fleet = EcsFleet::connect(service, Arc::new(SystemClock::new())).await?;
/// fleet.desired(5).await?;
/// println!("{:?}", fleet.steady(std::time::Duration::from_secs(300)).await?);
/// # Ok(())
/// # }
/// ```
pub struct EcsFleet {
    client: Client,
    config: EcsFleetConfig,
    refusals: Refusals,
    clock: Arc<dyn Clock>,
    retry: RetryPolicy,
    /// Tasks may not be listed: said once.
    sees_no_tasks: AtomicBool,
}

impl fmt::Debug for EcsFleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EcsFleet").field("config", &self.config).finish_non_exhaustive()
    }
}

impl EcsFleet {
    /// A fleet of the service that `config` names, by keys from where AWS's own tools take them. ECS is not asked yet.
    ///
    /// # Errors
    /// `Config` when cluster or service are not named, or no region is named anywhere.
    pub async fn connect(config: EcsFleetConfig, clock: Arc<dyn Clock>) -> Result<Self> {
        let chain = AwsChain {
            profile: config.profile.clone(),
            region: config.region.clone(),
            role: config.role.clone().map(|arn| AssumedRole {
                arn,
                external_id: config.external_id.clone(),
                session_name: None,
            }),
            ..AwsChain::default()
        };
        Self::connect_by(chain, config, clock).await
    }

    /// The same by the keys of another chain than that of `config`.
    ///
    /// # Errors
    /// As [`EcsFleet::connect`].
    pub async fn connect_by(
        chain: AwsChain,
        config: EcsFleetConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        for (what, name) in [("cluster", &config.cluster), ("service", &config.service)] {
            if name.trim().is_empty() {
                let message = format!("no ECS {what} is named: say which one the workers are in");
                return Err(Error::new(ErrorKind::Config, message));
            }
        }
        let (sdk, found) = chain.find_for_client().await?;
        // Calls are made again by our own rules and clock.
        let mut builder =
            config::Builder::from(&sdk).retry_config(RetryConfig::disabled()).timeout_config(
                TimeoutConfig::builder()
                    .operation_timeout(CALL_LIMIT)
                    .connect_timeout(CONNECT_LIMIT)
                    .build(),
            );
        if let Some(endpoint) = &config.endpoint {
            builder = builder.endpoint_url(endpoint);
        }
        Ok(Self {
            client: Client::from_conf(builder.build()),
            refusals: Refusals::new(&config, found),
            config,
            clock,
            retry: RetryPolicy::default(),
            sees_no_tasks: AtomicBool::new(false),
        })
    }

    /// Makes calls again by another policy than the usual one.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Waits until as many tasks are up as are wanted, and no other is on its way in or out.
    ///
    /// # Errors
    /// `Unavailable` when that is not so `within` a time; then it says what the service said last. What ECS fails with.
    pub async fn steady(&self, within: Duration) -> Result<FleetCounts> {
        let begin = self.clock.monotonic();
        for wait in looks() {
            let service = self.service().await?;
            let counts = self.counts_of(&service).await?;
            let others = counts.pending + counts.terminating;
            if counts.running == counts.desired && others == 0 {
                return Ok(counts);
            }
            if self.clock.monotonic().saturating_sub(begin) >= within {
                return Err(self.unsteady(&service, within));
            }
            self.clock.sleep(wait).await;
        }
        Err(Error::new(ErrorKind::Unexpected, "looking at a service ended by itself"))
    }

    fn unsteady(&self, service: &Service, within: Duration) -> Error {
        let said = service.events().first().and_then(|event| event.message());
        let message = format!(
            "service `{}` has {} of {} tasks up and {} pending after {} s; ECS says: {}",
            self.config.service,
            service.running_count(),
            service.desired_count(),
            service.pending_count(),
            within.as_secs(),
            said.unwrap_or("nothing")
        );
        Error::new(ErrorKind::Unavailable, message).with_context("cluster", &self.config.cluster)
    }

    /// The service as ECS describes it.
    async fn service(&self) -> Result<Service> {
        let describe = || async {
            let EcsFleetConfig { cluster, service, .. } = &self.config;
            let call = self.client.describe_services().cluster(cluster).services(service);
            call.send().await.map_err(|error| self.refusals.error("ecs:DescribeServices", &error))
        };
        let answer = self.retry.run(&*self.clock, describe).await?;
        // A service that was deleted is described for a while.
        let found = answer.services.unwrap_or_default().into_iter().next();
        found
            .filter(|service| service.status() != Some("INACTIVE"))
            .ok_or_else(|| missing_service(&self.config))
    }

    async fn counts_of(&self, service: &Service) -> Result<FleetCounts> {
        let count = |number: i32| u64::try_from(number).unwrap_or_default();
        Ok(FleetCounts {
            running: count(service.running_count()),
            pending: count(service.pending_count()),
            desired: count(service.desired_count()),
            terminating: self.leaving().await?,
        })
    }

    /// Tasks that are on their way out: ECS counts them neither as running nor as pending.
    async fn leaving(&self) -> Result<u64> {
        if self.sees_no_tasks.load(Ordering::Relaxed) {
            return Ok(0);
        }
        match self.count_leaving().await {
            Err(error) if error.kind() == ErrorKind::Auth => {
                self.sees_no_tasks.store(true, Ordering::Relaxed);
                tracing::warn!(%error, "tasks on their way out are not seen");
                Ok(0)
            }
            counted => counted,
        }
    }

    async fn count_leaving(&self) -> Result<u64> {
        let (mut leaving, mut page) = (0, None);
        loop {
            let listed = self.retry.run(&*self.clock, || self.stopped_tasks(page.clone())).await?;
            let (tasks, next) = listed;
            if !tasks.is_empty() {
                leaving += self.retry.run(&*self.clock, || self.leaving_of(&tasks)).await?;
            }
            page = next;
            if page.is_none() {
                return Ok(leaving);
            }
        }
    }

    /// Tasks that are to stop or did so lately, a page of them, and where the next one begins.
    async fn stopped_tasks(&self, page: Option<String>) -> Result<(Vec<String>, Option<String>)> {
        let EcsFleetConfig { cluster, service, .. } = &self.config;
        let call = self.client.list_tasks().cluster(cluster).service_name(service);
        let call = call.desired_status(DesiredStatus::Stopped).set_next_token(page);
        let answer = call.send().await;
        let answer = answer.map_err(|error| self.refusals.error("ecs:ListTasks", &error))?;
        Ok((answer.task_arns.unwrap_or_default(), answer.next_token))
    }

    async fn leaving_of(&self, tasks: &[String]) -> Result<u64> {
        let call = self.client.describe_tasks().cluster(&self.config.cluster);
        let answer = call.set_tasks(Some(tasks.to_vec())).send().await;
        let answer = answer.map_err(|error| self.refusals.error("ecs:DescribeTasks", &error))?;
        let is_leaving = |status| LEAVING.contains(&status);
        let statuses = answer.tasks().iter().filter_map(|task| task.last_status());
        Ok(statuses.filter(|status| is_leaving(status)).count() as u64)
    }
}

#[async_trait]
impl Fleet for EcsFleet {
    fn kind(&self) -> FleetKind {
        FleetKind::Ecs
    }

    fn sees_folders(&self) -> bool {
        self.config.shared_folders
    }

    async fn desired(&self, workers: usize) -> Result<()> {
        let count = i32::try_from(workers).map_err(|_| {
            Error::new(ErrorKind::Config, format!("{workers} workers are more than ECS can count"))
        })?;
        let update = || async {
            let EcsFleetConfig { cluster, service, .. } = &self.config;
            let call = self.client.update_service().cluster(cluster).service(service);
            let answer = call.desired_count(count).send().await;
            answer.map_err(|error| self.refusals.error("ecs:UpdateService", &error))
        };
        self.retry.run(&*self.clock, update).await.map(|_| ())
    }

    async fn counts(&self) -> Result<FleetCounts> {
        self.counts_of(&self.service().await?).await
    }

    fn describe(&self) -> String {
        let EcsFleetConfig { cluster, service, .. } = &self.config;
        let region = self.refusals.region();
        format!("service {service} of ECS cluster {cluster} in {region}")
    }

    fn change_line(&self, workers: usize, counts: &FleetCounts) -> String {
        format!(
            "Service {} set to {workers} desired count. Currently {} running and {} pending.",
            self.config.service, counts.running, counts.pending
        )
    }
}
