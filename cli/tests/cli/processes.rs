//! The behaviour table of controllers over worker processes of this machine, under their supervisor.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use snapfill::controller::{BackfillBuilder, BackfillController, LocalBackfill};
use snapfill::fleet::{Fleet, LocalFleet, ProcessFleet, WorkerProgram};
use snapfill::settings::RateLimits;
use snapfill::testkit::ControllerFixture;
use snapfill::{Clock, SystemClock};
use snapfill_tests::platform::SlowRun;

use crate::program::{SNAPFILL, path};

struct OfProcesses {
    run: SlowRun,
}

impl OfProcesses {
    fn new() -> Self {
        Self { run: SlowRun::new().unwrap() }
    }

    fn fleet(&self) -> ProcessFleet {
        let program = |words: &[&str]| WorkerProgram {
            program: SNAPFILL.into(),
            arguments: words.iter().map(|word| (*word).to_owned()).collect(),
        };
        let target = path(&self.run.target());
        let worker = program(&["worker", "--until-stdin-closes", "--target", &target]);
        ProcessFleet::new(self.run.folder().join("fleet"), worker, program(&["supervise"]))
    }

    fn backfill(&self) -> LocalBackfill {
        let fleet = Arc::new(LocalFleet::Processes(self.fleet()));
        BackfillBuilder::new(self.run.settings()).build_over(fleet).unwrap()
    }
}

impl Drop for OfProcesses {
    /// A test that failed leaves no process behind.
    fn drop(&mut self) {
        let fleet = self.fleet();
        let sent_away = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                fleet.desired(0).await.unwrap();
                let _ = fleet.empty(&SystemClock::new()).await;
            });
        });
        assert!(sent_away.join().is_ok());
    }
}

#[async_trait]
impl ControllerFixture for OfProcesses {
    async fn controller(&self) -> Arc<dyn BackfillController> {
        Arc::new(self.backfill())
    }

    fn stays(&self) -> bool {
        false
    }

    async fn hurry(&self) {
        self.backfill().set_rate_limits(RateLimits::default()).await.unwrap();
    }

    async fn moment(&self) {
        SystemClock::new().sleep(Duration::from_millis(20)).await;
    }

    fn archives(&self) -> PathBuf {
        self.run.folder().join("archives")
    }

    async fn assert_filled(&self) {
        self.run.assert_filled().await;
    }
}

snapfill::controller_conformance!(OfProcesses::new());
