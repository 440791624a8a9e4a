//! The behaviour table of controllers over platforms elsewhere, whose tasks and pods are the program: `snapfill worker`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use snapfill::cluster::aws::AwsChain;
use snapfill::cluster::{HttpCluster, HttpConfig};
use snapfill::controller::{
    AwsBackfill, BackfillBuilder, BackfillController, BackfillStatus, FleetBackfill, FleetCounts,
    GradualOptions, RunEnd,
};
use snapfill::coordination::{IndexWorkStore, LeaseRules, Session};
use snapfill::fleet::{EcsFleet, Fleet, KubernetesFleet};
use snapfill::preparation::Rename;
use snapfill::settings::{
    BackfillSettings, BulkSettings, EcsFleetConfig, KubernetesFleetConfig, RateLimits, WhenDone,
};
use snapfill::testkit::ControllerFixture;
use snapfill::{Clock, ErrorKind, SystemClock};
use snapfill_harness::{Moto, Version, shared};
use snapfill_tests::fixtures::{Fixture, assert_same};
use snapfill_tests::node::{by_index, documents_of};
use snapfill_tests::platform::{FakeKubernetes, HurriedClock, SlowRun, SteppingEcs, ecs, run};

use crate::program::SNAPFILL;

#[allow(dead_code, reason = "its own `main` is not called")]
#[path = "../../../examples/rust/drive_an_aws_fleet.rs"]
mod drive_an_aws_fleet;

const REGION: &str = "eu-west-1";

const PROFILE: &str =
    "[profile fleet]\naws_access_key_id = AKIDFLEET\naws_secret_access_key = hunter2\n";

/// A platform, held as long as the test lasts.
enum Platform {
    Ecs(SteppingEcs),
    Kubernetes(FakeKubernetes),
    Moto(Moto),
}

/// A run, and the platform of its workers.
struct OnPlatform {
    // Before the run: its workers write into the run's folder.
    platform: Platform,
    run: SlowRun,
}

impl OnPlatform {
    /// ECS in motion. Every now and then it asks for patience, or fails.
    fn ecs() -> Self {
        let run = SlowRun::new().unwrap();
        let platform = Platform::Ecs(SteppingEcs::start(run.workers(SNAPFILL)).troubled(7));
        Self { platform, run }
    }

    fn kubernetes() -> Self {
        let run = SlowRun::new().unwrap();
        let platform = Platform::Kubernetes(FakeKubernetes::start(run.workers(SNAPFILL)));
        Self { platform, run }
    }

    fn moto() -> Self {
        let moto = Moto::start().unwrap();
        moto.make_service(REGION, ecs::CLUSTER, ecs::SERVICE).unwrap();
        Self { platform: Platform::Moto(moto), run: SlowRun::new().unwrap() }
    }

    async fn fleet(&self) -> Arc<dyn Fleet> {
        match &self.platform {
            Platform::Ecs(platform) => ecs_at(platform.url(), &self.run, true).await,
            Platform::Moto(moto) => ecs_at(moto.url(), &self.run, true).await,
            Platform::Kubernetes(platform) => {
                let config = KubernetesFleetConfig {
                    kubeconfig: Some(platform.kubeconfig(self.run.folder())),
                    shared_folders: true,
                    ..KubernetesFleetConfig::new("workers")
                };
                let clock = Arc::new(HurriedClock::default());
                Arc::new(KubernetesFleet::connect(config, clock).await.unwrap())
            }
        }
    }

    async fn backfill(&self) -> FleetBackfill {
        self.run.elsewhere(self.run.settings()).unwrap().build_over(self.fleet().await).unwrap()
    }
}

/// The service that answers at a URL.
async fn ecs_at(url: &str, run: &SlowRun, shared_folders: bool) -> Arc<EcsFleet> {
    let profiles = run.folder().join("profiles");
    std::fs::write(&profiles, PROFILE).unwrap();
    let chain = AwsChain {
        profile: Some("fleet".to_owned()),
        profile_file: Some(profiles),
        region: Some(REGION.to_owned()),
        ..AwsChain::default()
    };
    let config = EcsFleetConfig {
        endpoint: Some(url.to_owned()),
        shared_folders,
        ..EcsFleetConfig::new(ecs::CLUSTER, ecs::SERVICE)
    };
    let clock = Arc::new(HurriedClock::default());
    Arc::new(EcsFleet::connect_by(chain, config, clock).await.unwrap())
}

#[async_trait]
impl ControllerFixture for OnPlatform {
    async fn controller(&self) -> Arc<dyn BackfillController> {
        Arc::new(self.backfill().await)
    }

    fn has_workers(&self) -> bool {
        !matches!(self.platform, Platform::Moto(_))
    }

    fn stays(&self) -> bool {
        true
    }

    async fn hurry(&self) {
        self.backfill().await.set_rate_limits(RateLimits::default()).await.unwrap();
    }

    async fn moment(&self) {
        SystemClock::new().sleep(Duration::from_millis(20)).await;
    }

    fn archives(&self) -> PathBuf {
        self.run.folder().join("archives")
    }

    async fn assert_filled(&self) {
        self.run.assert_filled().await;
    }
}

