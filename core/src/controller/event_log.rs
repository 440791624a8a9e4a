//! Events as log lines: what an operator of a worker reads. Documents are never in them.

use super::Event;

/// Where the lines say they come from.
const TARGET: &str = "snapfill::backfill";

/// Logs an event.
pub(super) fn log(event: &Event) {
    match event {
        Event::Planned { shards, documents, bytes } => {
            tracing::info!(target: TARGET, shards, documents, bytes, "the run is planned");
        }
        Event::Warning { index, warning } => {
            tracing::warn!(target: TARGET, %index, %warning, "to be known of an index");
        }
        Event::ItemStarted { .. }
        | Event::ItemCompleted { .. }
        | Event::ItemFailed { .. }
        | Event::LeaseLost { .. }
        | Event::Progress { .. }
        | Event::DocumentFailed { .. } => log_of_item(event),
        Event::WorkerEnded { worker, error: None } => {
            tracing::info!(target: TARGET, %worker, "worker ended");
        }
        Event::WorkerEnded { worker, error: Some(error) } => {
            tracing::error!(target: TARGET, %worker, %error, "worker ended");
        }
        Event::FleetChanged { .. }
        | Event::Archiving
        | Event::WaitingForWorkers
        | Event::Archived { .. }
        | Event::LookingAgain { .. } => log_of_fleet(event),
        _ => log_of_pressure(event),
    }
}

fn log_of_item(event: &Event) {
    match event {
        Event::ItemStarted { index, shard, worker } => {
            tracing::info!(target: TARGET, %index, shard, %worker, "item taken");
        }
        Event::ItemCompleted { index, shard, live, books } => {
            let (written, failed) = (books.written, books.failed);
            let skipped = books.skipped_total();
            tracing::info!(target: TARGET, %index, shard, live, written, failed, skipped, "item finished");
        }
        Event::ItemFailed { index, shard, reason } => {
            tracing::warn!(target: TARGET, %index, shard, %reason, "item given up");
        }
        Event::LeaseLost { index, shard, worker } => {
            tracing::warn!(target: TARGET, %index, shard, %worker, "lease lost");
        }
        Event::Progress { index, shard, documents, bytes } => {
            tracing::debug!(target: TARGET, %index, shard, documents, bytes, "bulk settled");
        }
        // The target's reason may hold a piece of the document.
        Event::DocumentFailed { index, shard, id, .. } => {
            tracing::debug!(target: TARGET, %index, shard, %id, "document refused");
        }
        _ => {}
    }
}

fn log_of_fleet(event: &Event) {
    match event {
        Event::FleetChanged { desired, line } => {
            tracing::debug!(target: TARGET, desired, %line, "fleet changed");
        }
        Event::Archiving => tracing::info!(target: TARGET, "archiving the working state"),
        Event::WaitingForWorkers => tracing::info!(target: TARGET, "waiting for workers"),
        Event::Archived { file } => {
            tracing::info!(target: TARGET, file = %file.display(), "working state archived");
        }
        Event::LookingAgain { after_seconds } => {
            tracing::info!(target: TARGET, after_seconds, "working state deleted, looking again");
        }
        _ => {}
    }
}

fn log_of_pressure(event: &Event) {
    match event {
        Event::ConcurrencyChanged { worker, limit, reason } => {
            tracing::debug!(target: TARGET, %worker, limit, %reason, "bulks in flight changed");
        }
        Event::SendingPaused { reason } => {
            tracing::warn!(target: TARGET, %reason, "sending is paused");
        }
        Event::SendingResumed { after_seconds } => {
            tracing::info!(target: TARGET, after_seconds, "sending goes on");
        }
        Event::RateLimitChanged { documents_per_second, bytes_per_second } => {
            tracing::info!(target: TARGET, documents_per_second, bytes_per_second, "other ceilings");
        }
        Event::RateLimited { wait_milliseconds } => {
            tracing::debug!(target: TARGET, wait_milliseconds, "a ceiling holds bulks up");
        }
        _ => {}
    }
}
