//! Looking at a backfill until its end.

use super::*;
use crate::controller::Watch;

fn watch(bench: &Bench, backfill: &LocalBackfill) -> Watch {
    Watch::new(Arc::new(backfill.clone()), Duration::from_secs(2))
        .with_clock(Arc::new(bench.clock.clone()))
}

#[tokio::test]
async fn it_shows_what_is_done_until_all_is() {
    let bench = Bench::new();
    let backfill = bench.slow();
    backfill.scale(2).await.unwrap();
    let mut watch = watch(&bench, &backfill);
    let mut done = Vec::new();
    let last = loop {
        let status = bench.in_time(watch.next()).await.unwrap().unwrap();
        done.push(status.work.documents_done);
        if status.end.is_some() {
            break status;
        }
    };
    assert!(done.is_sorted() && done.len() > 2, "{done:?}");
    assert_eq!(last.end, Some(RunEnd::Completed));
    assert_eq!(last.work.documents_done, last.work.documents_total);
    assert!(bench.in_time(watch.next()).await.unwrap().is_none());
}

#[tokio::test]
async fn it_ends_when_nobody_is_at_it_any_more() {
    let bench = Bench::new();
    let backfill = bench.slow();
    let nothing = watch(&bench, &backfill).next().await.unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::NotFound);
    backfill.start().await.unwrap();
    let mut watch = watch(&bench, &backfill);
    bench.in_time(watch.next()).await.unwrap();
    bench.in_time(backfill.pause()).await.unwrap();
    let mut looks = 0;
    let paused = loop {
        match bench.in_time(watch.next()).await {
            Ok(_) => looks += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((paused.kind(), looks), (ErrorKind::Cancelled, 4));
    assert!(paused.message().contains("start it again"), "{paused}");
    backfill.start().await.unwrap();
    bench.in_time(watch.next()).await.unwrap();
    bench.in_time(backfill.stop(Some(&bench.dir.path().join("archives")))).await.unwrap();
    let stopped = bench.in_time(watch.next()).await.unwrap_err();
    assert_eq!(stopped.kind(), ErrorKind::Cancelled);
    assert!(stopped.message().contains("restore"), "{stopped}");
}
