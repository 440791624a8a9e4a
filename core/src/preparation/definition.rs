//! An index's definition for a target, from its metadata in the snapshot.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::left_out::{LeftOut, Notes};
use super::mapping::{Mapper, UnknownFields};
use super::target::{TargetVersion, Typing};
use super::{aliases, settings};
use crate::cluster::IndexDefinition;
use crate::snapshot::{Distribution, IndexMetadata};

/// An index of the snapshot, or one type of it, as a part of an index of the target.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The index.
    pub metadata: &'a IndexMetadata,
    /// The types whose documents go there; none: all.
    pub only_type: Option<&'a str>,
}

/// How definitions are made.
#[derive(Clone, Debug, Default)]
pub struct DefinitionOptions {
    /// Replicas of each shard; none: as many as in the source.
    pub replicas: Option<u32>,
    /// What becomes of fields whose type the target lacks.
    pub unknown_fields: UnknownFields,
    /// Names that indices of the target have after the run, which no alias can have.
    pub index_names: BTreeSet<String>,
}

/// A definition, and what it does not hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prepared {
    /// What the index is made with.
    pub definition: IndexDefinition,
    /// What does not go along, and why.
    pub left_out: Vec<LeftOut>,
}

/// Makes the definition of an index of the target from all parts that go there. The settings are those of the first part.
/// A local target keeps the snapshot's own.
///
/// # Errors
/// Why the target cannot have such an index, as a sentence without the index's name.
pub fn define(
    parts: &[Part<'_>],
    target: TargetVersion,
    options: &DefinitionOptions,
) -> Result<Prepared, String> {
    let Some(first) = parts.first() else { return Ok(Prepared::default()) };
    if target.is_local() {
        return Ok(Prepared { definition: as_it_is(first), left_out: Vec::new() });
    }
    let mut notes = Notes::default();
    let (settings, lost) = settings::carried(first.metadata, target, options.replicas, &mut notes);
    let mut mappings: Vec<(String, Value)> = Vec::new();
    let mut refused = Vec::new();
    for part in parts {
        let made_by = part.metadata.created_by();
        let made_by = (made_by.distribution() == Distribution::Elasticsearch, made_by.major());
        for (name, mapping) in part.types() {
            let mapper = Mapper::new(target, options.unknown_fields, made_by, &lost, &mut notes);
            let (mapping, lacking) = mapper.mapping(mapping);
            refused.extend(lacking);
            mappings.push((name.to_owned(), mapping));
        }
    }
    if !refused.is_empty() {
        return Err(format!(
            "{target} lacks what its mapping needs: {}; leave the index out, or say `--unknown-fields drop` to keep such \
             fields in `_source` without indexing them (`keep` to let the target decide)",
            refused.join(", ")
        ));
    }
    let mappings = by_typing(mappings, target, &mut notes)?;
    let mut carried = Map::new();
    for part in parts {
        let whole = part.only_type.is_none() && parts.len() == 1;
        let of_part = aliases::carried(
            &part.metadata.aliases,
            target,
            &options.index_names,
            whole,
            &mut notes,
        );
        for (name, alias) in of_part {
            carried.entry(name).or_insert(alias);
        }
    }
    let definition = IndexDefinition {
        settings: Value::Object(settings),
        mappings,
        aliases: Value::Object(carried),
    };
    Ok(Prepared { definition, left_out: notes.finish() })
}

impl<'a> Part<'a> {
    fn types(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.metadata
            .types()
            .filter(move |(name, _)| self.only_type.is_none_or(|only| only == *name))
    }
}

fn as_it_is(part: &Part<'_>) -> IndexDefinition {
    let metadata = part.metadata;
    let mappings = match part.only_type {
        Some(_) => part.types().next().map_or_else(|| json!({}), |(_, mapping)| mapping.clone()),
        None => metadata.mappings.clone(),
    };
    IndexDefinition {
        settings: Value::Object(metadata.settings.clone()),
        mappings,
        aliases: metadata.aliases.clone(),
    }
}

/// Puts mappings under their types, or all into one.
fn by_typing(
    mappings: Vec<(String, Value)>,
    target: TargetVersion,
    notes: &mut Notes,
) -> Result<Value, String> {
    match target.typing() {
        Typing::Several => Ok(Value::Object(mappings.into_iter().collect())),
        Typing::Typeless => merged(mappings, notes),
        Typing::One => {
            let names: BTreeSet<String> = mappings.iter().map(|(name, _)| name.clone()).collect();
            let mut names = names.into_iter();
            match (names.next(), names.next()) {
                (Some(name), None) => Ok(json!({ name: merged(mappings, notes)? })),
                (None, _) => Ok(json!({})),
                (Some(one), Some(other)) => Err(format!(
                    "an index of {target} has one type, and it would have `{one}` and `{other}`; say `--types split`"
                )),
            }
        }
    }
}

/// One mapping of several. Fields of one name must be mapped alike.
fn merged(mappings: Vec<(String, Value)>, notes: &mut Notes) -> Result<Value, String> {
    let mut mappings = mappings.into_iter();
    let Some((_, Value::Object(mut all))) = mappings.next() else { return Ok(json!({})) };
    for (name, mapping) in mappings {
        let Value::Object(mut mapping) = mapping else { continue };
        let fields = mapping.remove("properties");
        if let Some(Value::Object(fields)) = fields {
            let into = all.entry("properties").or_insert_with(|| json!({}));
            merge_fields("", into, fields)?;
        }
        merge_rest(&name, &mut all, mapping, notes);
    }
    Ok(Value::Object(all))
}

fn merge_fields(prefix: &str, into: &mut Value, fields: Map<String, Value>) -> Result<(), String> {
    let Value::Object(into) = into else { return Ok(()) };
    for (name, mut field) in fields {
        let Some(known) = into.get_mut(&name) else {
            into.insert(name, field);
            continue;
        };
        if *known == field {
            continue;
        }
        let path = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        let inner = |field: &mut Value| {
            let taken = field.as_object_mut().and_then(|field| field.remove("properties"));
            taken
                .and_then(|inner| if let Value::Object(inner) = inner { Some(inner) } else { None })
        };
        let (Some(mut ours), Some(theirs)) = (inner(known).map(Value::Object), inner(&mut field))
        else {
            return Err(differs(&path));
        };
        if *known != field {
            return Err(differs(&path));
        }
        merge_fields(&path, &mut ours, theirs)?;
        if let Value::Object(known) = known {
            known.insert("properties".to_owned(), ours);
        }
    }
    Ok(())
}

fn differs(path: &str) -> String {
    format!(
        "field `{path}` is mapped otherwise in two of the indices or types that would become one; \
         say `--types split`, or rename them apart"
    )
}

/// Everything but fields: what all agree on stays. A routing is required only if all require it, or the others'
/// documents would be refused.
fn merge_rest(
    name: &str,
    all: &mut Map<String, Value>,
    mapping: Map<String, Value>,
    notes: &mut Notes,
) {
    let mut theirs: BTreeMap<String, Value> = mapping.into_iter().collect();
    let ours: Vec<String> = all.keys().filter(|key| *key != "properties").cloned().collect();
    for key in ours {
        let same = theirs.remove(&key).is_some_and(|value| all.get(&key) == Some(&value));
        if !same {
            all.remove(&key);
            notes.add(format!("mapping `{key}`"), "the types that become one differ in it");
        }
    }
    for key in theirs.into_keys() {
        let why = format!("type `{name}` has it, and others that become one with it do not");
        notes.add(format!("mapping `{key}`"), why);
    }
}

#[cfg(test)]
mod tests {
    use super::super::target::tests::{elasticsearch, opensearch, target};
    use super::*;
    use crate::cluster::Distribution as Target;

    fn family() -> IndexMetadata {
        IndexMetadata::for_tests(
            "family",
            json!({"index.number_of_shards": "2", "index.version.created": "5061699"}),
            json!([
                {"blog": {"properties": {"t": {"type": "long"}, "o": {"properties": {"a": {"type": "long"}}}}}},
                {"comment": {"_parent": {"type": "blog"}, "_routing": {"required": true},
                             "properties": {"c": {"type": "long"}, "o": {"properties": {"b": {"type": "long"}}}}}},
            ]),
        )
    }

    fn of(only_type: Option<&str>, target: TargetVersion) -> Result<Value, String> {
        let metadata = family();
        let parts = [Part { metadata: &metadata, only_type }];
        define(&parts, target, &DefinitionOptions::default()).map(|made| made.definition.mappings)
    }

    #[test]
    fn types_become_one_mapping_where_there_are_none() {
        let merged = of(None, opensearch("2.19.6")).unwrap();
        assert_eq!(
            merged,
            json!({"properties": {"t": {"type": "long"}, "c": {"type": "long"},
                   "o": {"properties": {"a": {"type": "long"}, "b": {"type": "long"}}}}})
        );
        let comment = of(Some("comment"), opensearch("2.19.6")).unwrap();
        assert_eq!(comment["_routing"], json!({"required": true}));
        assert!(comment["properties"].get("t").is_none());
    }

    #[test]
    fn types_stay_where_there_are_some() {
        assert!(of(None, elasticsearch("6.8.23")).unwrap_err().contains("--types split"));
        assert!(
            of(Some("blog"), elasticsearch("6.8.23")).unwrap()["blog"]["properties"].is_object()
        );
        let several = of(None, elasticsearch("5.6.16")).unwrap();
        assert_eq!(several["comment"]["_parent"], json!({"type": "blog"}));
    }

    #[test]
    fn fields_of_one_name_must_be_mapped_alike() {
        let index = |kind: &str| {
            let mapping =
                json!([{"_doc": {"properties": {"o": {"properties": {"x": {"type": kind}}}}}}]);
            IndexMetadata::for_tests("i", json!({"index.number_of_shards": "1"}), mapping)
        };
        let (long, keyword) = (index("long"), index("keyword"));
        let parts = [&long, &keyword].map(|metadata| Part { metadata, only_type: None });
        let error =
            define(&parts, opensearch("2.19.6"), &DefinitionOptions::default()).unwrap_err();
        assert!(error.contains("`o.x`"), "{error}");
    }

    #[test]
    fn a_local_target_keeps_the_snapshots_own() {
        let metadata = family();
        let parts = [Part { metadata: &metadata, only_type: None }];
        let local = target(Target::Local, "0.1.0");
        let made = define(&parts, local, &DefinitionOptions::default()).unwrap();
        assert_eq!(made.definition.settings, Value::Object(metadata.settings.clone()));
        assert_eq!(made.definition.mappings, metadata.mappings);
        assert!(made.left_out.is_empty());
    }
}
