//! What is asked of ECS, and what becomes of its answers. ECS is in the test's process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::EcsFleet;
use crate::cluster::aws::AwsChain;
use crate::cluster::http::tests::fake::{Fake, Reply, Seen};
use crate::controller::FleetCounts;
use crate::fleet::{Fleet, FleetKind};
use crate::retry::RetryPolicy;
use crate::settings::EcsFleetConfig;
use crate::{Error, ErrorKind, ManualClock};

const PROFILE: &str = "
[profile fleet]
aws_access_key_id = AKIDFLEET
aws_secret_access_key = hunter2
region = eu-west-1
";

fn operation(seen: &Seen) -> String {
    let target = seen.header("x-amz-target").unwrap();
    target.strip_prefix("AmazonEC2ContainerServiceV20141113.").unwrap().to_owned()
}

fn body(seen: &Seen) -> Value {
    serde_json::from_slice(&seen.body).unwrap()
}

fn service(desired: u64, running: u64, pending: u64) -> Reply {
    said(&json!({"services": [{
        "serviceName": "workers", "status": "ACTIVE", "desiredCount": desired, "runningCount": running,
        "pendingCount": pending, "events": [{"message": "no container instance met all of its requirements"}],
    }], "failures": []}))
}

fn said(answer: &Value) -> Reply {
    Reply::new(200, &answer.to_string())
}

fn refusal(status: u16, code: &str) -> Reply {
    Reply::new(status, &json!({"__type": code, "message": "so it is"}).to_string())
}

/// No task is on its way out.
fn no_tasks(operation: &str) -> Option<Reply> {
    (operation == "ListTasks").then(|| said(&json!({"taskArns": []})))
}

async fn connected(config: EcsFleetConfig, endpoint: &str) -> EcsFleet {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, PROFILE).unwrap();
    let chain =
        AwsChain { profile: Some("fleet".into()), profile_file: Some(file), ..AwsChain::default() };
    let config = EcsFleetConfig { endpoint: Some(endpoint.to_owned()), ..config };
    let fleet = EcsFleet::connect_by(chain, config, Arc::new(ManualClock::default())).await;
    // Profiles are read with the first call.
    let fleet = fleet.unwrap();
    let _ = fleet.counts().await;
    fleet
}

async fn fleet(fake: &Fake) -> EcsFleet {
    connected(EcsFleetConfig::new("c", "workers"), &fake.url()).await
}

