//! A mapping, made valid for a target.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::date_formats;
use super::field_types::has_type;
use super::left_out::Notes;
use super::legacy_fields::modernise;
use super::parameters::takes;
use super::target::{NEVER, Support, TargetVersion, between, since, support};

type Object = Map<String, Value>;

/// What becomes of a field whose type the target lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UnknownFields {
    /// The index is refused.
    #[default]
    Refuse,
    /// It is mapped as an object that is not indexed: its values stay in `_source` and cannot be searched.
    Drop,
    /// It is passed on, for a target with a plugin that knows the type.
    Keep,
}

/// How nested a mapping may be; servers allow 20 by default.
const MAX_DEPTH: usize = 100;

/// What may stand beside `properties`, other than what is treated by name below.
static ROOT: &[(&str, Support)] = &[
    ("_meta", support(since(0, 0), since(0, 0))),
    ("date_detection", support(since(0, 0), since(0, 0))),
    ("enabled", support(since(0, 0), since(0, 0))),
    ("numeric_detection", support(since(0, 0), since(0, 0))),
    ("runtime", support(since(7, 11), NEVER)),
    ("subobjects", support(since(8, 3), NEVER)),
    ("derived", support(NEVER, since(2, 15))),
    ("_parent", support(between((0, 0), (6, 0)), NEVER)),
];

/// Makes one mapping valid; collects what it had to leave out and what it cannot do.
pub(super) struct Mapper<'a> {
    target: TargetVersion,
    unknown: UnknownFields,
    /// Date formats are those of Joda time.
    joda: bool,
    /// Dates without zone or letters were also taken as milliseconds.
    takes_millis: bool,
    /// Similarities that do not go along.
    lost_similarities: &'a BTreeSet<String>,
    notes: &'a mut Notes,
    refused: Vec<String>,
    disabled: BTreeSet<String>,
}

impl<'a> Mapper<'a> {
    /// For an index that a version of this major made.
    pub(super) fn new(
        target: TargetVersion,
        unknown: UnknownFields,
        made_by: (bool, u64),
        lost_similarities: &'a BTreeSet<String>,
        notes: &'a mut Notes,
    ) -> Self {
        let (is_elasticsearch, major) = made_by;
        Self {
            target,
            unknown,
            joda: is_elasticsearch && major < 7,
            takes_millis: is_elasticsearch && major < 2,
            lost_similarities,
            notes,
            refused: Vec::new(),
            disabled: BTreeSet::new(),
        }
    }

    /// The mapping without type, and the fields whose type the target lacks.
    pub(super) fn mapping(mut self, mapping: &Value) -> (Value, Vec<String>) {
        let empty = Object::new();
        let source = mapping.as_object().unwrap_or(&empty);
        let mut made = Object::new();
        for (name, value) in source {
            if let Some((name, value)) = self.root(name, value) {
                made.insert(name, value);
            }
        }
        let disabled = std::mem::take(&mut self.disabled);
        if !disabled.is_empty()
            && let Some(Value::Object(properties)) = made.get_mut("properties")
        {
            self.without_dead_aliases(properties, &disabled, 0);
        }
        (Value::Object(made), self.refused)
    }

    fn root(&mut self, name: &str, value: &Value) -> Option<(String, Value)> {
        let made = match name {
            "properties" => Value::Object(self.properties("", value.as_object()?, 0)),
            "dynamic_templates" => self.templates(value),
            "dynamic" => self.dynamic("", value),
            "dynamic_date_formats" | "date_formats" => {
                return Some(("dynamic_date_formats".to_owned(), self.formats(value)));
            }
            "_source" => self.only("_source", &["enabled", "includes", "excludes"], value)?,
            "_routing" => self.only("_routing", &["required"], value)?,
            _ => {
                let known = ROOT.iter().find(|(known, _)| *known == name);
                if known.is_some_and(|(_, support)| support.includes(self.target)) {
                    value.clone()
                } else {
                    self.notes.add(format!("mapping `{name}`"), self.why_not_root(name));
                    return None;
                }
            }
        };
        Some((name.to_owned(), made))
    }

    fn why_not_root(&self, name: &str) -> String {
        match name {
            "_parent" => {
                "the target has no parents of Elasticsearch 5; a child is routed by its parent's id"
                    .to_owned()
            }
            "_data_stream_timestamp" => "belongs to data streams".to_owned(),
            _ => format!("{} does not have it, and it changes no document", self.target),
        }
    }

