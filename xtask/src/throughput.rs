//! `cargo xtask throughput`: documents a second in each language, side by side in one run.

use std::collections::BTreeMap;
use std::process::Stdio;

use serde::Deserialize;

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::process::{cargo, succeed};
use crate::programs::{self, Program, Sources};
use crate::workspace::Workspace;

/// How often each program runs, unless it is said otherwise.
const ROUNDS: usize = 7;

/// What a program says of one run.
#[derive(Debug, Deserialize, PartialEq)]
struct Said {
    documents: u64,
    bytes: u64,
    ids: u64,
    seconds: f64,
}

const PROGRAMS: Sources = Sources {
    python: "benches/documents/read.py",
    node: "benches/documents/read.mjs",
    kotlin: "io.snapfill.benches.ReadKt",
};

pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    let arguments = Arguments::parse(words, &[], &["--repo", "--snapshot", "--rounds"])?;
    let rounds = match arguments.value("--rounds").map(str::parse) {
        None => ROUNDS,
        Some(Ok(rounds)) if rounds > 0 => rounds,
        Some(_) => return Err(Failure::Usage("--rounds is a number above 0".to_owned())),
    };
    let source = [arguments.required("--repo")?, arguments.required("--snapshot")?];
    let mut readers = vec![rust(workspace)?];
    readers.extend(programs::build(workspace, &PROGRAMS)?);
    let mut runs: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut first = None;
    for _ in 0..rounds {
        for reader in &readers {
            let said = read(reader, source)?;
            let rate = said.documents as f64 / said.seconds;
            runs.entry(reader.language).or_default().push(rate);
            let all = (said.documents, said.bytes, said.ids);
            if *first.get_or_insert(all) != all {
                return Failure::failed(format!("{} read other documents", reader.language));
            }
        }
    }
    for reader in &readers {
        let (own, rust) = (median(&runs[reader.language]), median(&runs["Rust"]));
        println!(
            "{}: {own:.0} documents/s, {:.0} % of Rust's",
            reader.language,
            100.0 * own / rust
        );
    }
    Ok(())
}

fn median(runs: &[f64]) -> f64 {
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn read(reader: &Program, source: [&str; 2]) -> Result<Said> {
    let mut command = reader.command();
    let output = command.args(source).stderr(Stdio::inherit()).output();
    let output = output.map_err(Failure::at(&reader.path))?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::Failed(format!("{}: {error}", reader.language)))
}

fn rust(workspace: &Workspace) -> Result<Program> {
    let words = [
        "build",
        "--release",
        "-p",
        "snapfill",
        "--no-default-features",
        "--example",
        "time_reading",
    ];
    succeed(cargo(workspace).args(words), "cargo build")?;
    let program = workspace.target()?.join("release/examples/time_reading");
    Ok(Program::alone("Rust", program))
}
