//! The Node package against the facade.

use std::path::Path;

use super::declared::{Classes, has, source};
use super::facade::Api;
use super::python::{class, code_of, method};
use crate::failure::Result;

/// Handles that Node has no class for, because it has a type of its own for them.
const BUILT_IN: &[&str] = &["DocumentBatch"];

/// Options of a backfill that are said by the handle they belong to, or by another name.
const SAID_ELSEWHERE: &[&str] =
    &["target_options", "coordinator_options", "repository_options", "ecs", "kubernetes"];

/// The declarations of the package.
#[derive(Debug)]
pub(super) struct Package {
    native: Classes,
    handles: Classes,
    data: Classes,
    options: Classes,
    events: Classes,
    errors: String,
}

impl Package {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let folder = root.join("node/snapfill");
        let text = |name: &str| source(&folder, name);
        let events = text("events.ts")?;
        let mut handles = classes(&events);
        for file in [
            "backfill.ts",
            "cluster.ts",
            "documents.ts",
            "failed.ts",
            "gradual.ts",
            "repository.ts",
        ] {
            handles.extend(classes(&text(file)?));
        }
        Ok(Self {
            native: classes(&text("native.ts")?),
            handles,
            data: classes(&text("model.ts")?),
            options: classes(&text("options.ts")?),
            events: classes(&events),
            errors: text("errors.ts")?,
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
            let tagged: Vec<String> = fields.iter().cloned().chain(["event".to_owned()]).collect();
            same(&self.events, event, &tagged, "events.ts", &mut findings);
        }
        for kind in &api.errors {
            let code = code_of(kind);
            if !self.errors.contains(&format!("super('{code}', ")) {
                findings.push(format!("node: errors.ts has no class with the code {code}"));
            }
        }
        findings
    }

    fn check_handle(&self, handle: &str, functions: &[String], findings: &mut Vec<String>) {
        let native = format!("Native{handle}");
        for function in functions {
            let Some(method) = method(handle, function).map(in_camel_case) else { continue };
            let function = in_camel_case(function);
            // What is known to the caller, or belongs to the class, is no member of a native object.
            let is_made_there = matches!(function.as_str(), "location" | "name" | "fromConfig");
            if !is_made_there && !has(&self.native, &native, &function) {
                findings.push(format!("node: native.ts lacks {native}.{function}"));
            }
            if !has(&self.handles, class(handle), &method) {
                findings.push(format!("node: there is no {}.{method}", class(handle)));
            }
        }
        let known: Vec<String> = functions.iter().map(|name| in_camel_case(name)).collect();
        let members = self.native.get(&native).into_iter().flatten();
        let extra = members.filter(|member| !known.contains(member));
        findings.extend(
            extra.map(|member| format!("node: the facade has no {handle}.{member} of native.ts")),
        );
    }

    fn check_record(&self, record: &str, fields: &[String], findings: &mut Vec<String>) {
        match record {
            // A pair of texts.
            "RenamePattern" => {}
            "Document" => {
                let renamed: Vec<String> =
                    fields.iter().map(|field| field.replace("doc_", "")).collect();
                lacks(&self.handles, record, &renamed, "documents.ts", findings);
            }
            "BackfillOptions" => {
                let said = fields.iter().filter(|field| !SAID_ELSEWHERE.contains(&field.as_str()));
                let named = ["fleet", "transform"].map(str::to_owned);
                let said: Vec<String> = said.cloned().chain(named).collect();
                same(&self.options, record, &said, "options.ts", findings);
            }
            _ if self.options.contains_key(record) => {
                same(&self.options, record, fields, "options.ts", findings);
            }
            _ => same(&self.data, record, fields, "model.ts", findings),
        }
    }
}

/// An interface has these fields and no others.
fn same(classes: &Classes, class: &str, fields: &[String], file: &str, findings: &mut Vec<String>) {
    lacks(classes, class, fields, file, findings);
    let known: Vec<String> = fields.iter().map(|field| in_camel_case(field)).collect();
    let members = classes.get(class).into_iter().flatten();
    let extra = members.filter(|member| !known.contains(member));
    findings
        .extend(extra.map(|member| format!("node: the facade has no {class}.{member} of {file}")));
}

