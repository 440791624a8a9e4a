//! `snapfill backfill limit`.

use std::num::NonZeroU64;

use serde_json::json;
use snapfill::cluster::IndexRow;
use snapfill::settings::RateLimits;

use crate::exit::{Exit, Failure};
use crate::output::{Output, count_of};
use crate::pacing::Limit;

pub(crate) async fn run(arguments: Limit, output: &Output) -> Result<Exit, Failure> {
    let backfill = arguments.run.attach().await?;
    let known = backfill.rate_limits().await?;
    let limits = arguments.change(known);
    if arguments.docs_per_second.is_some() || arguments.bytes_per_second.is_some() {
        backfill.set_rate_limits(limits).await?;
    }
    if output.is_json() {
        output.print_json(&json!({ "limits": limits }))?;
    } else {
        output.line(&describe(limits))?;
    }
    Ok(Exit::Completed)
}

/// The ceilings in one line.
pub(super) fn describe(limits: RateLimits) -> String {
    let documents = limits.documents_per_second.map(|rate| count_of(rate.get(), "document"));
    let bytes = limits.bytes_per_second.map(NonZeroU64::get).map(IndexRow::human_size);
    match (documents, bytes) {
        (None, None) => "No ceiling".to_owned(),
        (Some(one), None) | (None, Some(one)) => {
            format!("At most {one} a second from each worker process")
        }
        (Some(documents), Some(bytes)) => {
            format!("At most {documents} and {bytes} a second from each worker process")
        }
    }
}
