//! What a worker counts, as Prometheus reads it.

use std::fmt;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::board::Board;

/// The type of the text.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics, as OpenMetrics text.
pub(crate) fn text(board: &Board) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("snapfill");
    register_counters(board, &mut registry);
    register_gauges(board, &mut registry);
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "Which snapfill it is", version);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

fn register_counters(board: &Board, registry: &mut Registry) {
    let figures = board.tally().figures();
    let counters = [
        ("documents", "Documents settled: written, failed or skipped", figures.documents),
        ("written_bytes", "Source bytes written", figures.bytes),
        ("bulks", "Bulk requests begun", figures.bulks),
        ("retries", "Bulk requests begun because one before was not taken", figures.retries),
        (
            "failed_documents",
            "Documents that the target refused for good",
            figures.failed_documents,
        ),
        ("items_taken", "Work items taken", figures.items_taken),
        ("items_completed", "Work items completed", figures.items_completed),
        ("items_failed", "Attempts at work items that failed", figures.items_failed),
        ("leases_lost", "Leases that ran out or were taken over", figures.leases_lost),
    ];
    for (name, help, value) in counters {
        registry.register(name, help, ConstCounter::new(value));
    }
}

fn register_gauges(board: &Board, registry: &mut Registry) {
    let (sending, pace) = (board.sending(), board.pace());
    let in_flight: usize = sending.workers.iter().map(|worker| worker.in_flight).sum();
    let limit: usize = sending.workers.iter().map(|worker| worker.limit).sum();
    let paused = if sending.paused.is_some() { 1.0 } else { 0.0 };
    let gauges = [
        ("leases_held", "Work items held now", board.tally().figures().leases_held as f64),
        ("bulks_in_flight", "Bulk requests that are out now", in_flight as f64),
        ("bulks_in_flight_limit", "Bulk requests that may be out now", limit as f64),
        ("sending_paused", "1 while nothing is sent, to spare the target", paused),
        ("documents_per_second", "Documents settled each second of late", pace.documents),
        ("bytes_per_second", "Source bytes written each second of late", pace.bytes),
    ];
    for (name, help, value) in gauges {
        registry.register(name, help, ConstGauge::new(value));
    }
}
