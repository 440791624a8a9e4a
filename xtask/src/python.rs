//! `cargo xtask python`: the Python package, built in place and tested.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::process::{cargo, exit_code};
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
    let python = environment(workspace)?;
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
    let built = workspace.root().join("target/debug/lib_native.so");
    let place = workspace.root().join("python/snapfill/_native.abi3.so");
    // A library that a running Python has in use is replaced, not written over.
    let beside = place.with_extension("new");
    fs::copy(&built, &beside)
        .and_then(|_| fs::rename(&beside, &place))
        .map_err(|error| Failure::Failed(format!("cannot copy {}: {error}", built.display())))
}

/// A Python with what the tests need, made anew when that changes.
fn environment(workspace: &Workspace) -> Result<PathBuf> {
    let wanted = workspace.root().join("python/requirements-dev.txt");
    let folder = workspace.root().join("target/python");
    let (python, stamp) = (folder.join("venv/bin/python"), folder.join("requirements.txt"));
    if python.exists() && is_same(&wanted, &stamp) {
        return Ok(python);
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(folder.join("venv"));
    succeed(&mut make, "python3 -m venv")?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    succeed(install.arg(&wanted), "pip install")?;
    fs::copy(&wanted, &stamp)
        .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", stamp.display())))?;
    Ok(python)
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

fn succeed(command: &mut Command, what: &str) -> Result {
    match exit_code(command)? {
        0 => Ok(()),
        code => Failure::failed(format!("`{what}` ended with {code}")),
    }
}
