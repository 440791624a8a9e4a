//! Tasks that come, work and go, a step at a time.

use std::process::{Child, Command};

/// Says which process a task is; none for one that does nothing.
pub type Launch = Box<dyn Fn() -> Option<Command> + Send>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Pending,
    Running,
    /// Told to end.
    Draining,
}

pub(super) struct Task {
    pub(super) name: String,
    pub(super) phase: Phase,
    process: Option<Child>,
}

/// As many tasks as are wanted, in the end: each step brings every task one phase further, has those that are too many end, and
/// makes new ones for those that ended by themselves.
pub struct Tasks {
    launch: Launch,
    desired: usize,
    tasks: Vec<Task>,
    started: usize,
}

impl Tasks {
    /// None yet.
    #[must_use]
    pub fn new(launch: Launch) -> Self {
        Self { launch, desired: 0, tasks: Vec::new(), started: 0 }
    }

    pub(super) fn want(&mut self, desired: usize) {
        self.desired = desired;
    }

    pub(super) fn desired(&self) -> usize {
        self.desired
    }

    pub(super) fn all(&self) -> &[Task] {
        &self.tasks
    }

    pub(super) fn count(&self, phase: Phase) -> usize {
        self.tasks.iter().filter(|task| task.phase == phase).count()
    }

    pub(super) fn step(&mut self) {
        self.tasks.retain_mut(|task| task.phase == Phase::Pending || !task.has_ended());
        for task in &mut self.tasks {
            if task.phase == Phase::Pending {
                task.process = (self.launch)().map(|mut command| match command.spawn() {
                    Ok(process) => process,
                    Err(error) => panic!("cannot start a task: {error}"),
                });
                task.phase = Phase::Running;
            }
        }
        let staying = self.tasks.len() - self.count(Phase::Draining);
        let too_many = staying.saturating_sub(self.desired);
        let leaving = self.tasks.iter_mut().rev().filter(|task| task.phase != Phase::Draining);
        for task in leaving.take(too_many) {
            task.drain();
        }
        for _ in staying..self.desired {
            self.started += 1;
            let name = format!("task-{}", self.started);
            self.tasks.push(Task { name, phase: Phase::Pending, process: None });
        }
    }

    /// Ends all of them at once.
    pub(super) fn end(&mut self) {
        self.desired = 0;
        for mut task in self.tasks.drain(..) {
            if let Some(process) = &mut task.process {
                // One that has ended already cannot be killed.
                let _ = process.kill();
                let _ = process.wait();
            }
        }
    }
}

impl Task {
    fn has_ended(&mut self) -> bool {
        match &mut self.process {
            Some(process) => matches!(process.try_wait(), Ok(Some(_))),
            None => self.phase == Phase::Draining,
        }
    }

    fn drain(&mut self) {
        self.phase = Phase::Draining;
        if let Some(process) = &self.process {
            // One that has just ended by itself is not there any more.
            let _ = Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
        }
    }
}
