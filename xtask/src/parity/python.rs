//! The Python package against the facade.

use std::path::Path;

use super::declared::{Classes, has, source};
use super::facade::Api;
use crate::failure::Result;

/// Handles that Python has no class for, because it has a type of its own for them.
const BUILT_IN: &[&str] = &["DocumentBatch"];

/// Records whose fields are keyword arguments of a constructor.
const ARGUMENTS: &[&str] = &[
    "AwsOptions",
    "BackfillOptions",
    "ClusterOptions",
    "EcsFleet",
    "FailedFilter",
    "GradualOptions",
    "KubernetesFleet",
    "RenamePattern",
    "RepositoryOptions",
];

/// What people call a handle.
pub(super) fn class(handle: &str) -> &str {
    match handle {
        "DocumentStream" => "Documents",
        "EventStream" => "Events",
        "FailedDocumentStream" => "FailedDocuments",
        other => other,
    }
}

/// What people call a function; none for what Python has syntax for.
pub(super) fn method<'a>(handle: &str, function: &'a str) -> Option<&'a str> {
    match (handle, function) {
        // A call that is given up does it by itself.
        ("Backfill", "interrupt") => None,
        (_, "new") | ("Snapshot", "repository") | ("GradualScaling", "next") => None,
        ("Repository", "location") => Some("url"),
        ("Backfill", "deep_status") => Some("status"),
        (_, "next_batch") => Some("batches"),
        (_, other) => Some(other),
    }
}

/// The declarations of the package.
#[derive(Debug)]
pub(super) struct Package {
    native: Classes,
    blocking: Classes,
    awaited: Classes,
    data: Classes,
    events: Classes,
    errors: String,
    handles: String,
}

impl Package {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let folder = root.join("python/snapfill");
        let text = |name: &str| source(&folder, name);
        let handles = text("_handles.py")?;
        // What both halves have in common stands in classes of its own.
        let shared = classes(&handles);
        let half = |name: &str| -> Result<Classes> {
            let mut half = classes(&text(name)?);
            for (class, members) in &mut half {
                members
                    .extend(shared.get(&format!("{class}Handle")).into_iter().flatten().cloned());
            }
            Ok(half)
        };
        Ok(Self {
            native: classes(&text("_native.pyi")?),
            blocking: half("_sync.py")?,
            awaited: half("aio.py")?,
            data: classes(&text("model.py")?),
            events: classes(&text("events.py")?),
            errors: text("errors.py")?,
            handles,
        })
    }

    /// What is missing, and what is there that the facade does not have.
    pub(super) fn check(&self, api: &Api) -> Vec<String> {
        let mut findings = Vec::new();
        for (handle, functions) in &api.handles {
            if !BUILT_IN.contains(&handle.as_str()) {
                self.check_handle(handle, functions, &mut findings);
            }
        }
        for (record, fields) in &api.records {
            self.check_record(record, fields, &mut findings);
        }
        for (event, fields) in api.choices.values().flatten() {
            same(&self.events, event, fields, "events.py", &mut findings);
        }
        for kind in &api.errors {
            let code = format!("code = \"{}\"", code_of(kind));
            if !self.errors.contains(&code) {
                findings.push(format!("python: errors.py has no class with {code}"));
            }
        }
        findings
    }

    fn check_handle(&self, handle: &str, functions: &[String], findings: &mut Vec<String>) {
        for function in functions {
            let Some(method) = method(handle, function) else { continue };
            let is_native = has(&self.native, handle, function);
            // Names that were given by the caller need not come back from the native half.
            if !is_native && !matches!(function.as_str(), "location" | "name") {
                findings.push(format!("python: _native.pyi lacks {handle}.{function}"));
            }
            for (half, classes) in [("_sync.py", &self.blocking), ("aio.py", &self.awaited)] {
                if !has(classes, class(handle), method) {
                    findings.push(format!("python: {half} lacks {}.{method}", class(handle)));
                }
            }
        }
        let known = |member: &String| member.starts_with('_') || functions.contains(member);
        let extra = self.native.get(handle).into_iter().flatten().filter(|member| !known(member));
        findings.extend(
            extra.map(|member| {
                format!("python: the facade has no {handle}.{member} of _native.pyi")
            }),
        );
    }

    fn check_record(&self, record: &str, fields: &[String], findings: &mut Vec<String>) {
        if ARGUMENTS.contains(&record) {
            let is_said = |field: &&String| self.handles.contains(&format!("\"{field}\":"));
            let unsaid = fields.iter().filter(|field| !is_said(field));
            findings
                .extend(unsaid.map(|field| format!("python: no argument for {record}.{field}")));
        } else if record == "Document" {
            let renamed: Vec<String> =
                fields.iter().map(|field| field.replace("doc_", "")).collect();
            let members = self.native.get(record).cloned().unwrap_or_default();
            let lacks = renamed.iter().filter(|field| !members.contains(*field));
            findings
                .extend(lacks.map(|field| format!("python: _native.pyi lacks Document.{field}")));
        } else if record != "LogRecord" {
            // Python has its own, of the module `logging`.
            same(&self.data, record, fields, "model.py", findings);
        }
    }
}

