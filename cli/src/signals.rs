//! What asks the program to end.

use std::io::Read;

use snapfill::Error;
use tokio::signal::unix::{Signal as Listener, SignalKind, signal};
use tokio::sync::watch;

/// What asks the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// What a supervisor or an orchestrator sends.
    Terminate,
}

/// One listener from beginning to end: a signal that comes between two waits is not lost.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Listener,
    terminate: Listener,
    /// Told when standard input ends, where that counts.
    orphaned: Option<watch::Receiver<bool>>,
}

impl Signals {
    pub(crate) fn listen() -> Result<Self, Error> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            orphaned: None,
        })
    }

    /// Has the end of standard input count like SIGTERM: whoever holds its other end is gone, however it went.
    pub(crate) fn until_stdin_closes(mut self) -> Result<Self, Error> {
        let (closed, orphaned) = watch::channel(false);
        // A thread and no task: a read that never ends must not hold up the end of the program.
        std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
            wait_for_end(std::io::stdin().lock());
            closed.send_replace(true);
        })?;
        self.orphaned = Some(orphaned);
        Ok(self)
    }

    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            Some(()) = self.interrupt.recv() => Signal::Interrupt,
            Some(()) = self.terminate.recv() => Signal::Terminate,
            Ok(()) = changed(&mut self.orphaned) => Signal::Terminate,
            else => std::future::pending().await,
        }
    }
}

/// Reads on until there is nothing more to come. An input that cannot be read has nobody at its other end.
fn wait_for_end(mut input: impl Read) {
    let mut buffer = [0; 4096];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// The next change, once: a sender that is gone has nothing more to say.
async fn changed(
    orphaned: &mut Option<watch::Receiver<bool>>,
) -> Result<(), watch::error::RecvError> {
    match orphaned {
        Some(orphaned) => orphaned.changed().await,
        None => std::future::pending().await,
    }
}
