//! `cargo xtask cycles`: backfills that are started and interrupted over and over, in each language, and what that leaves behind.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde::Deserialize;

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::programs::{self, Program, Sources};
use crate::workspace::Workspace;

/// How often, unless it is said otherwise.
const CYCLES: u32 = 1000;

const PROGRAMS: Sources = Sources {
    python: "benches/cycles/cycles.py",
    node: "benches/cycles/cycles.mjs",
    kotlin: "io.snapfill.benches.CyclesKt",
};

const REPOSITORY: &str = "tests/fixtures/opensearch-3.8.0/repo";

/// Memory may be this much more at the end than after three tenths of the cycles: collectors and allocators keep some.
const MORE_KIB: u64 = 16 * 1024;

/// Threads may be this many more: those of a runtime that compiles or collects come and go.
const MORE_THREADS: u64 = 2;

/// A line of a program.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Said {
    InUse(InUse),
    Interrupted { interrupted: BTreeMap<String, Vec<f64>> },
}

/// What a process has in use when all is quiet.
#[derive(Debug, Clone, Copy, Deserialize)]
struct InUse {
    cycles: u32,
    kib: u64,
    threads: u64,
    files: u64,
}

pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    let arguments = Arguments::parse(words, &[], &["--cycles", "--language"])?;
    let cycles = match arguments.value("--cycles").map(str::parse) {
        None => CYCLES,
        Some(Ok(cycles)) if cycles >= 10 => cycles,
        Some(_) => return Err(Failure::Usage("--cycles is a number from 10 on".to_owned())),
    };
    let mut findings = Vec::new();
    for program in programs::build(workspace, &PROGRAMS)? {
        if arguments.value("--language").is_none_or(|language| language == program.language) {
            let told = cycle(workspace, &program, cycles)?;
            findings.extend(growth(&told).map(|what| format!("{}: {what}", program.language)));
        }
    }
    if findings.is_empty() { Ok(()) } else { Failure::failed(findings.join("\nerror: ")) }
}

/// Lets a program run, and prints what it says as it says it.
fn cycle(workspace: &Workspace, program: &Program, cycles: u32) -> Result<Vec<InUse>> {
    let unwell =
        |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", program.language));
    let mut command = program.command();
    command.arg(workspace.root().join(REPOSITORY)).arg(cycles.to_string());
    let running = command.stdout(Stdio::piped()).spawn();
    let mut running = running.map_err(Failure::at(&program.path))?;
    let mut told = Vec::new();
    for line in running.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let line = line.map_err(|error| unwell(&error))?;
        match serde_json::from_str(&line).map_err(|error| unwell(&error))? {
            Said::InUse(now) => {
                let InUse { cycles, kib, threads, files } = now;
                let mib = kib as f64 / 1024.0;
                let language = program.language;
                println!(
                    "{language} after {cycles}: {mib:.1} MiB, {threads} threads, {files} files"
                );
                told.push(now);
            }
            Said::Interrupted { interrupted } => {
                for (how, times) in &interrupted {
                    println!("{} by {how}: {}", program.language, spread(times));
                }
            }
        }
    }
    let ended = running.wait().map_err(|error| unwell(&error))?;
    if ended.success() { Ok(told) } else { Err(unwell(&ended)) }
}

/// The median and the longest of some times.
fn spread(seconds: &[f64]) -> String {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.get(sorted.len() / 2).copied().unwrap_or_default() * 1000.0;
    let longest = sorted.last().copied().unwrap_or_default() * 1000.0;
    format!(
        "{} interrupted, within {middle:.1} ms (median) and {longest:.1} ms (longest)",
        sorted.len()
    )
}

/// What has become more since the process was warm.
fn growth(told: &[InUse]) -> Option<String> {
    let (Some(warm), Some(last)) = (told.get(2), told.last()) else {
        return Some("it did not say what it has in use".to_owned());
    };
    let pairs = [
        ("KiB", warm.kib + MORE_KIB, last.kib),
        ("threads", warm.threads + MORE_THREADS, last.threads),
        ("open files", warm.files, last.files),
    ];
    let more = pairs.into_iter().filter(|(_, most, now)| now > most);
    let more: Vec<String> =
        more.map(|(what, most, now)| format!("{now} {what} where {most} may be")).collect();
    (!more.is_empty()).then(|| format!("after {} cycles {}", last.cycles, more.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(cycles: u32, kib: u64, threads: u64, files: u64) -> InUse {
        InUse { cycles, kib, threads, files }
    }

    #[test]
    fn what_grows_is_found_and_what_settles_is_not() {
        let warming = [at(1, 100, 5, 5), at(2, 90_000, 9, 9), at(3, 99_000, 8, 9)];
        let with = |last| [warming.to_vec(), vec![last]].concat();
        assert_eq!(growth(&with(at(4, 99_500, 10, 9))), None);
        let grown = growth(&with(at(4, 200_000, 11, 10))).unwrap();
        assert_eq!(
            grown,
            "after 4 cycles 200000 KiB where 115384 may be, 11 threads where 10 may be, 10 open files where 9 may be"
        );
    }
}
