//! The files that the limits are held for.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Finding;
use crate::failure::{Failure, Result};

/// A file of the project.
#[derive(Debug)]
pub(super) struct File {
    /// From the workspace's root, with `/`.
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
}

impl File {
    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether the file holds nothing but tests or benches.
    pub(super) fn is_test(&self) -> bool {
        let mut parts = self.path.split('/').rev();
        parts.next() == Some("tests.rs") || parts.any(|part| part == "tests" || part == "benches")
    }

    /// Whether servers wrote it, not we.
    pub(super) fn is_fixture(&self) -> bool {
        self.path.starts_with("tests/fixtures/")
    }

    /// Its text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    pub(super) fn finding(
        &self,
        line: usize,
        what: impl Into<String>,
        limit: impl Into<String>,
    ) -> Finding {
        Finding { path: self.path.clone(), line, what: what.into(), limit: limit.into() }
    }
}

/// What git tracks and what it would track; everything, where there is no checkout.
pub(super) fn list(root: &Path) -> Result<Vec<File>> {
    let mut paths = if root.join(".git").exists() { tracked(root)? } else { Vec::new() };
    if paths.is_empty() {
        walk(root, "", &mut paths)?;
    }
    paths.sort();
    paths.dedup();
    let exists = |path: &String| root.join(path).is_file();
    let read = |path: String| {
        let bytes = fs::read(root.join(&path)).map_err(Failure::at(Path::new(&path)))?;
        Ok(File { path, bytes })
    };
    paths.into_iter().filter(exists).map(read).collect()
}

fn tracked(root: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.current_dir(root).output();
    let output = output.map_err(|error| Failure::Failed(format!("cannot run `git`: {error}")))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        return Failure::failed(format!("`git ls-files` failed: {why}"));
    }
    let names = output.stdout.split(|&byte| byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

fn walk(root: &Path, folder: &str, paths: &mut Vec<String>) -> Result {
    let path = root.join(folder);
    for entry in fs::read_dir(&path).map_err(Failure::at(&path))? {
        let entry = entry.map_err(Failure::at(&path))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let below = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type().map_err(Failure::at(&path))?;
        let is_product =
            ["target", "dist", "snapfill-demo", "node_modules", ".git"].contains(&name.as_str());
        if kind.is_dir() && !is_product {
            walk(root, &below, paths)?;
        } else if kind.is_file() {
            paths.push(below);
        }
    }
    Ok(())
}
