//! A Kubernetes API with one deployment in motion: each look at its pods is a step.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::http::{self, Request};
use super::tasks::{Launch, Phase, Task, Tasks};

/// The namespace that there is.
pub const NAMESPACE: &str = "migration";

/// The deployment in it.
pub const DEPLOYMENT: &str = "workers";

const SELECTOR: &str = "app=workers";

/// A stand-in for the API server of a cluster with one deployment. Its pods end with it.
pub struct FakeKubernetes {
    url: String,
    pods: Arc<Mutex<Tasks>>,
}

impl FakeKubernetes {
    /// A deployment without pods.
    #[must_use]
    pub fn start(launch: Launch) -> Self {
        let pods = Arc::new(Mutex::new(Tasks::new(launch)));
        let server = Arc::clone(&pods);
        let url = http::serve(move |request| answer(&mut lock(&server), request));
        Self { url, pods }
    }

    /// Writes a kubeconfig by which it is found.
    ///
    /// # Panics
    /// When the file cannot be written.
    #[must_use]
    pub fn kubeconfig(&self, folder: &Path) -> PathBuf {
        let path = folder.join("kubeconfig");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\nclusters:\n- name: c\n  cluster: {{server: '{}'}}\n\
             users:\n- name: u\n  user: {{token: a-token}}\ncontexts:\n\
             - name: here\n  context: {{cluster: c, user: u, namespace: {NAMESPACE}}}\n",
            self.url
        );
        if let Err(error) = std::fs::write(&path, text) {
            panic!("{}: {error}", path.display());
        }
        path
    }
}

impl Drop for FakeKubernetes {
    fn drop(&mut self) {
        lock(&self.pods).end();
    }
}

fn lock(pods: &Mutex<Tasks>) -> MutexGuard<'_, Tasks> {
    pods.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(pods: &mut Tasks, request: &Request) -> (u16, String) {
    let scale_path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{DEPLOYMENT}/scale");
    let path = request.target.split('?').next().unwrap_or_default();
    let answer = match request.method.as_str() {
        "PATCH" if path == scale_path => {
            let patch: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            pods.want(patch["spec"]["replicas"].as_u64().unwrap_or_default() as usize);
            scale(pods)
        }
        "GET" if path == scale_path => scale(pods),
        "GET" if path == format!("/api/v1/namespaces/{NAMESPACE}/pods") => {
            pods.step();
            let items: Vec<_> = pods.all().iter().map(pod).collect();
            json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})
        }
        _ => {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound",
                "message": format!("{path} not found"), "code": 404});
            return (404, status.to_string());
        }
    };
    (200, answer.to_string())
}

/// As the real one, it leaves out what is 0.
fn scale(pods: &Tasks) -> Value {
    let spec = match pods.desired() {
        0 => json!({}),
        replicas => json!({ "replicas": replicas }),
    };
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": DEPLOYMENT}, "spec": spec,
        "status": {"replicas": pods.all().len(), "selector": SELECTOR}})
}

fn pod(task: &Task) -> Value {
    let phase = match task.phase {
        Phase::Pending => "Pending",
        Phase::Running | Phase::Draining => "Running",
    };
    let mut pod = json!({"metadata": {"name": task.name}, "status": {"phase": phase}});
    if task.phase == Phase::Draining {
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
    }
    pod
}
