//! Which index of the target each index of the snapshot goes to, and what each of those is made with.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::data_stream::{PlannedStream, stream_of};
use super::definition::{DefinitionOptions, Part, define};
use super::left_out::LeftOut;
use super::mapping::UnknownFields;
use super::rename::why_no_name;
use super::route::{Route, Types};
use super::selection::Selector;
use super::target::{TargetVersion, Typing};
use crate::cluster::{BulkOperation, IndexDefinition};
use crate::snapshot::IndexMetadata;

/// Whether indices that the target lacks are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CreateIndices {
    /// Those that are missing.
    #[default]
    Missing,
    /// None: an index that is not there is refused.
    Never,
}

/// How indices of the target are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct IndexOptions {
    /// Whether they are made.
    pub create: CreateIndices,
    /// What becomes of fields whose type the target lacks.
    pub unknown_fields: UnknownFields,
    /// Replicas of each shard; none: as many as in the source.
    pub replicas: Option<u32>,
}

/// An index that the target has before the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ExistingIndex {
    /// Its documents, where the target says how many.
    pub documents: Option<u64>,
    /// Whether it takes documents.
    pub is_open: bool,
    /// Its settings, flat, where the target tells them.
    #[serde(skip)]
    pub settings: Option<Map<String, Value>>,
}

/// The target before the run.
#[derive(Clone, Debug)]
pub struct TargetFacts {
    /// What it is.
    pub version: TargetVersion,
    /// The indices it has.
    pub indices: BTreeMap<String, ExistingIndex>,
    /// The data streams it has; none where it cannot have any.
    pub data_streams: Option<BTreeMap<String, ExistingIndex>>,
}

impl TargetFacts {
    /// Those of a local target without indices.
    pub fn empty_local() -> Self {
        Self { version: TargetVersion::local(), indices: BTreeMap::new(), data_streams: None }
    }
}

/// What happens to one index or data stream of the target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedTarget {
    /// Its name.
    pub name: String,
    /// The indices of the snapshot that go there; `index/type` for one type of an index.
    pub sources: Vec<String>,
    /// The index, where it is there already: it is kept as it is.
    pub existing: Option<ExistingIndex>,
    /// That it is a data stream. Its documents are created in it: one whose id is there already is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_stream: Option<PlannedStream>,
    /// What it is made with, where it is not there.
    pub definition: Option<IndexDefinition>,
    /// What of the snapshot's definition does not go along, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// What its reader should know before the run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Where the indices of a snapshot go.
#[derive(Clone, Debug, Default)]
pub struct Assignment {
    /// The indices of the target, by name.
    pub targets: BTreeMap<String, PlannedTarget>,
    /// Why indices of the snapshot cannot go, by their name.
    pub refused: BTreeMap<String, String>,
}

/// Assigns all indices that are to be migrated. An index that is refused for one of its types is refused altogether.
pub fn assign(
    indices: &[&IndexMetadata],
    selector: &Selector,
    options: &IndexOptions,
    facts: &TargetFacts,
) -> Assignment {
    let mut made = Assignment::default();
    let mut parts: BTreeMap<String, Vec<Part<'_>>> = BTreeMap::new();
    for metadata in indices {
        match destinations(metadata, selector, facts) {
            Ok(destinations) => {
                for (target, only_type) in destinations {
                    parts.entry(target).or_default().push(Part { metadata, only_type });
                }
            }
            Err(reason) => {
                made.refused.insert(metadata.name.clone(), reason);
            }
        }
    }
    let definition = DefinitionOptions {
        replicas: options.replicas,
        unknown_fields: options.unknown_fields,
        index_names: parts.keys().cloned().collect(),
    };
    for (target, parts) in &parts {
        match plan_target(target, parts, selector, (options, &definition), facts) {
            Ok(planned) => {
                made.targets.insert(target.clone(), planned);
            }
            Err(reason) => {
                for part in parts {
                    made.refused
                        .entry(part.metadata.name.clone())
                        .or_insert_with(|| reason.clone());
                }
            }
        }
    }
    let refused: BTreeSet<&String> = made.refused.keys().collect();
    made.targets.retain(|target, _| {
        let of_target = parts.get(target).into_iter().flatten();
        of_target.into_iter().any(|part| !refused.contains(&part.metadata.name))
    });
    made
}

/// The data streams of the target that indices go to, by name.
#[cfg(feature = "local")]
pub(crate) fn streams_for(
    indices: &[&IndexMetadata],
    selector: &Selector,
    target: TargetVersion,
) -> BTreeSet<String> {
    let stream =
        |metadata: &&IndexMetadata| match Route::of(metadata, selector, target.distribution()) {
            Route::Stream(name) => Some(name.to_string()),
            _ => None,
        };
    indices.iter().filter_map(stream).collect()
}

