//! `snapfill backfill watch`.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use snapfill::controller::{DeepStatus, IndexWork, Watch};

use crate::exit::{Exit, Failure};
use crate::output::{Output, count_of, grouped, write_failed};

use super::attach::OfRun;
use super::pause::pause;
use super::status::{pace, print_work};
use super::stop::end;

/// Indices that have a bar, where the terminal has room for them.
const MOST_BARS: usize = 40;

/// Lines of the terminal that are for other things.
const OTHER_LINES: usize = 5;

/// Lines of a terminal that does not say how many it has.
const USUAL_LINES: usize = 24;

#[derive(Debug, Args)]
pub(crate) struct WatchCommand {
    #[command(flatten)]
    run: OfRun,
    /// Seconds between two looks. Unless given: 1 on a terminal, 10 elsewhere
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    every: Option<Duration>,
    /// What to do when the run is over. Workers of this machine end by themselves; a service or a deployment stays, and costs
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = WhenDone::Stay)]
    when_done: WhenDone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WhenDone {
    /// Nothing
    Stay,
    /// Send all workers away
    Pause,
    /// Send all workers away, archive the working state, and delete it
    Stop,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse::<f64>().ok().filter(|number| (0.05..=86_400.0).contains(number));
    number.map(Duration::from_secs_f64).ok_or_else(|| "give 0.05 to 86400 seconds".to_owned())
}

