//! The version stands once, in the workspace's `Cargo.toml`. What takes it from there says so, what cannot says the same.

use serde_json::Value;

use super::Finding;
use super::files::File;

/// That of this program, which is the workspace's.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn check(file: &File) -> Vec<Finding> {
    let Some(text) = file.text() else { return Vec::new() };
    match file.path.as_str() {
        "node/package.json" => said_in_json(file, text, &["/version"]),
        "node/package-lock.json" => said_in_json(file, text, &["/version", "/packages//version"]),
        "kotlin/pom.xml" => said_first_in_xml(file, text),
        "python/pyproject.toml" => taken(file, text, "dynamic = [\"version\"]"),
        path if path.ends_with("Cargo.toml") && text.contains("[package]") => {
            taken(file, text, "version.workspace = true")
        }
        _ => Vec::new(),
    }
}

fn said_in_json(file: &File, text: &str, places: &[&str]) -> Vec<Finding> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let said = places.iter().map(|place| value.pointer(place).and_then(Value::as_str));
    said.filter_map(|version| differing(file, text, version)).collect()
}

/// The first version of a project's file is its own.
fn said_first_in_xml(file: &File, text: &str) -> Vec<Finding> {
    let after = text.split_once("<version>").map(|(_, after)| after);
    let version =
        after.and_then(|after| after.split_once("</version>")).map(|(version, _)| version);
    differing(file, text, version).into_iter().collect()
}

fn differing(file: &File, text: &str, version: Option<&str>) -> Option<Finding> {
    let what = match version {
        Some(VERSION) => return None,
        Some(version) => format!("version {version}"),
        None => "no version".to_owned(),
    };
    let is_there = |line: &str| version.is_some_and(|version| line.contains(version));
    let line = text.lines().position(is_there).map_or(1, |number| number + 1);
    Some(file.finding(line, what, format!("the workspace's is {VERSION}")))
}

fn taken(file: &File, text: &str, how: &str) -> Vec<Finding> {
    let says = |line: &str| line.split('#').next().is_some_and(|line| line.trim() == how);
    match text.lines().any(says) {
        true => Vec::new(),
        false => vec![file.finding(1, "a version of its own", format!("write `{how}`"))],
    }
}
