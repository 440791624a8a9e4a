//! Deleting from the store what is in the file.

use std::time::Duration;

use crate::controller::{Event, EventSender};
use crate::coordination::{Coordinator, WorkStore};
use crate::{Clock, Result};

/// Between two looks whether workers are still at it.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Waits until nobody holds an item: workers let go when they see the stop, and a lease that is not renewed runs out.
///
/// # Errors
/// What the store fails with.
pub(crate) async fn wait_for_workers(
    coordinator: &Coordinator,
    clock: &dyn Clock,
    events: &EventSender,
) -> Result<()> {
    let mut was_said = false;
    loop {
        coordinator.reap().await?;
        if coordinator.totals().await?.items.in_progress == 0 {
            return Ok(());
        }
        if !std::mem::replace(&mut was_said, true) {
            events.send(Event::WaitingForWorkers);
        }
        clock.sleep(LOOK_EVERY).await;
    }
}

/// Deletes the working state of the session. Where workers of other machines use the store, it looks again after one lease:
/// a write that came late may have made the place anew, without a run in it.
///
/// # Errors
/// What the store fails with.
pub(crate) async fn clear(
    coordinator: &Coordinator,
    clock: &dyn Clock,
    events: &EventSender,
) -> Result<()> {
    let store: &dyn WorkStore = &**coordinator.store();
    store.drop_session().await?;
    if !store.capability().remote {
        return Ok(());
    }
    let wait = coordinator.rules().length.saturating_add(coordinator.rules().margin);
    events.send(Event::LookingAgain { after_seconds: wait.as_secs() });
    clock.sleep(wait).await;
    if store.run().await?.is_none() && !store.items(None, 1).await?.items.is_empty() {
        store.drop_session().await?;
    }
    Ok(())
}
