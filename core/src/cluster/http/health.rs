//! How the cluster fares.

use reqwest::Method;
use serde_json::Value;

use super::refusal::success;
use super::request::Request;
use super::transport::Transport;
use crate::cluster::{ClusterHealth, DiskWatermark, HealthStatus};
use crate::{Error, ErrorKind, Result};

/// The colour, and the figures as far as the cluster lets us see them: a user who may write need not be one who may watch.
pub(super) async fn health(transport: &Transport) -> Result<ClusterHealth> {
    let answer = get(transport, Request::new(Method::GET, "_cluster/health")).await?;
    let mut health = ClusterHealth::of(colour(&answer)?);
    health.data_nodes =
        whole(&answer, "/number_of_data_nodes").and_then(|nodes| nodes.try_into().ok());
    let stats = Request::new(Method::GET, "_nodes/stats/thread_pool,jvm,fs,os");
    let stats = seen(get(transport, stats).await)?;
    let Some(stats) = stats else { return Ok(health) };
    let nodes: Vec<&Value> = nodes_of(&stats).map(|(_, node)| node).collect();
    health.write_queue = sum(nodes.iter().map(|node| pool(node, "queue")));
    health.write_rejections = sum(nodes.iter().map(|node| pool(node, "rejected")));
    if health.write_queue.is_some_and(|queue| queue > 0) {
        let query = "filter_path=nodes.*.thread_pool.write,nodes.*.thread_pool.bulk";
        let pools = Request::new(Method::GET, "_nodes/thread_pool").query(query);
        let pools = seen(get(transport, pools).await)?;
        health.write_queue_percent = pools.and_then(|pools| fullest(&stats, &pools));
    }
    let heap = nodes.iter().filter_map(|node| whole(node, "/jvm/mem/heap_used_percent")).max();
    health.heap_percent = heap.and_then(|percent| percent.try_into().ok());
    // It stood elsewhere before Elasticsearch 5; where it is not known it is negative.
    let processor = |node: &Value| {
        ["/os/cpu/percent", "/os/cpu_percent"].iter().find_map(|path| whole(node, path))
    };
    let busiest = nodes.iter().filter_map(|node| processor(node)).max();
    health.cpu_percent = busiest.and_then(|percent| percent.try_into().ok());
    let disks: Vec<Disk> = nodes.iter().filter_map(|node| Disk::of(node)).collect();
    health.disk_percent = disks.iter().map(Disk::percent).max();
    health.free_disk_bytes = disks.iter().map(|disk| disk.free).min();
    if !disks.is_empty() {
        let query = "include_defaults=true&filter_path=*.cluster.routing.allocation.disk";
        let settings = Request::new(Method::GET, "_cluster/settings").query(query);
        let settings = seen(get(transport, settings).await)?;
        health.disk_watermark = settings.and_then(|settings| passed(&settings, &disks));
    }
    Ok(health)
}

/// The colour of one index. One that is not there is red, and the server would wait for it unless told not to.
pub(super) async fn index_health(transport: &Transport, index: &str) -> Result<HealthStatus> {
    let mut request = Request::new(Method::GET, "_cluster/health");
    request.push(index)?;
    colour(&get(transport, request.query("timeout=1s")).await?)
}

fn colour(answer: &Value) -> Result<HealthStatus> {
    match answer.get("status").and_then(Value::as_str) {
        Some("green") => Ok(HealthStatus::Green),
        Some("yellow") => Ok(HealthStatus::Yellow),
        Some("red") => Ok(HealthStatus::Red),
        _ => Err(Error::new(ErrorKind::Unavailable, "the target does not say what colour it has")),
    }
}

fn nodes_of(answer: &Value) -> impl Iterator<Item = (&String, &Value)> {
    answer.get("nodes").and_then(Value::as_object).into_iter().flatten()
}

/// A figure of the pool that writes. It was called `bulk` before Elasticsearch 6.3.
fn pool(node: &Value, figure: &str) -> Option<u64> {
    let of = |name| node.pointer(&format!("/thread_pool/{name}/{figure}"));
    number(of("write").or_else(|| of("bulk"))?)
}

/// Elasticsearch 1 says `1k` for a thousand.
fn number(value: &Value) -> Option<u64> {
    let Some(text) = value.as_str() else { return value.as_u64() };
    match text.strip_suffix('k') {
        Some(thousands) => thousands.parse::<u64>().ok()?.checked_mul(1000),
        None => text.parse().ok(),
    }
}

/// How full the write queue is where it is fullest. One without an end is never full.
fn fullest(stats: &Value, pools: &Value) -> Option<u8> {
    let capacity = |node: &str| pool(pools.get("nodes")?.get(node)?, "queue_size");
    nodes_of(stats)
        .filter_map(|(name, node)| {
            let (queue, most) = (pool(node, "queue")?, capacity(name)?);
            let percent = queue.saturating_mul(100).checked_div(most)?;
            Some(u8::try_from(percent.min(100)).unwrap_or(100))
        })
        .max()
}

async fn get(transport: &Transport, request: Request) -> Result<Value> {
    let answer = success(transport.send(&request).await?, &request)?;
    serde_json::from_slice(&answer.body).map_err(|error| {
        Error::new(
            ErrorKind::Unavailable,
            format!("the target's answer cannot be understood: {error}"),
        )
        .with_context("request", request.what())
    })
}

