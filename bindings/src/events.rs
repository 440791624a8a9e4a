//! What happens during a run, as it happens.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use futures::FutureExt;
use serde::Serialize;
use snapfill::controller::{self as core, BackfillController, FleetBackfill};
use tokio::sync::{Mutex, oneshot};

use crate::backfill::Control;
use crate::convert::size;
use crate::status::Books;
use crate::{Result, runtime};

/// Something that happened during a run. As JSON it is an object whose `event` says which.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Event {
    /// The plan is in the working state; this much is to be done.
    Planned {
        /// Shards.
        shards: u64,
        /// Documents that are not deleted.
        documents: u64,
        /// Stored bytes, compressed.
        bytes: u64,
    },
    /// What is to be known of an index before its documents are written.
    Warning {
        /// The index.
        index: String,
        /// What is to be known.
        warning: String,
    },
    /// The fleet was told to be of another size.
    FleetChanged {
        /// Workers that are wanted.
        desired: u64,
        /// What its platform says.
        line: String,
    },
    /// The working state is in a file, and is about to be deleted.
    Archived {
        /// The file.
        file: String,
    },
    /// A worker took an item.
    ItemStarted {
        /// Its index.
        index: String,
        /// Its shard.
        shard: u32,
        /// Who took it.
        worker: String,
    },
    /// A bulk is settled.
    Progress {
        /// Its index.
        index: String,
        /// Its shard.
        shard: u32,
        /// Documents settled by it.
        documents: u64,
        /// Source bytes written by it.
        bytes: u64,
    },
    /// The target refused a document for good.
    DocumentFailed {
        /// Its index.
        index: String,
        /// Its shard.
        shard: u32,
        /// Its id.
        id: String,
        /// Why.
        reason: String,
    },
    /// An item is done and its books balance.
    ItemCompleted {
        /// Its index.
        index: String,
        /// Its shard.
        shard: u32,
        /// Live documents it has.
        live: u64,
        /// What became of them.
        books: Books,
    },
    /// Work on an item failed; it is tried again or, past the limit, given up.
    ItemFailed {
        /// Its index.
        index: String,
        /// Its shard.
        shard: u32,
        /// Why.
        reason: String,
    },
    /// Something else that is to be known, such as a change of pace. Its name and its fields as a JSON object.
    Other {
        /// Its name: `concurrency_changed`, `sending_paused`, `sending_resumed`, `rate_limit_changed`, `rate_limited`,
        /// `archiving`, `waiting_for_workers`, `lease_lost`, or one of a later release.
        name: String,
        /// Its fields, as a JSON object.
        fields: String,
    },
    /// A worker is gone.
    WorkerEnded {
        /// Which one.
        worker: String,
        /// Why, when it was an error.
        error: Option<String>,
    },
}

impl From<core::Event> for Event {
    fn from(event: core::Event) -> Self {
        match event {
            core::Event::Planned { shards, documents, bytes } => {
                Self::Planned { shards, documents, bytes }
            }
            core::Event::Warning { index, warning } => Self::Warning { index, warning },
            core::Event::FleetChanged { desired, line } => Self::FleetChanged { desired, line },
            core::Event::Archived { file } => {
                Self::Archived { file: file.to_string_lossy().into_owned() }
            }
            core::Event::ItemStarted { index, shard, worker } => {
                Self::ItemStarted { index, shard, worker }
            }
            core::Event::Progress { index, shard, documents, bytes } => {
                Self::Progress { index, shard, documents, bytes }
            }
            core::Event::DocumentFailed { index, shard, id, reason } => {
                Self::DocumentFailed { index, shard, id, reason }
            }
            core::Event::ItemCompleted { index, shard, live, books } => {
                Self::ItemCompleted { index, shard, live, books: books.into() }
            }
            core::Event::ItemFailed { index, shard, reason } => {
                Self::ItemFailed { index, shard, reason }
            }
            core::Event::WorkerEnded { worker, error } => Self::WorkerEnded { worker, error },
            other => Self::other(&other),
        }
    }
}

impl Event {
    /// Whether it tells that there are workers, or were: a plan alone does not.
    fn is_of_workers(&self) -> bool {
        match self {
            Self::FleetChanged { desired, .. } => *desired > 0,
            Self::Planned { .. }
            | Self::Warning { .. }
            | Self::Archived { .. }
            | Self::Other { .. } => false,
            _ => true,
        }
    }

