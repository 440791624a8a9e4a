//! What snapfill logs, for those who want to hear it.
//!
//! Records are passed on by a thread of their own: whoever is told may take a lock, or ask snapfill for something, and holds
//! up no work. Nothing is told before somebody wants to hear it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::thread;

use serde::Serialize;
use serde_json::Value;
use snapfill::ErrorKind;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, Subscriber, set_global_default};
use tracing::{Event, Metadata};
use tracing_subscriber::filter::Targets;

use crate::{Result, SnapfillError};

/// The variable that says what is told, where the caller does not.
const VARIABLE: &str = "SNAPFILL_LOG";

/// What is told when nobody says.
const USUAL: &str = "snapfill=info";

/// Records that wait to be told. When there are more, the listener is too slow, and they are lost.
const WAITING: usize = 10_000;

/// Something that was logged.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct LogRecord {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// Which part of snapfill says it: `snapfill::backfill`.
    pub target: String,
    /// What it says.
    pub message: String,
    /// What it says it of, by name, as a JSON object.
    pub fields: String,
}

/// Who is told of records, one after another, on a thread that does nothing else.
#[cfg_attr(feature = "uniffi", uniffi::export(callback_interface))]
pub trait LogSink: Send + Sync {
    /// Something was logged.
    fn log(&self, record: LogRecord);
}

impl<F: Fn(LogRecord) + Send + Sync> LogSink for F {
    fn log(&self, record: LogRecord) {
        self(record);
    }
}

/// Tells the sink of what is logged from now on, in place of the one before, which is told what was logged until now. `filter`
/// says from which level on, for each part: `debug`, or `snapfill=info,hyper=warn`; none: what the environment's
/// `SNAPFILL_LOG` says, or else `snapfill=info`.
///
/// # Errors
/// `Config` for a filter that cannot be understood, `State` where another program that is linked with this one takes the logs
/// of this process, `Io` when the system gives no thread.
#[cfg_attr(feature = "uniffi", uniffi::export)]
pub fn log_to(sink: Box<dyn LogSink>, filter: Option<String>) -> Result<()> {
    let filter = filter.or_else(|| std::env::var(VARIABLE).ok());
    let filter = parse(filter.as_deref().unwrap_or(USUAL))?;
    let logs = Logs::installed()?;
    let (sender, waiting) = sync_channel(WAITING);
    let lost = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&lost);
    thread::Builder::new()
        .name("snapfill-logs".to_owned())
        .spawn(move || tell(&*sink, &waiting, &seen))
        .map_err(|error| SnapfillError::new(ErrorKind::Io, error.to_string()))?;
    logs.set(Some(Listener { filter, sender, lost }));
    Ok(())
}

/// Tells nobody any more.
#[cfg_attr(feature = "uniffi", uniffi::export)]
pub fn log_to_nobody() {
    if let Some(Ok(logs)) = INSTALLED.get() {
        logs.set(None);
    }
}

fn parse(filter: &str) -> Result<Targets> {
    filter.parse().map_err(|error| {
        let text = format!(
            "`{filter}` is no filter of logs ({error}): write `info`, or `snapfill=debug,hyper=warn`"
        );
        SnapfillError::new(ErrorKind::Config, text)
    })
}

/// A listener's thread: ends when another one is set.
fn tell(sink: &dyn LogSink, waiting: &Receiver<LogRecord>, lost: &AtomicU64) {
    for record in waiting {
        sink.log(record);
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            sink.log(LogRecord {
                level: "warn".to_owned(),
                target: "snapfill::logs".to_owned(),
                message: "records were lost, because they were not taken fast enough".to_owned(),
                fields: serde_json::json!({ "lost": lost }).to_string(),
            });
        }
    }
}

/// Takes what is logged in this process.
#[derive(Clone, Default)]
struct Logs(Arc<RwLock<Option<Listener>>>);

struct Listener {
    filter: Targets,
    sender: SyncSender<LogRecord>,
    lost: Arc<AtomicU64>,
}

static INSTALLED: OnceLock<std::result::Result<Logs, String>> = OnceLock::new();

