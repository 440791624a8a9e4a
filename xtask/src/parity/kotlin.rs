//! The Kotlin package against the facade. Plain data and events are generated, and held against it by `cargo xtask kotlin`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::declared::{Classes, has, source};
use super::facade::Api;
use super::node::in_camel_case;
use super::python::{class, code_of};
use crate::failure::{Failure, Result};

/// The file of the exceptions.
const ERRORS: &str = "Exceptions.kt";

/// What Kotlin has beside the facade, made of what the facade has.
const OWN: &[(&str, &str)] = &[
    ("Backfill", "run"),
    ("Cluster", "address"),
    ("Document", "text"),
    ("FailedDocument", "text"),
    ("Logs", "to"),
    ("Logs", "toSystemLogger"),
    ("Logs", "toNobody"),
];

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
        let mut classes = Classes::new();
        for entry in fs::read_dir(&folder).map_err(Failure::at(&folder))? {
            let name = entry.map_err(Failure::at(&folder))?.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(".kt") && name != ERRORS {
                classes.append(&mut classes_of(&source(&folder, &name)?));
            }
        }
        Ok(Self { classes, errors: source(&folder, ERRORS)? })
    }

    /// What is missing, and what is there that the facade does not have.
    pub(super) fn check(&self, api: &Api) -> Vec<String> {
        let mut findings = Vec::new();
        let mut known = Classes::new();
        for (handle, functions) in &api.handles {
            let class = class(handle);
            let members = known.entry(class.to_owned()).or_default();
            members.extend(functions.iter().filter_map(|function| member(handle, function)));
            let lacks = members.iter().filter(|member| !has(&self.classes, class, member));
            findings.extend(lacks.map(|member| format!("kotlin: there is no {class}.{member}")));
        }
        for (class, member) in OWN {
            known.entry((*class).to_owned()).or_default().insert((*member).to_owned());
        }
        for (class, members) in &self.classes {
            if !known.contains_key(class) {
                findings.push(format!("kotlin: the facade has no {class}"));
                continue;
            }
            let extra = members.iter().filter(|member| !has(&known, class, member));
            findings
                .extend(extra.map(|member| format!("kotlin: the facade has no {class}.{member}")));
        }
        self.check_errors(api, &mut findings);
        findings
    }

    fn check_errors(&self, api: &Api, findings: &mut Vec<String>) {
        const BEGIN: &str = "SnapfillException(\"";
        let declared: BTreeSet<&str> = self
            .errors
            .match_indices(BEGIN)
            .filter_map(|(at, _)| self.errors.get(at + BEGIN.len()..)?.split('"').next())
            .collect();
        let codes: BTreeSet<String> = api.errors.iter().map(|kind| code_of(kind)).collect();
        for code in codes.iter().filter(|code| !declared.contains(code.as_str())) {
            findings.push(format!("kotlin: {ERRORS} has no class with the code {code}"));
        }
        for code in declared.iter().filter(|code| !codes.contains(**code)) {
            findings
                .push(format!("kotlin: the facade has no error with the code {code} of {ERRORS}"));
        }
    }
}

/// The public classes of a file and their public members, those of a companion among them.
fn classes_of(text: &str) -> Classes {
    let mut classes: Classes = Classes::new();
    let mut class = String::new();
    for line in text.lines() {
        let declared =
            ["public class ", "public object "].iter().find_map(|begin| line.strip_prefix(begin));
        if let Some(rest) = declared {
            class = word(rest);
            classes.entry(class.clone()).or_default();
        }
        for (_, rest) in
            line.match_indices("public ").map(|(at, found)| line.split_at(at + found.len()))
        {
            let rest = rest.strip_prefix("suspend ").unwrap_or(rest);
            if let Some(rest) = rest.strip_prefix("fun ").or_else(|| rest.strip_prefix("val ")) {
                let name = word(rest);
                // What is added to a class elsewhere is written behind its name.
                let (of, name) =
                    match rest.strip_prefix(&name).and_then(|rest| rest.strip_prefix('.')) {
                        Some(added) => (name, word(added)),
                        None => (class.clone(), name),
                    };
                classes.entry(of).or_default().insert(name);
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
        let text = "public class A(public val b: Int) {\n    public suspend fun c(): Int = 1\n    private fun d() = 2\n}\n\
                    public val E.f: String get() = 1\npublic class G\n";
        let found = classes_of(text);
        let members = |class: &str| found[class].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!((members("A"), members("E"), members("G")), (vec!["b", "c"], vec!["f"], vec![]));
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_is_found() {
        let text = "public class Backfill {\n    public fun start() {}\n    public fun odd() {}\n    public fun run() {}\n}\npublic class Odd\n";
        let package = Package {
            classes: classes_of(text),
            errors: "    SnapfillException(\"ODD\", error, cause)".to_owned(),
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
                "kotlin: the facade has no Backfill.odd",
                "kotlin: the facade has no Odd",
                "kotlin: Exceptions.kt has no class with the code IO",
                "kotlin: the facade has no error with the code ODD of Exceptions.kt",
            ]
        );
    }
}
