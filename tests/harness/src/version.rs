//! The servers the harness can start: one table, a row a version.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::modules::{self, Source};

/// A server version the harness knows how to get and start.
///
/// To add one: a variant here and its row in the table below; nothing else, if it starts like one
/// that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Version {
    /// Elasticsearch 1.7.6.
    Elasticsearch1_7_6,
    /// Elasticsearch 2.4.6.
    Elasticsearch2_4_6,
    /// Elasticsearch 5.6.16.
    Elasticsearch5_6_16,
    /// Elasticsearch 6.8.23.
    Elasticsearch6_8_23,
    /// Elasticsearch 7.10.2, the last under the Apache licence.
    Elasticsearch7_10_2,
    /// Elasticsearch 7.17.29.
    Elasticsearch7_17_29,
    /// Elasticsearch 8.15.0.
    Elasticsearch8_15_0,
    /// Elasticsearch 8.19.21.
    Elasticsearch8_19_21,
    /// Elasticsearch 9.5.3.
    Elasticsearch9_5_3,
    /// OpenSearch 1.3.20.
    OpenSearch1_3_20,
    /// OpenSearch 2.19.4, the one whose security plugin can be had; off unless asked for.
    OpenSearch2_19_4,
    /// OpenSearch 2.19.6.
    OpenSearch2_19_6,
    /// OpenSearch 3.8.0.
    OpenSearch3_8_0,
}

/// How a server is started; versions that start alike share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Launch {
    /// OpenSearch 1 and 2: its main class, under a security manager.
    OpenSearch,
    /// OpenSearch 3: its main class, with its agent.
    OpenSearch3,
    /// Elasticsearch 1: its main class, one constant of one class changed.
    Elasticsearch1,
    /// Elasticsearch 2: its main class, told to start.
    Elasticsearch2,
    /// Elasticsearch 5: its main class, its configuration named on the command line.
    Elasticsearch5,
    /// Elasticsearch 6: as 7, with the settings of its day.
    Elasticsearch6,
    /// Elasticsearch 7: its main class, under a security manager.
    Elasticsearch7,
    /// Elasticsearch 8 and 9: its own script, which starts a second process.
    Elasticsearch8,
}

impl Launch {
    pub(crate) fn is_opensearch(self) -> bool {
        matches!(self, Launch::OpenSearch | Launch::OpenSearch3)
    }

    /// Whether it is older than the modules of Java 9.
    pub(crate) fn is_before_modules(self) -> bool {
        matches!(self, Launch::Elasticsearch1 | Launch::Elasticsearch2 | Launch::Elasticsearch5)
    }
}

/// All that tells one version from another.
#[derive(Debug)]
pub(crate) struct Spec {
    version: Version,
    pub(crate) name: &'static str,
    pub(crate) number: &'static str,
    pub(crate) launch: Launch,
    /// The oldest and the newest major version of Java it runs on.
    pub(crate) jdk: (u32, u32),
}

const ANY: u32 = 99;

static SPECS: &[Spec] = &[
    Spec {
        version: Version::Elasticsearch1_7_6,
        name: "elasticsearch-1.7.6",
        number: "1.7.6",
        launch: Launch::Elasticsearch1,
        jdk: (8, 17),
    },
    Spec {
        version: Version::Elasticsearch2_4_6,
        name: "elasticsearch-2.4.6",
        number: "2.4.6",
        launch: Launch::Elasticsearch2,
        jdk: (8, 17),
    },
    Spec {
        version: Version::Elasticsearch5_6_16,
        name: "elasticsearch-5.6.16",
        number: "5.6.16",
        launch: Launch::Elasticsearch5,
        jdk: (8, 17),
    },
    Spec {
        version: Version::Elasticsearch6_8_23,
        name: "elasticsearch-6.8.23",
        number: "6.8.23",
        launch: Launch::Elasticsearch6,
        jdk: (8, 17),
    },
    Spec {
        version: Version::Elasticsearch7_10_2,
        name: "elasticsearch-7.10.2",
        number: "7.10.2",
        launch: Launch::Elasticsearch7,
        jdk: (8, 17),
    },
    Spec {
        version: Version::Elasticsearch7_17_29,
        name: "elasticsearch-7.17.29",
        number: "7.17.29",
        launch: Launch::Elasticsearch7,
        jdk: (8, 22),
    },
    Spec {
        version: Version::Elasticsearch8_15_0,
        name: "elasticsearch-8.15.0",
        number: "8.15.0",
        launch: Launch::Elasticsearch8,
        jdk: (17, 22),
    },
    Spec {
        version: Version::Elasticsearch8_19_21,
        name: "elasticsearch-8.19.21",
        number: "8.19.21",
        launch: Launch::Elasticsearch8,
        jdk: (17, ANY),
    },
    Spec {
        version: Version::Elasticsearch9_5_3,
        name: "elasticsearch-9.5.3",
        number: "9.5.3",
        launch: Launch::Elasticsearch8,
        jdk: (21, ANY),
    },
    Spec {
        version: Version::OpenSearch1_3_20,
        name: "opensearch-1.3.20",
        number: "1.3.20",
        launch: Launch::OpenSearch,
        jdk: (8, 17),
    },
    Spec {
        version: Version::OpenSearch2_19_4,
        name: "opensearch-2.19.4",
        number: "2.19.4",
        launch: Launch::OpenSearch,
        jdk: (11, 23),
    },
    Spec {
        version: Version::OpenSearch2_19_6,
        name: "opensearch-2.19.6",
        number: "2.19.6",
        launch: Launch::OpenSearch,
        jdk: (11, 23),
    },
    Spec {
        version: Version::OpenSearch3_8_0,
        name: "opensearch-3.8.0",
        number: "3.8.0",
        launch: Launch::OpenSearch3,
        jdk: (21, ANY),
    },
];

