//! `cargo xtask fuzz`: every fuzz target for minutes of processor time, two at a time, and a table of what came of it.

use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::process::cargo;
use crate::workspace::Workspace;

/// The packages whose unit tests hold the targets.
const PACKAGES: [&str; 2] = ["snapfill-lucene", "snapfill"];

/// The targets that parse most, by the last part of their names: they run for longer.
const LARGEST: [&str; 6] = [
    "fuzz_field_infos",
    "fuzz_doc_values_meta",
    "fuzz_stored_lz4_dictionary",
    "fuzz_stored_deflate_dictionary",
    "fuzz_shard_manifest",
    "fuzz_smile",
];

const MINUTES: u64 = 2;
const MINUTES_OF_LARGEST: u64 = 10;

/// Memory of a target's process: what it may hold by its own count, and what the program takes besides.
const KIBIBYTES: u64 = 1 << 20;

/// Targets that run at a time.
const LANES: usize = 2;

#[derive(Debug, Clone)]
struct Target {
    program: String,
    name: String,
    seconds: u64,
}

#[derive(Debug, Default, Clone, PartialEq)]
struct Outcome {
    executions: u64,
    accepted: u64,
    peak: u64,
    cpu_seconds: f64,
    failure: Option<String>,
}

pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    let (options, names): (Vec<_>, Vec<_>) = split(words);
    let arguments = Arguments::parse(&options, &[], &["--minutes"])?;
    let minutes = match arguments.value("--minutes") {
        Some(text) => Some(text.parse::<u64>().map_err(|_| {
            Failure::Usage(format!("--minutes {text}: a whole number is expected"))
        })?),
        None => None,
    };
    let mut targets = Vec::new();
    for package in PACKAGES {
        let program = build(workspace, package)?;
        let wanted = |name: &String| names.is_empty() || names.iter().any(|n| name.contains(n));
        targets.extend(list(&program)?.into_iter().filter(wanted).map(|name| {
            let is_large = LARGEST.iter().any(|large| name.ends_with(large));
            let usual = if is_large { MINUTES_OF_LARGEST } else { MINUTES };
            Target { program: program.clone(), name, seconds: minutes.unwrap_or(usual) * 60 }
        }));
    }
    if targets.is_empty() {
        return Failure::failed("no target has such a name");
    }
    // The long ones first, so that no lane waits for one at the end.
    targets.sort_by_key(|target| std::cmp::Reverse(target.seconds));
    report(run_all(&targets)?)
}

/// `--minutes N` and the names of targets, in any order.
fn split(words: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut options, mut names) = (Vec::new(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word.starts_with("--") {
            options.push(word.clone());
            if !word.contains('=') {
                options.extend(words.next().cloned());
            }
        } else {
            names.push(word.clone());
        }
    }
    (options, names)
}

/// Builds a package's unit tests and gives the path of their program.
fn build(workspace: &Workspace, package: &str) -> Result<String> {
    let mut command = cargo(workspace);
    command.args(["test", "-p", package, "--lib", "--no-run", "--message-format=json"]);
    let output = output(command.stderr(Stdio::inherit()))?;
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut programs = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message.get("executable")?.as_str().map(str::to_owned)
    });
    let missing = || Failure::Failed(format!("`cargo test -p {package} --no-run` made no program"));
    programs.next_back().ok_or_else(missing)
}

/// The names of a program's fuzz targets.
fn list(program: &str) -> Result<Vec<String>> {
    let output = output(Command::new(program).args(["--list", "--format", "terse"]))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok(names.filter(|name| name.contains("::fuzz_")).map(str::to_owned).collect())
}

