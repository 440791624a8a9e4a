//! `snapfill backfill status`.

use snapfill::cluster::IndexRow;
use snapfill::controller::{BackfillController, DeepStatus, IndexWork, RunEnd, Sending, Work};
use snapfill::coordination::Rate;
use snapfill::{Books, SkipReason};

use super::limit::describe;
use crate::arguments::Status;
use crate::exit::{Exit, Failure};
use crate::output::{Output, count_of, grouped, table};

pub(crate) async fn run(arguments: Status, output: &Output) -> Result<Exit, Failure> {
    let backfill = arguments.run.attach().await?;
    if !arguments.deep_check {
        let status = backfill.status().await?;
        if output.is_json() {
            output.print_json(&status)?;
        } else {
            print_fleet(&status, output)?;
        }
        return Ok(Exit::Completed);
    }
    let status = backfill.deep_status().await?;
    if output.is_json() {
        output.print_json(&status)?;
    } else {
        print_fleet(&status.status, output)?;
        print_work(&status, output)?;
        print_sending(&status.sending, output)?;
    }
    Ok(Exit::Completed)
}

/// Whether documents are sent, where that is not as it should be.
fn print_sending(sending: &Sending, output: &Output) -> Result<(), Failure> {
    if !sending.limits.is_none() {
        output.line(&describe(sending.limits))?;
    }
    if let Some(reason) = &sending.paused {
        output.line(&format!("Sending is paused: {reason}"))?;
    }
    Ok(())
}

/// The lines that users of the incumbent know, as they know them.
fn print_fleet(status: &snapfill::controller::Status, output: &Output) -> Result<(), Failure> {
    output.line(&format!("BackfillStatus.{}", status.status))?;
    output.line(&format!("Running={}", status.fleet.running))?;
    output.line(&format!("Pending={}", status.fleet.pending))?;
    output.line(&format!("Desired={}", status.fleet.desired))?;
    Ok(())
}

/// The deep status: first the lines that users of the incumbent know, then what they lacked.
pub(crate) fn print_work(status: &DeepStatus, output: &Output) -> Result<(), Failure> {
    let (work, shards) = (&status.work, &status.work.shards);
    output.line(&format!("Shards total: {}", shards.total))?;
    output.line(&format!("Shards completed: {}", shards.completed))?;
    output.line(&format!("Shards incomplete: {}", shards.incomplete))?;
    output.line(&format!("Shards in progress: {}", shards.in_progress))?;
    output.line(&format!("Shards unclaimed: {}", shards.unclaimed))?;
    if !status.planned {
        output.line("Planning is not finished")?;
        return Ok(());
    }
    output.line("")?;
    output.line(&indices_table(&work.indices))?;
    output.line("")?;
    output.line(&balance(work, status.end))?;
    for (reason, count) in work.skips() {
        let count = match reason.counts_documents() {
            true => grouped(count),
            false => count_of(count, "whole shard"),
        };
        output.line(&format!("Skipped {count}: {}", SkipReason::explanation(reason)))?;
    }
    print_sources(&work.books, output)?;
    print_ids_taken(&work.books, output)?;
    if work.books.failed > 0 {
        let failed = grouped(work.books.failed);
        output.line(&format!(
            "Refused {failed}: kept, to be looked at (`backfill failed summary`) and sent again (`backfill failed redrive`)"
        ))?;
    }
    for failed in &work.failed {
        output.line(&format!(
            "Failed {}[{}] after {}: {}",
            failed.index,
            failed.shard,
            count_of(failed.attempts.into(), "attempt"),
            failed.reason
        ))?;
    }
    output.line(&verdict(status.end, work))?;
    Ok(())
}

/// Where a document of the target had the id already.
fn print_ids_taken(books: &Books, output: &Output) -> Result<(), Failure> {
    let lines = [
        (
            books.overwritten,
            "Overwritten",
            "their ids were in the target already, from before this run or from another document of it, and what was there is \
             replaced (`--op create` leaves it alone)",
        ),
        (
            books.present,
            "Present",
            "their ids were in the target already, and what was there is left alone",
        ),
    ];
    for (count, word, what) in lines {
        if count > 0 {
            output.line(&format!("{word} {}: {what}", grouped(count)))?;
        }
    }
    Ok(())
}

