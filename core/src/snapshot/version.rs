//! The product version behind a version id.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Set in the version ids that OpenSearch writes.
const OPENSEARCH_BIT: u64 = 0x0800_0000;

/// The first version id of Elasticsearch whose indices map a routing to a shard by remainder (its `MOD_ROUTING_FUNCTION`).
const REMAINDER_ROUTING: u64 = 9_064_000;

/// Who made a snapshot or an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distribution {
    /// Elasticsearch.
    Elasticsearch,
    /// OpenSearch.
    OpenSearch,
}

/// A version as servers write it: one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceVersion {
    id: u64,
}

impl SourceVersion {
    /// Wraps a version id such as `7100299` (Elasticsearch 7.10.2) or `136408427` (OpenSearch 2.19.6).
    ///
    /// ```
    /// use snapfill::snapshot::SourceVersion;
    /// assert_eq!(SourceVersion::from_id(7_100_299).to_string(), "Elasticsearch 7.10.2");
    /// assert_eq!(SourceVersion::from_id(136_408_427).to_string(), "OpenSearch 2.19.6");
    /// ```
    pub fn from_id(id: u64) -> Self {
        Self { id }
    }

    /// The number as servers write it.
    pub fn id(self) -> u64 {
        self.id
    }

    /// Which of the two products.
    pub fn distribution(self) -> Distribution {
        if self.id & OPENSEARCH_BIT != 0 {
            Distribution::OpenSearch
        } else {
            Distribution::Elasticsearch
        }
    }

    /// The major version.
    pub fn major(self) -> u64 {
        self.product_id() / 1_000_000
    }

    /// Whether an index created by this version puts a document on the shard whose number is what remains of the routing's
    /// hash, whatever its number of routing shards: a later Elasticsearch 9.
    pub(crate) fn maps_routing_by_remainder(self) -> bool {
        self.distribution() == Distribution::Elasticsearch && self.id >= REMAINDER_ROUTING
    }

    /// Whether documents of an index created by this version show a `_type`: Elasticsearch ≤ 7 and OpenSearch 1.
    pub fn has_types(self) -> bool {
        match self.distribution() {
            Distribution::Elasticsearch => self.major() <= 7,
            Distribution::OpenSearch => self.major() <= 1,
        }
    }

    /// The version's number alone, such as `2.4.6`.
    pub(crate) fn number(self) -> String {
        let id = self.product_id();
        format!("{}.{}.{}", self.major(), id / 10_000 % 100, id / 100 % 100)
    }

    /// The id without the mark of its product. Elasticsearch's ids stay below the mark for its first hundred majors.
    fn product_id(self) -> u64 {
        self.id & (OPENSEARCH_BIT - 1)
    }

    /// From 8.11 on Elasticsearch numbers index versions apart from products: only the major can be told.
    fn is_detached(self) -> bool {
        self.distribution() == Distribution::Elasticsearch && self.id >= 8_500_000
    }
}

impl fmt::Display for SourceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let product = match self.distribution() {
            Distribution::Elasticsearch => "Elasticsearch",
            Distribution::OpenSearch => "OpenSearch",
        };
        if self.is_detached() {
            return write!(f, "{product} {} (index version {})", self.major(), self.id);
        }
        write!(f, "{product} {}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_end_with_elasticsearch_7_and_opensearch_1() {
        for (id, types) in
            [(7_172_999, true), (8_512_000, false), (135_249_827, true), (136_408_427, false)]
        {
            assert_eq!(SourceVersion::from_id(id).has_types(), types, "{id}");
        }
    }

    #[test]
    fn detached_ids_tell_only_the_major() {
        assert_eq!(
            SourceVersion::from_id(9_111_000).to_string(),
            "Elasticsearch 9 (index version 9111000)"
        );
    }
}