/// Nothing where we may not look, or where there is nothing to see.
fn seen(answer: Result<Value>) -> Result<Option<Value>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_retryable() => Err(error),
        Err(_) => Ok(None),
    }
}

fn whole(value: &Value, pointer: &str) -> Option<u64> {
    value.pointer(pointer)?.as_u64()
}

fn sum(figures: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    figures.flatten().reduce(u64::saturating_add)
}

/// The disk of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Disk {
    total: u64,
    free: u64,
}

impl Disk {
    fn of(node: &Value) -> Option<Self> {
        let total = whole(node, "/fs/total/total_in_bytes").filter(|total| *total > 0)?;
        Some(Self { total, free: whole(node, "/fs/total/available_in_bytes")?.min(total) })
    }

    fn percent(&self) -> u8 {
        let used = u128::from(self.total - self.free) * 100 / u128::from(self.total.max(1));
        u8::try_from(used).unwrap_or(100)
    }

    /// Whether a watermark is passed: a share that is used (`85%`, `0.85`), or bytes that are free (`500mb`).
    fn is_past(&self, watermark: &str) -> bool {
        let used = |share: f64| (self.total - self.free) as f64 > share * self.total as f64;
        let text = watermark.trim().to_ascii_lowercase();
        if let Some(percent) = text.strip_suffix('%') {
            return percent.trim().parse::<f64>().is_ok_and(|percent| used(percent / 100.0));
        }
        if let Ok(share) = text.parse::<f64>() {
            return share <= 1.0 && used(share);
        }
        bytes_of(&text).is_some_and(|least| self.free < least)
    }
}

fn bytes_of(text: &str) -> Option<u64> {
    const UNITS: [(&str, u32); 6] =
        [("pb", 50), ("tb", 40), ("gb", 30), ("mb", 20), ("kb", 10), ("b", 0)];
    UNITS.iter().find_map(|(unit, shift)| {
        let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        number.checked_mul(1 << shift)
    })
}

/// The highest watermark that some disk is past.
fn passed(settings: &Value, disks: &[Disk]) -> Option<DiskWatermark> {
    let disk = |layer: &str| settings.pointer(&format!("/{layer}/cluster/routing/allocation/disk"));
    let setting = |path: &str| {
        ["transient", "persistent", "defaults"]
            .iter()
            .find_map(|layer| disk(layer)?.pointer(path)?.as_str().map(str::to_owned))
    };
    if setting("/threshold_enabled").as_deref() == Some("false") {
        return None;
    }
    let levels = [
        ("/watermark/flood_stage", DiskWatermark::FloodStage),
        ("/watermark/high", DiskWatermark::High),
        ("/watermark/low", DiskWatermark::Low),
    ];
    levels.into_iter().find_map(|(path, level)| {
        // With further settings below it, a value stands beside them.
        let watermark = setting(path).or_else(|| setting(&format!("{path}/")))?;
        disks.iter().any(|disk| disk.is_past(&watermark)).then_some(level)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn watermarks_are_shares_in_use_or_bytes_free() {
        let disk = Disk { total: 100 << 30, free: 8 << 30 };
        for passed in ["85%", "90%", "0.9", "10gb", "9000mb"] {
            assert!(disk.is_past(passed), "{passed}");
        }
        for not in ["95%", "0.95", "1gb", "", "nonsense", "-"] {
            assert!(!disk.is_past(not), "{not}");
        }
        assert_eq!(disk.percent(), 92);
    }

    #[test]
    fn the_fullest_queue_counts_and_one_without_end_is_never_full() {
        let stats = json!({"nodes": {
            "a": {"thread_pool": {"write": {"queue": 500}}},
            "b": {"thread_pool": {"bulk": {"queue": 190}}},
            "c": {"thread_pool": {"write": {"queue": 9000}}},
            "d": {"thread_pool": {"write": {"queue": 7}}},
        }});
        let pools = json!({"nodes": {
            "a": {"thread_pool": {"write": {"queue_size": "1k"}}},
            "b": {"thread_pool": {"bulk": {"queue_size": 200}}},
            "c": {"thread_pool": {"write": {"queue_size": -1}}},
        }});
        assert_eq!(fullest(&stats, &pools), Some(95));
        assert_eq!(fullest(&stats, &json!({})), None);
    }

    #[test]
    fn the_highest_watermark_counts_and_what_is_set_outdoes_the_default() {
        let disk = |set: Value| json!({"cluster": {"routing": {"allocation": {"disk": set}}}});
        let defaults = disk(
            json!({"threshold_enabled": "true", "watermark": {"low": "85%", "high": "90%", "flood_stage": "95%"}}),
        );
        let disks = [Disk { total: 100, free: 50 }, Disk { total: 100, free: 8 }];
        assert_eq!(passed(&json!({"defaults": defaults}), &disks), Some(DiskWatermark::High));
        let lower = json!({"defaults": defaults, "persistent": disk(json!({"watermark": {"flood_stage": "91%"}}))});
        assert_eq!(passed(&lower, &disks), Some(DiskWatermark::FloodStage));
        let off =
            json!({"defaults": defaults, "transient": disk(json!({"threshold_enabled": "false"}))});
        assert_eq!(passed(&off, &disks), None);
    }
}
