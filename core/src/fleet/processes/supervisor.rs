//! The loop that has the processes.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, setsid};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::control::{Account, ControlFolder, Order, failed, last_line, locked_log};
use super::fleet::WorkerProgram;
use super::roster::{Action, Ended, Roster, RosterCounts};
use crate::{Clock, Error, ErrorKind, Result};

/// Between two looks at the orders and at the processes.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The exit code of a worker that was called wrongly: it would be called the same way again.
const USAGE: i32 = 2;

/// Has the workers of a control folder until no order is left to go by: what the supervisor's process runs. Its standard
/// output must be the folder's log, as [`ProcessFleet`](super::ProcessFleet) hands it over. When `stop` is cancelled, the
/// workers are sent away and the order stays: the next one who starts the fleet goes on by it. When the folder is removed, it ends.
///
/// # Errors
/// `State` when the folder holds no order; `Io` when its files cannot be used.
pub async fn supervise(folder: &Path, clock: &dyn Clock, stop: CancellationToken) -> Result<()> {
    // A terminal that closes is no reason to end. It fails where this is so already.
    let _ = setsid();
    let control = ControlFolder::new(folder);
    let Some(order) = control.order()? else {
        let message = format!("{} holds no order for a supervisor", folder.display());
        return Err(Error::new(ErrorKind::State, message));
    };
    let mut supervisor = Supervisor {
        control,
        worker: order.worker.clone(),
        order: 0,
        said: Account::default(),
        roster: Roster::default(),
        processes: BTreeMap::new(),
    };
    loop {
        let Some(order) = supervisor.control.order()? else {
            // The folder is gone, and nobody is left who could order. The workers end as their inputs do.
            return Ok(());
        };
        supervisor.obey(order, clock.monotonic(), stop.is_cancelled())?;
        supervisor.reap(clock.monotonic())?;
        supervisor.act(clock.monotonic())?;
        if supervisor.roster.is_over() && supervisor.ends(stop.is_cancelled())? {
            return Ok(());
        }
        supervisor.say(false)?;
        tokio::select! {
            () = clock.sleep(LOOK_EVERY) => {}
            () = stop.cancelled(), if supervisor.order != u64::MAX => {}
        }
    }
}

struct Supervisor {
    control: ControlFolder,
    worker: WorkerProgram,
    /// The order that it goes by; the highest number stands for a supervisor that is being stopped.
    order: u64,
    said: Account,
    roster: Roster,
    processes: BTreeMap<u32, Child>,
}

impl Supervisor {
    fn obey(&mut self, order: Order, now: Duration, is_stopped: bool) -> Result<()> {
        let (number, workers) = match is_stopped {
            true => (u64::MAX, 0),
            false => {
                self.worker = order.worker;
                (order.number, order.workers)
            }
        };
        if number == self.order {
            return Ok(());
        }
        info!(workers, "workers are wanted");
        self.order = number;
        let actions = self.roster.want(workers, now);
        self.carry_out(actions, now)
    }

    fn act(&mut self, now: Duration) -> Result<()> {
        let actions = self.roster.due(now);
        self.carry_out(actions, now)
    }

    fn carry_out(&mut self, actions: Vec<Action>, now: Duration) -> Result<()> {
        for action in actions {
            match action {
                Action::Start(number) => self.start(number, now)?,
                Action::Terminate(number) => self.signal(number, Signal::TERM),
                Action::Kill(number) => self.signal(number, Signal::KILL),
            }
        }
        Ok(())
    }

    fn start(&mut self, number: u32, now: Duration) -> Result<()> {
        let path = self.control.worker_log(number);
        let Some(log) = locked_log(&path)? else {
            // A worker of a supervisor that was killed: it ends by itself, and then this one begins.
            let why = format!("another process still writes {}", path.display());
            self.roster.ended(number, Ended::Failed(why), now);
            return Ok(());
        };
        match spawn(&self.worker, log) {
            Ok(child) => {
                info!(worker = number, process = child.id(), "a worker begins");
                self.processes.insert(number, child);
            }
            Err(error) => {
                let why = format!("cannot run {}: {error}", self.worker.program.display());
                self.roster.ended(number, Ended::Hopeless(why), now);
            }
        }
        Ok(())
    }

    fn signal(&self, number: u32, signal: Signal) {
        let Some(child) = self.processes.get(&number) else { return };
        info!(worker = number, ?signal, "a worker is sent away");
        // One that is gone already is seen by the next look.
        let _ = kill_process(Pid::from_child(child), signal);
    }

    fn reap(&mut self, now: Duration) -> Result<()> {
        let mut gone = Vec::new();
        for (number, child) in &mut self.processes {
            let log = self.control.worker_log(*number);
            if let Some(status) = child.try_wait().map_err(|error| failed(&log, error))? {
                gone.push((*number, status));
            }
        }
        for (number, status) in gone {
            self.processes.remove(&number);
            let ended = self.understand(number, status);
            match &ended {
                Ended::NothingLeft => info!(worker = number, "a worker found nothing left"),
                Ended::Failed(why) | Ended::Hopeless(why) => {
                    warn!(worker = number, why, "a worker ended");
                }
            }
            self.roster.ended(number, ended, now);
        }
        Ok(())
    }

    fn understand(&self, number: u32, status: ExitStatus) -> Ended {
        if status.success() {
            return Ended::NothingLeft;
        }
        let log = self.control.worker_log(number);
        let why = format!(
            "worker {number} ended ({status}): {} (its log is {})",
            last_line(&log).trim(),
            log.display()
        );
        match status.code() {
            Some(USAGE) => Ended::Hopeless(why),
            _ => Ended::Failed(why),
        }
    }

    fn say(&mut self, over: bool) -> Result<()> {
        let RosterCounts { running, pending, terminating } = self.roster.counts();
        let failure = self.roster.failure().map(str::to_owned);
        let order = self.order;
        let account = Account { order, running, pending, terminating, failure, over };
        if account != self.said {
            self.control.say(&account)?;
            self.said = account;
        }
        Ok(())
    }

    /// Whether it ends: no order has come since the last one it goes by.
    fn ends(&mut self, is_stopped: bool) -> Result<bool> {
        let _lock = self.control.lock()?;
        if is_stopped {
            // The order stays open: it is not known whether all is done.
            self.order = 0;
            self.say(false)?;
            return Ok(true);
        }
        let newest = self.control.order()?.map(|order| order.number);
        if newest != Some(self.order) {
            return Ok(false);
        }
        self.say(true)?;
        Ok(true)
    }
}

/// The worker has the log as its output. Its input is a pipe that closes when the supervisor dies, however that happens.
fn spawn(worker: &WorkerProgram, log: File) -> std::io::Result<Child> {
    Command::new(&worker.program)
        .args(&worker.arguments)
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}
