//! `cargo xtask generate`: files of the repository that are made from its code, made again.

use std::fs;

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::process::cargo;
use crate::workspace::Workspace;

/// A file, and the words with which the program prints it.
const FILES: &[(&str, &[&str])] = &[("docs/config.schema.json", &["config", "schema"])];

pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    Arguments::parse(words, &[], &[])?;
    for (file, words) in FILES {
        let mut command = cargo(workspace);
        command.args(["run", "--quiet", "-p", "snapfill-cli", "--"]).args(*words);
        let printed = command.output().map_err(|error| Failure::Failed(error.to_string()))?;
        if !printed.status.success() {
            let said = String::from_utf8_lossy(&printed.stderr).into_owned();
            return Failure::failed(format!("`snapfill {}` failed: {said}", words.join(" ")));
        }
        fs::write(workspace.root().join(file), printed.stdout)
            .map_err(|error| Failure::Failed(format!("cannot write {file}: {error}")))?;
        println!("{file}");
    }
    Ok(())
}
