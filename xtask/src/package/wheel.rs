//! The wheel: built by maturin, with zig as the C compiler and linker, so that it runs on systems older than this one.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Build, snippets};
use crate::failure::{Failure, Result};
use crate::process::{forget_own_package, succeed};
use crate::venv;
use crate::workspace::Workspace;

/// The oldest glibc that it runs with is that of this tag.
const OLDEST_SYSTEM: &str = "manylinux_2_28";

/// Builds it into `dist`.
pub(super) fn build(workspace: &Workspace, build: Build, dist: &Path) -> Result<PathBuf> {
    let requirements = workspace.root().join("python/requirements-package.txt");
    let python = venv::with(workspace, "package", &requirements)?;
    let mut maturin = Command::new(&python);
    maturin.args(["-m", "maturin", "build", "--strip", "--out"]).arg(dist);
    // Where it looks for a Python that has zig.
    forget_own_package(&mut maturin);
    maturin.env("PATH", with_first(python.parent())?);
    match build {
        Build::Release => maturin.args(["--release", "--zig", "--compatibility", OLDEST_SYSTEM]),
        Build::Quick => maturin.args(["--profile", "dev", "--compatibility", "linux"]),
    };
    succeed(maturin.current_dir(workspace.root().join("python")), "maturin build")?;
    find(dist)
}

/// The one that is in `dist`.
pub(crate) fn find(dist: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(dist).into_iter().flatten().flatten().map(|entry| entry.path());
    let wheels = entries.filter(|path| path.extension() == Some(OsStr::new("whl")));
    match &wheels.collect::<Vec<_>>()[..] {
        [wheel] => Ok(wheel.clone()),
        wheels => {
            let (count, dist) = (wheels.len(), dist.display());
            Failure::failed(format!("{count} wheels in {dist}, not one: run `cargo xtask package`"))
        }
    }
}

/// Installs it into an environment that has nothing else, and runs there what its README says first.
pub(super) fn attempt(workspace: &Workspace, wheel: &Path) -> Result {
    let place = tempfile::tempdir().map_err(Failure::at(wheel))?;
    let folder = place.path().join("venv");
    let python = folder.join("bin/python");
    venv::empty(&folder)?;
    venv::install(&python, ["--no-index".as_ref(), wheel])?;
    let repository = workspace.root().join("tests/fixtures/opensearch-3.8.0/repo");
    let blocks = snippets::of(&workspace.root().join("python/README.md"), "python")?;
    // Those before the third, which names what only its reader has.
    let code = snippets::over_fixture(&blocks.into_iter().take(2).collect::<String>(), &repository);
    let run = |program: &Path, words: &[&str], what: &str| {
        succeed(Command::new(program).args(words).current_dir(place.path()), what)
    };
    run(&python, &["-c", &code], "the first snippets of python/README.md")?;
    run(&python, &["-m", "snapfill", "--version"], "python -m snapfill --version")?;
    run(&folder.join("bin/snapfill"), &["--version"], "snapfill --version")
}

/// The folders in which programs are looked for, with another before all others.
fn with_first(folder: Option<&Path>) -> Result<OsString> {
    let others = env::var_os("PATH").unwrap_or_default();
    let folders = folder.map(Path::to_owned).into_iter().chain(env::split_paths(&others));
    env::join_paths(folders)
        .map_err(|error| Failure::Failed(format!("PATH cannot be made longer: {error}")))
}