    /// Some members of an object; none where none is left.
    fn only(&mut self, object: &str, kept: &[&str], value: &Value) -> Option<Value> {
        let mut made = Object::new();
        for (name, value) in value.as_object()? {
            if kept.contains(&name.as_str()) {
                made.insert(name.clone(), truth(value));
            } else {
                self.notes.add(
                    format!("mapping `{object}.{name}`"),
                    "decides how documents are stored, not what they are",
                );
            }
        }
        (!made.is_empty()).then_some(Value::Object(made))
    }

    /// `runtime` and the words of OpenSearch 3 mean less to others.
    fn dynamic(&mut self, path: &str, value: &Value) -> Value {
        let known = match value.as_str() {
            Some("runtime") => support(since(7, 11), NEVER),
            Some("strict_allow_templates" | "false_allow_templates") => {
                support(NEVER, since(2, 16))
            }
            _ => return truth(value),
        };
        if known.includes(self.target) {
            return value.clone();
        }
        let word = value.as_str().unwrap_or_default();
        self.notes.add_field(
            path,
            format!("`dynamic: {word}`"),
            "is `dynamic: true` in the target",
        );
        Value::Bool(true)
    }

    fn properties(&mut self, prefix: &str, fields: &Object, depth: usize) -> Object {
        let mut made = Object::new();
        for (name, field) in fields {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            if let Some(field) = self.field(&path, name, field, depth) {
                made.insert(name.clone(), Value::Object(field));
            }
        }
        made
    }

    fn field(&mut self, path: &str, name: &str, field: &Value, depth: usize) -> Option<Object> {
        let mut field = field.as_object()?.clone();
        if depth > MAX_DEPTH {
            self.refused.push(format!("field `{path}` is nested too deeply"));
            return None;
        }
        if !has_type(self.target, "string") {
            if field.get("type").and_then(Value::as_str) == Some("multi_field") {
                field.insert("_name".to_owned(), name.into());
            }
            field = modernise(path, field, self.notes);
        }
        let kind = field.get("type").and_then(Value::as_str).unwrap_or("object").to_owned();
        let Ok(kind) = self.known(path, &kind) else {
            self.disabled.insert(path.to_owned());
            return Some(not_indexed());
        };
        if field.contains_key("type") {
            field.insert("type".to_owned(), kind.clone().into());
        }
        self.parameters(path, &kind, &mut field);
        if let Some(Value::Object(inner)) = field.get("properties") {
            let inner = self.properties(path, inner, depth + 1);
            field.insert("properties".to_owned(), Value::Object(inner));
        }
        if let Some(Value::Object(inner)) = field.get("fields") {
            let inner = self.multi_fields(path, inner, depth + 1);
            field.insert("fields".to_owned(), Value::Object(inner));
        }
        Some(field)
    }

    /// The type under which the target knows a type; an error for a field that is to be replaced.
    fn known(&mut self, path: &str, kind: &str) -> Result<String, ()> {
        if has_type(self.target, kind) {
            return Ok(kind.to_owned());
        }
        let same = match kind {
            "flattened" => "flat_object",
            "flat_object" => "flattened",
            _ => "",
        };
        if has_type(self.target, same) {
            self.notes.add_field(
                path,
                format!("type `{kind}`"),
                format!("is `{same}` in the target"),
            );
            return Ok(same.to_owned());
        }
        match self.unknown {
            UnknownFields::Keep => return Ok(kind.to_owned()),
            UnknownFields::Drop => {
                let why = "the target lacks the type: kept in `_source`, not indexed";
                self.notes.add_field(path, format!("type `{kind}`"), why);
            }
            UnknownFields::Refuse => {
                self.refused.push(format!("field `{path}` is of type `{kind}`"));
            }
        }
        Err(())
    }

    /// Sub-fields are indexes only: one that cannot be goes.
    fn multi_fields(&mut self, prefix: &str, fields: &Object, depth: usize) -> Object {
        let mut made = self.properties(prefix, fields, depth);
        made.retain(|name, _| !self.disabled.contains(&format!("{prefix}.{name}")));
        made
    }

