//! A fleet that is made larger step by step, before a target that is not always well.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;
use crate::cluster::{ClusterHealth, HealthStatus, ItemError};
use crate::controller::{GradualOptions, GradualScaling, GradualStep, ScaleAction};

/// A target whose bulks take long, and which refuses them as long as it is told to. It counts what it refused.
#[derive(Clone, Default)]
struct Moody {
    refuses: Arc<AtomicBool>,
    refused: Arc<AtomicU64>,
}

impl Moody {
    /// One document after another: there is work for long.
    fn backfill(&self, bench: &Bench, tells: bool) -> LocalBackfill {
        let (on_document, on_health) = (self.clone(), self.clone());
        let cluster = bench
            .cluster()
            .on_bulk(|_, _| BulkFault::Delay(SLOW))
            .on_document(move |_, _| {
                on_document.refuses.load(Ordering::SeqCst).then(|| {
                    on_document.refused.fetch_add(1, Ordering::SeqCst);
                    ItemOutcome::Retry(Box::new(ItemError {
                        status: 429,
                        error_type: "es_rejected_execution_exception".into(),
                        reason: "full".into(),
                    }))
                })
            })
            .on_health(move || match tells {
                true => Ok(ClusterHealth {
                    write_rejections: Some(on_health.refused.load(Ordering::SeqCst)),
                    ..ClusterHealth::of(HealthStatus::Green)
                }),
                false => Err(Error::new(ErrorKind::Auth, "not for you")),
            });
        let mut settings = bench.settings();
        (settings.bulk.documents, settings.bulk.in_flight) = (1, 1);
        bench.build(settings, cluster)
    }
}

fn scaling(bench: &Bench, backfill: &LocalBackfill, goal: usize) -> GradualScaling {
    let options = GradualOptions { settle: Duration::from_secs(30), ..GradualOptions::default() };
    let scaling = GradualScaling::new(Arc::new(backfill.clone()), goal, options).unwrap();
    scaling.with_clock(Arc::new(bench.clock.clone()))
}

/// Lets time pass until the call is over, and no faster than target and working state, behind which it waits, can write:
/// otherwise bulks would be out of time on a busy machine.
async fn in_time_of<T>(
    bench: &Bench,
    backfill: &LocalBackfill,
    call: impl Future<Output = T>,
) -> T {
    let nothing = serde_json::json!({});
    let passing = async {
        loop {
            for _ in 0..2 {
                for _ in 0..200 {
                    tokio::task::yield_now().await;
                }
                // Before the first start there is no such index, and nothing to wait for.
                let _ = backfill.cluster().update_settings("shapes", &nothing).await;
                let _ = backfill.status().await;
            }
            bench.clock.advance(Duration::from_secs(2));
        }
    };
    tokio::select! {
        biased;
        done = call => done,
        () = passing => unreachable!(),
    }
}

/// The steps until one is as it should be; all of them are told.
async fn until(
    bench: &Bench,
    backfill: &LocalBackfill,
    scaling: &mut GradualScaling,
    is_it: impl Fn(&GradualStep) -> bool,
) -> Vec<GradualStep> {
    let mut steps = Vec::new();
    loop {
        let next = in_time_of(bench, backfill, scaling.next()).await;
        let step = next.unwrap().expect("it ends too soon");
        let found = is_it(&step);
        steps.push(step);
        if found {
            return steps;
        }
    }
}