impl Version {
    /// Every version, in the table's order.
    pub fn all() -> impl Iterator<Item = Version> {
        SPECS.iter().map(|spec| spec.version)
    }

    /// Its name: the product and the number, `opensearch-2.19.6`.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Whether it is an OpenSearch, not an Elasticsearch.
    pub fn is_opensearch(self) -> bool {
        self.spec().launch.is_opensearch()
    }

    /// The first part of its number.
    pub fn major(self) -> u32 {
        self.spec().major().parse().unwrap_or_default()
    }

    pub(crate) fn spec(self) -> &'static Spec {
        // The test below keeps the table in the order of the variants.
        &SPECS[self as usize]
    }
}

impl Spec {
    /// The distribution's Maven coordinates: the whole one, where it was published.
    pub(crate) fn artifact(&self) -> String {
        let group = match self.launch {
            Launch::Elasticsearch1 => "org.elasticsearch",
            Launch::Elasticsearch2 | Launch::Elasticsearch5 | Launch::Elasticsearch6 => {
                "org.elasticsearch.distribution.zip"
            }
            Launch::Elasticsearch7 | Launch::Elasticsearch8 => {
                "org.elasticsearch.distribution.integ-test-zip"
            }
            Launch::OpenSearch | Launch::OpenSearch3 => {
                "org.opensearch.distribution.integ-test-zip"
            }
        };
        format!("{group}:{}:{}:zip", self.product(), self.number)
    }

    /// The modules that its distribution lacks and a fixture needs.
    pub(crate) fn modules(&self) -> Option<&'static Source> {
        match (self.launch, self.number) {
            (Launch::Elasticsearch7, "7.10.2") => Some(&modules::ELASTICSEARCH_7_10),
            (Launch::Elasticsearch7, _) => Some(&modules::ELASTICSEARCH_7),
            (Launch::OpenSearch, "1.3.20") => Some(&modules::OPENSEARCH_1_3_20),
            (Launch::OpenSearch, _) => Some(&modules::OPENSEARCH),
            _ => None,
        }
    }

    /// The security plugin's Maven coordinates, where it was published with all that it needs.
    pub(crate) fn security_plugin(&self) -> Option<&'static str> {
        (self.number == "2.19.4")
            .then_some("org.opensearch.plugin:opensearch-security:2.19.4.0:zip")
    }

    /// The product's name, as its files and coordinates spell it.
    pub(crate) fn product(&self) -> &'static str {
        if self.launch.is_opensearch() { "opensearch" } else { "elasticsearch" }
    }

    /// The first part of the version's number.
    pub(crate) fn major(&self) -> &'static str {
        self.number.split('.').next().unwrap_or(self.number)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let unknown = || {
            let known: Vec<&str> = SPECS.iter().map(|spec| spec.name).collect();
            Error::UnknownVersion { name: name.to_owned(), known: known.join(", ") }
        };
        Version::all().find(|version| version.name() == name).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_finds_its_own_row() {
        for (row, spec) in SPECS.iter().enumerate() {
            assert_eq!(spec.version as usize, row, "{} is out of order", spec.name);
            assert!(spec.name.ends_with(&format!("-{}", spec.number)), "{}", spec.name);
            assert_eq!(spec.name.parse::<Version>().unwrap(), spec.version);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = "opensearch-0.1".parse::<Version>().unwrap_err().to_string();
        assert!(error.contains("opensearch-0.1") && error.contains("opensearch-2.19.6"), "{error}");
    }
}
