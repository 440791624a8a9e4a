//! The workers of this machine.

use async_trait::async_trait;

use super::{Fleet, FleetKind, ProcessFleet, TaskFleet};
use crate::controller::FleetCounts;
use crate::{Clock, Error, Result};

/// The workers of this machine.
#[derive(Clone)]
#[non_exhaustive]
pub enum LocalFleet {
    /// Tasks of this process: they end with it.
    Tasks(TaskFleet),
    /// Processes of their own: they go on when this one ends.
    Processes(ProcessFleet),
}

impl LocalFleet {
    fn inner(&self) -> &dyn Fleet {
        match self {
            Self::Tasks(tasks) => tasks,
            Self::Processes(processes) => processes,
        }
    }
}

#[async_trait]
impl Fleet for LocalFleet {
    fn kind(&self) -> FleetKind {
        self.inner().kind()
    }

    async fn desired(&self, workers: usize) -> Result<()> {
        self.inner().desired(workers).await
    }

    async fn counts(&self) -> Result<FleetCounts> {
        self.inner().counts().await
    }

    fn describe(&self) -> String {
        self.inner().describe()
    }

    fn change_line(&self, workers: usize, counts: &FleetCounts) -> String {
        self.inner().change_line(workers, counts)
    }

    async fn empty(&self, clock: &dyn Clock) -> Result<Option<Error>> {
        self.inner().empty(clock).await
    }
}
