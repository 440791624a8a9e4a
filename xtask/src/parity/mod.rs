//! `cargo xtask parity`: every language has what the facade has, and nothing else under the facade's names.
//!
//! The facade is read into `bindings/api.json`; each language's declarations are held against it, and `docs/parity.md` says which
//! name each thing has there. Both files are written by `--write`, and must not differ from what would be written.

use crate::arguments::Arguments;
use crate::checked_in::keep;
use crate::failure::{Failure, Result};
use crate::workspace::Workspace;

mod declared;
mod facade;
mod kotlin;
mod node;
mod python;
mod table;

/// Where the facade's manifest is.
const MANIFEST: &str = "bindings/api.json";

/// Where people read it.
const TABLE: &str = "docs/parity.md";

pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    let writes = Arguments::parse(words, &["--write"], &[])?.has("--write");
    let api = facade::read(&workspace.root().join("bindings/src"))?;
    let mut findings = python::Package::read(workspace.root())?.check(&api);
    findings.extend(node::Package::read(workspace.root())?.check(&api));
    findings.extend(kotlin::Package::read(workspace.root())?.check(&api));
    if !findings.is_empty() {
        return Failure::failed(findings.join("\nerror: "));
    }
    let manifest = serde_json::to_string_pretty(&api)
        .map_err(|error| Failure::Failed(format!("cannot write the manifest: {error}")))?;
    for (file, text) in [(MANIFEST, manifest + "\n"), (TABLE, table::of(&api))] {
        keep(&workspace.root().join(file), &text, writes, "cargo xtask parity")?;
    }
    println!(
        "{} handles, {} records, {} kinds of error: the same in every language",
        api.handles.len(),
        api.records.len(),
        api.errors.len()
    );
    Ok(())
}
