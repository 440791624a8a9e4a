//! Copies of fixtures, to be damaged.

use std::path::{Path, PathBuf};

/// Copies a folder into another that is there; says which files it has, below it and sorted.
///
/// # Panics
/// When something cannot be read or written.
#[must_use]
pub fn copy_folder(from: &Path, to: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    if let Err(error) = copy(from, to, Path::new(""), &mut files) {
        panic!("cannot copy {}: {error}", from.display());
    }
    files.sort();
    files
}

fn copy(from: &Path, to: &Path, below: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from.join(below))? {
        let entry = entry?;
        let name = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir(to.join(&name))?;
            copy(from, to, &name, files)?;
        } else {
            std::fs::copy(entry.path(), to.join(&name))?;
            files.push(name);
        }
    }
    Ok(())
}
