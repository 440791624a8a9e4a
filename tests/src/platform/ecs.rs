//! A service of Amazon ECS in motion: each look at it is a step.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::http::{self, Request};
use super::tasks::{Launch, Phase, Tasks};

/// The cluster that there is.
pub const CLUSTER: &str = "migration";

/// The service in it.
pub const SERVICE: &str = "workers";

const API: &str = "AmazonEC2ContainerServiceV20141113.";

/// A stand-in for ECS with one service. Its tasks end with it.
pub struct SteppingEcs {
    url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    tasks: Tasks,
    calls: usize,
    /// Of so many calls, one is throttled and another fails.
    trouble_every: Option<usize>,
}

impl SteppingEcs {
    /// A service without tasks.
    #[must_use]
    pub fn start(launch: Launch) -> Self {
        let state = State { tasks: Tasks::new(launch), calls: 0, trouble_every: None };
        let state = Arc::new(Mutex::new(state));
        let server = Arc::clone(&state);
        let url = http::serve(move |request| lock(&server).answer(request));
        Self { url, state }
    }

    /// Throttles one of so many calls, and fails at another.
    #[must_use]
    pub fn troubled(self, every: usize) -> Self {
        lock(&self.state).trouble_every = Some(every);
        self
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for SteppingEcs {
    fn drop(&mut self) {
        lock(&self.state).tasks.end();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refusal(status: u16, code: &str) -> (u16, String) {
    (status, json!({"__type": code, "message": "as the test has it"}).to_string())
}

impl State {
    fn answer(&mut self, request: &Request) -> (u16, String) {
        self.calls += 1;
        match self.trouble_every.map(|every| self.calls % every) {
            Some(1) => return refusal(400, "ThrottlingException"),
            Some(2) => return refusal(500, "ServerException"),
            _ => {}
        }
        let question: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if question["cluster"] != CLUSTER {
            return refusal(400, "ClusterNotFoundException");
        }
        let answer = match request.operation.strip_prefix(API) {
            Some("UpdateService") if question["service"] == SERVICE => {
                self.tasks.want(question["desiredCount"].as_u64().unwrap_or_default() as usize);
                json!({"service": self.service()})
            }
            Some("UpdateService") => return refusal(400, "ServiceNotFoundException"),
            Some("DescribeServices") if question["services"][0] == SERVICE => {
                self.tasks.step();
                json!({"services": [self.service()], "failures": []})
            }
            Some("DescribeServices") => {
                json!({"services": [], "failures": [{"arn": "arn", "reason": "MISSING"}]})
            }
            Some("ListTasks") => json!({"taskArns": self.draining()}),
            Some("DescribeTasks") => json!({"tasks": self.described(&question)}),
            _ => return refusal(400, "UnknownOperationException"),
        };
        (200, answer.to_string())
    }

    fn service(&self) -> Value {
        json!({
            "serviceName": SERVICE,
            "status": "ACTIVE",
            "desiredCount": self.tasks.desired(),
            "runningCount": self.tasks.count(Phase::Running),
            "pendingCount": self.tasks.count(Phase::Pending),
        })
    }

    /// Those that are to stop.
    fn draining(&self) -> Vec<&str> {
        let draining = self.tasks.all().iter().filter(|task| task.phase == Phase::Draining);
        draining.map(|task| task.name.as_str()).collect()
    }

    fn described(&self, question: &Value) -> Vec<Value> {
        let asked = question["tasks"].as_array().into_iter().flatten();
        let describe = |name: &Value| {
            let is_there = self.tasks.all().iter().any(|task| *name == task.name);
            json!({"taskArn": name, "lastStatus": if is_there { "STOPPING" } else { "STOPPED" }})
        };
        asked.map(describe).collect()
    }
}
