//! What is done when a run is over.

use serde::{Deserialize, Serialize};

/// What whoever waits for the end of a run does when it is completed, with errors or without, or failed. Workers of this machine
/// end by themselves; a fleet elsewhere stays, and costs, until it is told otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenDone {
    /// Nothing: workers that are up stay up.
    #[default]
    Stay,
    /// Sends the workers away, and keeps the working state.
    Pause,
    /// Sends the workers away, archives the working state, and deletes it.
    Stop,
}
