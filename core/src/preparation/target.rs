//! What kind of cluster an index is made for, as far as its definition depends on that.

use std::fmt;

use crate::cluster::{ClusterInfo, Distribution};
use crate::{Error, ErrorKind, Result};

/// Distribution and version of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetVersion {
    distribution: Distribution,
    version: (u16, u16),
    serverless: bool,
}

/// What a target makes of mapping types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// An index may have several, each with documents of its own: the local target, Elasticsearch 5 and before.
    Several,
    /// An index has one, and it has a name: Elasticsearch 6.
    One,
    /// There are none.
    Typeless,
}

impl TargetVersion {
    /// That of a cluster.
    ///
    /// # Errors
    /// `Unsupported` when its version cannot be understood.
    pub fn of(info: &ClusterInfo) -> Result<Self> {
        let mut numbers = info.version.split(['.', '-']).map(str::parse::<u16>);
        let version = match (info.distribution, numbers.next(), numbers.next()) {
            (Distribution::Local, ..) => (0, 0),
            (_, Some(Ok(major)), Some(Ok(minor))) => (major, minor),
            _ => {
                let message = format!(
                    "the target says that it is {} `{}`, which is no version that could be understood",
                    info.distribution, info.version
                );
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        Ok(Self { distribution: info.distribution, version, serverless: info.serverless })
    }

    /// That of a local target.
    pub fn local() -> Self {
        Self { distribution: Distribution::Local, version: (0, 0), serverless: false }
    }

    /// What it makes of mapping types.
    pub fn typing(self) -> Typing {
        match (self.distribution, self.version.0) {
            (Distribution::Local, _) | (Distribution::Elasticsearch, ..=5) => Typing::Several,
            (Distribution::Elasticsearch, 6) => Typing::One,
            _ => Typing::Typeless,
        }
    }

    /// Which product it is.
    pub(super) fn distribution(self) -> Distribution {
        self.distribution
    }

    /// Whether it keeps whatever it is given.
    pub fn is_local(self) -> bool {
        self.distribution == Distribution::Local
    }

    /// Whether shards and replicas are its own affair.
    pub fn is_serverless(self) -> bool {
        self.serverless
    }

    /// Whether definitions are those of Elasticsearch 7 or newer, or of OpenSearch, which began there.
    pub(super) fn is_modern(self) -> bool {
        MODERN.includes(self)
    }
}

impl fmt::Display for TargetVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_local() {
            return f.write_str("the local target");
        }
        let (major, minor) = self.version;
        write!(f, "{} {major}.{minor}", self.distribution)
    }
}

type Version = (u16, u16);

/// Versions from one, up to and without another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    from: Version,
    until: Version,
}

/// No version at all.
pub(super) const NEVER: Span = Span { from: (u16::MAX, 0), until: (0, 0) };
/// Every version.
pub(super) const ALWAYS: Span = since(0, 0);

pub(super) const fn since(major: u16, minor: u16) -> Span {
    Span { from: (major, minor), until: (u16::MAX, 0) }
}

pub(super) const fn between(from: Version, until: Version) -> Span {
    Span { from, until }
}

/// Which versions of either distribution know something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Support {
    pub(super) elasticsearch: Span,
    pub(super) opensearch: Span,
}

const MODERN: Support = support(since(7, 0), ALWAYS);

pub(super) const fn support(elasticsearch: Span, opensearch: Span) -> Support {
    Support { elasticsearch, opensearch }
}

impl Support {
    pub(super) fn includes(&self, target: TargetVersion) -> bool {
        let span = match target.distribution {
            Distribution::Elasticsearch => self.elasticsearch,
            Distribution::OpenSearch => self.opensearch,
            Distribution::Local => ALWAYS,
        };
        span.from <= target.version && target.version < span.until
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn target(distribution: Distribution, version: &str) -> TargetVersion {
        TargetVersion::of(&info(distribution, version)).unwrap()
    }

    pub(crate) fn opensearch(version: &str) -> TargetVersion {
        target(Distribution::OpenSearch, version)
    }

    pub(crate) fn elasticsearch(version: &str) -> TargetVersion {
        target(Distribution::Elasticsearch, version)
    }

    fn info(distribution: Distribution, version: &str) -> ClusterInfo {
        ClusterInfo {
            distribution,
            version: version.to_owned(),
            name: "test".to_owned(),
            uuid: "u".to_owned(),
            serverless: false,
        }
    }

    #[test]
    fn versions_decide_about_types() {
        let typing = [
            (elasticsearch("5.6.16"), Typing::Several),
            (elasticsearch("6.8.23"), Typing::One),
            (elasticsearch("7.10.2"), Typing::Typeless),
            (elasticsearch("9.0.0-SNAPSHOT"), Typing::Typeless),
            (opensearch("1.3.20"), Typing::Typeless),
        ];
        for (target, expected) in typing {
            assert_eq!(target.typing(), expected, "{target}");
        }
    }

    #[test]
    fn a_version_that_is_none_is_refused() {
        let error = TargetVersion::of(&info(Distribution::OpenSearch, "new")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn spans_end_before_their_end() {
        let span = support(between((6, 2), (8, 0)), NEVER);
        let known = ["6.1.0", "6.2.0", "7.17.9", "8.0.0"].map(|v| span.includes(elasticsearch(v)));
        assert_eq!(known, [false, true, true, false]);
        assert!(!span.includes(opensearch("2.0.0")));
    }
}
