//! How a domain fares, as CloudWatch sees it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{CredentialSource, KeptCredentials};
use crate::cluster::http::{JsonRpc, Management};
use crate::cluster::{ClusterHealth, HealthStatus};
use crate::{Clock, Error, ErrorKind, Result};

const OPERATION: &str = "GraniteServiceVersion20100801.GetMetricData";

/// Domains send figures once a minute.
const PERIOD: Duration = Duration::from_secs(60);

/// How far back the newest figure may lie: one that is late is better than none.
const LOOK_BACK: Duration = Duration::from_secs(600);

/// A metric and what is wanted of its samples within a minute.
struct Metric {
    id: &'static str,
    name: &'static str,
    statistic: &'static str,
}

const METRICS: [Metric; 7] = [
    Metric { id: "red", name: "ClusterStatus.red", statistic: "Maximum" },
    Metric { id: "yellow", name: "ClusterStatus.yellow", statistic: "Maximum" },
    Metric { id: "cpu", name: "CPUUtilization", statistic: "Maximum" },
    Metric { id: "heap", name: "JVMMemoryPressure", statistic: "Maximum" },
    Metric { id: "queue", name: "ThreadpoolWriteQueue", statistic: "Sum" },
    Metric { id: "free", name: "FreeStorageSpace", statistic: "Minimum" },
    Metric { id: "blocked", name: "ClusterIndexWritesBlocked", statistic: "Maximum" },
];

/// A domain as CloudWatch files it.
#[derive(Clone, Debug)]
pub(super) struct WatchedDomain {
    pub(super) name: String,
    pub(super) account: Option<String>,
}

/// The figures of one domain.
#[derive(Debug)]
pub(super) struct CloudWatch {
    rpc: JsonRpc,
    domain: WatchedDomain,
    source: Arc<KeptCredentials>,
    clock: Arc<dyn Clock>,
    /// What was seen last, and when: there is nothing new within a period.
    last: Mutex<Option<(Duration, ClusterHealth)>>,
}

impl CloudWatch {
    pub(super) fn new(
        rpc: JsonRpc,
        domain: WatchedDomain,
        source: Arc<KeptCredentials>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { rpc, domain, source, clock, last: Mutex::default() }
    }

    async fn seen(&self) -> Result<ClusterHealth> {
        let mut last = self.last.lock().await;
        let now = self.clock.monotonic();
        if let Some((when, health)) = &*last
            && now.saturating_sub(*when) < PERIOD
        {
            return Ok(health.clone());
        }
        let health = self.ask().await?;
        *last = Some((now, health.clone()));
        Ok(health)
    }

    async fn ask(&self) -> Result<ClusterHealth> {
        let account = match &self.domain.account {
            Some(account) => Some(account.clone()),
            None => self.source.credentials().await?.account_id,
        };
        let queries: Vec<Value> =
            METRICS.iter().map(|metric| self.query(metric, account.as_deref())).collect();
        let now = self.clock.wall();
        let question = json!({
            "MetricDataQueries": queries,
            "StartTime": now.saturating_sub(LOOK_BACK).as_secs(),
            "EndTime": now.as_secs(),
            "ScanBy": "TimestampDescending",
        });
        let answer = self.rpc.call(OPERATION, &question).await?;
        let answer: Answer = serde_json::from_value(answer).map_err(|error| {
            let message = format!("CloudWatch's figures cannot be understood: {error}");
            Error::new(ErrorKind::Unavailable, message)
        })?;
        answer.health().ok_or_else(|| {
            let message = "CloudWatch has no figures of the domain: check its name, its account and the region";
            Error::new(ErrorKind::NotFound, message).with_context("domain", &self.domain.name)
        })
    }

    /// One metric. Metrics are filed by account and domain; where the account is not known, they are searched for.
    fn query(&self, metric: &Metric, account: Option<&str>) -> Value {
        let (Metric { id, name, statistic }, domain) = (metric, &self.domain.name);
        let period = PERIOD.as_secs();
        match account {
            Some(account) => json!({"Id": id, "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/ES",
                    "MetricName": name,
                    "Dimensions": [
                        {"Name": "DomainName", "Value": domain},
                        {"Name": "ClientId", "Value": account},
                    ],
                },
                "Period": period,
                "Stat": statistic,
            }}),
            None => json!({"Id": id, "Expression": format!(
                "SEARCH('{{AWS/ES,ClientId,DomainName}} MetricName=\"{name}\" DomainName=\"{domain}\"', '{statistic}', {period})"
            )}),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    metric_data_results: Vec<Figures>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Figures {
    id: String,
    #[serde(default)]
    values: Vec<f64>,
}

impl Answer {
    /// The newest value of a metric.
    fn newest(&self, id: &str) -> Option<f64> {
        let mut found = self.metric_data_results.iter().filter(|figures| figures.id == id);
        found.find_map(|figures| figures.values.first().copied())
    }

    /// The health that the figures say; nothing where there are none.
    fn health(&self) -> Option<ClusterHealth> {
        let is_set = |id| self.newest(id).map(|value| value > 0.0);
        let status = match (is_set("red"), is_set("yellow")) {
            (Some(true), _) => HealthStatus::Red,
            (_, Some(true)) => HealthStatus::Yellow,
            (None, None) => return None,
            _ => HealthStatus::Green,
        };
        let percent = |id| self.newest(id).map(|value| value.clamp(0.0, 100.0).round() as u8);
        // The cast is of a number that is no less than nought, and ends at the largest.
        let whole = |id| self.newest(id).map(|value| value.max(0.0) as u64);
        Some(ClusterHealth {
            cpu_percent: percent("cpu"),
            heap_percent: percent("heap"),
            write_queue: whole("queue"),
            free_disk_bytes: whole("free").map(|mebibytes| mebibytes.saturating_mul(1 << 20)),
            writes_blocked: is_set("blocked"),
            ..ClusterHealth::of(status)
        })
    }
}

#[async_trait]
impl Management for CloudWatch {
    /// CloudWatch is asked, once a minute at most, where the domain does not let us see its queue or its heap. What the
    /// domain tells itself is newer and comes first.
    async fn complete(&self, own: Result<ClusterHealth>) -> Result<ClusterHealth> {
        match own {
            Ok(own) if own.write_queue.is_some() && own.heap_percent.is_some() => Ok(own),
            Ok(own) => match self.seen().await {
                Ok(seen) => Ok(filled(own, seen)),
                Err(error) => {
                    tracing::warn!(%error, "CloudWatch does not say how the domain fares");
                    Ok(own)
                }
            },
            Err(error) if error.is_retryable() => Err(error),
            Err(error) => {
                self.seen().await.map_err(|unseen| error.with_context("cloudwatch", unseen))
            }
        }
    }
}

fn filled(own: ClusterHealth, seen: ClusterHealth) -> ClusterHealth {
    ClusterHealth {
        status: own.status,
        data_nodes: own.data_nodes,
        write_rejections: own.write_rejections,
        disk_percent: own.disk_percent,
        disk_watermark: own.disk_watermark,
        write_queue: own.write_queue.or(seen.write_queue),
        write_queue_percent: own.write_queue_percent,
        heap_percent: own.heap_percent.or(seen.heap_percent),
        cpu_percent: own.cpu_percent.or(seen.cpu_percent),
        free_disk_bytes: own.free_disk_bytes.or(seen.free_disk_bytes),
        writes_blocked: own.writes_blocked.or(seen.writes_blocked),
    }
}
