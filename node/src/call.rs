//! A call that has not been made yet, and that can be given up once it has.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use futures::stream::{AbortHandle, Abortable};
use napi::bindgen_prelude::Object;
use napi::{Either, Env};
use napi_derive::napi;
use serde::Serialize;
use snapfill_ffi::{Context, Result, SnapfillError, runtime};

use crate::documents::Batch;
use crate::failure::Failure;

/// JSON, or documents.
pub(crate) type Answer = Either<String, Batch>;

type Work = Pin<Box<dyn Future<Output = std::result::Result<Answer, Failure>> + Send>>;

/// A call that has not been made yet. It can be made once.
#[napi]
pub struct Call {
    work: Mutex<Option<Work>>,
    give_up: AbortHandle,
}

impl Call {
    /// A call whose value `convert` makes. It is made on the runtime's threads, not on the one of the event loop.
    pub(crate) fn new<T: Send + 'static>(
        work: impl Future<Output = Result<T>> + Send + 'static,
        convert: impl FnOnce(T) -> std::result::Result<Answer, Failure> + Send + 'static,
    ) -> Self {
        let (give_up, registration) = AbortHandle::new_pair();
        let work = Abortable::new(async move { convert(work.await?) }, registration);
        let work = async move { work.await.unwrap_or(Err(Failure::Aborted)) };
        Self { work: Mutex::new(Some(Box::pin(work))), give_up }
    }

    /// A call whose value crosses as JSON.
    pub(crate) fn json<T: Serialize + Send + 'static>(
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Self {
        Self::new(work, |value| Ok(Either::A(as_json(&value)?)))
    }
}

/// Data as JSON text.
pub(crate) fn as_json(data: &impl Serialize) -> std::result::Result<String, Failure> {
    serde_json::to_string(data).map_err(|error| {
        let context = Context { text: error.to_string(), ..Context::default() };
        SnapfillError::Unexpected(context).into()
    })
}

#[napi]
impl Call {
    /// Makes the call: a promise.
    #[napi]
    pub fn make<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let taken = self.work.lock().unwrap_or_else(PoisonError::into_inner).take();
        let work = taken.ok_or_else(|| napi::Error::from_reason("this call was made already"))?;
        let runtime = runtime::runtime().map_err(Failure::from)?;
        let (deferred, promise) = env.create_deferred()?;
        runtime.spawn(async move {
            match work.await {
                Ok(answer) => deferred.resolve(move |_| Ok(answer)),
                Err(failure) => deferred.reject(failure.into()),
            }
        });
        Ok(promise)
    }

    /// Drops the work; the promise is rejected.
    #[napi]
    pub fn give_up(&self) {
        self.give_up.abort();
    }
}
