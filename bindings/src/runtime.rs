//! The one runtime of the process, and waiting for what runs on it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Duration;

use snapfill::ErrorKind;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::{Result, SnapfillError};

/// How long a blocked call goes without looking whether it is to end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long a thread without work stays, of those that wait for files.
const IDLE_THREADS_STAY: Duration = Duration::from_secs(1);

struct Started {
    runtime: Runtime,
    process: u32,
}

static STARTED: OnceLock<std::result::Result<Started, String>> = OnceLock::new();

/// The runtime, made at the first call.
///
/// # Errors
/// `State` in a child of `fork`, `Io` when the system gives no threads.
pub fn runtime() -> Result<&'static Runtime> {
    let started = STARTED.get_or_init(|| {
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .thread_name("snapfill")
            .thread_keep_alive(IDLE_THREADS_STAY)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Started { runtime, process: std::process::id() })
    });
    match started {
        Ok(started) if started.process == std::process::id() => Ok(&started.runtime),
        Ok(_) => Err(SnapfillError::new(
            ErrorKind::State,
            "this process was forked from one that uses snapfill already, and cannot use it; start processes by `spawn`, not by \
             `fork`, or use snapfill only after the fork",
        )),
        Err(error) => Err(SnapfillError::new(
            ErrorKind::Io,
            format!("the threads that snapfill works on cannot be started: {error}"),
        )),
    }
}

/// Runs work on the runtime. Dropping the future cancels the work.
pub(crate) async fn run<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    Task(runtime()?.spawn(work)).await.unwrap_or_else(|error| {
        Err(match error.try_into_panic() {
            Ok(panic) => SnapfillError::new(ErrorKind::Unexpected, text_of(&*panic)),
            Err(_) => SnapfillError::new(ErrorKind::Cancelled, "the call was cancelled"),
        })
    })
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
    format!("snapfill failed where it must not: {text}; please report it")
}

/// Blocks until the future is done, and calls `look` meanwhile, twenty times a second. When `look` fails, the work is cancelled.
///
/// # Errors
/// That of the future, or of `look`.
pub fn wait<T, E: From<SnapfillError>>(
    work: impl Future<Output = std::result::Result<T, E>>,
    mut look: impl FnMut() -> std::result::Result<(), E>,
) -> std::result::Result<T, E> {
    runtime()?.block_on(async {
        let mut work = pin!(work);
        loop {
            match tokio::time::timeout(LOOK_EVERY, work.as_mut()).await {
                Ok(done) => return done,
                Err(_) => look()?,
            }
        }
    })
}

/// A task that ends with whoever waits for it.
struct Task<T>(JoinHandle<T>);

impl<T> Future for Task<T> {
    type Output = std::result::Result<T, tokio::task::JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_and_no_end_of_the_process() {
        let ended: Result<()> = wait(run(async { panic!("oh") }), || Ok(()));
        let error = ended.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unexpected);
        assert!(error.to_string().contains("oh"), "{error}");
    }

    #[test]
    fn a_blocked_call_ends_when_the_look_says_so_and_its_work_is_dropped() {
        let (held, dropped) = std::sync::mpsc::channel::<()>();
        let work = run(async move {
            let _held = held;
            std::future::pending::<Result<()>>().await
        });
        let stop = || Err(SnapfillError::new(ErrorKind::Cancelled, "Ctrl-C"));
        assert_eq!(wait(work, stop).unwrap_err().to_string(), "Ctrl-C");
        assert!(dropped.recv().is_err(), "the task is gone and with it the sender");
    }
}
