//! The wheel, made by maturin around what cargo has built.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::libraries::{self, Libraries};
use super::platform::{OLDEST_GLIBC, Platform};
use super::{Build, VERSION, snippets};
use crate::failure::{Failure, Result};
use crate::process::{forget_own_package, printed, succeed};
use crate::python;
use crate::venv;
use crate::workspace::Workspace;

/// What README's readers have and we do not, before the snippets that name it.
const READERS: &str = "cluster = snapfill.Cluster(\"https://search.example.com:9200\")\n";

/// Builds it into `dist`.
pub(super) fn build(
    workspace: &Workspace,
    build: Build,
    libraries: &Libraries,
    dist: &Path,
) -> Result<PathBuf> {
    let mut maturin = Command::new(libraries::tools(workspace)?);
    maturin.args(["-m", "maturin", "build", "--out"]).arg(dist);
    forget_own_package(&mut maturin);
    maturin
        .env("SNAPFILL_CARGO", env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .env("SNAPFILL_CARGO_MESSAGES", &libraries.messages)
        .env("CARGO", workspace.root().join("xtask/src/package/built.sh"));
    match build {
        Build::Release => {
            let oldest = format!("manylinux_{}", OLDEST_GLIBC.replace('.', "_"));
            let target = Platform::here()?.rust;
            maturin.args(["--release", "--target", target, "--compatibility", &oldest])
        }
        Build::Quick => maturin.args(["--profile", "dev", "--compatibility", "linux"]),
    };
    succeed(maturin.current_dir(workspace.root().join("python")), "maturin build")?;
    find(dist)
}

/// The one that is in `dist`.
fn find(dist: &Path) -> Result<PathBuf> {
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

/// Installs it into an environment that has nothing else, runs there what READMEs print, and has the types checked.
pub(super) fn attempt(workspace: &Workspace, wheel: &Path) -> Result {
    let place = tempfile::tempdir().map_err(Failure::at(wheel))?;
    let place = place.path();
    let folder = place.join("venv");
    let python = folder.join("bin/python");
    venv::empty(&folder)?;
    venv::install(&python, ["--no-index".as_ref(), wheel])?;
    let run = |program: &Path, words: &[&str], folder: &Path, what: &str| {
        printed(Command::new(program).args(words).current_dir(folder), what)
    };
    let mut scripts = Vec::new();
    for readme in ["README.md", "python/README.md"] {
        let name = readme.replace(['/', '.'], "_");
        let script = snippets::room(place, &name)?.join(name + ".py");
        let code = snippets::script(workspace, readme, "python", READERS)?;
        fs::write(&script, code).map_err(Failure::at(&script))?;
        let folder = script.parent().unwrap_or(place);
        let what = format!("the snippets of {readme}");
        run(&python, &[&script.to_string_lossy()], folder, &what)?;
        scripts.push(script);
    }
    let version = format!("snapfill {VERSION}\n");
    for (program, words) in [
        (&python, &["-m", "snapfill", "--version"][..]),
        (&folder.join("bin/snapfill"), &["--version"]),
    ] {
        snippets::expect(&run(program, words, place, "snapfill --version")?, &version)?;
    }
    let wrong = workspace.root().join("tests/packages/wrong_arguments.py");
    run(&python, &[&wrong.to_string_lossy()], place, "tests/packages/wrong_arguments.py")?;
    check_types(workspace, place, &python, &scripts)?;
    println!("{}: installed and tried", wheel.display());
    Ok(())
}

/// Holds the examples and the snippets against the types of what is installed, and has these looked through for gaps.
fn check_types(workspace: &Workspace, place: &Path, python: &Path, scripts: &[PathBuf]) -> Result {
    let checkers = python::tools(workspace)?;
    // What examples import besides is where the checkers are.
    let others = site_packages(&checkers)?;
    let link = Path::new(site_packages(python)?.trim()).join("examples.pth");
    fs::write(&link, others).map_err(Failure::at(&link))?;
    let check = |words: &[&str], what: &[PathBuf]| {
        let mut command = Command::new(&checkers);
        command.arg("-m").args(words).arg(python).args(what);
        command.current_dir(place).env("PATH", venv::path_with(python)?);
        printed(&mut command, &words.join(" ")).map(|_| ())
    };
    let what = [&[workspace.root().join("examples/python")], scripts].concat();
    check(&["mypy", "--strict", "--config-file=", "--python-executable"], &what)?;
    check(&["pyright", "--pythonpath"], &what)?;
    check(&["pyright", "--verifytypes", "snapfill", "--ignoreexternal", "--pythonpath"], &[])
}

/// Where the environment of this Python has its packages.
fn site_packages(python: &Path) -> Result<String> {
    let code = "import sysconfig; print(sysconfig.get_path('purelib'))";
    printed(Command::new(python).args(["-c", code]), "sysconfig")
}