#[tokio::test]
async fn it_stops_stepping_up_steps_back_and_recovers_when_the_target_does() {
    for tells in [true, false] {
        let (bench, target) = (Bench::new(), Moody::default());
        let backfill = target.backfill(&bench, tells);
        let mut scaling = scaling(&bench, &backfill, 5);
        let up = until(&bench, &backfill, &mut scaling, |step| step.workers == 4).await;
        assert_eq!(running(&backfill).await, 4);
        assert!(up.iter().all(|step| step.action != ScaleAction::Down), "{up:?}");

        target.refuses.store(true, Ordering::SeqCst);
        let back = until(&bench, &backfill, &mut scaling, |step| step.workers == 1).await;
        assert!(back.iter().all(|step| step.action != ScaleAction::Up), "{back:?}");
        let downs: Vec<_> = back.iter().filter(|step| step.action == ScaleAction::Down).collect();
        assert_eq!(downs.iter().map(|step| step.workers).collect::<Vec<_>>(), [2, 1]);
        assert!(downs.iter().all(|step| step.reason.contains("refused")), "{downs:?}");
        let stays = async {
            while running(&backfill).await > 1 {
                bench.clock.sleep(SLOW).await
            }
        };
        in_time_of(&bench, &backfill, stays).await;

        target.refuses.store(false, Ordering::SeqCst);
        let on =
            until(&bench, &backfill, &mut scaling, |step| step.action == ScaleAction::Done).await;
        assert!(on.iter().all(|step| step.action != ScaleAction::Down), "{on:?}");
        assert_eq!(on.last().map(|step| step.workers), Some(5), "{on:?}");
        assert_eq!(running(&backfill).await, 5);
        assert_eq!(in_time_of(&bench, &backfill, scaling.next()).await.unwrap(), None);
        in_time_of(&bench, &backfill, backfill.pause()).await.unwrap();
    }
}

#[tokio::test]
async fn dropped_at_any_moment_it_leaves_the_fleet_as_it_is() {
    let (bench, target) = (Bench::new(), Moody::default());
    let backfill = target.backfill(&bench, true);
    let mut scaling = scaling(&bench, &backfill, 5);
    until(&bench, &backfill, &mut scaling, |step| step.workers == 2).await;
    {
        let next = scaling.next();
        tokio::pin!(next);
        assert!(futures::poll!(next.as_mut()).is_pending());
    }
    drop(scaling);
    in_time_of(&bench, &backfill, bench.clock.sleep(Duration::from_secs(120))).await;
    assert_eq!(running(&backfill).await, 2);
    in_time_of(&bench, &backfill, backfill.pause()).await.unwrap();
}

#[tokio::test]
async fn it_does_not_bring_back_workers_that_somebody_else_sent_away() {
    let (bench, target) = (Bench::new(), Moody::default());
    let backfill = target.backfill(&bench, true);
    let mut scaling = scaling(&bench, &backfill, 5);
    until(&bench, &backfill, &mut scaling, |step| step.workers == 2).await;
    in_time_of(&bench, &backfill, backfill.pause()).await.unwrap();
    let last =
        until(&bench, &backfill, &mut scaling, |step| step.action == ScaleAction::Done).await;
    assert!(last.last().unwrap().reason.contains("paused or stopped"), "{last:?}");
    assert_eq!(running(&backfill).await, 0);
}

#[tokio::test]
async fn it_ends_with_the_run() {
    let bench = Bench::new();
    let backfill = bench.slow();
    let mut scaling = scaling(&bench, &backfill, 50);
    let steps =
        until(&bench, &backfill, &mut scaling, |step| step.action == ScaleAction::Done).await;
    assert_eq!(
        steps.first().map(ToString::to_string).unwrap(),
        "Up to 1 worker: the target is well"
    );
    assert!(steps.last().unwrap().reason.contains("nothing is left"), "{steps:?}");
    assert!(steps.iter().all(|step| step.workers < 50), "{steps:?}");
    assert_eq!(in_time_of(&bench, &backfill, backfill.wait()).await.unwrap(), RunEnd::Completed);
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused() {
    let bench = Bench::new();
    let backfill = Arc::new(bench.slow());
    for options in [
        GradualOptions { max_cpu_percent: 0, ..GradualOptions::default() },
        GradualOptions { max_heap_percent: 101, ..GradualOptions::default() },
        GradualOptions { settle: Duration::ZERO, ..GradualOptions::default() },
    ] {
        let refused = GradualScaling::new(backfill.clone(), 2, options).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config);
    }
}
