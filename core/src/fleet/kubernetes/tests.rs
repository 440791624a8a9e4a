//! What is asked of an API server, and what becomes of its answers. It is in the test's process.

use std::sync::Arc;

use serde_json::{Value, json};

use super::KubernetesFleet;
use crate::cluster::http::tests::fake::{Fake, Reply, Seen};
use crate::controller::FleetCounts;
use crate::fleet::{Fleet, FleetKind};
use crate::retry::RetryPolicy;
use crate::settings::KubernetesFleetConfig;
use crate::{Error, ErrorKind, ManualClock, Result};

const SCALE: &str = "/apis/apps/v1/namespaces/search/deployments/workers/scale";

fn path(seen: &Seen) -> &str {
    seen.target.split('?').next().unwrap()
}

fn said(answer: &Value) -> Reply {
    Reply::new(200, &answer.to_string())
}

fn scale(replicas: Option<u64>) -> Reply {
    let mut spec = json!({});
    if let Some(replicas) = replicas {
        spec["replicas"] = replicas.into();
    }
    said(
        &json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "workers"}, "spec": spec,
        "status": {"replicas": 0, "selector": "app=snapfill-worker"}}),
    )
}

fn pod(phase: &str, is_leaving: bool) -> Value {
    let mut pod = json!({"metadata": {"name": "p"}, "status": {"phase": phase}});
    if is_leaving {
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
    }
    pod
}

fn pods(pods: &[Value], next: &str) -> Reply {
    said(
        &json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"continue": next}, "items": pods}),
    )
}

fn refusal(code: u16, reason: &str) -> Reply {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "so it is",
        "reason": reason, "code": code, "details": {"retryAfterSeconds": 7}});
    Reply::new(code, &body.to_string())
}

async fn fleet_at(url: &str) -> Result<KubernetesFleet> {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\nclusters:\n- name: c\n  cluster: {{server: '{url}'}}\n\
         users:\n- name: u\n  user: {{token: hunter2}}\ncontexts:\n\
         - name: here\n  context: {{cluster: c, user: u, namespace: search}}\n"
    );
    std::fs::write(&kubeconfig, text).unwrap();
    let config = KubernetesFleetConfig {
        kubeconfig: Some(kubeconfig),
        ..KubernetesFleetConfig::new("workers")
    };
    let fleet = KubernetesFleet::connect(config, Arc::new(ManualClock::default())).await?;
    Ok(fleet.with_retry(RetryPolicy { retries: 3, ..RetryPolicy::default() }))
}

async fn refused(reply: Reply) -> (Error, usize) {
    let fake = Fake::start(move |_| Some(reply.clone())).await;
    let error = fleet_at(&fake.url()).await.unwrap().desired(2).await.unwrap_err();
    (error, fake.seen().len())
}

#[tokio::test]
async fn a_size_is_set_by_the_scale_and_told_in_the_words_of_the_platform() {
    let fake = Fake::start(|_| Some(scale(Some(3)))).await;
    let fleet = fleet_at(&fake.url()).await.unwrap();
    fleet.desired(3).await.unwrap();
    let patch = fake.last();
    assert_eq!((patch.method.as_str(), path(&patch)), ("PATCH", SCALE));
    assert_eq!(patch.header("content-type"), Some("application/merge-patch+json"));
    assert_eq!(patch.header("authorization"), Some("Bearer hunter2"));
    assert_eq!(
        serde_json::from_slice::<Value>(&patch.body).unwrap(),
        json!({"spec": {"replicas": 3}})
    );
    assert_eq!(
        fleet.change_line(3, &FleetCounts::default()),
        "The workers deployment has been set to 3 desired count."
    );
    assert_eq!(fleet.kind(), FleetKind::Kubernetes);
    assert_eq!(fleet.describe(), "deployment workers of namespace search");
    assert!(!format!("{fleet:?}").contains("hunter2"));
}

#[tokio::test]
async fn pods_are_counted_by_phase_over_all_pages() {
    let fake = Fake::start(|seen| {
        if path(seen) == SCALE {
            return Some(scale(Some(4)));
        }
        assert_eq!(path(seen), "/api/v1/namespaces/search/pods");
        assert!(seen.target.contains("labelSelector=app%3Dsnapfill-worker"), "{}", seen.target);
        Some(match seen.target.contains("continue=more") {
            false => pods(&[pod("Running", false), pod("Pending", false)], "more"),
            true => pods(
                &[
                    pod("Unknown", false),
                    pod("Running", true),
                    pod("Pending", true),
                    pod("Succeeded", false),
                    pod("Failed", true),
                ],
                "",
            ),
        })
    })
    .await;
    let counts = fleet_at(&fake.url()).await.unwrap().counts().await.unwrap();
    assert_eq!(counts, FleetCounts { running: 2, pending: 1, desired: 4, terminating: 2 });
}

#[tokio::test]
async fn a_scale_that_says_no_replicas_says_none() {
    let fake =
        Fake::start(|seen| Some(if path(seen) == SCALE { scale(None) } else { pods(&[], "") }))
            .await;
    let counts = fleet_at(&fake.url()).await.unwrap().counts().await.unwrap();
    assert_eq!(counts, FleetCounts::default());
}

#[tokio::test]
async fn pods_are_not_counted_without_a_selector() {
    let fake = Fake::start(|_| Some(said(&json!({"metadata": {}, "spec": {"replicas": 1}})))).await;
    let error = fleet_at(&fake.url()).await.unwrap().counts().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn a_refusal_says_what_helps() {
    for (code, kind, calls, says) in [
        (401, ErrorKind::Auth, 1, "log in again"),
        (403, ErrorKind::Auth, 1, "the verb `patch` on `deployments/scale` in namespace `search`"),
        (404, ErrorKind::NotFound, 1, "no deployment `workers` in namespace `search`"),
        (409, ErrorKind::Conflict, 4, "somebody else"),
        (422, ErrorKind::Config, 1, "so it is"),
        (429, ErrorKind::RateLimited, 4, "less often"),
        (503, ErrorKind::Unavailable, 4, "trouble of its own"),
    ] {
        let (error, seen) = refused(refusal(code, "Reason")).await;
        assert_eq!((error.kind(), seen), (kind, calls), "{code}: {error}");
        assert!(error.message().contains(says), "{code}: {error}");
        assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(7));
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn an_api_server_that_is_away_or_is_none_is_said_to_be() {
    let fake = Fake::start(|_| Some(Reply::new(200, "<html>"))).await;
    let url = fake.url();
    let error = fleet_at(&url).await.unwrap().counts().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("is this the API server?"), "{error}");
    drop(fake);
    let error = fleet_at(&url).await.unwrap().counts().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("cannot be reached"), "{error}");
}

#[tokio::test]
async fn what_is_not_named_is_asked_for() {
    let clock = Arc::new(ManualClock::default());
    let nameless = KubernetesFleetConfig::default();
    let error = KubernetesFleet::connect(nameless, clock.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let nowhere = KubernetesFleetConfig {
        kubeconfig: Some("/nowhere/kubeconfig".into()),
        ..KubernetesFleetConfig::new("workers")
    };
    let error = KubernetesFleet::connect(nowhere, clock).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("/nowhere/kubeconfig"), "{error}");
}
