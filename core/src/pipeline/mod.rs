//! From the documents of a shard to acknowledgements of the target: read, batch, send, acknowledge, checkpoint.
//!
//! | file | subject |
//! |---|---|
//! | `acknowledgements` | how far everything is done, whatever order bulks finish in |
//! | `bulk_sender` | one batch, until each of its documents is settled |
//! | `failure` | whose fault it was that a transfer ended before its time |
//! | `keeper` | what the target refused for good is kept before it is acknowledged |
//! | `pressure` | how fast a process sends, and whether it sends at all |
//! | `meter` | how fast a worker comes forward |
//! | `quota` | how many documents of a shard may be sent |
//! | `source` | what a worker reads: a snapshot, or in the simulation what stands for one |
//! | `transforming` | what a transform made of a batch, checked and counted |
//! | `transfer` | one work item, several bulks in flight, checkpoints on the way |
//! | `worker` | items one after another, until none is left |

mod acknowledgements;
mod bulk_sender;
mod failure;
mod keeper;
mod meter;
mod pressure;
mod quota;
mod source;
mod transfer;
mod transforming;
mod worker;

pub(crate) use bulk_sender::{BulkSender, Ceiling, Gate, Leave, Sent};
pub(crate) use keeper::Failures;
pub(crate) use meter::Meter;
pub(crate) use pressure::{PauseRecord, Pressure};
pub(crate) use worker::{Worker, WorkerEnd};

#[cfg(test)]
pub(crate) use acknowledgements::{Acknowledgements, Ticket};
#[cfg(test)]
pub(crate) use source::{ShardSource, Source};
#[cfg(test)]
pub(crate) use transfer::gate_of;
