//! `cargo xtask python`: the Python package, built in place and tested.

use std::fs;
use std::process::Command;

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::process::{cargo, succeed};
use crate::venv;
use crate::workspace::Workspace;

/// What is built to have the native half.
#[derive(Clone, Copy, Debug)]
enum Scope {
    /// It alone.
    Package,
    /// The whole workspace, with the features that its tests have: after them only the native half is left to build.
    Workspace,
}

/// Builds the native half alone, and tests the package.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    let is_part = Arguments::parse(words, &["--after-tests"], &[])?.has("--after-tests");
    build(workspace, if is_part { Scope::Workspace } else { Scope::Package })?;
    let requirements = workspace.root().join("python/requirements-dev.txt");
    let python = venv::with(workspace, "python", &requirements)?;
    let folder = workspace.root().join("python");
    for words in [&["-m", "pytest"][..], &["-m", "mypy"], &["-m", "mypy.stubtest", "snapfill"]] {
        let mut command = Command::new(&python);
        command.args(words).current_dir(&folder).env("PYTHONPATH", &folder);
        succeed(&mut command, &format!("python {}", words.join(" ")))?;
    }
    Ok(())
}

/// Puts the native half where the package looks for it.
fn build(workspace: &Workspace, scope: Scope) -> Result {
    let mut command = cargo(workspace);
    command.arg("build");
    match scope {
        Scope::Package => command.args(["-p", "snapfill-python"]),
        Scope::Workspace => command.args(["--workspace", "--lib", "--tests"]),
    };
    succeed(&mut command, "cargo build")?;
    let built = workspace.target()?.join("debug/lib_native.so");
    let place = workspace.root().join("python/snapfill/_native.abi3.so");
    // A library that a running Python has in use is replaced, not written over.
    let beside = place.with_extension("new");
    fs::copy(&built, &beside)
        .and_then(|_| fs::rename(&beside, &place))
        .map_err(|error| Failure::Failed(format!("cannot copy {}: {error}", built.display())))
}
