//! Virtual environments of Python, kept in the target folder.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::process::succeed;
use crate::workspace::Workspace;

/// The Python of an environment with these requirements, made anew when they change.
pub(crate) fn with(workspace: &Workspace, name: &str, requirements: &Path) -> Result<PathBuf> {
    let folder = workspace.target()?.join(name);
    let (python, stamp) = (folder.join("venv/bin/python"), folder.join("requirements.txt"));
    if python.exists() && is_same(requirements, &stamp) {
        return Ok(python);
    }
    empty(&folder.join("venv"))?;
    install(&python, ["-r".as_ref(), requirements])?;
    fs::copy(requirements, &stamp)
        .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", stamp.display())))?;
    Ok(python)
}

/// An environment that has nothing yet, in place of what was there.
pub(crate) fn empty(folder: &Path) -> Result {
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(folder);
    succeed(&mut make, "python3 -m venv")
}

/// Installs into the environment of this Python.
pub(crate) fn install<'a>(python: &Path, what: impl IntoIterator<Item = &'a Path>) -> Result {
    let mut install = Command::new(python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(what);
    succeed(&mut install, "pip install")
}

/// The folders in which programs are looked for, those of this Python's environment before all others.
pub(crate) fn path_with(python: &Path) -> Result<OsString> {
    let others = env::var_os("PATH").unwrap_or_default();
    let folders = python.parent().map(Path::to_owned).into_iter().chain(env::split_paths(&others));
    env::join_paths(folders)
        .map_err(|error| Failure::Failed(format!("PATH cannot be made longer: {error}")))
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}
