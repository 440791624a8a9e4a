//! `snapfill completions`: what a shell reads to complete words.

use clap::Args;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::exit::{Exit, Failure};
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script of a shell.
pub(crate) fn run(arguments: &Completions, output: &Output) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    let mut command = Arguments::definition();
    clap_complete::generate(arguments.shell, &mut command, "snapfill", &mut script);
    output.line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Completed)
}