/// A data class has these fields; what is computed from them may stand beside them.
fn same(classes: &Classes, class: &str, fields: &[String], file: &str, findings: &mut Vec<String>) {
    let Some(members) = classes.get(class) else {
        findings.push(format!("python: {file} has no class {class}"));
        return;
    };
    let lacks = fields.iter().filter(|field| !members.contains(*field));
    findings.extend(lacks.map(|field| format!("python: {file} lacks {class}.{field}")));
}

/// `NotFound` as `NOT_FOUND`.
pub(super) fn code_of(kind: &str) -> String {
    let mut code = String::new();
    for letter in kind.chars() {
        if letter.is_uppercase() && !code.is_empty() {
            code.push('_');
        }
        code.extend(letter.to_uppercase());
    }
    code
}

/// The classes of a module and their members: functions and annotated names, by indentation.
fn classes(text: &str) -> Classes {
    let mut classes = Classes::new();
    let mut class = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("class ") {
            let name = rest.split(['(', ':', '[']).next().unwrap_or_default().to_owned();
            classes.entry(name.clone()).or_default();
            class = Some(name);
        } else if let (Some(name), Some(member)) = (&class, member(line)) {
            classes.entry(name.clone()).or_default().insert(member);
        } else if !line.is_empty() && !line.starts_with([' ', '@', ')', '#']) {
            class = None;
        }
    }
    classes
}

fn member(line: &str) -> Option<String> {
    let line = line.strip_prefix("    ").filter(|rest| !rest.starts_with(' '))?;
    let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("def ");
    let name = match function {
        Some(function) => function.split_once('(')?.0,
        None => line.split_once(": ").filter(|(_, kind)| !kind.is_empty())?.0,
    };
    let is_name = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    is_name.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_indentation() {
        let text = "class A(B):\n    \"\"\"Text: of it.\"\"\"\n    x: int\n    async def go(\n        self,\n    ) -> None:\n        y: int = 1\n\n\
                    def f() -> None:\n    z: int = 2\n";
        let found = classes(text);
        let members: Vec<_> = found["A"].iter().map(String::as_str).collect();
        assert_eq!(members, ["go", "x"]);
    }

    #[test]
    fn codes_are_words_with_lines_between_them() {
        assert_eq!((code_of("NotFound"), code_of("Io")), ("NOT_FOUND".into(), "IO".into()));
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_is_found() {
        let classes = |text| classes(text);
        let package = Package {
            native: classes(
                "class Backfill:\n    def start(self) -> None: ...\n    def odd(self) -> None: ...\n",
            ),
            blocking: classes("class Backfill:\n    def start(self) -> None: ...\n"),
            awaited: Classes::new(),
            data: classes("class Plan:\n    a: int\n"),
            events: Classes::new(),
            errors: String::new(),
            handles: String::new(),
        };
        let api = Api {
            handles: [("Backfill".to_owned(), vec!["start".to_owned()])].into(),
            records: [("Plan".to_owned(), vec!["a".to_owned(), "b".to_owned()])].into(),
            errors: vec!["Io".to_owned()],
            ..Api::default()
        };
        assert_eq!(
            package.check(&api),
            [
                "python: aio.py lacks Backfill.start",
                "python: the facade has no Backfill.odd of _native.pyi",
                "python: model.py lacks Plan.b",
                "python: errors.py has no class with code = \"IO\"",
            ]
        );
    }
}
