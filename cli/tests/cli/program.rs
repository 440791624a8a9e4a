//! Running the program.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use snapfill_tests::fixtures::Fixture;

/// The program under test.
pub(crate) const SNAPFILL: &str = env!("CARGO_BIN_EXE_snapfill");

/// How the program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program with arguments, ready to be run.
pub(crate) fn command<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(SNAPFILL);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program to its end.
pub(crate) fn snapfill<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ended {
    command(arguments).output().unwrap().into()
}

/// Runs the program with arguments that hold no blank, written as one text, and ends with the paths.
pub(crate) fn snapfill_words(words: &str) -> Ended {
    snapfill(words.split_whitespace())
}

/// `snapfill run` of a fixture's snapshot into a folder.
pub(crate) fn run_arguments(fixture: Fixture, snapshot: &str, target: &Path) -> Vec<String> {
    let texts = ["run", &path(&fixture.repository()), snapshot, &path(target)];
    texts.map(str::to_owned).to_vec()
}

/// A path as an argument.
pub(crate) fn path(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// Standard output as the one JSON document that it must be.
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("{error} in {self:?}"),
        }
    }

    /// Checks the code, and that nothing looks like a crash.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self.assert_calm();
        self
    }

    /// Checks that the program failed with this code and one line that says all of `parts`.
    #[track_caller]
    pub(crate) fn fails_with(self, code: i32, parts: &[&str]) -> Self {
        let ended = self.ends_with(code);
        let errors: Vec<_> =
            ended.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{ended:?}");
        for part in parts {
            assert!(errors[0].contains(part), "no `{part}` in {ended:?}");
        }
        ended
    }

    /// Checks that nobody else's words came through: a panic, or a library's text that says nothing to a user.
    #[track_caller]
    pub(crate) fn assert_calm(&self) {
        for word in ["panicked", "RUST_BACKTRACE", "Generic ", "LocalFileSystem", "defect"] {
            assert!(!self.stderr.contains(word), "`{word}` in {self:?}");
        }
    }
}
