//! The first lines that a README gives its readers, to be run as printed.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Result};

/// The blocks of code of this language, in their order.
pub(super) fn of(readme: &Path, language: &str) -> Result<Vec<String>> {
    let text = fs::read_to_string(readme).map_err(Failure::at(readme))?;
    let fence = format!("```{language}\n");
    let blocks: Vec<String> = text
        .split(&fence)
        .skip(1)
        .filter_map(|rest| rest.split_once("\n```").map(|(block, _)| format!("{block}\n")))
        .collect();
    match blocks.is_empty() {
        true => Failure::failed(format!("{} has no code in {language}", readme.display())),
        false => Ok(blocks),
    }
}

/// The same with a snapshot that is there: that of a fixture in place of the reader's own.
pub(super) fn over_fixture(code: &str, repository: &Path) -> String {
    let repository = repository.to_string_lossy();
    code.replace("/backups", &repository).replace("nightly", "snap-2").replace("logs", "shapes")
}
