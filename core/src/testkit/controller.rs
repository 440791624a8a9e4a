//! What every [`BackfillController`] must do, whatever its fleet.
//!
//! Before each verb the controller is made anew where its fleet can outlive it, so that every row is also about a controller that
//! went away between two steps.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::ErrorKind;
use crate::controller::{BackfillController, BackfillStatus, DeepStatus, RunEnd, Status};

/// Looks at something that is to come to be.
const LOOKS: usize = 2_000;

/// A run that is not begun, and a fleet for it that has nobody yet. It is to be slow enough to be met amid its work.
#[async_trait]
pub trait ControllerFixture: Send + Sync {
    /// A controller of the run. It shares nothing with those before it but fleet and working state, as one of another process would;
    /// it is the same one where the fleet ends with its controller.
    async fn controller(&self) -> Arc<dyn BackfillController>;

    /// Whether the fleet has workers that work. A stand-in for a platform may have none.
    fn has_workers(&self) -> bool {
        true
    }

    /// Whether workers that are up stay when nothing is left.
    fn stays(&self) -> bool;

    /// Lets the workers be as fast as they can.
    async fn hurry(&self);

    /// Waits for a moment between two looks.
    async fn moment(&self);

    /// An empty folder for archives.
    fn archives(&self) -> PathBuf;

    /// Checks that the target has every document of the run, once.
    async fn assert_filled(&self);
}

/// The short status.
async fn status(fixture: &dyn ControllerFixture) -> Status {
    fixture.controller().await.status().await.unwrap()
}

/// Looks until the status is as it is to be.
async fn until(
    fixture: &dyn ControllerFixture,
    what: &str,
    is_so: impl Fn(&Status) -> bool,
) -> Status {
    let mut last = None;
    for _ in 0..LOOKS {
        let seen = status(fixture).await;
        if is_so(&seen) {
            return seen;
        }
        last = Some(seen);
        fixture.moment().await;
    }
    panic!("never {what}: {last:?}");
}

async fn until_running(fixture: &dyn ControllerFixture, workers: u64) {
    until(fixture, &format!("{workers} running"), |seen| {
        (seen.fleet.running, seen.fleet.pending, seen.fleet.terminating) == (workers, 0, 0)
    })
    .await;
}

async fn deep_status(fixture: &dyn ControllerFixture) -> DeepStatus {
    fixture.controller().await.deep_status().await.unwrap()
}

/// Looks until something was written, and not all.
async fn until_busy(fixture: &dyn ControllerFixture) {
    if !fixture.has_workers() {
        return;
    }
    for _ in 0..LOOKS {
        let seen = deep_status(fixture).await;
        if seen.work.items.in_progress > 0 {
            assert!(seen.end.is_none(), "the run was to be met amid its work");
            return;
        }
        fixture.moment().await;
    }
    panic!("no worker ever took an item");
}

/// Has the run come to its end, and looks at what it leaves.
async fn finish(fixture: &dyn ControllerFixture) {
    if !fixture.has_workers() {
        return;
    }
    fixture.hurry().await;
    assert_eq!(fixture.controller().await.wait().await.unwrap(), RunEnd::Completed);
    fixture.assert_filled().await;
    let done = deep_status(fixture).await;
    assert_eq!(done.end, Some(RunEnd::Completed));
    assert_eq!(done.work.shards.completed, done.work.shards.total);
}

fn assert_gone(seen: &Status) {
    let fleet = seen.fleet;
    assert_eq!((fleet.running, fleet.pending, fleet.desired), (0, 0, 0), "{seen:?}");
}

/// A start has one worker, another start has no other, and a run that is over stays so.
pub async fn controller_starts_once(fixture: &dyn ControllerFixture) {
    assert_gone(&status(fixture).await);
    for _ in 0..2 {
        fixture.controller().await.start().await.unwrap();
        assert_eq!(status(fixture).await.fleet.desired, 1);
    }
    until_running(fixture, 1).await;
    assert_eq!(status(fixture).await.status, BackfillStatus::Running);
    assert!(deep_status(fixture).await.planned);
    finish(fixture).await;
    fixture.controller().await.start().await.unwrap();
    if fixture.has_workers() {
        assert_eq!(fixture.controller().await.wait().await.unwrap(), RunEnd::Completed);
    }
}

/// A start leaves a larger fleet alone.
pub async fn controller_start_does_not_shrink(fixture: &dyn ControllerFixture) {
    fixture.controller().await.scale(3).await.unwrap();
    fixture.controller().await.start().await.unwrap();
    assert_eq!(status(fixture).await.fleet.desired, 3);
    until_running(fixture, 3).await;
    fixture.controller().await.start().await.unwrap();
    assert_eq!(status(fixture).await.fleet.desired, 3);
    finish(fixture).await;
}

/// A fleet becomes larger and smaller, and none; from none, a scale starts it.
pub async fn controller_scales_up_and_down(fixture: &dyn ControllerFixture) {
    for workers in [2, 3, 1, 1] {
        fixture.controller().await.scale(workers).await.unwrap();
        assert_eq!(status(fixture).await.fleet.desired, workers as u64);
        until_running(fixture, workers as u64).await;
    }
    fixture.controller().await.scale(0).await.unwrap();
    let gone = until(fixture, "gone", |seen| {
        seen.fleet.running + seen.fleet.pending + seen.fleet.terminating == 0
    })
    .await;
    assert_eq!(gone.status, BackfillStatus::Stopped);
    fixture.controller().await.scale(2).await.unwrap();
    until_running(fixture, 2).await;
    finish(fixture).await;
}