/// The names in the target, each with the one type that goes there, if it is one.
fn destinations<'a>(
    metadata: &'a IndexMetadata,
    selector: &Selector,
    facts: &TargetFacts,
) -> Result<Vec<(String, Option<&'a str>)>, String> {
    let target = facts.version;
    let route = Route::of(metadata, selector, target.distribution());
    let types: Vec<&str> = metadata.types().map(|(name, _)| name).collect();
    let destinations = match &route {
        Route::ByType(_) => {
            types.iter().map(|name| (route.index_of(name).to_string(), Some(*name))).collect()
        }
        Route::Stream(stream) if facts.data_streams.is_none() => {
            return Err(format!(
                "it is a backing index of the data stream `{stream}`, and the target has no data streams; leave it out, or \
                 make an ordinary index of it with `--rename {}=NAME`",
                metadata.name
            ));
        }
        Route::One(name) | Route::Stream(name) => vec![(name.to_string(), None)],
    };
    let alone = matches!(route, Route::One(_)) && selector.types() != Types::Merge;
    if types.len() > 1 && alone && target.typing() != Typing::Several {
        return Err(format!(
            "it holds several mapping types ({}), and an index of {target} cannot; say `--types split` for an index a type, \
             or `--types merge` for one index, where documents of one id replace each other",
            types.join(", ")
        ));
    }
    if !target.is_local() {
        for (name, _) in &destinations {
            if let Some(reason) = why_no_name(name) {
                return Err(format!(
                    "the target cannot have an index `{name}`: {reason}; rename it"
                ));
            }
        }
    }
    Ok(destinations)
}

fn plan_target(
    name: &str,
    parts: &[Part<'_>],
    selector: &Selector,
    (options, definition): (&IndexOptions, &DefinitionOptions),
    facts: &TargetFacts,
) -> Result<PlannedTarget, String> {
    let sources: Vec<String> = parts.iter().map(source).collect();
    let goes_to_stream = |part: &&Part<'_>| {
        let route = Route::of(part.metadata, selector, facts.version.distribution());
        matches!(route, Route::Stream(_))
    };
    let of_streams: Vec<&Part<'_>> = parts.iter().filter(goes_to_stream).collect();
    // The newest backing index says how the next one is to be.
    let newest = of_streams.iter().max_by_key(|part| &part.metadata.name);
    if newest.is_some() && of_streams.len() < parts.len() {
        return Err(format!(
            "{} would all become `{name}`, and not all of them belong to a data stream; rename them apart",
            sources.join(", ")
        ));
    }
    if parts.len() > 1 && newest.is_none() && selector.types() != Types::Merge {
        return Err(format!(
            "{} would all become `{name}`, where documents of one id replace each other; rename them apart, or say \
             `--types merge` to allow it",
            sources.join(", ")
        ));
    }
    let streams = facts.data_streams.as_ref().filter(|_| newest.is_some());
    let existing = facts.indices.get(name).or_else(|| streams?.get(name)).cloned();
    // A data stream takes no document in the place of another.
    let operation = newest.map_or(selector.operation(), |_| BulkOperation::Create);
    let mut planned = PlannedTarget {
        name: name.to_owned(),
        sources,
        warnings: warnings(existing.as_ref(), parts, (facts.version, operation), newest.is_none()),
        existing,
        data_stream: newest.map(|part| PlannedStream::of(part.metadata)),
        definition: None,
        left_out: Vec::new(),
    };
    match &planned.existing {
        Some(existing) if !existing.is_open => {
            Err(format!("the target's index `{name}` is closed; open it"))
        }
        Some(_) => Ok(planned),
        None if options.create == CreateIndices::Never => Err(format!(
            "the target has no index `{name}`; make it, or let it be made with `--create-indices missing`"
        )),
        None => {
            let parts = newest.map_or(parts, |newest| std::slice::from_ref(*newest));
            let mut prepared = define(parts, facts.version, definition)?;
            if planned.data_stream.is_some() {
                without_stream_owned(&mut prepared.definition);
            }
            planned.definition = Some(prepared.definition);
            planned.left_out = prepared.left_out;
            Ok(planned)
        }
    }
}

/// Takes off what a data stream gives its backing indices by itself.
fn without_stream_owned(definition: &mut IndexDefinition) {
    if let Some(settings) = definition.settings.as_object_mut() {
        settings.remove("index.hidden");
    }
    definition.aliases = Value::Object(Map::new());
}

fn source(part: &Part<'_>) -> String {
    match part.only_type {
        Some(only) => format!("{}/{only}", part.metadata.name),
        None => part.metadata.name.clone(),
    }
}

fn warnings(
    existing: Option<&ExistingIndex>,
    parts: &[Part<'_>],
    (target, operation): (TargetVersion, BulkOperation),
    is_index: bool,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(documents) = existing.and_then(|index| index.documents).filter(|count| *count > 0) {
        let fate = match operation {
            BulkOperation::Index => "are replaced",
            BulkOperation::Create => "are left alone",
        };
        warnings
            .push(format!("it holds {documents} documents already: those of the same id {fate}"));
    }
    let settings = existing.and_then(|index| index.settings.as_ref());
    let pipeline = settings.and_then(|settings| settings.get("index.final_pipeline")?.as_str());
    if let Some(pipeline) = pipeline.filter(|pipeline| *pipeline != "_none") {
        warnings.push(format!(
            "it has the final pipeline `{pipeline}`, which no request can leave out: it may change documents"
        ));
    }
    let has_stream = |part: &Part<'_>| stream_of(part.metadata).is_some();
    if !target.is_local() && is_index && parts.iter().any(has_stream) {
        warnings.push(
            "it was the backing index of a data stream, and becomes an index by itself, outside any data stream"
                .to_owned(),
        );
    }
    let has_children = |part: &Part<'_>| !part.metadata.child_types().is_empty();
    if target.typing() != Typing::Several && parts.iter().any(has_children) {
        warnings.push(
            "it has parents and children (`_parent`): each goes as a document of its own, children routed to their parent; \
             queries that join them do not work"
                .to_owned(),
        );
    }
    warnings
}

#[cfg(test)]
mod tests;
