//! Which servers the tests start.

use std::env;

use crate::version::Version;

/// The variable that says which: `default`, `all`, or absent for none. `cargo xtask test` sets it.
pub const SERVERS_VARIABLE: &str = "SNAPFILL_TEST_SERVERS";

/// A set of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Servers {
    /// None: what a plain `cargo test` needs neither Maven nor a JDK for.
    None,
    /// Those that every change must pass on.
    Default,
    /// Every version of the harness.
    All,
}

/// The newest of OpenSearch's two majors in use, the one with a security plugin, and the Elasticsearch that differs most
/// from all of them and still starts on the same JDK.
const DEFAULT: [Version; 4] = [
    Version::OpenSearch2_19_6,
    Version::OpenSearch2_19_4,
    Version::OpenSearch3_8_0,
    Version::Elasticsearch8_19_21,
];

impl Servers {
    /// Those that the environment asks for.
    ///
    /// # Panics
    /// When it says something else: a misspelt word must not mean that nothing is tested.
    #[expect(clippy::panic, reason = "a test run that tests nothing must not pass")]
    pub fn chosen() -> Self {
        let word = env::var_os(SERVERS_VARIABLE).unwrap_or_default();
        match word.to_str() {
            Some("") => Servers::None,
            Some("default") => Servers::Default,
            Some("all") => Servers::All,
            _ => panic!("{SERVERS_VARIABLE} is `default` or `all`, not {}", word.display()),
        }
    }

    /// The word for it in [`SERVERS_VARIABLE`].
    pub fn word(self) -> &'static str {
        match self {
            Servers::None => "",
            Servers::Default => "default",
            Servers::All => "all",
        }
    }

    /// Its versions.
    pub fn versions(self) -> impl Iterator<Item = Version> {
        Version::all().filter(move |version| self.has(*version))
    }

    fn has(self, version: Version) -> bool {
        match self {
            Servers::None => false,
            Servers::Default => DEFAULT.contains(&version),
            Servers::All => true,
        }
    }
}

/// Whether tests on this version run. A test with a real server returns at once where not.
pub fn runs(version: Version) -> bool {
    Servers::chosen().has(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_holds_the_one_before() {
        assert_eq!(Servers::None.versions().count(), 0);
        assert_eq!(Servers::Default.versions().count(), DEFAULT.len());
        assert_eq!(Servers::All.versions().count(), Version::all().count());
    }
}
