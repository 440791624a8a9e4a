//! `cargo xtask mutate`: every flip and every cut of the tiny snapshots, of all versions or of those that are named.

use std::fs;

use crate::failure::{Failure, Result};
use crate::process::{cargo, exit_code};
use crate::workspace::Workspace;

/// Where the tiny snapshots are, a folder a version.
const SPECIMENS: &str = "tests/fixtures/tiny";

/// Damaged runs into a target, for each version.
const RUNS: &str = "3000";

pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    if let Some(option) = words.iter().find(|word| word.starts_with('-')) {
        return Err(Failure::Usage(format!("unexpected `{option}`")));
    }
    let known = versions(workspace)?;
    if let Some(unknown) = words.iter().find(|word| !known.contains(word)) {
        return Err(Failure::Usage(format!("no specimen `{unknown}`; there are {known:?}")));
    }
    let wanted = if words.is_empty() { known } else { words.to_vec() };
    let mut command = cargo(workspace);
    command
        .args(["test", "-p", "snapfill-tests", "--test", "mutations", "--", "--nocapture"])
        .env("SNAPFILL_MUTATE", wanted.join(","))
        .env("SNAPFILL_MUTATE_RUNS", RUNS);
    match exit_code(&mut command)? {
        0 => Ok(()),
        code => Failure::failed(format!("the mutations ended with exit code {code}")),
    }
}

fn versions(workspace: &Workspace) -> Result<Vec<String>> {
    let folder = workspace.root().join(SPECIMENS);
    let entries = fs::read_dir(&folder).map_err(Failure::at(&folder))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Failure::at(&folder))?;
        if entry.path().join("repo").is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
