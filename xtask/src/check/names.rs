//! Names that say nothing: a file is called after its subject.

use super::Finding;
use super::files::File;

const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "misc"];

pub(super) fn check(file: &File) -> Vec<Finding> {
    if file.is_fixture() {
        return Vec::new();
    }
    let stem = |part: &str| part.split('.').next().unwrap_or(part).to_lowercase();
    let empty = file.path.split('/').find(|part| EMPTY_NAMES.contains(&stem(part).as_str()));
    let limit = "name it after its subject";
    empty.map(|part| file.finding(1, format!("`{part}` as a name"), limit)).into_iter().collect()
}