    fn other(event: &core::Event) -> Self {
        let mut fields = serde_json::to_value(event).unwrap_or_default();
        let name = fields.as_object_mut().and_then(|fields| fields.remove("event"));
        let name = name.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        Self::Other { name, fields: fields.to_string() }
    }
}

/// The events of a backfill from the moment on that it was asked for. One caller at a time pulls from it.
#[derive(Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct EventStream {
    listening: Mutex<Listening>,
    control: Weak<Control>,
}

#[derive(Debug)]
struct Listening {
    source: Source,
    /// Workers were at it since the last word of an end.
    has_begun: bool,
    ready: VecDeque<Event>,
}

/// Where events come from.
#[derive(Debug)]
enum Source {
    /// The controller is not open yet: nothing can have happened.
    Waiting(oneshot::Receiver<core::EventStream>),
    Open(core::EventStream),
}

/// Who is to be told of events: each of those who asked before the controller was open.
pub(crate) enum Listeners {
    Waiting(Vec<oneshot::Sender<core::EventStream>>),
    Open(Arc<FleetBackfill>),
}

impl Listeners {
    /// Lets everybody listen to the controller, before it is asked for anything.
    pub(crate) fn open(&mut self, controller: &Arc<FleetBackfill>) {
        let before = std::mem::replace(self, Self::Open(Arc::clone(controller)));
        if let Self::Waiting(listeners) = before {
            for listener in listeners {
                // An error means that it does not listen any more.
                let _ = listener.send(controller.events());
            }
        }
    }

    /// One more who listens from now on.
    pub(crate) fn listen(&mut self, control: Weak<Control>) -> Arc<EventStream> {
        let source = match self {
            Self::Open(controller) => Source::Open(controller.events()),
            Self::Waiting(listeners) => {
                let (sender, receiver) = oneshot::channel();
                listeners.push(sender);
                Source::Waiting(receiver)
            }
        };
        let listening = Listening { source, has_begun: false, ready: VecDeque::new() };
        Arc::new(EventStream { listening: Mutex::new(listening), control })
    }
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl EventStream {
    /// The next events, at least one and `max` at most; none once the workers of the run that was begun are gone and everything
    /// was told. A listener that is too slow misses events, and never holds up the run.
    ///
    /// # Errors
    /// What the working state fails with.
    pub async fn next_batch(self: Arc<Self>, max: u32) -> Result<Vec<Event>> {
        runtime::run(async move {
            let mut listening = self.listening.lock().await;
            listening.wait(&self.control).await?;
            let Listening { ready, .. } = &mut *listening;
            let count = ready.len().min(size(max.into()).max(1));
            Ok(ready.drain(..count).collect())
        })
        .await
    }

    /// What has happened since the last call, without waiting for more.
    pub async fn ready(self: Arc<Self>) -> Result<Vec<Event>> {
        runtime::run(async move {
            let mut listening = self.listening.lock().await;
            listening.take();
            Ok(listening.ready.drain(..).collect())
        })
        .await
    }
}

impl Listening {
    /// Waits until something is ready, or the run is over.
    async fn wait(&mut self, control: &Weak<Control>) -> Result<()> {
        self.take();
        while self.ready.is_empty() {
            if !self.has_begun {
                if !self.receive().await {
                    return Ok(());
                }
                continue;
            }
            let Some(control) = control.upgrade() else { return Ok(()) };
            let is_over = tokio::select! {
                biased;
                came = self.receive() => !came,
                over = control.workers_gone() => { over?; true }
            };
            self.take();
            if is_over && self.ready.is_empty() {
                self.has_begun = false;
                return Ok(());
            }
        }
        Ok(())
    }

    /// One more; false when none can come any more.
    async fn receive(&mut self) -> bool {
        let event = match &mut self.source {
            Source::Open(events) => events.next().await,
            Source::Waiting(opening) => match opening.await {
                Ok(events) => {
                    self.source = Source::Open(events);
                    return true;
                }
                Err(_) => None,
            },
        };
        let Some(event) = event.map(Event::from) else { return false };
        self.has_begun |= event.is_of_workers();
        self.ready.push_back(event);
        true
    }

    /// What is there already.
    fn take(&mut self) {
        while self.receive().now_or_never() == Some(true) {}
    }
}
