//! What snapfill logs, told to a function of JavaScript.

use napi::bindgen_prelude::Function;
use napi::threadsafe_function::ThreadsafeFunctionCallMode::NonBlocking;
use napi_derive::napi;
use snapfill_ffi as ffi;

use crate::call::as_json;
use crate::failure::Failure;

/// Tells the function of what is logged, as JSON. It is called by the event loop, and keeps no process alive.
#[napi]
pub fn log_to(sink: Function<'_, String, ()>, filter: Option<String>) -> napi::Result<()> {
    let sink = sink.build_threadsafe_function::<String>().weak::<true>().build()?;
    let tell = move |record: ffi::LogRecord| {
        if let Ok(text) = as_json(&record) {
            // What cannot be told any more is of a process that ends.
            let _ = sink.call(text, NonBlocking);
        }
    };
    Ok(ffi::log_to(Box::new(tell), filter).map_err(Failure::from)?)
}

/// Tells nobody any more.
#[napi]
pub fn log_to_nobody() {
    ffi::log_to_nobody();
}
