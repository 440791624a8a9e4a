//! `cargo xtask python`: the Python package, built in place and tested.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::Result;
use crate::native::{self, BUILT_VARIABLE, Half, Scope};
use crate::process::succeed;
use crate::venv;
use crate::workspace::Workspace;

/// Its native half.
pub(crate) const HALF: Half = Half {
    package: "snapfill-python",
    library: "lib_native.so",
    place: "python/snapfill/_native.abi3.so",
};

/// The Python that has what the package is tested with.
pub(crate) fn tools(workspace: &Workspace) -> Result<PathBuf> {
    venv::with(workspace, "python", &workspace.root().join("python/requirements-dev.txt"))
}

/// Builds the native half, and tests the package.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    HALF.build(workspace, Scope::parse(words)?)?;
    let python = tools(workspace)?;
    let folder = workspace.root().join("python");
    for words in [&["-m", "pytest"][..], &["-m", "mypy"], &["-m", "mypy.stubtest", "snapfill"]] {
        let mut command = Command::new(&python);
        command
            .args(words)
            .current_dir(&folder)
            .env("PYTHONPATH", &folder)
            .env(BUILT_VARIABLE, native::built(workspace)?);
        succeed(&mut command, &format!("python {}", words.join(" ")))?;
    }
    Ok(())
}
