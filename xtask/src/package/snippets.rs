//! The code that a README gives its readers, to be run as printed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::workspace::{Workspace, start_afresh};

/// The snippets of a README that need nothing but a snapshot; the others name what only their reader has.
const FIRST: usize = 2;

const CONFIGURATION: &str = "\
[source]
repository = \"backups\"
snapshot = \"nightly\"

[target]
endpoint = \"configured\"
";

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

/// All of a README's code as one script, with a snapshot that is there, and `readers` before what names that.
pub(super) fn script(
    workspace: &Workspace,
    readme: &str,
    language: &str,
    readers: &str,
) -> Result<String> {
    let blocks = of(&workspace.root().join(readme), language)?;
    let (first, others) = blocks.split_at(blocks.len().min(FIRST));
    let code = [first.concat(), readers.to_owned(), others.concat()].join("\n");
    Ok(over_fixture(&code, &fixture(workspace)))
}

/// A repository with a snapshot `snap-2` that has an index `shapes`.
pub(super) fn fixture(workspace: &Workspace) -> PathBuf {
    workspace.root().join("tests/fixtures/opensearch-3.8.0/repo")
}

/// A folder to run one script in, with the configuration that READMEs name.
pub(super) fn room(place: &Path, name: &str) -> Result<PathBuf> {
    let folder = place.join(name);
    start_afresh(&folder)?;
    let file = folder.join("snapfill.toml");
    fs::write(&file, CONFIGURATION).map_err(Failure::at(&file))?;
    Ok(folder)
}

/// Copies the examples of a language into a folder; the copies.
pub(super) fn examples(
    workspace: &Workspace,
    language: &str,
    ending: &str,
    place: &Path,
) -> Result<Vec<PathBuf>> {
    let folder = workspace.root().join("examples").join(language);
    let entries = fs::read_dir(&folder).map_err(Failure::at(&folder))?.flatten();
    let examples = entries.filter(|entry| entry.path().extension() == Some(OsStr::new(ending)));
    let copies = examples.map(|example| {
        let copy = place.join(example.file_name());
        fs::copy(example.path(), &copy).map_err(Failure::at(&copy))?;
        Ok(copy)
    });
    match copies.collect::<Result<Vec<_>>>()? {
        copies if copies.is_empty() => {
            Failure::failed(format!("{} has no example", folder.display()))
        }
        copies => Ok(copies),
    }
}

/// Fails where what was printed is not this.
pub(super) fn expect(printed: &str, expected: &str) -> Result {
    match printed == expected {
        true => Ok(()),
        false => Failure::failed(format!("printed {printed:?}, not {expected:?}")),
    }
}

/// The same with a snapshot that is there: that of a fixture in place of the reader's own.
pub(super) fn over_fixture(code: &str, repository: &Path) -> String {
    let repository = repository.to_string_lossy();
    let names = [
        ("/backups/nightly", &*repository),
        ("/backups", &repository),
        ("nightly", "snap-2"),
        ("logs", "shapes"),
    ];
    names.iter().fold(code.to_owned(), |code, (name, other)| {
        ["'", "\""].iter().fold(code, |code, quote| {
            code.replace(&format!("{quote}{name}{quote}"), &format!("{quote}{other}{quote}"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readers_own_names_are_replaced_and_no_part_of_others() {
        let code = "open('/backups', \"nightly\", 's3://backups/nightly', '/backups/nightly')";
        let run = "open('/repo', \"snap-2\", 's3://backups/nightly', '/repo')";
        assert_eq!(over_fixture(code, Path::new("/repo")), run);
    }
}