fn run_all(targets: &[Target]) -> Result<Vec<(String, Outcome)>> {
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let lane = || {
        while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = run_for_its_time(target);
            let outcome = outcome.unwrap_or_else(|failure| Outcome {
                failure: Some(format!("{failure:?}")),
                ..Outcome::default()
            });
            println!("{}", row(&target.name, &outcome));
            if let Ok(mut outcomes) = outcomes.lock() {
                outcomes.push((target.name.clone(), outcome));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(lane);
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_default();
    outcomes.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(outcomes)
}

/// Runs a target again and again until its processes have had their time: a process that waits for the processor has
/// less of it than the clock says.
fn run_for_its_time(target: &Target) -> Result<Outcome> {
    let mut total = Outcome::default();
    while total.failure.is_none() && total.cpu_seconds < target.seconds as f64 {
        let left = target.seconds as f64 - total.cpu_seconds;
        let once = run_once(target, left.ceil() as u64)?;
        total.executions += once.executions;
        total.accepted += once.accepted;
        total.peak = total.peak.max(once.peak);
        total.cpu_seconds += once.cpu_seconds;
        total.failure = once.failure;
    }
    Ok(total)
}

fn run_once(target: &Target, seconds: u64) -> Result<Outcome> {
    // A target that hangs is ended by the kernel.
    let limit = seconds + 60;
    let script =
        format!("ulimit -v {KIBIBYTES}; ulimit -t {limit}; \"$@\"; code=$?; times; exit $code");
    let mut bash = Command::new("bash");
    bash.args(["-c", &script, "bash", &target.program, "--exact", &target.name])
        .args(["--nocapture", "--test-threads", "1"])
        .env("BOLERO_RANDOM_ITERATIONS", u64::MAX.to_string())
        .env("BOLERO_RANDOM_TEST_TIME_MS", (seconds * 1000).to_string())
        .env("SNAPFILL_FUZZ_REPORT", "1");
    let output = output(&mut bash)?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut outcome = parse(&said);
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        outcome.failure = Some(format!("{}\n{said}\n{errors}", output.status));
    }
    Ok(outcome)
}

/// Reads the line of the trial, and the last one, which is the shell's account of its children's time.
fn parse(said: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let reported = said.lines().filter_map(|line| line.strip_prefix("fuzz-report "));
    for (name, value) in
        reported.flat_map(str::split_whitespace).filter_map(|word| word.split_once('='))
    {
        let value = value.parse().unwrap_or_default();
        match name {
            "executions" => outcome.executions += value,
            "accepted" => outcome.accepted += value,
            _ => outcome.peak = outcome.peak.max(value),
        }
    }
    let times = said.lines().last().unwrap_or_default();
    outcome.cpu_seconds = times.split_whitespace().filter_map(seconds).sum();
    outcome
}

/// Seconds of a time as `1m2.500s`.
fn seconds(text: &str) -> Option<f64> {
    let (minutes, rest) = text.strip_suffix('s')?.split_once('m')?;
    Some(minutes.parse::<f64>().ok()? * 60.0 + rest.parse::<f64>().ok()?)
}

fn output(command: &mut Command) -> Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    output.map_err(|error| Failure::Failed(format!("cannot run `{name}`: {error}")))
}

fn row(name: &str, outcome: &Outcome) -> String {
    let result = if outcome.failure.is_some() { "FAILED" } else { "clean" };
    format!(
        "| {name} | {} | {} | {:.1} | {:.1} | {result} |",
        outcome.executions,
        outcome.accepted,
        outcome.peak as f64 / f64::from(1 << 20),
        outcome.cpu_seconds / 60.0,
    )
}

fn report(outcomes: Vec<(String, Outcome)>) -> Result {
    println!("\n| target | executions | accepted | most MiB at a time | CPU minutes | result |");
    println!("| --- | ---: | ---: | ---: | ---: | --- |");
    for (name, outcome) in &outcomes {
        println!("{}", row(name, outcome));
    }
    let failed: Vec<_> = outcomes.iter().filter(|(_, outcome)| outcome.failure.is_some()).collect();
    for (name, outcome) in &failed {
        println!("\n=== {name}: {}", outcome.failure.as_deref().unwrap_or_default());
    }
    match failed.len() {
        0 => Ok(()),
        count => Failure::failed(format!("{count} of {} targets failed", outcomes.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_target_and_the_shell_say() {
        let said = "running 1 test\nfuzz-report executions=12 accepted=3 peak=99\n\n\
                    0m0.001s 0m0.002s\n1m2.500s 0m0.500s\n";
        let expected =
            Outcome { executions: 12, accepted: 3, peak: 99, cpu_seconds: 63.0, failure: None };
        assert_eq!(parse(said), expected);
        assert_eq!(parse(""), Outcome::default());
    }

    #[test]
    fn names_and_options_come_in_any_order() {
        let words = ["fuzz_a", "--minutes", "3", "b"].map(str::to_owned);
        let (options, names) = split(&words);
        assert_eq!(options, ["--minutes", "3"]);
        assert_eq!(names, ["fuzz_a", "b"]);
    }
}
