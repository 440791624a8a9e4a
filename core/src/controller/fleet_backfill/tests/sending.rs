//! How fast documents are sent, as the controller and the status tell it.

use std::num::NonZeroU64;

use super::*;
use crate::cluster::{ClusterHealth, HealthStatus};
use crate::settings::RateLimits;

fn limits(documents: u64) -> RateLimits {
    RateLimits { documents_per_second: NonZeroU64::new(documents), ..RateLimits::default() }
}

#[tokio::test]
async fn ceilings_are_kept_with_the_run_and_can_be_changed_while_it_runs() {
    let bench = Bench::new();
    let mut settings = bench.settings();
    settings.bulk.limits = limits(10);
    let first = bench.build(settings, bench.cluster());
    assert_eq!(first.set_rate_limits(limits(5)).await.unwrap_err().kind(), ErrorKind::State);
    first.start().await.unwrap();
    assert_eq!(first.deep_status().await.unwrap().sending.limits, limits(10));
    // Another process, which does not say any.
    let other = bench.over(bench.cluster());
    assert_eq!(other.rate_limits().await.unwrap(), limits(10));
    other.set_rate_limits(limits(1000)).await.unwrap();
    let seen = async {
        while first.deep_status().await.unwrap().sending.limits != limits(1000) {
            bench.clock.sleep(Duration::from_secs(1)).await;
        }
    };
    bench.in_time(seen).await;
    first.scale(1).await.unwrap();
    assert_eq!(first.rate_limits().await.unwrap(), limits(1000), "not undone by the settings");
    assert_eq!(bench.in_time(first.wait()).await.unwrap(), RunEnd::Completed);
}

#[tokio::test]
async fn the_status_says_that_sending_is_paused_and_why_also_to_other_processes() {
    let bench = Bench::new();
    let red = bench
        .cluster()
        .on_bulk(|_, _| BulkFault::Delay(SLOW))
        .on_health(|| Ok(ClusterHealth::of(HealthStatus::Red)));
    let first = bench.over(red);
    first.start().await.unwrap();
    let paused = async {
        loop {
            let sending = first.deep_status().await.unwrap().sending;
            if sending.paused.is_some() {
                break sending;
            }
            bench.clock.sleep(Duration::from_secs(1)).await;
        }
    };
    let sending = bench.in_time(paused).await;
    assert_eq!((sending.workers.len(), sending.workers[0].limit), (1, 1));
    let reason = sending.paused.unwrap();
    assert!(reason.contains("red"), "{reason}");
    let other = bench.over(bench.cluster());
    let told = async {
        loop {
            if let Some(told) = other.deep_status().await.unwrap().sending.paused {
                break told;
            }
            bench.clock.sleep(Duration::from_secs(1)).await;
        }
    };
    assert_eq!(bench.in_time(told).await, reason);
    bench.in_time(first.pause()).await.unwrap();
    assert_eq!(other.deep_status().await.unwrap().sending.paused, None, "nobody sends");
}
