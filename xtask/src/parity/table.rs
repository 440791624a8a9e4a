//! The table that people read: what each thing is called in each language.

use std::fmt::Write as _;

use super::facade::Api;
use super::{kotlin, node, python};

const HEAD: &str = "\
# What each language has

Written by `cargo xtask parity --write` from the facade's source; `cargo xtask parity` holds each language against it. Results have the
same fields everywhere.

";

pub(super) fn of(api: &Api) -> String {
    let mut text = HEAD.to_owned();
    text.push_str("| facade | Python `snapfill` | Python `snapfill.aio` | Node | Kotlin |\n| --- | --- | --- | --- | --- |\n");
    for (handle, functions) in &api.handles {
        for function in functions {
            let python = code(&in_python(handle, function));
            let node = code(&in_node(handle, function));
            let kotlin = code(&kotlin::call(handle, function));
            // Writing to a text does not fail.
            let _ = writeln!(
                text,
                "| `{handle}::{function}` | {python} | {python} | {node} | {kotlin} |"
            );
        }
    }
    text.push_str(
        "\n| error | code | Python, Node; in Kotlin `…Exception` |\n| --- | --- | --- |\n",
    );
    for kind in &api.errors {
        let code = python::code_of(kind);
        let class = match kind.as_str() {
            "State" => "InvalidStateError".to_owned(),
            "Io" => "StorageError".to_owned(),
            other => format!("{other}Error"),
        };
        let _ = writeln!(text, "| `{kind}` | `{code}` | `{class}` |");
    }
    text
}

/// As code, if there is any.
fn code(call: &str) -> String {
    if call.is_empty() { String::new() } else { format!("`{call}`") }
}

fn in_node(handle: &str, function: &str) -> String {
    let class = python::class(handle);
    match (handle, function) {
        ("DocumentBatch", _) => "Document[]".to_owned(),
        (_, "new") => format!("new {class}(…)"),
        ("Backfill", "deep_status") => "Backfill.status({ deep: true })".to_owned(),
        ("GradualScaling", "next") => "GradualScaling.next".to_owned(),
        _ => python::method(handle, function)
            .map_or_else(String::new, |method| format!("{class}.{}", node::in_camel_case(method))),
    }
}

fn in_python(handle: &str, function: &str) -> String {
    let class = python::class(handle);
    match (handle, function) {
        ("DocumentBatch", _) => "list[Document]".to_owned(),
        (_, "new") => format!("{class}(…)"),
        ("Backfill", "deep_status") => "Backfill.status(deep=True)".to_owned(),
        ("GradualScaling", "next") => "next(GradualScaling)".to_owned(),
        _ => python::method(handle, function)
            .map_or_else(String::new, |method| format!("{class}.{method}")),
    }
}