/// A scale to none of what was never begun begins nothing.
pub async fn controller_scales_nothing_to_none(fixture: &dyn ControllerFixture) {
    fixture.controller().await.scale(0).await.unwrap();
    assert_gone(&status(fixture).await);
    assert!(!deep_status(fixture).await.planned);
}

/// A pause that comes while workers are on their way has none in the end, and what was planned stays.
pub async fn controller_pauses_while_starting(fixture: &dyn ControllerFixture) {
    let controller = fixture.controller().await;
    let starting = controller.scale(2);
    let pausing = async {
        // The start has begun when its lock is taken.
        tokio::task::yield_now().await;
        controller.pause().await
    };
    let (started, paused) = tokio::join!(starting, pausing);
    started.unwrap();
    paused.unwrap();
    assert_gone(&status(fixture).await);
    assert!(deep_status(fixture).await.planned);
    fixture.controller().await.start().await.unwrap();
    until_running(fixture, 1).await;
    fixture.controller().await.pause().await.unwrap();
    assert_gone(&status(fixture).await);
}

/// A pause amid the work keeps what was done; a start goes on there. Whoever waits is told.
pub async fn controller_pauses_and_goes_on(fixture: &dyn ControllerFixture) {
    fixture.controller().await.scale(2).await.unwrap();
    until_running(fixture, 2).await;
    until_busy(fixture).await;
    for _ in 0..2 {
        fixture.controller().await.pause().await.unwrap();
        assert_gone(&status(fixture).await);
        assert_eq!(status(fixture).await.status, BackfillStatus::Stopped);
    }
    let paused = deep_status(fixture).await;
    assert_eq!((paused.work.items.in_progress, paused.end), (0, None), "nobody holds an item");
    let error = fixture.controller().await.wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    fixture.controller().await.start().await.unwrap();
    until_running(fixture, 1).await;
    let going_on = deep_status(fixture).await;
    assert!(going_on.work.documents_done >= paused.work.documents_done);
    finish(fixture).await;
}

/// A stop amid the work leaves an archive and no working state; another finds nothing to do; a start is refused with the ways
/// out; and a restore leads back to where it was.
pub async fn controller_stops_and_comes_back(fixture: &dyn ControllerFixture) {
    let archives = fixture.archives();
    fixture.controller().await.scale(2).await.unwrap();
    until_running(fixture, 2).await;
    until_busy(fixture).await;
    let archive = fixture.controller().await.stop(Some(&archives)).await.unwrap().unwrap();
    assert!(archive.starts_with(&archives) && archive.is_file(), "{}", archive.display());
    assert_gone(&status(fixture).await);
    let stopped = deep_status(fixture).await;
    assert_eq!((stopped.planned, stopped.work.items.total), (false, 0));
    assert_eq!(fixture.controller().await.stop(Some(&archives)).await.unwrap(), None);
    for _ in 0..2 {
        let error = fixture.controller().await.start().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State);
        for way in ["restore", "--from-scratch", "another session", "pause"] {
            assert!(error.message().contains(way), "no `{way}` in {error}");
        }
        assert_gone(&status(fixture).await);
    }
    fixture.controller().await.restore(&archive).await.unwrap();
    assert!(deep_status(fixture).await.planned);
    let error = fixture.controller().await.restore(&archive).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State, "there is a working state already");
    fixture.controller().await.start().await.unwrap();
    until_running(fixture, 1).await;
    finish(fixture).await;
}

/// A stop of what was never begun, and of what is paused.
pub async fn controller_stops_what_is_not_running(fixture: &dyn ControllerFixture) {
    let archives = fixture.archives();
    assert_eq!(fixture.controller().await.stop(Some(&archives)).await.unwrap(), None);
    fixture.controller().await.start().await.unwrap();
    fixture.controller().await.pause().await.unwrap();
    assert!(fixture.controller().await.stop(Some(&archives)).await.unwrap().is_some());
    assert_gone(&status(fixture).await);
}

/// A reset archives, too, and the session may be begun anew.
pub async fn controller_begins_anew_after_a_reset(fixture: &dyn ControllerFixture) {
    let archives = fixture.archives();
    fixture.controller().await.start().await.unwrap();
    assert!(fixture.controller().await.reset(Some(&archives)).await.unwrap().is_some());
    assert_gone(&status(fixture).await);
    fixture.controller().await.start().await.unwrap();
    until_running(fixture, 1).await;
    fixture.controller().await.pause().await.unwrap();
}

/// An archive is not made of a run that workers are at.
pub async fn controller_archives_only_what_rests(fixture: &dyn ControllerFixture) {
    let archives = fixture.archives();
    fixture.controller().await.start().await.unwrap();
    until_running(fixture, 1).await;
    let error = fixture.controller().await.archive(Some(&archives)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    fixture.controller().await.pause().await.unwrap();
    assert!(fixture.controller().await.archive(Some(&archives)).await.unwrap().is_some());
}

/// When all is done, workers elsewhere stay up and those of this machine are gone.
pub async fn controller_keeps_a_fleet_that_stays(fixture: &dyn ControllerFixture) {
    fixture.controller().await.scale(2).await.unwrap();
    finish(fixture).await;
    if !fixture.has_workers() {
        return;
    }
    if fixture.stays() {
        assert_eq!(status(fixture).await.fleet.desired, 2);
        until(fixture, "running", |seen| seen.status == BackfillStatus::Running).await;
    } else {
        until(fixture, "stopped", |seen| seen.status == BackfillStatus::Stopped).await;
    }
    fixture.controller().await.pause().await.unwrap();
    assert_gone(&status(fixture).await);
}
