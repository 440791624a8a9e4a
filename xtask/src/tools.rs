//! The programs that the tests need, and how to get them.

use std::process::{Command, Stdio};

use snapfill_harness::{Server, Servers};

use crate::failure::{Failure, Result};
use crate::process::cargo;
use crate::workspace::Workspace;

/// Fails with one line for each tool that is missing, those of the servers among them.
pub(crate) fn verify(workspace: &Workspace, servers: Servers) -> Result {
    let rust = [
        ("cargo", "--version", "install Rust: https://rustup.rs"),
        ("rustfmt", "fmt", "run `rustup component add rustfmt`"),
        ("clippy", "clippy", "run `rustup component add clippy`"),
    ];
    let mut missing = Vec::new();
    for (tool, argument, how) in rust {
        let mut command = cargo(workspace);
        command.arg(argument);
        if argument != "--version" {
            command.arg("--version");
        }
        if !works(&mut command) {
            missing.push(format!("`{tool}` was not found: {how}"));
        }
    }
    let is_checkout = workspace.root().join(".git").exists();
    if is_checkout && !works(Command::new("git").arg("--version")) {
        missing.push("`git` was not found: install it, for instance `apt-get install git`".into());
    }
    if !works(
        Command::new("python3")
            .args(["-c", "import sys, venv; sys.exit(sys.version_info < (3, 10))"]),
    ) {
        missing.push("`python3`, 3.10 or newer with `venv`, was not found: install it, for instance `apt-get install python3-venv`".into());
    }
    let is_new = "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)";
    if !works(Command::new("node").args(["-e", is_new]))
        || !works(Command::new("npm").arg("--version"))
    {
        missing.push(
            "`node`, 20 or newer, and `npm` were not found: install them from https://nodejs.org"
                .into(),
        );
    }
    for version in servers.versions() {
        if let Err(error) = Server::require_tools(version) {
            let error = error.to_string();
            if !missing.contains(&error) {
                missing.push(error);
            }
        }
    }
    if missing.is_empty() { Ok(()) } else { Failure::failed(missing.join("\nerror: ")) }
}

fn works(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
