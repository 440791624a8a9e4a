//! `cargo xtask kotlin`: the declarations for Kotlin and Swift, made anew, and the Kotlin package, tested.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::arguments::Arguments;
use crate::checked_in::keep;
use crate::failure::{Failure, Result};
use crate::native::{self, AFTER_TESTS, Scope};
use crate::process::succeed;
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
    let arguments = Arguments::parse(words, &[AFTER_TESTS, "--write"], &[])?;
    native::build(workspace, &["snapfill-kotlin", "snapfill-bindgen"], Scope::of(&arguments))?;
    let built = native::built(workspace)?;
    let folder = generate(workspace, &built)?;
    for (name, place) in FILES {
        let generated = folder.join(name);
        let text = fs::read_to_string(&generated).map_err(Failure::at(&generated))?;
        let place = workspace.root().join(place);
        keep(&place, &tidy(&text), arguments.has("--write"), "cargo xtask kotlin")?;
    }
    let mut test = maven(workspace);
    test.arg("test").arg(format!("-Djna.library.path={}", built.display()));
    succeed(&mut test, "mvn test")
}

/// `mvn` over the package.
pub(crate) fn maven(workspace: &Workspace) -> Command {
    let mut maven = Command::new("mvn");
    maven.args(["--quiet", "--batch-mode", "--file"]).arg(workspace.root().join("kotlin/pom.xml"));
    maven
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
}
