//! Fills a cluster by the tasks of an Amazon ECS service: more of them as long as the target is well, and none when all is done.
//!
//! ```sh
//! cargo run -p snapfill --features ecs --example drive_an_aws_fleet -- \
//!     s3://backups/nightly snap-1 https://search.example.com migration workers s3://backups/failed 10 [INDEX …]
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use snapfill::cluster::{HttpCluster, HttpConfig};
use snapfill::controller::{
    AwsBackfill, BackfillBuilder, BackfillController, GradualOptions, GradualScaling, Report,
    RunEnd,
};
use snapfill::coordination::{IndexWorkStore, Session};
use snapfill::fleet::EcsFleet;
use snapfill::settings::{BackfillSettings, EcsFleetConfig};
use snapfill::{Error, ErrorKind, Result, SystemClock};

const USAGE: &str = "usage: drive_an_aws_fleet REPOSITORY SNAPSHOT TARGET CLUSTER SERVICE FAILED_STORE WORKERS [INDEX …]";

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words).await {
        Ok(RunEnd::Completed) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{}: {error}", error.kind());
            ExitCode::FAILURE
        }
    }
}

async fn run(words: &[String]) -> Result<RunEnd> {
    let [repository, snapshot, target, cluster, service, failed_store, workers, indices @ ..] =
        words
    else {
        return Err(Error::new(ErrorKind::Config, USAGE));
    };
    let workers = workers.parse().map_err(|_| Error::new(ErrorKind::Config, USAGE))?;
    let mut settings =
        BackfillSettings::new(repository.as_str(), snapshot.as_str(), "./snapfill-state");
    settings.failed_store = Some(failed_store.clone());
    settings.indices = indices.to_vec();
    let target = HttpCluster::new(HttpConfig::new([target.as_str()])?)?;
    let service = EcsFleetConfig::new(cluster.as_str(), service.as_str());
    let fleet = Arc::new(EcsFleet::connect(service, Arc::new(SystemClock::new())).await?);
    let options = GradualOptions::default();
    let report = drive(settings, target, fleet, workers, options, Path::new("archives")).await?;
    println!("{}", report.to_markdown());
    report.end.ok_or_else(|| Error::new(ErrorKind::Cancelled, "somebody sent the workers away"))
}

/// Fills the target, and stops when that is done: the tasks are sent away, and the working state becomes a file in `archives`.
pub(crate) async fn drive(
    settings: BackfillSettings,
    target: HttpCluster,
    fleet: Arc<EcsFleet>,
    workers: usize,
    options: GradualOptions,
    archives: &Path,
) -> Result<Report> {
    let session = Session::named(&settings.session)?;
    let clock = Arc::new(SystemClock::new());
    let store = IndexWorkStore::for_leases(target.clone(), session, clock, settings.lease)?;
    let backfill: AwsBackfill = BackfillBuilder::new(settings)
        .with_cluster(Arc::new(target))
        .with_store(Arc::new(store))
        .build_over(fleet)?;
    let backfill: Arc<dyn BackfillController> = Arc::new(backfill);
    let mut scaling = GradualScaling::new(Arc::clone(&backfill), workers, options)?;
    while let Some(step) = scaling.next().await? {
        println!("{step}");
    }
    backfill.wait().await?;
    let report = backfill.report().await?;
    if let Some(archive) = backfill.stop(Some(archives)).await? {
        println!("archived in {}", archive.display());
    }
    Ok(report)
}
