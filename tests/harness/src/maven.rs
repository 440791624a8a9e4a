//! Fetching artifacts with Maven, which keeps them in its own local repository as well.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{During, Error, Result};

/// What to do where there is no `mvn`.
pub(crate) const HOW_TO_GET_MAVEN: &str =
    "install Apache Maven, for instance `apt-get install maven`";

/// Fails where there is no Maven, or none that runs.
pub(crate) fn require() -> Result<()> {
    run(Command::new("mvn").arg("--version"), "mvn", HOW_TO_GET_MAVEN)
}

/// Copies the artifact with these coordinates (`group:artifact:version:type`) into a folder.
pub(crate) fn fetch(artifact: &str, into: &Path) -> Result<PathBuf> {
    let mut command = Command::new("mvn");
    command.args(["-q", "-B", "dependency:get", "dependency:copy", "-Dtransitive=false"]);
    command.arg(format!("-Dartifact={artifact}"));
    command.arg(format!("-DoutputDirectory={}", into.display()));
    run(&mut command, "mvn", HOW_TO_GET_MAVEN)?;
    let mut parts = artifact.split(':').skip(1);
    let file: [&str; 3] = std::array::from_fn(|_| parts.next().unwrap_or_default());
    Ok(into.join(format!("{}-{}.{}", file[0], file[1], file[2])))
}

/// Runs a program to its end; its output is only shown when it fails.
pub(crate) fn run(command: &mut Command, tool: &'static str, how: &'static str) -> Result<()> {
    let output = match command.stdin(Stdio::null()).output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::MissingTool { tool, how });
        }
        output => output.during(|| format!("running {tool}"))?,
    };
    if output.status.success() {
        return Ok(());
    }
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Err(Error::Failed {
        command: line(command),
        status: output.status.to_string(),
        output: tail(&text, 3000).to_owned(),
    })
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The last `most` bytes of a text, cut at a character.
pub(crate) fn tail(text: &str, most: usize) -> &str {
    let mut start = text.len().saturating_sub(most);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        let mut command = Command::new("snapfill-no-such-program");
        let error = run(&mut command, "no-such-program", "write it").unwrap_err();
        assert_eq!(error.to_string(), "`no-such-program` was not found: write it");
    }

    #[test]
    fn a_failure_shows_what_was_printed() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo broken >&2; exit 7"]);
        let error = run(&mut command, "sh", "").unwrap_err().to_string();
        assert!(error.contains("broken") && error.contains('7'), "{error}");
    }

    #[test]
    fn a_tail_begins_at_a_character() {
        assert_eq!(tail("aé", 1), "");
        assert_eq!(tail("aé", 2), "é");
        assert_eq!(tail("aé", 9), "aé");
    }
}
