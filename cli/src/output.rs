//! Printing: text or JSON, coloured only on a terminal.

use std::io::{BufWriter, IsTerminal, StdoutLock, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;
use snapfill::{Error, ErrorKind, Result};

/// Marks the error of a reader that went away, as `head` does.
const CLOSED: &str = "closed";

/// Where and how to print.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    /// Whether standard output is a stream of lines: then nothing else may be printed there.
    streams: bool,
    /// Whether what is said on the side is a log line.
    logs: bool,
}

impl Output {
    pub(crate) fn new(json: bool, streams: bool) -> Self {
        Self { json, streams, logs: false }
    }

    /// Has what is said on the side logged, where standard error is read as a log.
    #[must_use]
    pub(crate) fn logging(mut self, logs: bool) -> Self {
        self.logs = logs;
        self
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    pub(crate) fn closed_mark(&self) -> &'static str {
        CLOSED
    }

    /// Standard output, for a stream of lines.
    pub(crate) fn stream(&self) -> BufWriter<StdoutLock<'static>> {
        BufWriter::with_capacity(1 << 20, std::io::stdout().lock())
    }

    /// Prints a line of text. What a command has come to does not change when its reader goes away: then the line is
    /// dropped.
    pub(crate) fn line(&self, text: &str) -> Result<()> {
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.write_all(b"\n")) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(write_failed(error))
            }
            _ => Ok(()),
        }
    }

    /// Prints the JSON document of the command.
    pub(crate) fn print_json(&self, document: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(document)
            .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
        self.line(&text)
    }

    /// Says something on the side: not part of the result.
    pub(crate) fn remark(&self, text: &str) {
        if self.logs {
            tracing::info!("{text}");
            return;
        }
        // Where standard error is gone, nobody waits for a remark.
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// Prints what went wrong as JSON: where the document of the command would stand, or beside its stream.
    pub(crate) fn print_json_error(&self, error: &serde_json::Value) {
        if self.streams {
            self.remark(&error.to_string());
        } else if let Err(failed) = self.print_json(error) {
            self.complain(&failed.to_string());
        }
    }

    /// Says what went wrong.
    pub(crate) fn complain(&self, text: &str) {
        if self.logs {
            tracing::error!("{text}");
            return;
        }
        let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let (on, off) = if coloured { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
        self.remark(&format!("{on}error:{off} {text}"));
    }
}

/// What a failed write to standard output is.
pub(crate) fn write_failed(error: std::io::Error) -> Error {
    let closed = error.kind() == std::io::ErrorKind::BrokenPipe;
    let failed = Error::new(ErrorKind::Io, format!("cannot write to standard output: {error}"))
        .with_source(error);
    if closed { failed.with_context(CLOSED, true) } else { failed }
}

/// Columns aligned by spaces, as `_cat` prints them: text to the left, numbers to the right.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>, numbers: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.to_vec());
    table.add_rows(rows);
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if numbers.contains(&place) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// A number with its thousands apart: `1 234 567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// One thing or many: `1 shard`, `3 shards`.
pub(crate) fn count_of(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{} {what}s", grouped(number)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_easily() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1 000", "1 234 567"]);
        assert_eq!([count_of(1, "shard"), count_of(0, "shard")], ["1 shard", "0 shards"]);
    }

    #[test]
    fn tables_are_aligned_by_spaces() {
        let rows =
            vec![vec!["a".to_owned(), "1".to_owned()], vec!["long".to_owned(), "100".to_owned()]];
        assert_eq!(table(&["name", "n"], rows, &[1]), "name   n\na      1\nlong 100");
    }
}
