//! `snapfill backfill report`, and `backfill run --report FILE`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;
use snapfill::controller::{self, BackfillController};
use snapfill::{Error, ErrorKind};

use crate::exit::{Exit, Failure};
use crate::output::Output;

use super::attach::OfRun;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Json,
    Markdown,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    #[command(flatten)]
    run: OfRun,
    /// How it is written. Unless given: as JSON with --json or into a FILE that ends with .json, otherwise as Markdown
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<Format>,
    /// Write it to this file in place of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The report of a run at its end.
#[derive(Debug, Args)]
pub(crate) struct ReportOption {
    /// At the end, write a report of what was moved to this file: as JSON if it ends with .json, otherwise as Markdown
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

pub(crate) async fn run(arguments: Report, output: &Output) -> Result<Exit, Failure> {
    if let Some(file) = &arguments.out {
        require_room(file)?;
    }
    let backfill = arguments.run.attach().await?;
    let report = backfill.report().await?;
    let usual = match output.is_json() {
        true => Format::Json,
        false => arguments.out.as_deref().map_or(Format::Markdown, format_of),
    };
    let format = arguments.format.unwrap_or(usual);
    let Some(file) = &arguments.out else {
        output.line(text_of(&report, format)?.trim_end())?;
        return Ok(Exit::Completed);
    };
    write(&report, format, file)?;
    match output.is_json() {
        true => output.print_json(&json!({ "report": file }))?,
        false => output.line(&format!("Report written to {}", file.display()))?,
    }
    Ok(Exit::Completed)
}

impl ReportOption {
    /// Refuses a file that could not be written in the end.
    pub(crate) fn require_room(&self) -> Result<(), Failure> {
        self.report.as_deref().map_or(Ok(()), require_room)
    }

    /// Writes the report, if one was asked for.
    pub(crate) async fn write(
        &self,
        backfill: &dyn BackfillController,
        output: &Output,
    ) -> Result<(), Failure> {
        let Some(file) = &self.report else { return Ok(()) };
        write(&backfill.report().await?, format_of(file), file)?;
        if !output.is_json() {
            output.remark(&format!("Report written to {}", file.display()));
        }
        Ok(())
    }
}

fn format_of(file: &Path) -> Format {
    match file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        true => Format::Json,
        false => Format::Markdown,
    }
}

fn text_of(report: &controller::Report, format: Format) -> Result<String, Failure> {
    match format {
        Format::Markdown => Ok(report.to_markdown()),
        Format::Json => serde_json::to_string_pretty(report)
            .map(|text| text + "\n")
            .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()).into()),
    }
}

fn require_room(file: &Path) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let what = match folder {
        Some(folder) if !folder.is_dir() => format!("there is no folder {}", folder.display()),
        _ if file.is_dir() => "it is a folder".to_owned(),
        _ => return Ok(()),
    };
    let message = format!("the report cannot be written to {}: {what}", file.display());
    Err(Failure::usage(Error::new(ErrorKind::Config, message)))
}

fn write(report: &controller::Report, format: Format, file: &Path) -> Result<(), Failure> {
    let text = text_of(report, format)?;
    std::fs::write(file, text).map_err(|error| {
        let message = format!(
            "the report cannot be written to {}: {error}; `backfill report --out FILE` writes it to another",
            file.display()
        );
        Error::new(ErrorKind::Io, message).with_source(error).into()
    })
}
