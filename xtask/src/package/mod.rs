//! `cargo xtask package`: what users install, built into an emptied `dist/`, installed where nothing else is, and tried there.

use std::fs;

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::native::{AFTER_TESTS, Scope};
use crate::workspace::{Workspace, start_afresh};

mod jar;
mod libraries;
mod npm;
mod platform;
mod snippets;
mod wheel;

/// For whom a package is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// For users: optimised, and for systems older than this one.
    Release,
    /// To try the packages themselves: not optimised, for this system alone.
    Quick,
}

/// What the packages are called, save for what they are for.
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    let arguments = Arguments::parse(words, &["--quick", AFTER_TESTS], &[])?;
    let build = if arguments.has("--quick") { Build::Quick } else { Build::Release };
    let dist = workspace.root().join("dist");
    start_afresh(&dist)?;
    let libraries = libraries::build(workspace, build, Scope::of(&arguments))?;
    let wheel = wheel::build(workspace, build, &libraries, &dist)?;
    let tarballs = npm::build(workspace, &libraries, &dist)?;
    let jar = jar::build(workspace, &libraries, &dist)?;
    wheel::attempt(workspace, &wheel)?;
    npm::attempt(workspace, &tarballs)?;
    jar::attempt(workspace, &jar)?;
    for entry in fs::read_dir(&dist).map_err(Failure::at(&dist))? {
        let entry = entry.map_err(Failure::at(&dist))?;
        let size = entry.metadata().map_err(Failure::at(&entry.path()))?.len();
        println!("{}: {:.1} MB", entry.path().display(), size as f64 / 1e6);
    }
    Ok(())
}
