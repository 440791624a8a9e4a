//! Finding a Java that a server runs on.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::version::Spec;

/// The home of the oldest installed JDK that fits, `JAVA_HOME` before all others.
pub(crate) fn find(spec: &Spec) -> Result<PathBuf> {
    let (oldest, newest) = spec.jdk;
    let fits = |major: &u32| (oldest..=newest).contains(major);
    if let Some(home) = env::var_os("JAVA_HOME").map(PathBuf::from)
        && major(&home).as_ref().is_some_and(fits)
    {
        return Ok(home);
    }
    let mut installed = installed();
    let choice = installed.keys().copied().find(fits).and_then(|major| installed.remove(&major));
    choice.ok_or_else(|| {
        let found: Vec<String> = installed.keys().map(u32::to_string).collect();
        let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
        Error::MissingJdk { version: spec.name, oldest, newest, found }
    })
}

fn installed() -> BTreeMap<u32, PathBuf> {
    let folders = fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = folders.map(|entry| entry.path()).collect();
    paths.sort();
    paths.into_iter().filter_map(|home| Some((major(&home)?, home))).collect()
}

/// The major version of the JDK in a folder, from its `release` file.
fn major(home: &Path) -> Option<u32> {
    if !home.join("bin/java").exists() {
        return None;
    }
    major_in(&fs::read_to_string(home.join("release")).ok()?)
}

fn major_in(release: &str) -> Option<u32> {
    let line = release.lines().find_map(|line| line.strip_prefix("JAVA_VERSION="))?;
    let number = line.trim_matches('"');
    let number = number.strip_prefix("1.").unwrap_or(number);
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major_in;

    #[test]
    fn reads_old_and_new_version_numbers() {
        assert_eq!(major_in("IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"17.0.15\"\n"), Some(17));
        assert_eq!(major_in("JAVA_VERSION=\"1.8.0_402\""), Some(8));
        assert_eq!(major_in("JAVA_VERSION=\"25\""), Some(25));
        assert_eq!(major_in("OS_NAME=\"Linux\""), None);
    }
}
