//! `cargo xtask bench`: the benches that speed claims rest on.

use crate::failure::{Failure, Result};
use crate::process::{cargo, exit_code};
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    if words.first().is_some_and(|word| word != "--") {
        return Err(Failure::Usage(format!("unexpected `{}`", words[0])));
    }
    let mut command = cargo(workspace);
    command.args(["bench", "-p", "snapfill-lucene", "--bench", "decode"]).args(words);
    match exit_code(&mut command)? {
        0 => Ok(()),
        code => Failure::failed(format!("`cargo bench` ended with exit code {code}")),
    }
}
