//! Workers as tasks of this process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Fleet;
use crate::controller::{Event, EventSender, FleetCounts};
use crate::pipeline::WorkerEnd;
use crate::{Error, ErrorKind, Result};

/// A worker at work.
type WorkerFuture = BoxFuture<'static, Result<WorkerEnd>>;

/// Makes a worker of a name; the token asks it to stop.
type WorkerMaker = dyn Fn(String, CancellationToken) -> WorkerFuture + Send + Sync;

/// Workers as tasks of this process. Its clones are one fleet.
#[derive(Clone)]
pub(crate) struct TaskFleet {
    make: Arc<WorkerMaker>,
    events: EventSender,
    state: Arc<Mutex<State>>,
    running: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    desired: usize,
    workers: Vec<Member>,
    started: u64,
    /// The first error that ended a worker since the fleet was last empty.
    failure: Option<Error>,
}

struct Member {
    name: String,
    stop: CancellationToken,
}

impl TaskFleet {
    pub(crate) fn new(events: EventSender, make: Arc<WorkerMaker>) -> Self {
        let (running, _) = watch::channel(0);
        Self { make, events, state: Arc::default(), running }
    }

    /// Waits until no worker is left; the error that ended one, if one did.
    pub(crate) async fn empty(&self) -> Option<Error> {
        let mut running = self.running.subscribe();
        // The sender lives in `self`: waiting cannot fail.
        let _ = running.wait_for(|running| *running == 0).await;
        self.state().failure.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self, state: &mut State) {
        state.started += 1;
        let name = format!("local-{}-{}", std::process::id(), state.started);
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
    async fn desired(&self, workers: usize) -> Result<()> {
        let mut state = self.state();
        state.desired = workers;
        if state.workers.is_empty() {
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(fleet.empty().await.is_none());
        assert_eq!(fleet.counts().await.unwrap(), FleetCounts::default());
    }

    #[tokio::test]
    async fn the_first_error_and_a_panic_are_told() {
        let failing =
            fleet(|_| Box::pin(async { Err(Error::new(ErrorKind::Io, "the disk is full")) }));
        failing.desired(2).await.unwrap();
        assert_eq!(failing.empty().await.unwrap().kind(), ErrorKind::Io);
        let panicking = fleet(|_| Box::pin(async { panic!("a defect") }));
        panicking.desired(1).await.unwrap();
        assert_eq!(panicking.empty().await.unwrap().kind(), ErrorKind::Unexpected);
    }
}