/// A class has these fields.
fn lacks(
    classes: &Classes,
    class: &str,
    fields: &[String],
    file: &str,
    findings: &mut Vec<String>,
) {
    let Some(members) = classes.get(class) else {
        findings.push(format!("node: {file} has no {class}"));
        return;
    };
    let missing = fields.iter().map(|field| in_camel_case(field));
    let missing = missing.filter(|field| !members.contains(field));
    findings.extend(missing.map(|field| format!("node: {file} lacks {class}.{field}")));
}

/// `from_config` as `fromConfig`.
pub(super) fn in_camel_case(name: &str) -> String {
    let mut camel = String::new();
    let mut is_begin = false;
    for letter in name.chars() {
        match letter {
            '_' => is_begin = true,
            letter if is_begin => {
                camel.extend(letter.to_uppercase());
                is_begin = false;
            }
            letter => camel.push(letter),
        }
    }
    camel
}

/// The classes and interfaces of a module and their public members, by indentation.
fn classes(text: &str) -> Classes {
    let mut classes = Classes::new();
    let mut class = None;
    for line in text.lines() {
        let declared = ["export class ", "export interface "]
            .iter()
            .find_map(|begin| line.strip_prefix(begin));
        if let Some(rest) = declared {
            let name = rest.split([' ', '<']).next().unwrap_or_default().to_owned();
            classes.entry(name.clone()).or_default();
            class = Some(name);
        } else if let (Some(name), Some(member)) = (&class, member(line)) {
            classes.entry(name.clone()).or_default().insert(member);
        } else if line == "}" {
            class = None;
        }
    }
    classes
}

fn member(line: &str) -> Option<String> {
    let mut rest = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '))?;
    for word in ["static ", "readonly ", "async ", "*", "get "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let end = rest.find(|letter: char| !letter.is_alphanumeric())?;
    let (name, after) = rest.split_at(end);
    let is_member =
        !name.is_empty() && name != "constructor" && after.starts_with(['(', '<', ':', '?']);
    is_member.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NATIVE: &str = "export interface NativeBackfill {\n  start(): Call;\n  odd(): Call;\n}\n";

    #[test]
    fn members_are_found_by_indentation() {
        let text = "export class A<T> extends B {\n  /** Text: of it. */\n  readonly x: number;\n  readonly #y: C;\n  constructor(a: T) {\n    \
                    z: 1;\n  }\n  async *go<U>(): V {\n  }\n  get w(): string {\n  }\n}\n  q: no;\nexport interface E {\n  a?: F;\n}\n";
        let found = classes(text);
        let members: Vec<_> = found["A"].iter().map(String::as_str).collect();
        assert_eq!(members, ["go", "w", "x"]);
        assert!(found["E"].contains("a"));
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_is_found() {
        let package = Package {
            native: classes(NATIVE),
            handles: Classes::new(),
            data: classes("export interface Plan {\n  aB: number;\n  c: number;\n}\n"),
            options: Classes::new(),
            events: Classes::new(),
            errors: String::new(),
        };
        let api = Api {
            handles: [("Backfill".to_owned(), vec!["start".to_owned(), "deep_status".to_owned()])]
                .into(),
            records: [("Plan".to_owned(), vec!["a_b".to_owned(), "d".to_owned()])].into(),
            errors: vec!["Io".to_owned()],
            ..Api::default()
        };
        assert_eq!(
            package.check(&api),
            [
                "node: there is no Backfill.start",
                "node: native.ts lacks NativeBackfill.deepStatus",
                "node: there is no Backfill.status",
                "node: the facade has no Backfill.odd of native.ts",
                "node: model.ts lacks Plan.d",
                "node: the facade has no Plan.c of model.ts",
                "node: errors.ts has no class with the code IO",
            ]
        );
    }
}