/// How the backfill is shown.
enum Show<'a> {
    /// One JSON object a line.
    Json(&'a Output),
    /// Bars that are drawn anew.
    Bars(Bars),
    /// One line a look.
    Lines(&'a Output),
}

pub(crate) async fn run(arguments: WatchCommand, output: &Output) -> Result<Exit, Failure> {
    let is_terminal = std::io::stderr().is_terminal();
    let backfill = arguments.run.attach().await?;
    let mut show = match (output.is_json(), is_terminal) {
        (true, _) => Show::Json(output),
        (false, true) => Show::Bars(Bars::new()),
        (false, false) => Show::Lines(output),
    };
    tokio::spawn(end_when_interrupted(output.is_json()));
    let usual = Duration::from_secs(if is_terminal { 1 } else { 10 });
    let mut watch = Watch::new(Arc::new(backfill.clone()), arguments.every.unwrap_or(usual));
    let mut last: Option<DeepStatus> = None;
    let failure = loop {
        match watch.next().await {
            Ok(Some(status)) => {
                show.status(&status)?;
                last = Some(status);
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    show.finish();
    if let Some(error) = failure {
        return Err(error.into());
    }
    let Some(status) = last else { return Ok(Exit::Failed) };
    if !output.is_json() {
        print_work(&status, output)?;
    }
    match arguments.when_done {
        WhenDone::Pause if status.end.is_some() => pause(&backfill, output).await?,
        WhenDone::Stop if status.end.is_some() => {
            end(&backfill, None, output).await?;
        }
        _ => {}
    }
    Ok(status.end.map_or(Exit::Failed, Exit::from))
}

/// A Ctrl-C ends the watching alone.
async fn end_when_interrupted(is_json: bool) {
    if tokio::signal::ctrl_c().await.is_ok() {
        if !is_json {
            // Where standard error is gone, nobody waits for a remark.
            let _ =
                writeln!(std::io::stderr(), "\nThe backfill goes on; only the watching has ended.");
        }
        std::process::exit(Exit::Interrupted.code().into());
    }
}

impl Show<'_> {
    fn status(&mut self, status: &DeepStatus) -> Result<(), Failure> {
        match self {
            Self::Json(output) => {
                let mut stream = output.stream();
                let written = serde_json::to_writer(&mut stream, status)
                    .map_err(std::io::Error::from)
                    .and_then(|()| stream.write_all(b"\n"))
                    .and_then(|()| stream.flush());
                written.map_err(write_failed)?;
            }
            Self::Bars(bars) => bars.show(status),
            Self::Lines(output) => output.remark(&summary(status)),
        }
        Ok(())
    }

    fn finish(self) {
        if let Self::Bars(bars) = self {
            bars.finish();
        }
    }
}

/// All of it in one line.
fn summary(status: &DeepStatus) -> String {
    let (work, fleet) = (&status.work, &status.status.fleet);
    if !status.planned {
        return "Planning is not finished".to_owned();
    }
    let mut text = format!(
        "{} of {} documents, {} of {}, {}",
        grouped(work.documents_done),
        grouped(work.documents_total),
        grouped(work.shards.completed),
        count_of(work.shards.total, "shard"),
        count_of(fleet.running, "worker"),
    );
    if work.shards.failed > 0 {
        text.push_str(&format!(", {} given up", grouped(work.shards.failed)));
    }
    if let Some(pace) = pace(work) {
        text.push_str(&format!(", {pace}"));
    }
    if let Some(reason) = &status.sending.paused {
        text.push_str(&format!("; sending is paused: {reason}"));
    }
    text
}

/// A bar for all, and one for each index that is not done, as far as there is room.
struct Bars {
    all: ProgressBar,
    summary: ProgressBar,
    indices: Vec<ProgressBar>,
    more: ProgressBar,
    bars: MultiProgress,
}

impl Bars {
    fn new() -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let add = |template: &str| {
            let bar = bars.add(ProgressBar::new(0));
            // Templates are constants: should one not parse, a plain bar does.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        };
        let all = add("{bar:40.cyan} {percent:>3} %");
        let summary = add("{wide_msg}");
        let more = add("{wide_msg}");
        Self { all, summary, indices: Vec::new(), more, bars }
    }

    fn show(&mut self, status: &DeepStatus) {
        let work = &status.work;
        set(&self.all, work.documents_done, work.documents_total);
        self.summary.set_message(summary(status));
        let room = terminal_lines().saturating_sub(OTHER_LINES).clamp(1, MOST_BARS);
        let (shown, left) = shown(&work.indices, room);
        let width = shown.iter().map(|index| index.index.chars().count()).max().unwrap_or(0);
        while self.indices.len() < shown.len() {
            let bar = self.bars.insert_before(&self.more, ProgressBar::new(0));
            let template =
                "{prefix} {bar:30.cyan} {percent:>3} % {human_pos} of {human_len} documents{msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            self.indices.push(bar);
        }
        for bar in self.indices.drain(shown.len()..) {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
        for (bar, index) in self.indices.iter().zip(&shown) {
            let blanks = " ".repeat(width.saturating_sub(index.index.chars().count()));
            bar.set_prefix(format!("{}{blanks}", index.index));
            set(bar, index.documents_done, index.documents_total);
            bar.set_message(trouble(index));
        }
        self.more.set_message(match left {
            0 => String::new(),
            _ => format!(
                "… and {} that {} not done",
                more(left),
                if left == 1 { "is" } else { "are" }
            ),
        });
    }

    fn finish(self) {
        // A bar that is gone has nothing to be cleared.
        let _ = self.bars.clear();
    }
}

fn set(bar: &ProgressBar, done: u64, total: u64) {
    bar.set_length(total);
    bar.set_position(done);
}

fn more(count: usize) -> String {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    if count == 1 { "1 more index".to_owned() } else { format!("{} more indices", grouped(count)) }
}

/// What is wrong with an index.
fn trouble(index: &IndexWork) -> String {
    let mut text = String::new();
    if index.books.failed > 0 {
        text.push_str(&format!(", {} refused", grouped(index.books.failed)));
    }
    if index.shards.failed > 0 {
        text.push_str(&format!(", {} given up", count_of(index.shards.failed, "shard")));
    }
    text
}

/// The indices that are not done, those that workers are at first; and how many have no room.
fn shown(indices: &[IndexWork], room: usize) -> (Vec<&IndexWork>, usize) {
    let open = || indices.iter().filter(|index| index.shards.incomplete > 0);
    let is_held = |index: &&IndexWork| index.shards.in_progress > 0;
    let mut shown: Vec<_> =
        open().filter(is_held).chain(open().filter(|index| !is_held(index))).collect();
    let left = shown.len().saturating_sub(room);
    shown.truncate(room);
    shown.sort_by(|one, other| one.index.cmp(&other.index));
    (shown, left)
}

fn terminal_lines() -> usize {
    let lines = std::env::var("LINES").ok().and_then(|lines| lines.parse().ok());
    lines.unwrap_or(USUAL_LINES)
}

#[cfg(test)]
mod tests {
    use snapfill::Books;
    use snapfill::controller::{BackfillStatus, Counts, FleetCounts, Sending, Status, Work};

    use super::*;

    fn index(name: &str, in_progress: u64, incomplete: u64) -> IndexWork {
        IndexWork {
            index: name.to_owned(),
            shards: Counts { total: 2, in_progress, incomplete, ..Counts::default() },
            documents_done: 0,
            documents_total: 10,
            bytes_done: 0,
            bytes_total: 0,
            live: 0,
            books: Books::default(),
        }
    }

    #[test]
    fn indices_that_workers_are_at_come_first_where_there_is_no_room_for_all() {
        let indices = [
            index("a", 0, 1),
            index("b", 1, 2),
            index("c", 0, 0),
            index("d", 2, 2),
            index("e", 0, 2),
        ];
        let names = |room| {
            let (shown, left) = shown(&indices, room);
            (shown.iter().map(|index| index.index.clone()).collect::<Vec<_>>().join(""), left)
        };
        assert_eq!(names(2), ("bd".to_owned(), 2));
        assert_eq!(names(3), ("abd".to_owned(), 1));
        assert_eq!(names(10), ("abde".to_owned(), 0));
    }

    #[test]
    fn a_line_says_all_of_it() {
        let fleet = FleetCounts { running: 3, ..FleetCounts::default() };
        let mut work = Work {
            shards: Counts { total: 7, completed: 2, ..Counts::default() },
            documents_done: 1234,
            documents_total: 5000,
            ..Work::default()
        };
        let status = |work: &Work, paused: Option<&str>| DeepStatus {
            status: Status { status: BackfillStatus::Running, fleet },
            planned: true,
            work: work.clone(),
            end: None,
            sending: Sending { paused: paused.map(str::to_owned), ..Sending::default() },
        };
        let line = summary(&status(&work, None));
        assert_eq!(line, "1 234 of 5 000 documents, 2 of 7 shards, 3 workers");
        work.shards.failed = 1;
        (work.rate.documents, work.rate.bytes, work.eta_seconds) = (10, 2048, Some(61));
        let line = summary(&status(&work, Some("red")));
        assert_eq!(
            line,
            "1 234 of 5 000 documents, 2 of 7 shards, 3 workers, 1 given up, 10 documents and 2kb a second, \
             about 1 min 1 s left; sending is paused: red"
        );
    }

    #[test]
    fn looks_are_not_too_close() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "soon", "NaN", "1e9"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
