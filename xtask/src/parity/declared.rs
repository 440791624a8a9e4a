//! What a package declares, as its sources say it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::failure::{Failure, Result};

/// Members of classes and interfaces, by their names.
pub(super) type Classes = BTreeMap<String, BTreeSet<String>>;

/// Whether a class has a member.
pub(super) fn has(classes: &Classes, class: &str, member: &str) -> bool {
    classes.get(class).is_some_and(|members| members.contains(member))
}

/// A source file of a package.
pub(super) fn source(folder: &Path, name: &str) -> Result<String> {
    let path = folder.join(name);
    fs::read_to_string(&path).map_err(Failure::at(&path))
}