/// Where documents did not come from the stored source as it is.
fn print_sources(books: &Books, output: &Output) -> Result<(), Failure> {
    let lines = [
        (books.converted, "had a source in SMILE, CBOR or YAML, converted to JSON"),
        (books.recovered, "came from `_recovery_source`"),
        (books.unrecovered, "had no `_recovery_source` any more"),
        (books.added, "came on top, since the transform made several of one"),
    ];
    for (count, what) in lines {
        if count > 0 {
            output.line(&format!("{} {what}", count_of(count, "document")))?;
        }
    }
    Ok(())
}

fn indices_table(indices: &[IndexWork]) -> String {
    let rows = indices.iter().map(|index| {
        vec![
            index.index.clone(),
            format!("{} of {}", index.shards.completed, index.shards.total),
            live(index),
            grouped(index.books.written),
            grouped(index.books.failed),
            grouped(index.books.skipped_total()),
            IndexRow::human_size(index.books.bytes),
        ]
    });
    let header = ["index", "shards", "live", "written", "failed", "skipped", "source"];
    table(&header, rows.collect(), &[1, 2, 3, 4, 5, 6])
}

/// How many live documents an index has is known when all its shards are done.
fn live(index: &IndexWork) -> String {
    if index.shards.incomplete == 0 { grouped(index.live) } else { "-".to_owned() }
}

/// Both sides stand against each other only when all is done: live documents of other shards are not known.
fn balance(work: &Work, end: Option<RunEnd>) -> String {
    let sides = format!(
        "{} written + {} failed + {} skipped",
        grouped(work.books.written),
        grouped(work.books.failed),
        grouped(work.books.skipped_total())
    );
    let live: u64 = work.indices.iter().map(|index| index.live).sum();
    match end {
        None => format!("So far: {sides}"),
        Some(RunEnd::Failed) => {
            format!("Books: {sides}, before {} failed", count_of(work.shards.failed, "shard"))
        }
        Some(_) => format!("Books: {} live = {sides}", grouped(live)),
    }
}

/// What to add to the command to fill again what was given up.
fn again(work: &Work) -> String {
    let mut indices: Vec<_> = work.failed.iter().map(|failed| failed.index.as_str()).collect();
    indices.sort_unstable();
    indices.dedup();
    let indices: String = indices.iter().map(|index| format!(" --index {index}")).collect();
    format!("--session again{indices}")
}

fn verdict(end: Option<RunEnd>, work: &Work) -> String {
    let shards = count_of(work.shards.total, "shard");
    match end {
        Some(RunEnd::Completed) => format!("Backfill complete: all {shards} done"),
        Some(RunEnd::CompletedWithErrors) => {
            let books = &work.books;
            let what = match books.failed + books.skipped_by_loss() {
                0 => "some documents share an id, and only one of them is there",
                _ => "not every document was written",
            };
            format!("Backfill complete with errors: all {shards} done, but {what}")
        }
        Some(RunEnd::Failed) => format!(
            "Backfill failed: {} of {shards} given up, the others are done. Once the cause is mended, fill what is \
             missing under another session: {}",
            work.shards.failed,
            again(work)
        ),
        None => {
            let percent = (work.bytes_done * 100).checked_div(work.bytes_total).unwrap_or(0);
            let pace = pace(work).map(|pace| format!(", {pace}")).unwrap_or_default();
            format!("In progress: {percent} % of {}{pace}", IndexRow::human_size(work.bytes_total))
        }
    }
}

/// How fast it goes, and how long it will take; none while no worker has said.
pub(super) fn pace(work: &Work) -> Option<String> {
    let Rate { documents, bytes, .. } = work.rate;
    if documents == 0 {
        return None;
    }
    let speed =
        format!("{} and {} a second", count_of(documents, "document"), IndexRow::human_size(bytes));
    Some(match work.eta_seconds {
        Some(seconds) => format!("{speed}, about {} left", duration(seconds)),
        None => speed,
    })
}

/// A time in its two largest units.
fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_told_when_there_is_one() {
        let mut work = Work::default();
        assert_eq!(pace(&work), None);
        (work.rate.documents, work.rate.bytes) = (1234, 5 << 20);
        assert_eq!(pace(&work).unwrap(), "1 234 documents and 5mb a second");
        work.eta_seconds = Some(3 * 3600 + 59);
        assert_eq!(pace(&work).unwrap(), "1 234 documents and 5mb a second, about 3 h 0 min left");
    }

    #[test]
    fn times_are_told_in_their_two_largest_units() {
        assert_eq!(duration(59), "59 s");
        assert_eq!(duration(61), "1 min 1 s");
        assert_eq!(duration(90_000), "1 d 1 h");
    }
}
