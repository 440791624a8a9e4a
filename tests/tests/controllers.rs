//! The behaviour table of controllers, over workers that are tasks of the controller's process.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use snapfill::controller::{BackfillController, LocalBackfill};
use snapfill::settings::RateLimits;
use snapfill::testkit::ControllerFixture;
use snapfill::{Clock, SystemClock};
use snapfill_tests::platform::SlowRun;

struct OfTasks {
    run: SlowRun,
    backfill: LocalBackfill,
}

impl OfTasks {
    fn new() -> Self {
        let run = SlowRun::new().unwrap();
        let backfill = LocalBackfill::builder(run.settings()).build().unwrap();
        Self { run, backfill }
    }
}

#[async_trait]
impl ControllerFixture for OfTasks {
    /// Tasks end with their controller.
    async fn controller(&self) -> Arc<dyn BackfillController> {
        Arc::new(self.backfill.clone())
    }

    fn stays(&self) -> bool {
        false
    }

    async fn hurry(&self) {
        self.backfill.set_rate_limits(RateLimits::default()).await.unwrap();
    }

    async fn moment(&self) {
        SystemClock::new().sleep(Duration::from_millis(10)).await;
    }

    fn archives(&self) -> PathBuf {
        self.run.folder().join("archives")
    }

    async fn assert_filled(&self) {
        self.run.assert_filled().await;
    }
}

snapfill::controller_conformance!(OfTasks::new());
