//! What differs from version to version.

use crate::cluster::http::{Dialect, numbers};
use crate::cluster::{ClusterInfo, Distribution};

/// How to speak with a server of some version about the working state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IndexDialect {
    /// The type in a document's path.
    pub(super) doc_type: &'static str,
    /// Whether documents have types that requests must name.
    pub(super) is_typed: bool,
    /// Whether a write can ask for a sequence number; otherwise for a version.
    pub(super) has_sequence_numbers: bool,
    /// Whether buckets can be paged through.
    pub(super) has_composites: bool,
    /// Whether a search can leave out how many documents match.
    pub(super) has_uncounted_hits: bool,
    /// How definitions of indices are written.
    pub(super) definitions: Dialect,
}

impl IndexDialect {
    pub(super) fn of(info: &ClusterInfo) -> Self {
        let definitions = Dialect::of(info);
        let version = match info.distribution {
            Distribution::OpenSearch => (7, 10),
            _ => numbers(&info.version),
        };
        Self {
            doc_type: definitions.default_type.unwrap_or("_doc"),
            is_typed: definitions.default_type.is_some(),
            has_sequence_numbers: version >= (6, 7),
            has_composites: version >= (6, 3),
            has_uncounted_hits: version >= (7, 0),
            definitions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(distribution: Distribution, version: &str) -> IndexDialect {
        let (version, name, uuid) = (version.to_owned(), String::new(), String::new());
        IndexDialect::of(&ClusterInfo { distribution, version, name, uuid, serverless: false })
    }

    #[test]
    fn optimistic_writes_ask_for_versions_where_there_are_no_sequence_numbers() {
        let old = dialect(Distribution::Elasticsearch, "6.6.2");
        assert!(!old.has_sequence_numbers && old.is_typed && old.doc_type == "_doc");
        assert_eq!(dialect(Distribution::Elasticsearch, "5.6.16").doc_type, "doc");
        let last_typed = dialect(Distribution::Elasticsearch, "6.8.23");
        assert!(last_typed.has_sequence_numbers && last_typed.is_typed);
        for new in [
            dialect(Distribution::OpenSearch, "1.3.20"),
            dialect(Distribution::Elasticsearch, "8.19.21"),
        ] {
            assert!(new.has_sequence_numbers && new.has_composites && !new.is_typed);
        }
    }
}
