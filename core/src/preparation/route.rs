//! Where the documents of an index go.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::data_stream::stream_of;
use super::selection::Selector;
#[cfg(feature = "local")]
use crate::cluster::BulkOperation;
use crate::cluster::Distribution;
use crate::snapshot::IndexMetadata;
#[cfg(any(test, feature = "local"))]
use crate::{DocumentBatch, DocumentBatchBuilder};

/// What becomes of an index with several mapping types (Elasticsearch 5 and before), where the target has no types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Types {
    /// It is refused.
    #[default]
    Refuse,
    /// Each type has an index of its own, `<index>-<type>`; also where the target has types.
    Split,
    /// They share one index; so may indices that get one name. Two documents of one id replace each other: the run
    /// counts them as overwritten, and ends *completed with errors*.
    Merge,
}

impl Types {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Where the documents of one index go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// All to one index.
    One(Arc<str>),
    /// By type: the name before the type's.
    ByType(Arc<str>),
    /// All to one data stream.
    Stream(Arc<str>),
}

impl Route {
    /// Types are those that the mapping lists, whether or not there are documents of them: finding out would mean
    /// reading them all. Documents of a backing index go to its data stream, save in a local target or where the index
    /// itself is given a name.
    pub(crate) fn of(metadata: &IndexMetadata, selector: &Selector, target: Distribution) -> Self {
        let renamer = selector.renamer();
        let goes = |_: &&str| target != Distribution::Local && !renamer.names(&metadata.name);
        if let Some(stream) = stream_of(metadata).filter(goes) {
            return Self::Stream(renamer.rename(stream).into());
        }
        let name = renamer.rename(&metadata.name).into();
        let splits = selector.types() == Types::Split && metadata.types().count() > 1;
        if splits { Self::ByType(name) } else { Self::One(name) }
    }

    /// How documents are written, where `usual` is how they are written to an index: a data stream takes no others in their
    /// place.
    #[cfg(feature = "local")]
    pub(crate) fn operation(&self, usual: BulkOperation) -> BulkOperation {
        match self {
            Self::Stream(_) => BulkOperation::Create,
            _ => usual,
        }
    }

    /// The target index of a type's documents. Index names are in lower case.
    pub(crate) fn index_of(&self, doc_type: &str) -> Arc<str> {
        match self {
            Self::One(name) | Self::Stream(name) => Arc::clone(name),
            Self::ByType(name) => format!("{name}-{}", doc_type.to_lowercase()).into(),
        }
    }

    /// The documents by target index, in order within each.
    #[cfg(any(test, feature = "local"))]
    pub(crate) fn partition(&self, documents: DocumentBatch) -> Vec<(Arc<str>, DocumentBatch)> {
        match self {
            Self::One(name) | Self::Stream(name) => vec![(Arc::clone(name), documents)],
            Self::ByType(_) => {
                let mut by_type: std::collections::BTreeMap<&str, DocumentBatchBuilder> =
                    std::collections::BTreeMap::new();
                for document in documents.iter() {
                    by_type.entry(document.doc_type.unwrap_or("_doc")).or_default().push(document);
                }
                let parts = by_type.into_iter();
                parts.map(|(name, mut batch)| (self.index_of(name), batch.finish())).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::selection::Selection;
    use super::*;
    use crate::DocumentRef;
    use serde_json::json;

    fn route(types: Types, mappings: serde_json::Value) -> Route {
        let metadata = IndexMetadata::for_tests("Family", json!({}), mappings);
        let selection = Selection { types, ..Selection::default() };
        Route::of(&metadata, &Selector::new(&selection).unwrap(), Distribution::OpenSearch)
    }

    #[test]
    fn a_backing_index_goes_to_its_stream_unless_it_is_given_a_name() {
        let route = |distribution, selection: &Selection| {
            let metadata = IndexMetadata::for_tests(".ds-logs-000001", json!({}), json!({}));
            Route::of(&metadata, &Selector::new(selection).unwrap(), distribution)
        };
        let mut selection = Selection::default();
        selection.rename.prefix = "new-".to_owned();
        let (local, cluster) = (Distribution::Local, Distribution::OpenSearch);
        assert_eq!(route(local, &selection), Route::One("new-.ds-logs-000001".into()));
        assert_eq!(route(cluster, &selection), Route::Stream("new-logs".into()));
        selection.rename.map.insert("logs".to_owned(), "events".to_owned());
        assert_eq!(route(cluster, &selection), Route::Stream("events".into()));
        selection.rename.map.insert(".ds-logs-000001".to_owned(), "plain".to_owned());
        assert_eq!(route(cluster, &selection), Route::One("plain".into()));
    }

    #[test]
    fn only_an_index_of_several_types_is_split() {
        let two = json!([{"Blog": {}}, {"comment": {}}]);
        assert_eq!(route(Types::Split, two.clone()), Route::ByType("Family".into()));
        assert_eq!(route(Types::Merge, two), Route::One("Family".into()));
        assert_eq!(route(Types::Split, json!([{"blog": {}}])), Route::One("Family".into()));
    }

    #[test]
    fn a_batch_is_parted_by_type_and_loses_nothing() {
        let document = |number, doc_type| DocumentRef {
            number,
            id: "1",
            doc_type: Some(doc_type),
            routing: Some("r"),
            parent: None,
            source: b"{}",
        };
        let batch: DocumentBatch =
            [document(1, "Blog"), document(2, "comment"), document(5, "Blog")]
                .into_iter()
                .collect();
        let parts = Route::ByType("f".into()).partition(batch);
        let numbers: Vec<(&str, Vec<u32>)> = parts
            .iter()
            .map(|(name, part)| (&**name, part.iter().map(|document| document.number).collect()))
            .collect();
        assert_eq!(numbers, [("f-blog", vec![1, 5]), ("f-comment", vec![2])]);
    }
}