/// What a service that answers every call so makes of setting the size, and how often it was asked.
async fn refused(reply: Reply) -> (Error, usize) {
    let calls = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&calls);
    let fake = Fake::start(move |seen| {
        if operation(seen) == "UpdateService" {
            counter.fetch_add(1, Ordering::SeqCst);
        }
        Some(reply.clone())
    })
    .await;
    let policy = RetryPolicy { retries: 3, ..RetryPolicy::default() };
    let error = fleet(&fake).await.with_retry(policy).desired(2).await.unwrap_err();
    (error, calls.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_size_is_set_by_a_signed_call_and_told_in_the_words_of_ecs() {
    let fake = Fake::start(|seen| match operation(seen).as_str() {
        "DescribeServices" => Some(service(5, 1, 4)),
        "ListTasks" => Some(said(&json!({"taskArns": ["a", "b", "c"]}))),
        "DescribeTasks" => Some(said(&json!({"tasks": [
            {"taskArn": "a", "lastStatus": "STOPPED"}, {"taskArn": "b", "lastStatus": "DEPROVISIONING"},
            {"taskArn": "c", "lastStatus": "RUNNING"}]}))),
        _ => Some(said(&json!({"service": {}}))),
    })
    .await;
    let fleet = fleet(&fake).await;
    fleet.desired(5).await.unwrap();
    let update = fake.last();
    assert_eq!(operation(&update), "UpdateService");
    assert_eq!(body(&update), json!({"cluster": "c", "service": "workers", "desiredCount": 5}));
    let signature = update.header("authorization").unwrap();
    assert!(signature.contains("Credential=AKIDFLEET/"), "{signature}");
    assert!(signature.contains("/eu-west-1/ecs/aws4_request"), "{signature}");
    let counts = fleet.counts().await.unwrap();
    assert_eq!(counts, FleetCounts { running: 1, pending: 4, desired: 5, terminating: 1 });
    assert_eq!(
        fleet.change_line(5, &counts),
        "Service workers set to 5 desired count. Currently 1 running and 4 pending."
    );
    assert_eq!(fleet.kind(), FleetKind::Ecs);
    assert_eq!(fleet.describe(), "service workers of ECS cluster c in eu-west-1");
    assert!(!format!("{fleet:?}").contains("hunter2"));
}

#[tokio::test]
async fn throttling_is_waited_out_and_told_when_it_lasts() {
    let (error, calls) = refused(refusal(400, "ThrottlingException")).await;
    assert_eq!((error.kind(), calls), (ErrorKind::RateLimited, 4));
    let (error, calls) = refused(refusal(500, "ServerException")).await;
    assert_eq!((error.kind(), calls), (ErrorKind::Unavailable, 4));
}

#[tokio::test]
async fn a_refusal_says_what_helps_and_is_not_tried_again() {
    for (code, kind, says) in [
        ("AccessDeniedException", ErrorKind::Auth, "grant `ecs:UpdateService`"),
        ("ExpiredTokenException", ErrorKind::Auth, "have expired"),
        ("UnrecognizedClientException", ErrorKind::Auth, "does not know the credentials"),
        ("ClusterNotFoundException", ErrorKind::NotFound, "no ECS cluster `c`"),
        ("ServiceNotFoundException", ErrorKind::NotFound, "no service `workers`"),
        ("ServiceNotActiveException", ErrorKind::NotFound, "no service `workers`"),
        ("InvalidParameterException", ErrorKind::Config, "so it is"),
    ] {
        let (error, calls) = refused(refusal(400, code)).await;
        assert_eq!((error.kind(), calls), (kind, 1), "{code}: {error}");
        assert!(error.message().contains(says), "{code}: {error}");
        assert!(error.context().any(|(name, value)| (name, value) == ("region", "eu-west-1")));
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn a_service_that_is_missing_or_was_deleted_is_not_found() {
    for answer in [
        json!({"services": [], "failures": [{"arn": "a", "reason": "MISSING"}]}),
        json!({"services": [{"serviceName": "workers", "status": "INACTIVE"}], "failures": []}),
    ] {
        let fake = Fake::start(move |_| Some(said(&answer))).await;
        let error = fleet(&fake).await.counts().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.message().contains("`workers` in ECS cluster `c`"), "{error}");
    }
}

#[tokio::test]
async fn without_the_right_to_list_tasks_none_is_seen_leaving_and_nothing_fails() {
    let fake = Fake::start(|seen| match operation(seen).as_str() {
        "DescribeServices" => Some(service(0, 0, 0)),
        _ => Some(refusal(400, "AccessDeniedException")),
    })
    .await;
    let fleet = fleet(&fake).await;
    for _ in 0..3 {
        assert_eq!(fleet.counts().await.unwrap().terminating, 0);
    }
    let listed = fake.seen().iter().filter(|seen| operation(seen) == "ListTasks").count();
    assert_eq!(listed, 1, "it is not asked again and again");
}

#[tokio::test]
async fn a_steady_state_is_waited_for_and_its_absence_explained() {
    let looks = AtomicUsize::new(0);
    let fake = Fake::start(move |seen| {
        no_tasks(&operation(seen)).or_else(|| {
            let running = looks.fetch_add(1, Ordering::SeqCst).min(3) as u64;
            Some(service(3, running, 3 - running))
        })
    })
    .await;
    let counts = fleet(&fake).await.steady(Duration::from_secs(60)).await.unwrap();
    assert_eq!((counts.running, counts.pending), (3, 0));
    let stuck =
        Fake::start(|seen| no_tasks(&operation(seen)).or_else(|| Some(service(3, 1, 2)))).await;
    let error = fleet(&stuck).await.steady(Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("1 of 3 tasks up"), "{error}");
    assert!(error.message().contains("no container instance met"), "{error}");
}

#[tokio::test]
async fn a_platform_that_is_away_is_said_to_be() {
    let fake = Fake::start(|_| None).await;
    let url = fake.url();
    drop(fake);
    let fleet = connected(EcsFleetConfig::new("c", "workers"), &url).await;
    let fleet = fleet.with_retry(RetryPolicy { retries: 1, ..RetryPolicy::default() });
    let error = fleet.counts().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("ECS cannot be reached"), "{error}");
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_named_as_the_reason() {
    let chain = AwsChain {
        profile: Some("nobody".into()),
        profile_file: Some("/dev/null".into()),
        region: Some("eu-west-1".into()),
        ..AwsChain::default()
    };
    let config = EcsFleetConfig::new("c", "workers");
    let clock = Arc::new(ManualClock::default());
    let fleet = EcsFleet::connect_by(chain, config, clock).await.unwrap();
    let error = fleet.desired(1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.message().contains("profile `nobody`"), "{error}");
}

#[tokio::test]
async fn names_that_are_missing_are_asked_for() {
    for (cluster, service, missing) in [("", "s", "cluster"), ("c", " ", "service")] {
        let config = EcsFleetConfig::new(cluster, service);
        let error = EcsFleet::connect(config, Arc::new(ManualClock::default())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains(missing), "{error}");
    }
}
