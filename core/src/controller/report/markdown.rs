//! A report as Markdown, readable as printed.

use std::fmt::{self, Write};

use jiff::Timestamp;

use super::table::Align::{Left, Right};
use super::table::table;
use super::{Report, TargetCheck};
use crate::SkipReason;
use crate::cluster::IndexRow;
use crate::controller::RunEnd;

/// Ids of a group of failures that are named.
const NAMED_IDS: usize = 3;

impl Report {
    /// The report as Markdown: tables whose columns stand below each other, so that it can be read as it is.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write_markdown(&mut text);
        text
    }

    fn write_markdown(&self, to: &mut String) -> fmt::Result {
        writeln!(to, "# Backfill report\n\n{}\n", self.verdict())?;
        to.push_str(&table(&[("", Left), ("", Left)], &self.facts()));
        writeln!(to, "\n## Documents\n")?;
        to.push_str(&self.indices_table());
        writeln!(to, "\n{}", self.balance())?;
        for (reason, count) in &self.books.skipped {
            let what = if reason.counts_documents() { "" } else { " whole shards" };
            writeln!(
                to,
                "\nSkipped {}{what}: {}.",
                grouped(*count),
                SkipReason::explanation(*reason)
            )?;
        }
        if !self.targets.is_empty() {
            writeln!(to, "\n## What the target holds\n")?;
            to.push_str(&self.targets_table());
        }
        self.write_failures(to)?;
        self.write_given_up(to)?;
        self.write_list(
            to,
            "Warnings before the run",
            self.warnings.iter().map(|warning| format!("`{}`: {}", warning.index, warning.warning)),
        )?;
        self.write_list(to, "Notes", self.notes.iter().cloned())?;
        let settings = serde_json::to_string_pretty(&self.settings).unwrap_or_default();
        writeln!(to, "\n## Settings\n\n```json\n{settings}\n```")
    }

    fn verdict(&self) -> String {
        let shards = match self.shards.total {
            1 => "1 shard".to_owned(),
            total => format!("{} shards", grouped(total)),
        };
        match self.end {
            Some(RunEnd::Completed) => {
                format!("**Completed**: all {shards} done, no document lost.")
            }
            Some(RunEnd::CompletedWithErrors) => {
                format!(
                    "**Completed with errors**: all {shards} done, but not every document was written."
                )
            }
            Some(RunEnd::Failed) => {
                format!("**Failed**: {} of {shards} given up.", grouped(self.shards.failed))
            }
            None => {
                format!("**Not done**: {} of {shards} done.", grouped(self.shards.completed))
            }
        }
    }

    fn facts(&self) -> Vec<Vec<String>> {
        let mut facts = vec![
            ("Snapshot", format!("`{}` ({})", self.snapshot.name, self.snapshot.uuid)),
            ("Repository", self.repository.clone()),
            ("Target", self.target.clone()),
            (
                "Session",
                match self.session.as_str() {
                    "" => "the usual one".to_owned(),
                    name => format!("`{name}`"),
                },
            ),
            ("Status", self.status.to_string()),
            ("Begun", time(self.begun)),
        ];
        if let Some(ended) = self.ended {
            facts.push(("Ended", time(ended)));
        }
        if let Some((documents, bytes)) = self.documents_per_second.zip(self.bytes_per_second) {
            let bytes = IndexRow::human_size(bytes);
            facts.push(("Speed", format!("{} documents and {bytes} a second", grouped(documents))));
        }
        if let Some(archive) = &self.archive {
            facts.push(("Archive", archive.display().to_string()));
        }
        facts.push(("Report made", format!("{} by snapfill {}", time(self.made), self.version)));
        facts.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect()
    }

    fn indices_table(&self) -> String {
        let header = [
            ("index", Left),
            ("target", Left),
            ("shards", Right),
            ("live", Right),
            ("written", Right),
            ("failed", Right),
            ("skipped", Right),
            ("overwritten", Right),
            ("present", Right),
            ("source", Right),
            ("balanced", Left),
        ];
        let figures = |books: &crate::Books| {
            [books.written, books.failed, books.skipped_total(), books.overwritten, books.present]
                .map(grouped)
                .into_iter()
                .chain([IndexRow::human_size(books.bytes)])
        };
        let mut rows: Vec<Vec<String>> = self
            .indices
            .iter()
            .map(|index| {
                let shards = format!("{} of {}", index.shards.completed, index.shards.total);
                let head =
                    [index.index.clone(), index.targets.join(", "), shards, grouped(index.live)];
                let row = head.into_iter().chain(figures(&index.books));
                row.chain([balanced(index.balanced).to_owned()]).collect()
            })
            .collect();
        let shards = format!("{} of {}", self.shards.completed, self.shards.total);
        let head = ["all".to_owned(), String::new(), shards, grouped(self.live)];
        let total = head.into_iter().chain(figures(&self.books));
        rows.push(total.chain([balanced(self.balanced).to_owned()]).collect());
        table(&header, &rows)
    }

    fn balance(&self) -> String {
        let books = &self.books;
        let added = match books.added {
            0 => String::new(),
            added => format!(" - {} added by the transform", grouped(added)),
        };
        let sides = format!(
            "{} written + {} failed + {} skipped{added}",
            grouped(books.written),
            grouped(books.failed),
            grouped(books.skipped_total())
        );
        match self.balanced {
            Some(true) => format!("The books balance: {} live = {sides}.", grouped(self.live)),
            Some(false) => {
                format!("The books do **not** balance: {} live, but {sides}.", grouped(self.live))
            }
            None => format!(
                "So far: {sides}; live documents of shards that are not done are not known."
            ),
        }
    }

    fn targets_table(&self) -> String {
        let header = [
            ("target", Left),
            ("from", Left),
            ("before", Right),
            ("expected", Right),
            ("there", Right),
            ("difference", Right),
            ("remark", Left),
        ];
        let unknown = |figure: Option<u64>| figure.map_or_else(|| "?".to_owned(), grouped);
        let rows = self.targets.iter().flat_map(|check: &TargetCheck| {
            let several = check.targets.len() > 1;
            let each = check.targets.iter().map(move |target| {
                let error = target.error.clone().unwrap_or_default();
                let from = check.sources.join(", ");
                let mut row = vec![target.index.clone(), from, unknown(target.before)];
                match several {
                    true => {
                        row.extend([String::new(), unknown(target.documents), String::new(), error])
                    }
                    false => row.extend(compared(check, error)),
                }
                row
            });
            let sum = several.then(|| {
                let names = format!("these {}", check.targets.len());
                let head = [names, check.sources.join(", "), String::new()];
                head.into_iter().chain(compared(check, String::new())).collect()
            });
            each.chain(sum).collect::<Vec<Vec<String>>>()
        });
        table(&header, &rows.collect::<Vec<_>>())
    }

    fn write_failures(&self, to: &mut String) -> fmt::Result {
        let Some(failures) = self.failures.as_ref().filter(|failures| failures.total > 0) else {
            return Ok(());
        };
        writeln!(to, "\n## Refused documents\n")?;
        writeln!(
            to,
            "{} documents were refused and are kept: `backfill failed list`, `backfill failed redrive`.\n",
            grouped(failures.total)
        )?;
        let header = [
            ("index", Left),
            ("class", Left),
            ("type", Left),
            ("documents", Right),
            ("for example", Left),
            ("reason", Left),
            ("what may help", Left),
        ];
        let rows: Vec<Vec<String>> = failures
            .groups
            .iter()
            .map(|group| {
                let ids: Vec<_> = group.example_ids.iter().take(NAMED_IDS).cloned().collect();
                vec![
                    group.index.clone(),
                    group.class.to_string(),
                    group.error_type.clone(),
                    grouped(group.documents),
                    ids.join(", "),
                    group.example_reason.clone(),
                    group.remedy.to_owned(),
                ]
            })
            .collect();
        to.push_str(&table(&header, &rows));
        Ok(())
    }

    fn write_given_up(&self, to: &mut String) -> fmt::Result {
        if self.given_up.is_empty() {
            return Ok(());
        }
        writeln!(to, "\n## Given up\n")?;
        let header = [("index", Left), ("shard", Right), ("attempts", Right), ("last error", Left)];
        let rows: Vec<Vec<String>> = self
            .given_up
            .iter()
            .map(|item| {
                let (shard, attempts) = (item.shard.to_string(), item.attempts.to_string());
                vec![item.index.clone(), shard, attempts, item.reason.clone()]
            })
            .collect();
        to.push_str(&table(&header, &rows));
        Ok(())
    }

    fn write_list(
        &self,
        to: &mut String,
        title: &str,
        lines: impl Iterator<Item = String>,
    ) -> fmt::Result {
        let mut lines = lines.peekable();
        if lines.peek().is_none() {
            return Ok(());
        }
        writeln!(to, "\n## {title}\n")?;
        for line in lines {
            writeln!(to, "- {}", line.replace(['\n', '\r'], " "))?;
        }
        Ok(())
    }
}

/// The figures that a check comes to.
fn compared(check: &TargetCheck, error: String) -> [String; 4] {
    let unknown = |figure: Option<u64>| figure.map_or_else(|| "?".to_owned(), grouped);
    let difference = check.difference.map_or_else(
        || "?".to_owned(),
        |difference| {
            let sign = match difference {
                0 => "",
                1.. => "+",
                _ => "-",
            };
            format!("{sign}{}", grouped(difference.unsigned_abs()))
        },
    );
    let remark = if error.is_empty() { check.explanation.clone() } else { error };
    [unknown(check.expected), unknown(check.documents), difference, remark]
}

fn balanced(balanced: Option<bool>) -> &'static str {
    match balanced {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "not yet",
    }
}

fn time(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(
        || seconds.to_string(),
        |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

/// A number with its thousands apart: `1 234 567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let parts: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    parts.join(" ")
}
