//! `snapfill config …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use snapfill::settings::config::{ConfigFile, schema};
use snapfill::{Error, ErrorKind};

use super::found;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// What can be asked of configuration files.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say what is wrong with a configuration file, line by line, or what was understood
    Check(Check),
    /// Print the JSON schema of configuration files, for editors
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The file: TOML or YAML, or a `services.yaml` of OpenSearch's Migration Assistant. Unless given, the one that other
    /// commands would read
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(crate) fn run(
    command: ConfigCommand,
    typed: Option<PathBuf>,
    output: &Output,
) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Check(arguments) => check(&read(arguments.file.or(typed))?, output)?,
        ConfigCommand::Schema => output.print_json(&schema())?,
    }
    Ok(Exit::Completed)
}

/// The file that is meant.
pub(crate) fn read(typed: Option<PathBuf>) -> Result<ConfigFile, Failure> {
    let Some(path) = typed.or_else(found) else {
        let message = "there is no configuration file: give one by --config-file or the environment variable SNAPFILL_CONFIG";
        return Err(Failure::usage(Error::new(ErrorKind::Config, message)));
    };
    Ok(ConfigFile::read(path)?)
}

fn check(file: &ConfigFile, output: &Output) -> Result<(), Error> {
    if output.is_json() {
        return output.print_json(&json!({
            "file": file.path,
            "format": file.format.name(),
            "config": file.config,
            "notes": file.notes,
        }));
    }
    output.line(&format!(
        "{} is in order ({}). What it says:",
        file.path.display(),
        file.format
    ))?;
    output.line("")?;
    output.line(file.config.to_string().trim_end())?;
    if !file.notes.is_empty() {
        output.line("")?;
    }
    for note in &file.notes {
        output.line(&format!("Note: {note}"))?;
    }
    Ok(())
}
