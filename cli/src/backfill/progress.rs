//! How far a run is: a bar on a terminal, now and then a line elsewhere.

use std::collections::HashSet;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use snapfill::controller::{Event, Work};

use crate::output::{Output, grouped};

/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows the progress of a run on standard error.
pub(crate) struct Progress<'a> {
    output: &'a Output,
    bar: ProgressBar,
    documents: u64,
    done: u64,
    shards: u64,
    shards_done: u64,
    last_line: Duration,
    /// What was said of shards that failed: an item is tried again, and mostly fails the same way.
    complaints: HashSet<String>,
}

impl<'a> Progress<'a> {
    /// Begins where earlier runs of the session left off.
    pub(crate) fn new(work: &Work, output: &'a Output) -> Self {
        let terminal = std::io::stderr().is_terminal() && !output.is_json();
        let target =
            if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let documents = work.documents_total;
        let bar = ProgressBar::with_draw_target(Some(documents), target);
        // The template is a constant: should it not parse, a plain bar does.
        if let Ok(style) = ProgressStyle::with_template(
            "{bar:40.cyan} {human_pos} of {human_len} documents {msg} {eta}",
        ) {
            bar.set_style(style);
        }
        let mut progress = Self {
            output,
            bar,
            documents,
            done: work.documents_done,
            shards: work.shards.total,
            shards_done: work.shards.completed,
            last_line: Duration::ZERO,
            complaints: HashSet::new(),
        };
        progress.show(false);
        progress
    }

    /// Takes an event in.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::Progress { documents, .. } => {
                self.done = (self.done + documents).min(self.documents)
            }
            Event::Warning { index, warning } => self.say(&format!("{index}: {warning}")),
            Event::SendingPaused { reason } => self.say(&format!("Sending is paused: {reason}")),
            Event::SendingResumed { after_seconds } => {
                self.say(&format!("Sending goes on, after a pause of {after_seconds} s"));
            }
            Event::ItemCompleted { .. } => self.shards_done += 1,
            Event::ItemFailed { index, shard, reason } => {
                let complaint = format!("{index}[{shard}] failed: {reason}");
                if self.complaints.insert(complaint.clone()) {
                    self.say(&complaint);
                }
            }
            _ => return,
        }
        self.show(true);
    }

    /// Clears the bar.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, text: &str) {
        if !self.output.is_json() {
            self.bar.suspend(|| self.output.remark(text));
        }
    }

    fn show(&mut self, seldom: bool) {
        let shards = format!("{} of {} shards", self.shards_done, self.shards);
        if !self.bar.is_hidden() {
            self.bar.set_position(self.done);
            self.bar.set_message(shards);
            return;
        }
        let elapsed = self.bar.elapsed();
        if seldom && elapsed.saturating_sub(self.last_line) < LINE_EVERY {
            return;
        }
        self.last_line = elapsed;
        let (done, all) = (grouped(self.done), grouped(self.documents));
        self.say(&format!("{done} of {all} documents, {shards}"));
    }
}
