//! `cargo xtask package`: what users install, built into an emptied `dist/`, installed where nothing else is, and tried there.

use std::fs;

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::workspace::{Workspace, start_afresh};

mod snippets;
pub(crate) mod wheel;

/// For whom a package is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// For users: optimised, and for systems older than this one.
    Release,
    /// To try the packages themselves: not optimised, for this system alone.
    Quick,
}

pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    let is_quick = Arguments::parse(words, &["--quick"], &[])?.has("--quick");
    let build = if is_quick { Build::Quick } else { Build::Release };
    let dist = workspace.root().join("dist");
    start_afresh(&dist)?;
    let wheel = wheel::build(workspace, build, &dist)?;
    wheel::attempt(workspace, &wheel)?;
    for entry in fs::read_dir(&dist).map_err(Failure::at(&dist))? {
        let entry = entry.map_err(Failure::at(&dist))?;
        let size = entry.metadata().map_err(Failure::at(&entry.path()))?.len();
        println!("{}: {:.1} MB", entry.path().display(), size as f64 / 1e6);
    }
    Ok(())
}