mod on_ecs_in_motion {
    use super::OnPlatform;

    snapfill::controller_conformance!(OnPlatform::ecs());
}

mod on_kubernetes {
    use super::OnPlatform;

    snapfill::controller_conformance!(OnPlatform::kubernetes());
}

mod on_moto {
    use super::OnPlatform;

    snapfill::controller_conformance!(OnPlatform::moto());
}

#[tokio::test]
async fn what_workers_elsewhere_cannot_see_is_refused_with_what_to_do() {
    let run = SlowRun::new().unwrap();
    let fleet = ecs_at("http://127.0.0.1:1", &run, false).await;
    let mounting = ecs_at("http://127.0.0.1:1", &run, true).await;
    let (folder, bucket) = (run.settings(), "s3://bucket/backups".to_owned());
    let in_bucket = BackfillSettings { repository: bucket, failed_store: None, ..folder.clone() };
    let nowhere = BackfillSettings { failed_store: None, ..folder.clone() };
    let on_this_machine = BackfillBuilder::new(folder.clone()).build_over(Arc::clone(&fleet));
    for (refused, way) in [
        (on_this_machine, "--coordinator"),
        (run.elsewhere(folder).unwrap().build_over(Arc::clone(&fleet)), "shared_folders"),
        (run.elsewhere(in_bucket).unwrap().build_over(fleet), "--failed-store"),
        (run.elsewhere(nowhere).unwrap().build_over(mounting), "--failed-store"),
    ] {
        let error = refused.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains(way), "no `{way}` in {error}");
        assert!(error.message().contains("on Amazon ECS"), "{error}");
    }
}

/// The run into a server that other tests fill, too.
fn into_server(run: &SlowRun, session: &str) -> BackfillSettings {
    let lease = Duration::from_secs(6);
    BackfillSettings {
        session: session.to_owned(),
        rename: Rename { prefix: format!("{session}-"), ..Rename::default() },
        lease,
        bulk: BulkSettings {
            timeout: LeaseRules::for_length(lease).bulk_timeout(BulkSettings::default().timeout),
            ..BulkSettings::default()
        },
        ..run.settings()
    }
}

/// Three workers fill a real cluster, which holds the working state, too; then nobody is left, and all documents are there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_fills_a_real_cluster_and_is_sent_away_when_done() {
    let Some(server) = shared(Version::OpenSearch2_19_6) else { return };
    let run = SlowRun::new().unwrap();
    let workers = run.workers_into(server.url(), "fleet", SNAPFILL);
    let platform = SteppingEcs::start(workers).troubled(7);
    let clock = Arc::new(HurriedClock::default());
    let settings = BackfillSettings { when_done: WhenDone::Pause, ..into_server(&run, "fleet") };
    let target = HttpCluster::new(HttpConfig::new([server.url()]).unwrap()).unwrap();
    let session = Session::named("fleet").unwrap();
    let store = IndexWorkStore::new(target.clone(), session, clock.clone());
    let fleet = ecs_at(platform.url(), &run, true).await;
    let backfill: AwsBackfill = BackfillBuilder::new(settings)
        .with_clock(clock)
        .with_cluster(Arc::new(target))
        .with_store(Arc::new(store))
        .build_over(fleet)
        .unwrap();
    backfill.scale(3).await.unwrap();
    assert_eq!(backfill.wait().await.unwrap(), RunEnd::Completed);
    let status = backfill.status().await.unwrap();
    assert_eq!((status.status, status.fleet), (BackfillStatus::Stopped, FleetCounts::default()));
    let expected = by_index(Fixture::named("opensearch-2.19.6").expected_with_source("snap-2"));
    for index in run::INDICES {
        let mut expected = expected[index].clone();
        let renamed = format!("fleet-{index}");
        expected.iter_mut().for_each(|line| line.index.clone_from(&renamed));
        assert_same(&documents_of(&server, &renamed), &expected, index);
    }
    assert!(backfill.stop(Some(&run.folder().join("archives"))).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_has_more_tasks_step_by_step_and_none_when_all_is_done() {
    let Some(server) = shared(Version::OpenSearch2_19_6) else { return };
    let run = SlowRun::new().unwrap();
    let platform = SteppingEcs::start(run.workers_into(server.url(), "example", SNAPFILL));
    let target = HttpCluster::new(HttpConfig::new([server.url()]).unwrap()).unwrap();
    let fleet = ecs_at(platform.url(), &run, true).await;
    // Other tests keep this machine's processors busy, which are the server's.
    let settle = Duration::from_secs(1);
    let options = GradualOptions { settle, max_cpu_percent: 100, ..GradualOptions::default() };
    let archives = run.folder().join("archives");
    let settings = into_server(&run, "example");
    let driven = drive_an_aws_fleet::drive(settings, target, fleet.clone(), 3, options, &archives);
    let report = driven.await.unwrap();
    assert_eq!(report.end, Some(RunEnd::Completed));
    assert_eq!((report.books.written, report.books.failed), (409, 0));
    assert_eq!(fleet.counts().await.unwrap().desired, 0);
    assert!(archives.read_dir().unwrap().next().is_some());
}
