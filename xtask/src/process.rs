//! Running other programs.

use std::env;
use std::process::{Command, Stdio};

use crate::failure::{Failure, Result};
use crate::workspace::Workspace;

/// How much is shown of what a program said that failed.
const LAST_LINES: usize = 40;

/// The cargo that started us, in the workspace's root.
pub(crate) fn cargo(workspace: &Workspace) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(workspace.root()).stdin(Stdio::null());
    forget_own_package(&mut command);
    command
}

/// Leaves out what cargo told us of our own package: build scripts that look at these would run anew, and all that is built
/// upon them, whenever a build is begun by us after one that was not.
pub(crate) fn forget_own_package(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let is_own = |prefix| name.as_encoded_bytes().starts_with(prefix);
        if is_own(b"CARGO_PKG_") || is_own(b"CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

/// Runs a program to its end, its output passed through; its exit code, or an error where a
/// signal ended it.
pub(crate) fn exit_code(command: &mut Command) -> Result<i32> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| Failure::Failed(format!("cannot run `{name}`: {error}")))?;
    status.code().ok_or_else(|| Failure::Failed(format!("`{name}` was ended: {status}")))
}

/// Runs a program to its end; anything but success is a failure of `what`.
pub(crate) fn succeed(command: &mut Command, what: &str) -> Result {
    match exit_code(command)? {
        0 => Ok(()),
        code => Failure::failed(format!("`{what}` ended with {code}")),
    }
}

/// Runs a program to its end and gives what it printed; anything but success is a failure of `what`, with what it said last.
pub(crate) fn printed(command: &mut Command, what: &str) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::Failed(format!("cannot run `{name}`: {error}")))?;
    let [printed, said] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    match output.status.success() {
        true => Ok(printed.into_owned()),
        false => {
            let end = [last_lines(&printed), last_lines(&said)].join("\n");
            Failure::failed(format!("{what}: {}\n{end}", output.status))
        }
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

/// A command line as one would type it.
pub(crate) fn shell_line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    let quote = |word: &str| {
        if !word.is_empty() && word.chars().all(is_plain) {
            word.to_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    words.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::shell_line;

    #[test]
    fn quotes_what_a_shell_would_split() {
        assert_eq!(shell_line(["snapfill", "--repo", "a/b"]), "snapfill --repo a/b");
        assert_eq!(shell_line(["a b", "it's", ""]), r"'a b' 'it'\''s' ''");
    }
}