impl Logs {
    /// Those of this process, which takes them from the first listener on.
    fn installed() -> Result<&'static Self> {
        let logs = INSTALLED.get_or_init(|| {
            let logs = Self::default();
            set_global_default(logs.clone()).map_err(|error| error.to_string())?;
            Ok(logs)
        });
        logs.as_ref().map_err(|error| {
            let text = format!("something else takes the logs of this process: {error}");
            SnapfillError::new(ErrorKind::State, text)
        })
    }

    fn set(&self, listener: Option<Listener>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = listener;
        tracing::callsite::rebuild_interest_cache();
    }

    fn with<T>(&self, look: impl FnOnce(&Listener) -> T) -> Option<T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(look)
    }
}

impl Subscriber for Logs {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let wants =
            |listener: &Listener| listener.filter.would_enable(metadata.target(), metadata.level());
        metadata.is_event() && self.with(wants).unwrap_or(false)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // With nobody there nothing is asked any further; what a listener wants to hear is asked of each place.
        self.with(|_| ()).is_none().then_some(LevelFilter::OFF)
    }

    fn event(&self, event: &Event<'_>) {
        let mut said = Said::default();
        event.record(&mut said);
        let record = LogRecord {
            level: event.metadata().level().as_str().to_lowercase(),
            target: event.metadata().target().to_owned(),
            message: said.message,
            fields: serde_json::to_string(&said.fields).unwrap_or_default(),
        };
        self.with(|listener| {
            if listener.sender.try_send(record).is_err() {
                listener.lost.fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    // Spans are not told of.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// What an event says.
#[derive(Default)]
struct Said {
    message: String,
    fields: BTreeMap<&'static str, Value>,
}

impl Said {
    fn note(&mut self, field: &Field, value: impl Into<Value>) {
        self.fields.insert(field.name(), value.into());
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            _ => self.note(field, format!("{value:?}")),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            _ => self.note(field, value),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.note(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.note(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.note(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.note(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_sink_is_told_what_it_wants_to_hear_until_it_is_replaced() {
        let (told, heard) = mpsc::channel();
        let sink = move |record| drop(told.send(record));
        log_to(Box::new(sink), Some("snapfill_ffi::logs=debug,other=warn".to_owned())).unwrap();
        tracing::debug!(shard = 3, name = "books", done = true, why = ?Some(1), "taken");
        tracing::trace!("too fine");
        tracing::info!(target: "other", "not loud enough");
        tracing::warn!(target: "other", "loud");
        tracing::error!(target: "another", "not asked for");
        let first = heard.recv().unwrap();
        assert_eq!((&*first.level, &*first.message), ("debug", "taken"));
        assert!(first.target.starts_with("snapfill_ffi::logs"), "{}", first.target);
        assert_eq!(first.fields, r#"{"done":true,"name":"books","shard":3,"why":"Some(1)"}"#);
        assert_eq!(heard.recv().unwrap().target, "other");

        log_to_nobody();
        tracing::error!("nobody hears");
        assert!(heard.recv().is_err(), "the thread is gone, and the sink with it");

        let (told, heard) = mpsc::channel();
        let sink = move |record| drop(told.send(record));
        log_to(Box::new(sink), Some("snapfill_ffi::logs=error".to_owned())).unwrap();
        tracing::error!("heard again");
        assert_eq!(heard.recv().unwrap().message, "heard again");
        let refused = log_to(Box::new(|_| ()), Some("snapfill=loud".to_owned())).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config);
        assert!(refused.to_string().contains("snapfill=loud"), "{refused}");
    }

    #[test]
    fn a_slow_sink_loses_records_and_is_told_how_many() {
        let (told, heard) = mpsc::channel();
        let (sender, waiting) = sync_channel(1);
        let record = LogRecord {
            level: "info".to_owned(),
            target: "snapfill".to_owned(),
            message: "first".to_owned(),
            fields: "{}".to_owned(),
        };
        sender.send(record).unwrap();
        drop(sender);
        let sink = move |record| drop(told.send(record));
        tell(&sink, &waiting, &AtomicU64::new(7));
        drop(sink);
        let messages: Vec<_> = heard.iter().collect();
        assert_eq!(messages[0].message, "first");
        assert_eq!(messages[1].fields, r#"{"lost":7}"#);
    }
}
