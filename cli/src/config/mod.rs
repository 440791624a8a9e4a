//! The configuration file: which one it is, and what arguments take from it.

pub(crate) mod check;
mod completion;
mod overruled;
pub(crate) mod secret;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::error::ErrorKind as ClapKind;
use clap::{ArgMatches, FromArgMatches};
use snapfill::settings::config::{Config, ConfigFile};

use crate::arguments::{Arguments, BackfillCommand, Command};
use crate::exit::Failure;

/// Where the console of OpenSearch's Migration Assistant looks for its file.
const USUAL_PLACE: &str = "/config/migration_services.yaml";

const VARIABLE: &str = "SNAPFILL_CONFIG";

/// What is said to who left something out.
pub(crate) const HINT: &str = "\nWhat is missing may also stand in a configuration file: give it by --config-file or SNAPFILL_CONFIG \
                               (`snapfill config check FILE` looks at it).";

/// Why there are no arguments.
pub(crate) enum Refusal {
    /// They make no sense, or ask for help.
    Arguments(clap::Error),
    /// The configuration file cannot be used.
    File(Failure),
}

impl From<clap::Error> for Refusal {
    fn from(error: clap::Error) -> Self {
        Self::Arguments(error)
    }
}

/// What was typed. What was not typed is taken from the environment, and then from the configuration file.
pub(crate) fn parse(words: &[OsString]) -> Result<Arguments, Refusal> {
    let plain = Arguments::definition().try_get_matches_from(words);
    let plain = plain.and_then(|matches| Arguments::from_arg_matches(&matches));
    let path = match &plain {
        Ok(arguments) if !arguments.command.takes_configuration() => return plain_of(plain),
        Err(error) if !may_be_completed(error) => return plain_of(plain),
        _ => typed(words).or_else(found),
    };
    let Some(path) = path else { return plain_of(plain) };
    let file = ConfigFile::read(path).map_err(|error| Refusal::File(Failure::usage(error)))?;
    Ok(Arguments::from_arg_matches(&completed(file, words)?)?)
}

/// What was typed, completed by a file without what was overruled.
fn completed(file: ConfigFile, words: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let mut config = file.config;
    let path = std::path::absolute(&file.path).unwrap_or(file.path);
    let once = |config: &Config| {
        completion::complete(Arguments::definition(), config, &path).try_get_matches_from(words)
    };
    let matches = once(&config)?;
    if overruled::take_out(&mut config, &matches) { once(&config) } else { Ok(matches) }
}

fn plain_of(plain: Result<Arguments, clap::Error>) -> Result<Arguments, Refusal> {
    plain.map_err(Refusal::Arguments)
}

/// Whether a file could make sense of what makes none.
fn may_be_completed(error: &clap::Error) -> bool {
    error.kind() == ClapKind::MissingRequiredArgument
}

/// The file that was typed. Looked for by hand, since it must be known before the arguments can be understood.
fn typed(words: &[OsString]) -> Option<PathBuf> {
    let mut words = words.iter().skip(1).take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == "--config-file" {
            return words.next().map(PathBuf::from);
        }
        if let Some(path) = word.to_str().and_then(|word| word.strip_prefix("--config-file=")) {
            return Some(PathBuf::from(path));
        }
    }
    None
}

/// The file that is meant where none was typed.
pub(crate) fn found() -> Option<PathBuf> {
    let set = std::env::var_os(VARIABLE).filter(|path| path != OsStr::new(""));
    let usual = || Some(PathBuf::from(USUAL_PLACE)).filter(|path| path.is_file());
    set.map(PathBuf::from).or_else(usual)
}

impl Command {
    /// Whether its arguments may stand in a configuration file.
    fn takes_configuration(&self) -> bool {
        !matches!(
            self,
            Self::Config(_)
                | Self::Completions(_)
                | Self::Get(_)
                | Self::Supervise(_)
                | Self::Backfill(BackfillCommand::Describe)
        )
    }
}

#[cfg(test)]
mod tests;
