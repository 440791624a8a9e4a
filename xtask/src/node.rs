//! `cargo xtask node`: the Node package, built in place and tested.

use std::process::Command;

use crate::failure::Result;
use crate::native::{Half, Scope};
use crate::process::succeed;
use crate::workspace::Workspace;

const HALF: Half =
    Half { package: "snapfill-node", library: "libsnapfill_node.so", place: "node/snapfill.node" };

/// Builds the native half and the TypeScript one, and tests the package.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    HALF.build(workspace, Scope::parse(words)?)?;
    let folder = workspace.root().join("node");
    let lines = [&["ci", "--no-audit", "--no-fund"][..], &["run", "build"], &["test"]];
    for words in lines {
        let mut command = Command::new("npm");
        succeed(command.args(words).current_dir(&folder), &format!("npm {}", words.join(" ")))?;
    }
    Ok(())
}
