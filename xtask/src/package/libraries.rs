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

/// What Python, Node and a JVM load. Built together they have the very same features, those that the tests ran with, and all
/// that they are made of is compiled once.
const CRATES: &[&str] = &["snapfill-python", "snapfill-node", "snapfill-kotlin"];

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
    let built = folder.join("built.json");
    let mut command = match build {
        Build::Quick => {
            let mut command = cargo(workspace);
            command.arg("build").args(scope.arguments(CRATES));
            command
        }
        Build::Release => for_old_systems(workspace)?,
    };
    listening(&mut command, &built)?;
    let messages = folder.join("python.json");
    let python = find(&built, "lib_native.so")?;
    let copy = folder.join("lib_native.so");
    // maturin takes the library away from where it finds it, after which cargo would link it again.
    fs::copy(&python, &copy).map_err(Failure::at(&python))?;
    let said = fs::read_to_string(&built).map_err(Failure::at(&built))?;
    let moved = said.replace(&*python.to_string_lossy(), &copy.to_string_lossy());
    fs::write(&messages, moved).map_err(Failure::at(&messages))?;
    let node = find(&built, "libsnapfill_node.so")?;
    let kotlin = find(&built, "libsnapfill_uniffi.so")?;
    if build == Build::Release {
        require_oldest_glibc(&node)?;
        require_oldest_glibc(&kotlin)?;
    }
    Ok(Libraries { messages, node, kotlin })
}

/// Fails where a library asks for a newer glibc than users may have. maturin does the same for Python's.
fn require_oldest_glibc(library: &Path) -> Result {
    let bytes = fs::read(library).map_err(Failure::at(library))?;
    let oldest = OLDEST_GLIBC.split_once('.').and_then(|(_, minor)| minor.parse().ok());
    match newest_glibc(&bytes) {
        Some(newest) if Some(newest) <= oldest => Ok(()),
        Some(newest) => Failure::failed(format!(
            "{} asks for glibc 2.{newest}, newer than {OLDEST_GLIBC}",
            library.display()
        )),
        None => Failure::failed(format!("{} asks for no glibc", library.display())),
    }
}

/// The newest of the versions of glibc 2 whose symbols a library names.
fn newest_glibc(library: &[u8]) -> Option<u32> {
    const NAME: &[u8] = b"GLIBC_2.";
    let names = library.windows(NAME.len()).enumerate().filter(|(_, bytes)| *bytes == NAME);
    let versions = names.filter_map(|(at, _)| {
        let digits = library.get(at + NAME.len()..)?;
        let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
        std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
    });
    versions.max()
}

/// cargo with zig as the C compiler and linker, which links for a glibc of any age.
fn for_old_systems(workspace: &Workspace) -> Result<Command> {
    let python = tools(workspace)?;
    let mut command = Command::new(python.with_file_name("cargo-zigbuild"));
    command.args(["build", "--release", "--lib", "--target"]);
    command.arg(format!("{}.{OLDEST_GLIBC}", Platform::here()?.rust));
    command.args(Scope::Package.arguments(CRATES)).current_dir(workspace.root());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_says_which_glibc_it_needs() {
        assert_eq!(newest_glibc(b"\0GLIBC_2.2.5\0GLIBC_2.28\0GLIBC_2.9\0GLIBC_2."), Some(28));
        assert_eq!(newest_glibc(b"GLIBC_PRIVATE\0"), None);
    }
}
