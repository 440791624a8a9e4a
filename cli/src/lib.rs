//! The command line of snapfill: parse, call the core, print.

mod arguments;
#[cfg(feature = "aws")]
mod aws;
mod backfill;
#[cfg(feature = "s3")]
mod bucket;
mod choosing;
mod clusters;
mod completions;
mod config;
mod exit;
mod fleet;
mod get;
mod logging;
mod output;
mod pacing;
mod reading;
mod signals;
mod snapshot;
mod supervise;
mod target;
mod worker;
mod working_state;
mod writing;

use std::ffi::OsString;
use std::path::PathBuf;

use arguments::{BackfillCommand, ClustersCommand, Command, SnapshotCommand};
use config::Refusal;
use exit::{Exit, Failure};
use output::Output;

/// Runs the command line within a program that is more than it, such as the interpreter of another language. `program` with the
/// arguments `before` begins the command line as a process of its own: that is how workers in the background are begun.
pub fn main_within<W: Into<OsString> + Clone>(
    program: PathBuf,
    before: Vec<String>,
    words: impl IntoIterator<Item = W>,
) -> u8 {
    fleet::begin_processes_by(program, before);
    main(words)
}

/// Runs the command line with these words, the program's name first, and gives its exit code. An interruption ends the process.
pub fn main<W: Into<OsString> + Clone>(words: impl IntoIterator<Item = W>) -> u8 {
    let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
    let arguments = match config::parse(&words) {
        Ok(arguments) => arguments,
        Err(refusal) => return refuse(refusal, &words).code(),
    };
    let streams = match &arguments.command {
        Command::Snapshot(SnapshotCommand::Cat(_)) => true,
        Command::Backfill(BackfillCommand::Watch(_)) => true,
        Command::Backfill(BackfillCommand::Scale(arguments)) => arguments.streams(),
        Command::Backfill(BackfillCommand::Failed(command)) => command.streams(),
        _ => false,
    };
    let talks = matches!(arguments.command, Command::Worker(_) | Command::Supervise(_));
    let logs = arguments.logging.begin(talks);
    let output = Output::new(arguments.json, streams).logging(logs);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended =
                runtime.block_on(dispatch(arguments.command, arguments.config_file, &output));
            // A reader that is still busy must not hold up the end.
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(snapfill::Error::from(error).into()),
    };
    match ended {
        Ok(exit) => exit.code(),
        Err(failure) => failure.report(&output).code(),
    }
}

/// Says why there is nothing to do.
fn refuse(refusal: Refusal, words: &[OsString]) -> Exit {
    match refusal {
        Refusal::File(failure) => {
            let is_json = words.iter().any(|word| word == "--json");
            failure.report(&Output::new(is_json, false))
        }
        Refusal::Arguments(error) => {
            // Where nobody reads, nobody is told.
            let _ = error.print();
            if error.kind() == clap::error::ErrorKind::MissingRequiredArgument {
                Output::new(false, false).remark(config::HINT);
            }
            if error.use_stderr() { Exit::Usage } else { Exit::Completed }
        }
    }
}

async fn dispatch(
    command: Command,
    config_file: Option<PathBuf>,
    output: &Output,
) -> Result<Exit, Failure> {
    // A run lets what is in flight finish, and who watches says that it goes on; nothing else has anything to finish.
    let drains = matches!(
        command,
        Command::Backfill(BackfillCommand::Run(_) | BackfillCommand::Watch(_))
            | Command::Run(_)
            | Command::Worker(_)
            | Command::Supervise(_)
    );
    if !drains {
        tokio::spawn(end_when_interrupted());
    }
    match command {
        Command::Snapshot(SnapshotCommand::List(arguments)) => {
            snapshot::list::run(arguments, output).await
        }
        Command::Snapshot(SnapshotCommand::Describe(arguments)) => {
            snapshot::describe::run(arguments, output).await
        }
        Command::Snapshot(SnapshotCommand::Cat(arguments)) => {
            snapshot::cat::run(arguments, output).await
        }
        Command::Snapshot(SnapshotCommand::Verify(arguments)) => {
            snapshot::verify::run(arguments, output).await
        }
        Command::Backfill(command) => dispatch_backfill(command, config_file, output).await,
        Command::Run(arguments) => backfill::run::run((*arguments).into(), output).await,
        Command::Worker(arguments) => worker::run(*arguments).await,
        Command::Clusters(ClustersCommand::CatIndices(arguments)) => {
            clusters::cat_indices(*arguments, output).await
        }
        Command::Clusters(ClustersCommand::Info(arguments)) => {
            clusters::info(arguments, output).await
        }
        Command::Clusters(ClustersCommand::Health(arguments)) => {
            clusters::health(arguments, output).await
        }
        Command::Clusters(ClustersCommand::ConnectionCheck(arguments)) => {
            clusters::connection_check(arguments, output).await
        }
        Command::Supervise(arguments) => supervise::run(arguments).await,
        Command::Get(arguments) => get::run(arguments, output).await,
        Command::Config(command) => config::check::run(command, config_file, output),
        Command::Completions(arguments) => completions::run(&arguments, output),
    }
}

async fn dispatch_backfill(
    command: BackfillCommand,
    config_file: Option<PathBuf>,
    output: &Output,
) -> Result<Exit, Failure> {
    match command {
        BackfillCommand::Plan(arguments) => backfill::plan::run(*arguments, output).await,
        BackfillCommand::Run(arguments) => backfill::run::run(*arguments, output).await,
        BackfillCommand::Start(arguments) => backfill::start::start(*arguments, output).await,
        BackfillCommand::Scale(arguments) => backfill::start::scale(*arguments, output).await,
        BackfillCommand::Pause(arguments) => backfill::pause::run(arguments, output).await,
        BackfillCommand::Limit(arguments) => backfill::limit::run(arguments, output).await,
        BackfillCommand::Describe => backfill::describe::run(config_file, output),
        BackfillCommand::Status(arguments) => backfill::status::run(arguments, output).await,
        BackfillCommand::Watch(arguments) => backfill::watch::run(arguments, output).await,
        BackfillCommand::Report(arguments) => backfill::report::run(arguments, output).await,
        BackfillCommand::Failed(command) => backfill::failed::run(command, output).await,
        BackfillCommand::Stop(arguments) => backfill::stop::stop(arguments, output).await,
        BackfillCommand::Restore(arguments) => backfill::stop::restore(arguments, output).await,
        BackfillCommand::Reset(arguments) => backfill::stop::reset(arguments, output).await,
    }
}

/// Ends the program at a Ctrl-C, even while it waits for a reader of its output.
async fn end_when_interrupted() {
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(Exit::Interrupted.code().into());
    }
}
