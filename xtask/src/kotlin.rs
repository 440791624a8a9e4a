//! `cargo xtask kotlin`: the declarations for Kotlin and Swift, made anew, and the Kotlin package, tested.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::process::{cargo, succeed};
use crate::workspace::Workspace;

/// Generated and checked in: each one's name under the folder it is written to, and its place.
const FILES: &[(&str, &str)] = &[
    ("kotlin/io/snapfill/snapfill.kt", "kotlin/generated/io/snapfill/snapfill.kt"),
    ("swift/Snapfill.swift", "swift/Snapfill.swift"),
    ("swift/SnapfillFFI.h", "swift/SnapfillFFI.h"),
    ("swift/SnapfillFFI.modulemap", "swift/SnapfillFFI.modulemap"),
];

/// Builds the library, holds the declarations against it, and tests the Kotlin package.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    let arguments = Arguments::parse(words, &["--after-tests", "--write"], &[])?;
    let mut build = cargo(workspace);
    build.arg("build");
    match arguments.has("--after-tests") {
        // With the features that the tests of the workspace have, so that what they built serves here.
        true => build.args(["--workspace", "--lib", "--bins", "--tests"]),
        false => build.args(["-p", "snapfill-kotlin", "-p", "snapfill-bindgen"]),
    };
    succeed(&mut build, "cargo build")?;
    let built = workspace.target()?.join("debug");
    let folder = generate(workspace, &built)?;
    for (name, place) in FILES {
        keep(&folder.join(name), &workspace.root().join(place), arguments.has("--write"))?;
    }
    let mut test = Command::new("mvn");
    test.args(["--quiet", "--batch-mode", "--file"])
        .arg(workspace.root().join("kotlin/pom.xml"))
        .arg("test")
        .arg(format!("-Djna.library.path={}", built.display()));
    succeed(&mut test, "mvn test")
}

/// Writes the declarations into a folder of their own.
fn generate(workspace: &Workspace, built: &Path) -> Result<PathBuf> {
    let folder = workspace.target()?.join("declarations");
    let mut command = Command::new(built.join("snapfill-bindgen"));
    command
        .arg(built.join("libsnapfill_uniffi.so"))
        .arg(workspace.root().join("kotlin/uniffi.toml"))
        .args([folder.join("kotlin"), folder.join("swift")])
        .current_dir(workspace.root());
    succeed(&mut command, "snapfill-bindgen")?;
    Ok(folder)
}

/// Holds a file that is checked in against the one that was generated.
fn keep(generated: &Path, place: &Path, writes: bool) -> Result {
    let text = fs::read_to_string(generated).map_err(Failure::at(generated))?;
    let text = tidy(&text);
    if fs::read_to_string(place).is_ok_and(|there| there == text) {
        return Ok(());
    }
    if !writes {
        return Failure::failed(format!(
            "{} is not what the facade declares; run `cargo xtask kotlin --write`",
            place.display()
        ));
    }
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).map_err(Failure::at(folder))?;
    }
    fs::write(place, text).map_err(Failure::at(place))
}

/// Without spaces at the ends of lines, and with one line's end at the end.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_generated_is_checked_in_without_trailing_spaces() {
        assert_eq!(tidy("a  \n\n  b\t\n\n\n"), "a\n\n  b\n");
    }

    #[test]
    fn a_file_that_differs_is_refused_unless_it_is_to_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let (generated, place) = (folder.path().join("new"), folder.path().join("in/place"));
        fs::write(&generated, "a").unwrap();
        assert!(keep(&generated, &place, false).is_err());
        keep(&generated, &place, true).unwrap();
        keep(&generated, &place, false).unwrap();
        fs::write(&generated, "b").unwrap();
        assert!(keep(&generated, &place, false).is_err());
    }
}
