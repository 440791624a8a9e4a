//! `snapfill backfill failed`: what the target refused for good.

mod export;
mod list;
mod redrive;
mod summary;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use snapfill::Error;
use snapfill::failed::{FailedFilter, FailedLog, FailedStore, FailureClass};
use snapfill::snapshot::S3Options;

use crate::arguments::{ClusterOptions, Target};
#[cfg(feature = "s3")]
use crate::bucket::BucketOptions;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::working_state::StateOption;
use crate::writing::Allowed;

use super::attach::WhichRun;
use crate::fleet::FleetOptions;

#[derive(Debug, Subcommand)]
pub(crate) enum FailedCommand {
    /// List failed documents, one a line: target index, id, class, reason
    List(List),
    /// Count failed documents by index, class and reason, and say what helps
    Summary(Summary),
    /// Send failed documents again; what is taken is none any more
    Redrive(Box<Redrive>),
    /// Write failed documents as the lines of bulk requests, to be sent by hand
    Export(Export),
}

impl FailedCommand {
    /// Whether standard output is a stream of lines.
    pub(crate) fn streams(&self) -> bool {
        match self {
            Self::List(_) => true,
            Self::Export(export) => export.is_stdout(),
            _ => false,
        }
    }
}

/// Where failed documents are kept.
#[derive(Debug, Args)]
pub(crate) struct Place {
    #[command(flatten)]
    state: StateOption,
    /// The run's session, where it was given one
    #[arg(long, value_name = "NAME", default_value = "")]
    session: String,
    /// Where they are kept, if not where the run says: a folder or s3://bucket/folder
    #[arg(long, value_name = "DIR|URL")]
    failed_store: Option<String>,
    #[cfg(feature = "s3")]
    #[command(flatten)]
    bucket: BucketOptions,
    #[command(flatten)]
    cluster: ClusterOptions,
}

/// Which failed documents are meant.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Only those of this index, by its name in the snapshot or in the target (may be given several times)
    #[arg(long = "index", value_name = "NAME")]
    indices: Vec<String>,
    /// Only those of this class (may be given several times)
    #[arg(long = "class", value_name = "CLASS", value_enum)]
    classes: Vec<ClassWord>,
}

impl From<Which> for FailedFilter {
    fn from(which: Which) -> Self {
        Self {
            indices: which.indices,
            classes: which.classes.into_iter().map(Into::into).collect(),
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ClassWord {
    /// The document does not fit the index's mapping
    Mapping,
    /// The target takes no request as long
    #[value(name = "too_large")]
    TooLarge,
    /// The id is taken by a newer version
    Version,
    /// Anything else
    Other,
}

impl From<ClassWord> for FailureClass {
    fn from(word: ClassWord) -> Self {
        match word {
            ClassWord::Mapping => Self::Mapping,
            ClassWord::TooLarge => Self::TooLarge,
            ClassWord::Version => Self::Version,
            ClassWord::Other => Self::Other,
        }
    }
}

/// The run whose failed documents are looked at: by its target, or by the place itself.
#[derive(Debug, Args)]
pub(crate) struct OfRun {
    /// The target: a folder or a cluster's URL
    #[arg(long, value_name = "DIR|URL")]
    target: Option<Target>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    run: OfRun,
    #[command(flatten)]
    which: Which,
    /// So many at most
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Summary {
    #[command(flatten)]
    run: OfRun,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The file to write, which must not be there yet; `-` for standard output
    #[arg(value_name = "FILE|-")]
    to: PathBuf,
    #[command(flatten)]
    run: OfRun,
    #[command(flatten)]
    which: Which,
}

impl Export {
    fn is_stdout(&self) -> bool {
        self.to.as_os_str() == "-"
    }
}

#[derive(Debug, Args)]
pub(crate) struct Redrive {
    /// The target: a folder or a cluster's URL
    #[arg(long, value_name = "DIR|URL")]
    target: Target,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    allowed: Allowed,
}

pub(crate) async fn run(command: FailedCommand, output: &Output) -> Result<Exit, Failure> {
    match command {
        FailedCommand::List(arguments) => list::run(arguments, output).await,
        FailedCommand::Summary(arguments) => summary::run(arguments, output).await,
        FailedCommand::Redrive(arguments) => redrive::run(*arguments, output).await,
        FailedCommand::Export(arguments) => export::run(arguments, output).await,
    }
}

impl OfRun {
    async fn open(&self) -> Result<FailedLog, Failure> {
        self.place.open(self.target.as_ref()).await
    }
}

impl Place {
    fn s3(&self) -> S3Options {
        #[cfg(feature = "s3")]
        return self.bucket.clone().into();
        #[cfg(not(feature = "s3"))]
        S3Options::default()
    }

    async fn open(&self, target: Option<&Target>) -> Result<FailedLog, Failure> {
        match (&self.failed_store, target) {
            (Some(place), _) => {
                Ok(FailedStore::existing(place, &self.s3()).await?.session(&self.session))
            }
            (None, Some(target)) => {
                let (Self { state, session, cluster, .. }, here) = (self, FleetOptions::default());
                let run =
                    WhichRun { target, state, session, cluster, fleet: &here }.attach().await?;
                Ok(run.failed_documents().await?)
            }
            (None, None) => Err(Failure::usage(Error::new(
                snapfill::ErrorKind::Config,
                "say which run is meant by --target, or where its failed documents are by --failed-store",
            ))),
        }
    }
}

/// A text on one line, whatever it holds: ids and reasons are somebody else's.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::on_one_line;

    #[test]
    fn what_would_break_a_line_is_escaped() {
        assert_eq!(on_one_line("a\nb\t\u{1b}[31mé"), "a\\nb\\t\\u{1b}[31mé");
    }
}
