//! The fleet of a run: elsewhere, or the workers of this machine and how each of them is called.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap::Args;
use snapfill::fleet::{Fleet, ProcessFleet, WorkerProgram};
use snapfill::settings::{EcsFleetConfig, FleetConfig, KubernetesFleetConfig};
use snapfill::{Error, ErrorKind, SystemClock};

use crate::backfill::attach::WhichRun;
use crate::exit::Failure;

/// Where the workers are.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Workers elsewhere")]
pub(crate) struct FleetOptions {
    /// The workers are the tasks of this service of Amazon ECS, by name or ARN. Unless any is named, they are processes of this
    /// machine
    #[arg(
        long,
        value_name = "NAME",
        env = "SNAPFILL_ECS_SERVICE",
        conflicts_with = "k8s_deployment"
    )]
    ecs_service: Option<String>,
    /// The cluster of the service, by name or ARN
    #[arg(long, value_name = "NAME", env = "SNAPFILL_ECS_CLUSTER", default_value = "default")]
    ecs_cluster: String,
    /// Its region; unless given, that of the environment or the profile
    #[arg(long, value_name = "REGION", env = "SNAPFILL_ECS_REGION")]
    ecs_region: Option<String>,
    /// The URL at which ECS is asked, in place of the region's public address
    #[arg(long, value_name = "URL", env = "SNAPFILL_ECS_ENDPOINT")]
    ecs_endpoint: Option<String>,
    /// Take the keys of this profile, whatever the environment holds
    #[arg(long, value_name = "NAME", env = "SNAPFILL_ECS_PROFILE")]
    ecs_profile: Option<String>,
    /// The ARN of a role to assume
    #[arg(long, value_name = "ARN", env = "SNAPFILL_ECS_ROLE")]
    ecs_role: Option<String>,
    /// The external id that the role asks for
    #[arg(long, value_name = "ID", env = "SNAPFILL_ECS_EXTERNAL_ID", requires = "ecs_role")]
    ecs_external_id: Option<String>,
    /// The workers are the pods of this Kubernetes deployment
    #[arg(long, value_name = "NAME", env = "SNAPFILL_K8S_DEPLOYMENT")]
    k8s_deployment: Option<String>,
    /// Its namespace; unless given, that of the context or of the service account
    #[arg(long, value_name = "NAME", env = "SNAPFILL_K8S_NAMESPACE")]
    k8s_namespace: Option<String>,
    /// The context of the kubeconfig
    #[arg(long, value_name = "NAME", env = "SNAPFILL_K8S_CONTEXT")]
    k8s_context: Option<String>,
    /// A kubeconfig file, in place of $KUBECONFIG and ~/.kube/config
    #[arg(long, value_name = "FILE", env = "SNAPFILL_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// Workers elsewhere see the folders of this machine at the same paths: they mount them
    #[arg(long, env = "SNAPFILL_SHARED_FOLDERS")]
    shared_folders: bool,
}

impl FleetOptions {
    pub(crate) fn config(&self) -> FleetConfig {
        if let Some(service) = &self.ecs_service {
            return FleetConfig::Ecs(EcsFleetConfig {
                region: self.ecs_region.clone(),
                endpoint: self.ecs_endpoint.clone(),
                profile: self.ecs_profile.clone(),
                role: self.ecs_role.clone(),
                external_id: self.ecs_external_id.clone(),
                shared_folders: self.shared_folders,
                ..EcsFleetConfig::new(&self.ecs_cluster, service)
            });
        }
        match &self.k8s_deployment {
            Some(deployment) => FleetConfig::Kubernetes(KubernetesFleetConfig {
                namespace: self.k8s_namespace.clone(),
                context: self.k8s_context.clone(),
                kubeconfig: self.kubeconfig.clone(),
                shared_folders: self.shared_folders,
                ..KubernetesFleetConfig::new(deployment)
            }),
            None => FleetConfig::Processes,
        }
    }
}

/// The fleet of the run whose folder on this machine is `folder`.
pub(crate) async fn open(
    run: &WhichRun<'_>,
    folder: &Path,
    lease: Duration,
) -> Result<Arc<dyn Fleet>, Failure> {
    let clock = Arc::new(SystemClock::new());
    if let Some(elsewhere) = snapfill::fleet::open(&run.fleet.config(), clock).await? {
        return Ok(elsewhere);
    }
    let folder = std::path::absolute(folder).map_err(Error::from)?;
    let mut worker = vec!["worker".to_owned(), "--until-stdin-closes".to_owned()];
    // How exactly the working state's clock must be known follows from it.
    worker.push(format!("--lease={}s", lease.as_secs()));
    worker.extend(arguments_of(run, &folder)?);
    let (worker, supervisor) = (own_process(worker)?, own_process(vec!["supervise".to_owned()])?);
    Ok(Arc::new(ProcessFleet::new(control_folder(&folder, run.session), worker, supervisor)))
}

/// What begins a process of this command line, where it is built into a program that is more.
static BEGINNING: OnceLock<WorkerProgram> = OnceLock::new();

/// From now on, processes of this command line are begun by this program with these arguments before their own.
pub(crate) fn begin_processes_by(program: PathBuf, arguments: Vec<String>) {
    // An error means that it was told before.
    let _ = BEGINNING.set(WorkerProgram { program, arguments });
}

/// A process of this command line with these arguments.
fn own_process(arguments: Vec<String>) -> Result<WorkerProgram, Failure> {
    let Some(WorkerProgram { program, arguments: before }) = BEGINNING.get().cloned() else {
        let program = std::env::current_exe().map_err(Error::from)?;
        return Ok(WorkerProgram { program, arguments });
    };
    Ok(WorkerProgram { program, arguments: before.into_iter().chain(arguments).collect() })
}

/// The folder through which the workers of a session are controlled.
fn control_folder(folder: &Path, session: &str) -> PathBuf {
    match session {
        "" => folder.join("fleet"),
        session => folder.join(format!("fleet_{session}")),
    }
}

/// What a worker must know to find its run, and nothing secret: it shows in process lists.
fn arguments_of(run: &WhichRun<'_>, folder: &Path) -> Result<Vec<String>, Failure> {
    let mut arguments = Vec::new();
    let mut give = |name: &str, value: &str| {
        arguments.push(format!("{name}={value}"));
    };
    if !run.session.is_empty() {
        give("--session", run.session);
    }
    match run.target.url()? {
        Some(url) => {
            give("--target", url.as_str());
            give("--state", &text(folder)?);
        }
        // The folder is the target.
        None => give("--target", &text(folder)?),
    }
    arguments.extend(run.state.to_arguments()?);
    arguments.extend(run.cluster.to_arguments()?);
    Ok(arguments)
}

/// A path as an argument, valid whatever folder the program is run in.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    let path = std::path::absolute(path).map_err(Error::from)?;
    path.to_str().map(str::to_owned).ok_or_else(|| {
        let message = format!("{} is no UTF-8; give another folder", path.display());
        Failure::usage(Error::new(ErrorKind::Config, message))
    })
}
