//! `cargo xtask throughput`: documents a second in each language, side by side in one run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::package::wheel;
use crate::process::{cargo, succeed};
use crate::venv;
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

/// A language, and the program that reads in it.
struct Reader {
    language: &'static str,
    program: PathBuf,
    script: Option<PathBuf>,
}

pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    let arguments = Arguments::parse(words, &[], &["--repo", "--snapshot", "--rounds"])?;
    let rounds = match arguments.value("--rounds").map(str::parse) {
        None => ROUNDS,
        Some(Ok(rounds)) if rounds > 0 => rounds,
        Some(_) => return Err(Failure::Usage("--rounds is a number above 0".to_owned())),
    };
    let source = [arguments.required("--repo")?, arguments.required("--snapshot")?];
    let readers = [rust(workspace)?, python(workspace)?];
    let mut runs: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut first = None;
    for _ in 0..rounds {
        for reader in &readers {
            let said = reader.read(source)?;
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

impl Reader {
    fn read(&self, source: [&str; 2]) -> Result<Said> {
        let mut command = Command::new(&self.program);
        command.args(&self.script).args(source).stderr(Stdio::inherit());
        let output = command.output().map_err(Failure::at(&self.program))?;
        serde_json::from_slice(&output.stdout)
            .map_err(|error| Failure::Failed(format!("{}: {error}", self.language)))
    }
}

fn rust(workspace: &Workspace) -> Result<Reader> {
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
    Ok(Reader { language: "Rust", program, script: None })
}

/// Over the wheel in `dist/`, in an environment that has nothing else.
fn python(workspace: &Workspace) -> Result<Reader> {
    let wheel = wheel::find(&workspace.root().join("dist"))?;
    let folder = workspace.target()?.join("throughput/venv");
    let program = folder.join("bin/python");
    venv::empty(&folder)?;
    venv::install(&program, ["--no-index".as_ref(), wheel.as_path()])?;
    let script = Some(workspace.root().join("benches/documents/read.py"));
    Ok(Reader { language: "Python", program, script })
}
