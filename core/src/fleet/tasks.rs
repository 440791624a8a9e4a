//! Workers as tasks of this process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Fleet, FleetKind};
use crate::controller::{Event, EventSender, FleetCounts};
use crate::coordination::random;
use crate::pipeline::WorkerEnd;
use crate::{Clock, Error, ErrorKind, Result};

/// A worker at work.
type WorkerFuture = BoxFuture<'static, Result<WorkerEnd>>;

/// Makes a worker of a name; the token asks it to stop.
type WorkerMaker = dyn Fn(String, CancellationToken) -> WorkerFuture + Send + Sync;

/// Workers as tasks of this process. Its clones are one fleet.
#[derive(Clone)]
pub struct TaskFleet {
    make: Arc<WorkerMaker>,
    events: EventSender,
    /// Sets its workers apart from those of other fleets, also of processes with the same number in other containers.
    tag: u64,
    state: Arc<Mutex<State>>,
    running: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    desired: usize,
    workers: Vec<Member>,
    started: u64,
    /// The first error that ended a worker since the fleet last grew from nothing.
    failure: Option<Error>,
}

struct Member {
    name: String,
    stop: CancellationToken,
}

impl TaskFleet {
    pub(crate) fn new(events: EventSender, make: Arc<WorkerMaker>) -> Self {
        let (running, _) = watch::channel(0);
        let tag = random::number() & 0xffff_ffff;
        Self { make, events, tag, state: Arc::default(), running }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self, state: &mut State) {
        state.started += 1;
        let name = format!("local-{}-{:08x}-{}", std::process::id(), self.tag, state.started);
        let stop = CancellationToken::new();
        let work = (self.make)(name.clone(), stop.clone());
        state.workers.push(Member { name: name.clone(), stop });
        self.running.send_replace(state.workers.len());
        let fleet = self.clone();
        tokio::spawn(async move {
            // A task of its own, so that a panic in a worker is seen here and not lost.
            let ended = tokio::spawn(work).await.unwrap_or_else(|error| {
                Err(Error::new(
                    ErrorKind::Unexpected,
                    format!("worker `{name}` stopped unexpectedly: {error}"),
                ))
            });
            fleet.note_end(&name, ended);
        });
    }

    fn note_end(&self, name: &str, ended: Result<WorkerEnd>) {
        let error = ended.as_ref().err().map(ToString::to_string);
        let mut state = self.state();
        if let Err(error) = ended {
            state.failure.get_or_insert(error);
        }
        state.workers.retain(|member| member.name != name);
        self.events.send(Event::WorkerEnded { worker: name.to_owned(), error });
        self.running.send_replace(state.workers.len());
    }
}

#[async_trait]
impl Fleet for TaskFleet {
    fn kind(&self) -> FleetKind {
        FleetKind::Tasks
    }

    async fn desired(&self, workers: usize) -> Result<()> {
        let mut state = self.state();
        state.desired = workers;
        if state.workers.is_empty() && workers > 0 {
            state.failure = None;
        }
        let staying = state.workers.iter().filter(|member| !member.stop.is_cancelled()).count();
        for _ in staying..workers {
            self.spawn(&mut state);
        }
        for member in
            state.workers.iter().filter(|member| !member.stop.is_cancelled()).skip(workers)
        {
            member.stop.cancel();
        }
        Ok(())
    }

    async fn counts(&self) -> Result<FleetCounts> {
        let state = self.state();
        let terminating =
            state.workers.iter().filter(|member| member.stop.is_cancelled()).count() as u64;
        let running = state.workers.len() as u64 - terminating;
        // Workers that found nothing left ended by themselves: nobody wants them back.
        let desired = (state.desired as u64).min(running);
        Ok(FleetCounts { running, pending: 0, desired, terminating })
    }

    fn describe(&self) -> String {
        format!("worker tasks of process {}", std::process::id())
    }