    fn parameters(&mut self, path: &str, kind: &str, field: &mut Object) {
        let names: Vec<String> = field.keys().cloned().collect();
        for name in names {
            let fits = match (kind, name.as_str()) {
                // Its only parameter there is.
                ("flat_object", name) => name == "type",
                // Where a path goes only an alias says; once it told how names were built.
                (kind, "path") => kind == "alias" || !self.target.is_modern(),
                (_, "similarity") => !self.is_lost_similarity(field),
                (kind, name) => takes(self.target, kind, name),
            };
            if !fits {
                field.remove(&name);
                let why = format!("{} does not have it, and it changes no document", self.target);
                self.notes.add_field(path, name, why);
            }
        }
        if let Some(value) = field.get("dynamic").cloned() {
            let dynamic = self.dynamic(path, &value);
            field.insert("dynamic".to_owned(), dynamic);
        }
        if let Some(format) = field.get("format").and_then(Value::as_str)
            && self.joda
            && self.target.is_modern()
        {
            let mut format = date_formats::modern(format);
            if self.takes_millis && !format.contains("epoch_millis") {
                format.push_str("||epoch_millis");
            }
            field.insert("format".to_owned(), format.into());
        }
    }

    fn is_lost_similarity(&self, field: &Object) -> bool {
        let name = field.get("similarity").and_then(Value::as_str).unwrap_or_default();
        let old = self.target.is_modern() && matches!(name, "classic" | "default");
        old || self.lost_similarities.contains(name)
    }

    fn formats(&self, value: &Value) -> Value {
        if !(self.joda && self.target.is_modern()) {
            return value.clone();
        }
        let modern = |format: &Value| format.as_str().map(date_formats::modern).map(Value::from);
        match value {
            Value::Array(formats) => formats.iter().filter_map(modern).collect(),
            one => modern(one).map_or_else(|| one.clone(), |format| json!([format])),
        }
    }

    /// Templates make fields of documents to come; one that the target would not take goes.
    fn templates(&mut self, templates: &Value) -> Value {
        let mut made = Vec::new();
        for template in templates.as_array().into_iter().flatten() {
            let Some((name, rule)) = template.as_object().and_then(|one| one.iter().next()) else {
                continue;
            };
            if let Some(rule) = self.template(name, rule) {
                made.push(json!({ name: rule }));
            }
        }
        Value::Array(made)
    }

    fn template(&mut self, name: &str, rule: &Value) -> Option<Value> {
        let mut rule = rule.as_object()?.clone();
        let lists = support(since(8, 9), NEVER);
        let has_list = rule.iter().any(|(key, value)| key.contains("match") && value.is_array());
        let is_runtime = rule.contains_key("runtime");
        if (has_list && !lists.includes(self.target))
            || (is_runtime && !support(since(7, 11), NEVER).includes(self.target))
        {
            let why = format!("{} has no such templates", self.target);
            self.notes.add(format!("dynamic template `{name}`"), why);
            return None;
        }
        if let Some(mapping) = rule.get("mapping") {
            let path = format!("dynamic template {name}");
            let placeholder = mapping
                .get("type")
                .and_then(Value::as_str)
                .is_some_and(|kind| kind.starts_with('{'));
            let mapping = if placeholder {
                mapping.as_object().cloned()
            } else {
                self.field(&path, name, mapping, 0)
            };
            if self.disabled.remove(&path) {
                return None;
            }
            rule.insert("mapping".to_owned(), Value::Object(mapping?));
        }
        Some(Value::Object(rule))
    }

    /// An alias of a field that is not indexed any more would be refused.
    fn without_dead_aliases(&mut self, fields: &mut Object, dead: &BTreeSet<String>, depth: usize) {
        let notes = &mut *self.notes;
        fields.retain(|name, field| {
            let path = field.get("path").and_then(Value::as_str).unwrap_or_default();
            let is_dead =
                field.get("type").and_then(Value::as_str) == Some("alias") && dead.contains(path);
            if is_dead {
                notes.add_field(name, "type `alias`", "the field it stands for is not indexed");
            }
            !is_dead
        });
        for field in fields.values_mut() {
            if let Some(Value::Object(inner)) = field.get_mut("properties")
                && depth < MAX_DEPTH
            {
                self.without_dead_aliases(inner, dead, depth + 1);
            }
        }
    }
}

/// Takes any value and indexes none.
fn not_indexed() -> Object {
    Map::from_iter([
        ("type".to_owned(), Value::from("object")),
        ("enabled".to_owned(), Value::Bool(false)),
    ])
}

/// Truth values were text in some versions.
fn truth(value: &Value) -> Value {
    match value.as_str() {
        Some("true") => Value::Bool(true),
        Some("false") => Value::Bool(false),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests;
