//! The native halves of the packages, built by one cargo into one target folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::Build;
use super::platform::{OLDEST_GLIBC, Platform};
use crate::failure::{Failure, Result};
use crate::native::Scope;
use crate::process::{cargo, forget_own_package, succeed};
use crate::venv;
use crate::workspace::Workspace;

/// What Python and Node load.
const HALVES: &[&str] = &["snapfill-python", "snapfill-node"];
/// And what a JVM does.
const ALL: &[&str] = &["snapfill-python", "snapfill-node", "snapfill-kotlin"];

/// Where the native halves lie.
#[derive(Debug)]
pub(super) struct Libraries {
    /// What cargo said when it built Python's, for maturin.
    pub(super) messages: PathBuf,
    pub(super) node: PathBuf,
    pub(super) kotlin: PathBuf,
}

/// The Python that has the tools packages are built with.
pub(super) fn tools(workspace: &Workspace) -> Result<PathBuf> {
    venv::with(workspace, "package", &workspace.root().join("python/requirements-package.txt"))
}

/// Builds them.
pub(super) fn build(workspace: &Workspace, build: Build, scope: Scope) -> Result<Libraries> {
    let folder = workspace.target()?.join("package");
    fs::create_dir_all(&folder).map_err(Failure::at(&folder))?;
    let [all, halves] = ["all.json", "halves.json"].map(|name| folder.join(name));
    match build {
        Build::Quick => {
            let mut command = cargo(workspace);
            command.arg("build").args(scope.arguments(ALL));
            listening(&mut command, &all)?;
            fs::copy(&all, &halves).map_err(Failure::at(&halves))?;
        }
        // The facade is compiled with what Kotlin needs for Kotlin alone. Its library is built together with the others, which
        // has all the rest compiled with the very same features, and once.
        Build::Release => {
            listening(&mut for_old_systems(workspace, ALL)?, &all)?;
            listening(&mut for_old_systems(workspace, HALVES)?, &halves)?;
        }
    }
    let messages = folder.join("python.json");
    let python = find(&halves, "lib_native.so")?;
    let copy = folder.join("lib_native.so");
    // maturin takes the library away from where it finds it, after which cargo would link it again.
    fs::copy(&python, &copy).map_err(Failure::at(&python))?;
    let said = fs::read_to_string(&halves).map_err(Failure::at(&halves))?;
    let moved = said.replace(&*python.to_string_lossy(), &copy.to_string_lossy());
    fs::write(&messages, moved).map_err(Failure::at(&messages))?;
    Ok(Libraries {
        messages,
        node: find(&halves, "libsnapfill_node.so")?,
        kotlin: find(&all, "libsnapfill_uniffi.so")?,
    })
}

/// cargo with zig as the C compiler and linker, which links for a glibc of any age.
fn for_old_systems(workspace: &Workspace, packages: &[&str]) -> Result<Command> {
    let python = tools(workspace)?;
    let mut command = Command::new(python.with_file_name("cargo-zigbuild"));
    command.args(["build", "--release", "--lib", "--target"]);
    command.arg(format!("{}.{OLDEST_GLIBC}", Platform::here()?.rust));
    command.args(Scope::Package.arguments(packages)).current_dir(workspace.root());
    forget_own_package(&mut command);
    // Where it looks for a Python that has zig.
    command.env("PATH", venv::path_with(&python)?);
    command.env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    Ok(command)
}

/// Runs a cargo that writes to `messages` what it builds.
fn listening(command: &mut Command, messages: &Path) -> Result {
    let file = File::create(messages).map_err(Failure::at(messages))?;
    command.arg("--message-format=json-render-diagnostics").stdout(file);
    succeed(command, "cargo build")
}

/// Where cargo put this library.
fn find(messages: &Path, library: &str) -> Result<PathBuf> {
    let text = fs::read_to_string(messages).map_err(Failure::at(messages))?;
    let mut files = text.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let names = message.get("filenames")?.as_array()?.iter().filter_map(Value::as_str);
        names.map(PathBuf::from).find(|name| name.ends_with(library))
    });
    files.next_back().ok_or_else(|| Failure::Failed(format!("cargo built no {library}")))
}
