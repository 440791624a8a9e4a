//! A run that a fleet of a test works on, slowly, so that it can be met amid its work.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use snapfill::cluster::{ClusterClient, LocalCluster};
use snapfill::controller::BackfillBuilder;
use snapfill::coordination::{LocalWorkStore, Session};
use snapfill::settings::{BackfillSettings, RateLimits};
use snapfill::testkit::{FaultyStore, StoreFault};
use snapfill::{Clock, Result, SystemClock};
use tempfile::TempDir;

use super::tasks::Launch;
use crate::fixtures::{Fixture, assert_same};
use crate::target::documents_of;

/// Three indices of several shards, 409 documents.
pub const INDICES: [&str; 3] = ["five", "routed", "shapes"];

/// Documents a second of a process.
const PACE: u64 = 40;

/// A clock by which waiting takes a small part of the time that it says.
#[derive(Debug, Default)]
pub struct HurriedClock(SystemClock);

#[async_trait]
impl Clock for HurriedClock {
    fn wall(&self) -> Duration {
        self.0.wall()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration / 50).await;
    }
}

/// A run of a fixture's snapshot into a folder, which holds its working state, too.
pub struct SlowRun {
    folder: TempDir,
}

impl SlowRun {
    /// A run that is not begun.
    ///
    /// # Errors
    /// When there is no room for its folder.
    pub fn new() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    /// Where its fleet may keep what it needs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where it is written to.
    #[must_use]
    pub fn target(&self) -> PathBuf {
        self.folder.path().join("target")
    }

    /// What it is about.
    #[must_use]
    pub fn settings(&self) -> BackfillSettings {
        let repository = Fixture::named("opensearch-2.19.6").repository().display().to_string();
        let mut settings = BackfillSettings::new(repository, "snap-2", self.target());
        settings.indices = INDICES.map(str::to_owned).to_vec();
        settings.bulk.documents = 1;
        settings.bulk.limits =
            RateLimits { documents_per_second: NonZeroU64::new(PACE), bytes_per_second: None };
        settings.failed_store = Some(self.folder.path().join("failed").display().to_string());
        settings
    }

    /// A builder of a controller whose workers are elsewhere: its working state passes for one that they can reach.
    ///
    /// # Errors
    /// What opening the folder fails with.
    pub fn elsewhere(&self, settings: BackfillSettings) -> Result<BackfillBuilder> {
        let clock: Arc<dyn Clock> = Arc::new(HurriedClock::default());
        let target: Arc<dyn ClusterClient> = Arc::new(LocalCluster::open(self.target())?);
        let store = LocalWorkStore::open(self.target(), Session::default(), Arc::clone(&clock))?;
        let store = FaultyStore::new(Arc::new(store), |_, _| StoreFault::None).elsewhere();
        let builder = BackfillBuilder::new(settings);
        Ok(builder.with_clock(clock).with_cluster(target).with_store(Arc::new(store)))
    }

    /// Workers of their own processes: the program `snapfill`, which fills the folder.
    #[must_use]
    pub fn workers(&self, snapfill: &str) -> Launch {
        worker(snapfill, vec!["--target".to_owned(), self.target().display().to_string()])
    }

    /// Those that fill a cluster instead.
    #[must_use]
    pub fn workers_into(&self, url: &str, session: &str, snapfill: &str) -> Launch {
        let state = self.folder.path().join("state-of-worker").display().to_string();
        let words = ["--target", url, "--session", session, "--state", &state];
        worker(snapfill, words.map(str::to_owned).to_vec())
    }

    /// Checks that every document is there, once.
    ///
    /// # Panics
    /// When one is not.
    pub async fn assert_filled(&self) {
        let mut expected = Fixture::named("opensearch-2.19.6").expected_with_source("snap-2");
        expected.retain(|line| INDICES.contains(&line.index.as_str()));
        assert_same(&documents_of(&self.target()).await, &expected, "the run");
    }
}

fn worker(snapfill: &str, arguments: Vec<String>) -> Launch {
    let snapfill = snapfill.to_owned();
    Box::new(move || {
        let mut command = Command::new(&snapfill);
        command.arg("worker").args(&arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Some(command)
    })
}
