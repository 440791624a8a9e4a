//! `snapfill backfill failed list`.

use std::io::Write;

use serde::Serialize;
use snapfill::failed::{FailedDocument, FailedFilter, FailureClass};
use snapfill::{Error, ErrorKind};

use crate::exit::{Exit, Failure};
use crate::output::{Output, count_of, write_failed};

use super::{List, on_one_line};

/// A failed document without its source.
#[derive(Serialize)]
struct Line<'a> {
    index: &'a str,
    id: &'a str,
    class: FailureClass,
    status: u16,
    error_type: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    routing: Option<&'a str>,
    source_index: &'a str,
    shard: u32,
    number: u32,
}

impl<'a> Line<'a> {
    fn of(document: &'a FailedDocument) -> Self {
        Self {
            index: &document.index,
            id: &document.id,
            class: document.class,
            status: document.status,
            error_type: &document.error_type,
            reason: &document.reason,
            routing: document.routing.as_deref(),
            source_index: &document.source_index,
            shard: document.shard,
            number: document.number,
        }
    }

    fn text(&self) -> String {
        let [index, id, word, reason] =
            [self.index, self.id, self.error_type, self.reason].map(on_one_line);
        format!("{index}\t{id}\t{}\t{word}: {reason}", self.class)
    }
}

pub(crate) async fn run(arguments: List, output: &Output) -> Result<Exit, Failure> {
    let log = arguments.run.open().await?;
    let limit = arguments.limit.unwrap_or(u64::MAX);
    let filter = FailedFilter::from(arguments.which);
    let mut lines = output.stream();
    let (mut listed, mut more) = (0, false);
    let mut documents = log.documents().await?;
    'all: while let Some(failed) = documents.next().await {
        for document in failed?.iter().filter(|document| filter.admits(document)) {
            if listed == limit {
                more = true;
                break 'all;
            }
            listed += 1;
            let line = Line::of(document);
            let text = if output.is_json() { json(&line)? } else { line.text() };
            writeln!(lines, "{text}").map_err(write_failed)?;
        }
    }
    lines.flush().map_err(write_failed)?;
    if !output.is_json() {
        let rest = if more { ", and there are more" } else { "" };
        output.remark(&format!("{}{rest}", count_of(listed, "failed document")));
    }
    Ok(Exit::Completed)
}

fn json(line: &Line<'_>) -> Result<String, Failure> {
    Ok(serde_json::to_string(line)
        .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?)
}
