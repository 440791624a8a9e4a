//! A verb, and what happens while it is carried out.

use std::pin::pin;

use futures::FutureExt;
use snapfill::controller::{Event, EventStream};

use crate::exit::Failure;

/// Carries out a verb; `note` is told of each event, in their order, before it is known how the verb ended.
pub(super) async fn following<T>(
    mut events: EventStream,
    verb: impl Future<Output = snapfill::Result<T>>,
    mut note: impl FnMut(&Event) -> Result<(), Failure>,
) -> Result<T, Failure> {
    let mut verb = pin!(verb);
    let ended = loop {
        tokio::select! {
            biased;
            Some(event) = events.next() => note(&event)?,
            ended = &mut verb => break ended,
        }
    };
    while let Some(Some(event)) = events.next().now_or_never() {
        note(&event)?;
    }
    Ok(ended?)
}
