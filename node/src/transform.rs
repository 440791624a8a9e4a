//! A function of JavaScript that changes documents on their way.

use std::fmt;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::Buffer;
use napi::threadsafe_function::{
    ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue,
};
use napi::{Either, Status};
use napi_derive::napi;
use snapfill_ffi::{self as ffi, Context, SnapfillError, Transformed};

use crate::documents::Batch;
use crate::failure::Failure;

/// What is called on the event loop for each batch. It does not keep the loop going: whoever waits for the run does.
pub(crate) type Ask =
    ThreadsafeFunction<TransformCall, UnknownReturnValue, TransformCall, Status, false, true>;

/// A function as the facade calls it.
pub(crate) fn of_function(ask: Ask) -> Arc<dyn ffi::Transform> {
    Arc::new(OnLoop(ask))
}

struct OnLoop(Ask);

impl fmt::Debug for OnLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnLoop")
    }
}

impl ffi::Transform for OnLoop {
    /// Waits until the event loop has answered, or lets go of the call.
    fn transform(&self, batch: ffi::DocumentBatch) -> ffi::Result<Vec<Transformed>> {
        let batch = Batch::of(Arc::new(batch)).map_err(|failure| match failure {
            Failure::Snapfill(error) => error,
            other => SnapfillError::Unexpected(saying(other.to_string())),
        })?;
        let (answered, answers) = channel();
        let call =
            TransformCall { batch: Mutex::new(Some(batch)), answered: Mutex::new(Some(answered)) };
        self.0.call(call, ThreadsafeFunctionCallMode::NonBlocking);
        answers.recv().unwrap_or_else(|_| {
            let text = "the transform was not answered: its promise can no longer settle, or the event loop has ended";
            Err(SnapfillError::Cancelled(saying(text.to_owned())))
        })
    }
}

fn saying(text: String) -> Context {
    Context { text, ..Context::default() }
}

/// One batch that is to be transformed.
#[napi]
pub struct TransformCall {
    batch: Mutex<Option<Batch>>,
    answered: Mutex<Option<Sender<ffi::Result<Vec<Transformed>>>>>,
}

/// A document that a transform made.
#[napi(object, object_to_js = false)]
pub struct MadeDocument {
    /// The index it is of.
    pub index: String,
    /// The shard it is of.
    pub shard: u32,
    /// `_id`.
    pub id: String,
    /// `_routing`.
    pub routing: Option<String>,
    /// `_type`.
    pub doc_type: Option<String>,
    /// `_parent`.
    pub parent: Option<String>,
    /// `_source`.
    pub source: Buffer,
}

#[napi]
impl TransformCall {
    /// The documents. They can be taken once.
    #[napi]
    pub fn batch(&self) -> napi::Result<Batch> {
        let taken = self.batch.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.ok_or_else(|| napi::Error::from_reason("the documents were taken already"))
    }

    /// What becomes of each of them: documents in its place, or why it could not be transformed.
    #[napi]
    pub fn answer(&self, answers: Vec<Either<String, Vec<MadeDocument>>>) {
        let answers = answers.into_iter().map(|answer| match answer {
            Either::A(reason) => Transformed::Failed(reason),
            Either::B(made) => Transformed::Documents(made.into_iter().map(Into::into).collect()),
        });
        self.send(Ok(answers.collect()));
    }

    /// Why none of them can be, nor any other.
    #[napi]
    pub fn fail(&self, reason: String) {
        self.send(Err(SnapfillError::Cancelled(saying(reason))));
    }

    /// Nobody waits any longer where the run was stopped.
    fn send(&self, answers: ffi::Result<Vec<Transformed>>) {
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(answered) = answered {
            let _ = answered.send(answers);
        }
    }
}

impl From<MadeDocument> for ffi::Document {
    fn from(made: MadeDocument) -> Self {
        Self {
            index: made.index,
            shard: made.shard,
            id: made.id,
            routing: made.routing,
            doc_type: made.doc_type,
            parent: made.parent,
            source: made.source.to_vec(),
        }
    }
}
