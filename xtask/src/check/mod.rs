//! `cargo xtask check`: the house limits. A rule is a function from a file to findings.

use std::fmt;

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::workspace::Workspace;

mod bans;
mod files;
mod names;
mod size;
mod text;
mod versions;

#[cfg(test)]
mod tests;

use files::File;

/// Something that breaks a limit.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    /// What is there.
    what: String,
    /// What may be there.
    limit: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}, {}", self.path, self.line, self.what, self.limit)
    }
}

const RULES: &[fn(&File) -> Vec<Finding>] =
    &[size::check, bans::check, text::check, names::check, versions::check];

pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    Arguments::parse(words, &[], &[])?;
    let files = files::list(workspace.root())?;
    let findings: Vec<Finding> = files.iter().flat_map(check).collect();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("{} files, within the limits", files.len());
            Ok(())
        }
        count => Failure::failed(format!("{count} over the house limits (CONTRIBUTING.md)")),
    }
}

fn check(file: &File) -> Vec<Finding> {
    RULES.iter().flat_map(|rule| rule(file)).collect()
}
