//! `snapfill backfill describe`.

use std::path::PathBuf;

use snapfill::settings::config::Config;

use crate::config::check::read;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Prints what the configuration file says of the backfill. Its secrets do not come along.
pub(crate) fn run(typed: Option<PathBuf>, output: &Output) -> Result<Exit, Failure> {
    let mut config: Config = read(typed)?.config;
    // A cluster that is only listed is no part of it.
    config.source.cluster = None;
    if output.is_json() {
        output.print_json(&config)?;
    } else {
        output.line(config.to_string().trim_end())?;
    }
    Ok(Exit::Completed)
}