    /// Whoever asks is told of the error.
    async fn empty(&self, _: &dyn Clock) -> Result<Option<Error>> {
        let mut running = self.running.subscribe();
        // The sender lives in `self`: waiting cannot fail.
        let _ = running.wait_for(|running| *running == 0).await;
        Ok(self.state().failure.as_ref().map(Error::duplicate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemClock;

    fn fleet(
        make: impl Fn(CancellationToken) -> WorkerFuture + Send + Sync + 'static,
    ) -> TaskFleet {
        TaskFleet::new(EventSender::new(), Arc::new(move |_, stop| make(stop)))
    }

    fn until_stopped(stop: CancellationToken) -> WorkerFuture {
        Box::pin(async move {
            stop.cancelled().await;
            Ok(WorkerEnd::Stopped)
        })
    }

    #[tokio::test]
    async fn it_grows_and_shrinks_to_what_is_desired() {
        let fleet = fleet(until_stopped);
        for (desired, expected) in [(3, 3), (1, 1), (4, 4), (4, 4), (0, 0)] {
            fleet.desired(desired).await.unwrap();
            assert_eq!(fleet.counts().await.unwrap().running, expected);
        }
        assert!(fleet.empty(&SystemClock::new()).await.unwrap().is_none());
        assert_eq!(fleet.counts().await.unwrap(), FleetCounts::default());
    }

    #[tokio::test]
    async fn the_first_error_and_a_panic_are_told() {
        let failing =
            fleet(|_| Box::pin(async { Err(Error::new(ErrorKind::Io, "the disk is full")) }));
        failing.desired(2).await.unwrap();
        for _ in 0..2 {
            assert_eq!(
                failing.empty(&SystemClock::new()).await.unwrap().unwrap().kind(),
                ErrorKind::Io,
                "whoever asks is told"
            );
        }
        failing.desired(0).await.unwrap();
        assert!(
            failing.empty(&SystemClock::new()).await.unwrap().is_some(),
            "sending nobody away is no new beginning"
        );
        let panicking = fleet(|_| Box::pin(async { panic!("a defect") }));
        panicking.desired(1).await.unwrap();
        assert_eq!(
            panicking.empty(&SystemClock::new()).await.unwrap().unwrap().kind(),
            ErrorKind::Unexpected
        );
    }
    #[tokio::test]
    async fn a_new_beginning_forgets_how_the_last_one_ended() {
        let fleet = fleet(|stop| {
            Box::pin(async move {
                stop.cancelled().await;
                Err(Error::new(ErrorKind::Io, "the disk is full"))
            })
        });
        fleet.desired(1).await.unwrap();
        fleet.desired(0).await.unwrap();
        assert!(fleet.empty(&SystemClock::new()).await.unwrap().is_some());
        fleet.desired(1).await.unwrap();
        assert!(fleet.state().failure.is_none());
    }

    #[tokio::test]
    async fn no_end_is_missed_however_it_falls_with_the_waiting() {
        for _ in 0..200 {
            let fleet = fleet(|_| Box::pin(async { Ok(WorkerEnd::NothingLeft) }));
            fleet.desired(2).await.unwrap();
            let waiting = tokio::spawn({
                let fleet = fleet.clone();
                async move { fleet.empty(&SystemClock::new()).await.unwrap() }
            });
            fleet.empty(&SystemClock::new()).await.unwrap();
            fleet.desired(1).await.unwrap();
            fleet.empty(&SystemClock::new()).await.unwrap();
            assert!(waiting.await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn workers_that_are_going_are_not_counted_as_staying() {
        let (gate, _) = watch::channel(false);
        let opened = gate.clone();
        let slow = fleet(move |stop| {
            let mut open = opened.subscribe();
            Box::pin(async move {
                stop.cancelled().await;
                let _ = open.wait_for(|open| *open).await;
                Ok(WorkerEnd::Stopped)
            })
        });
        slow.desired(2).await.unwrap();
        slow.desired(0).await.unwrap();
        slow.desired(1).await.unwrap();
        let counts = slow.counts().await.unwrap();
        assert_eq!((counts.running, counts.desired, counts.terminating), (1, 1, 2));
        gate.send_replace(true);
        slow.desired(0).await.unwrap();
        assert!(slow.empty(&SystemClock::new()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn two_fleets_of_a_process_give_different_names() {
        let names = Arc::new(Mutex::new(std::collections::BTreeSet::new()));
        for _ in 0..2 {
            let seen = Arc::clone(&names);
            let fleet = TaskFleet::new(
                EventSender::new(),
                Arc::new(move |name, _| {
                    seen.lock().unwrap().insert(name);
                    Box::pin(async { Ok(WorkerEnd::NothingLeft) })
                }),
            );
            fleet.desired(2).await.unwrap();
            fleet.empty(&SystemClock::new()).await.unwrap();
        }
        assert_eq!(names.lock().unwrap().len(), 4);
    }
}
