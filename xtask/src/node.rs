//! `cargo xtask node`: the Node package, built in place and tested.

use std::path::Path;
use std::process::Command;

use crate::failure::Result;
use crate::native::{self, BUILT_VARIABLE, Half, Scope};
use crate::process::succeed;
use crate::workspace::Workspace;

/// Its native half.
pub(crate) const HALF: Half =
    Half { package: "snapfill-node", library: "libsnapfill_node.so", place: "node/snapfill.node" };

/// Builds the native half and the TypeScript one, and tests the package.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    HALF.build(workspace, Scope::parse(words)?)?;
    build_typescript(workspace)?;
    npm(workspace, &["test"])
}

/// Compiles the half in TypeScript, and its tests, in place.
pub(crate) fn build_typescript(workspace: &Workspace) -> Result {
    install_tools(workspace)?;
    npm(workspace, &["run", "build"])
}

/// Compiles the TypeScript half into a folder of its own.
pub(crate) fn compile(workspace: &Workspace, folder: &Path) -> Result {
    install_tools(workspace)?;
    npm(
        workspace,
        &["exec", "tsc", "--", "--project", "tsconfig.json", "--outDir", &folder.to_string_lossy()],
    )
}

fn install_tools(workspace: &Workspace) -> Result {
    npm(workspace, &["ci", "--no-audit", "--no-fund"])
}

fn npm(workspace: &Workspace, words: &[&str]) -> Result {
    let mut command = Command::new("npm");
    command.args(words).current_dir(workspace.root().join("node"));
    command.env(BUILT_VARIABLE, native::built(workspace)?);
    succeed(&mut command, &format!("npm {}", words.join(" ")))
}
