//! The Kotlin package against the facade. Plain data and events are generated, and held against it by `cargo xtask kotlin`.

use std::path::Path;

use super::declared::{Classes, has, source};
use super::facade::Api;
use super::node::in_camel_case;
use super::python::{class, code_of};
use crate::failure::Result;

/// What people write for a function.
pub(super) fn call(handle: &str, function: &str) -> String {
    let class = class(handle);
    match (handle, function) {
        ("DocumentBatch", _) => "List<Document>".to_owned(),
        ("GradualScaling", "next") => "GradualScaling.collect".to_owned(),
        (_, "new") => format!("{class}(…)"),
        _ => member(handle, function).map_or_else(String::new, |name| format!("{class}.{name}")),
    }
}

/// What people call a function; none for what Kotlin has another way for: a flow is closed when its collection ends, and a
/// backfill interrupted when its coroutine is cancelled.
fn member(handle: &str, function: &str) -> Option<String> {
    match (handle, function) {
        (_, "new")
        | ("DocumentBatch", _)
        | ("DocumentStream", "close")
        | ("Backfill", "interrupt")
        | ("GradualScaling", "next") => None,
        (_, "next_batch") => Some("batches".to_owned()),
        (_, other) => Some(in_camel_case(other)),
    }
}

/// The declarations that people see.
#[derive(Debug)]
pub(super) struct Package {
    classes: Classes,
    errors: String,
}

impl Package {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let folder = root.join("kotlin/src/main/kotlin/io/snapfill");
        let text = |name: &str| source(&folder, name);
        let mut classes = Classes::new();
        for file in [
            "Backfill.kt",
            "Cluster.kt",
            "Documents.kt",
            "Events.kt",
            "FailedDocuments.kt",
            "GradualScaling.kt",
            "Repository.kt",
        ] {
            classes.append(&mut classes_of(&text(file)?));
        }
        Ok(Self { classes, errors: text("Exceptions.kt")? })
    }

    /// What is missing.
    pub(super) fn check(&self, api: &Api) -> Vec<String> {
        let mut findings = Vec::new();
        for (handle, function) in
            api.handles.iter().flat_map(|(handle, all)| all.iter().map(move |one| (handle, one)))
        {
            let Some(member) = member(handle, function) else { continue };
            let class = class(handle);
            if !has(&self.classes, class, &member) {
                findings.push(format!("kotlin: there is no {class}.{member}"));
            }
        }
        for kind in &api.errors {
            let code = code_of(kind);
            if !self.errors.contains(&format!("SnapfillException(\"{code}\", ")) {
                findings.push(format!("kotlin: Exceptions.kt has no class with the code {code}"));
            }
        }
        findings
    }
}

/// The public classes of a file and their public members, those of a companion among them.
fn classes_of(text: &str) -> Classes {
    let mut classes: Classes = Classes::new();
    let mut class = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("public class ") {
            class = word(rest);
        }
        for (_, rest) in
            line.match_indices("public ").map(|(at, found)| line.split_at(at + found.len()))
        {
            let rest = rest.strip_prefix("suspend ").unwrap_or(rest);
            if let Some(rest) = rest.strip_prefix("fun ").or_else(|| rest.strip_prefix("val ")) {
                classes.entry(class.clone()).or_default().insert(word(rest));
            }
        }
    }
    classes
}

fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_members_are_found() {
        let text = "public class A(public val b: Int) {\n    public suspend fun c(): Int = 1\n    private fun d() = 2\n}\n";
        let found = classes_of(text);
        assert_eq!(found["A"].iter().map(String::as_str).collect::<Vec<_>>(), ["b", "c"]);
    }

    #[test]
    fn what_is_missing_is_found() {
        let package = Package {
            classes: classes_of("public class Backfill {\n    public fun start() {}\n}\n"),
            errors: String::new(),
        };
        let functions = ["new", "start", "deep_status"].map(str::to_owned).to_vec();
        let api = Api {
            handles: [("Backfill".to_owned(), functions)].into(),
            errors: vec!["Io".to_owned()],
            ..Api::default()
        };
        assert_eq!(
            package.check(&api),
            [
                "kotlin: there is no Backfill.deepStatus",
                "kotlin: Exceptions.kt has no class with the code IO",
            ]
        );
    }
}
