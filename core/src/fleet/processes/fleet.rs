//! The fleet, as a controller sees it.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::super::{Fleet, FleetKind};
use super::control::{Account, ControlFolder, Order, failed, last_line, locked_log};
use crate::controller::FleetCounts;
use crate::{Clock, Error, ErrorKind, Result, SystemClock};

/// Between two looks at what the supervisor says.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A supervisor that has said nothing for this long after it was started does not work.
const BEGINS_WITHIN: Duration = Duration::from_secs(30);

/// The program that a worker is, and with what arguments. Shows in process lists: no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerProgram {
    /// The program.
    pub program: PathBuf,
    /// Its arguments. It must end when its standard input closes, with exit code 0 when nothing was left to do.
    pub arguments: Vec<String>,
}

/// Workers as processes of this machine. They go on when the one who started them ends; whoever opens the same control
/// folder controls them. A supervisor has them: a process of its own that [`supervise`](super::supervise) runs.
#[derive(Clone, Debug)]
pub struct ProcessFleet {
    control: ControlFolder,
    worker: WorkerProgram,
    supervisor: WorkerProgram,
    clock: Arc<dyn Clock>,
}

impl ProcessFleet {
    /// The fleet of a control folder, which is made when it is not there. `supervisor` is the program that runs
    /// [`supervise`](super::supervise); the folder is its last argument.
    pub fn new(
        folder: impl Into<PathBuf>,
        worker: WorkerProgram,
        supervisor: WorkerProgram,
    ) -> Self {
        let control = ControlFolder::new(folder);
        Self { control, worker, supervisor, clock: Arc::new(SystemClock::new()) }
    }

    /// Gives an order; says its number if there is a supervisor to obey it, or one was started.
    async fn order(&self, workers: usize) -> Result<Option<u64>> {
        let _lock = self.lock().await?;
        let number = self.control.order()?.map_or(1, |order| order.number + 1);
        // One that is about to end has looked at the orders for the last time.
        let has_supervisor = self.control.has_supervisor()? && !self.control.account()?.over;
        self.control.give(&Order { number, workers, worker: self.worker.clone() })?;
        if has_supervisor {
            return Ok(Some(number));
        }
        if workers == 0 {
            self.control.say(&Account { order: number, over: true, ..Account::default() })?;
            return Ok(None);
        }
        // Its last word is no longer true.
        self.control.say(&Account::default())?;
        self.start_supervisor().await?;
        Ok(Some(number))
    }

    /// Others may have it for as long as a supervisor takes to end.
    async fn lock(&self) -> Result<File> {
        let control = self.control.clone();
        let locked = tokio::task::spawn_blocking(move || control.lock()).await;
        locked.unwrap_or_else(|error| Err(Error::new(ErrorKind::Unexpected, error.to_string())))
    }

    async fn start_supervisor(&self) -> Result<()> {
        let path = self.control.supervisor_log();
        let log = self.lock_supervisor_log().await?;
        let start = |log: File| -> std::io::Result<_> {
            Command::new(&self.supervisor.program)
                .args(&self.supervisor.arguments)
                .arg(self.control.path())
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log)
                .spawn()
        };
        let mut child = start(log).map_err(|error| failed(&path, error))?;
        // It outlives us; where it does not, it must not stay behind as a dead entry of the process table.
        std::thread::spawn(move || child.wait());
        Ok(())
    }

    /// One that is about to end, or somebody who only looks, may have it for a moment.
    async fn lock_supervisor_log(&self) -> Result<File> {
        let path = self.control.supervisor_log();
        let until = self.clock.monotonic().saturating_add(BEGINS_WITHIN);
        loop {
            if let Some(log) = locked_log(&path)? {
                return Ok(log);
            }
            if self.clock.monotonic() >= until {
                let message = format!("another supervisor has {} and does not end", path.display());
                return Err(Error::new(ErrorKind::State, message));
            }
            self.clock.sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until the supervisor goes by the order.
    async fn until_obeyed(&self, number: u64) -> Result<()> {
        let until = self.clock.monotonic().saturating_add(BEGINS_WITHIN);
        loop {
            if self.control.account()?.order >= number {
                return Ok(());
            }
            let is_gone = !self.control.has_supervisor()?;
            // It may have said so before it ended.
            if self.control.account()?.order >= number {
                return Ok(());
            }
            if is_gone || self.clock.monotonic() >= until {
                let log = self.control.supervisor_log();
                let message = format!(
                    "the supervisor of the workers does not begin: {} (its log is {})",
                    last_line(&log).trim(),
                    log.display()
                );
                return Err(Error::new(ErrorKind::Unexpected, message));
            }
            self.clock.sleep(LOOK_EVERY).await;
        }
    }

    fn count(&self) -> Result<FleetCounts> {
        let Some(order) = self.control.order()? else { return Ok(FleetCounts::default()) };
        let account = self.control.account()?;
        let wanted = if account.over { 0 } else { order.workers as u64 };
        if !self.control.has_supervisor()? {
            let running = self.control.workers_alive()?;
            return Ok(FleetCounts { running, pending: 0, desired: wanted, terminating: 0 });
        }
        let Account { running, pending, terminating, .. } = account;
        // Those that found nothing left are not wanted back.
        let desired = match account.order == order.number {
            true => wanted.min(running + pending),
            false => wanted,
        };
        Ok(FleetCounts { running, pending, desired, terminating })
    }
}

#[async_trait]
impl Fleet for ProcessFleet {
    fn kind(&self) -> FleetKind {
        FleetKind::Processes
    }

    async fn desired(&self, workers: usize) -> Result<()> {
        match self.order(workers).await? {
            Some(number) => self.until_obeyed(number).await,
            None => Ok(()),
        }
    }

    async fn counts(&self) -> Result<FleetCounts> {
        self.count()
    }

    fn describe(&self) -> String {
        format!("the logs in {}", self.control.path().display())
    }

    async fn empty(&self, clock: &dyn Clock) -> Result<Option<Error>> {
        loop {
            let FleetCounts { running, pending, terminating, .. } = self.count()?;
            if running + pending + terminating == 0 && !self.control.has_supervisor()? {
                break;
            }
            clock.sleep(LOOK_EVERY).await;
        }
        let failure = self.control.account()?.failure;
        Ok(failure.map(|why| Error::new(ErrorKind::Unexpected, why)))
    }
}
