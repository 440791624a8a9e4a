//! Files that are made from something else and checked in.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Result};

/// Holds a file against what it would be if it were made now, or writes it.
pub(crate) fn keep(place: &Path, text: &str, writes: bool, command: &str) -> Result {
    if fs::read_to_string(place).is_ok_and(|there| there == text) {
        return Ok(());
    }
    if !writes {
        return Failure::failed(format!(
            "{} is not what the facade says; run `{command} --write`",
            place.display()
        ));
    }
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).map_err(Failure::at(folder))?;
    }
    fs::write(place, text).map_err(Failure::at(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_differs_is_refused_unless_it_is_to_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("in/place");
        let keep = |text, writes| keep(&place, text, writes, "make");
        assert!(keep("a", false).is_err());
        keep("a", true).unwrap();
        keep("a", false).unwrap();
        assert!(keep("b", false).is_err());
    }
}
