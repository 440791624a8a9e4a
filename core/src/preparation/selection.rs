//! Which documents go where: what a run is about, as data, and the same ready for use.

use globset::{GlobBuilder, GlobMatcher};
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rename::{Rename, Renamer};
use super::route::Types;
use crate::cluster::BulkOperation;
use crate::{Error, ErrorKind, Result};

/// What decides which documents of a snapshot go where. Part of the run: another selection is another run.
///
/// A pattern is an index's name, a glob (`logs-*`, `{a,b}-2024`) or, behind `regex:`, a regular expression that matches
/// the whole name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// Patterns of the indices to migrate; none: all but system indices.
    pub indices: Vec<String>,
    /// Patterns of the indices to leave out of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Documents of each shard at most, for a trial; the others are counted as skipped by request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_docs_per_shard: Option<u64>,
    /// Other names in the target.
    #[serde(skip_serializing_if = "Rename::is_empty")]
    pub rename: Rename,
    /// What becomes of indices with several mapping types.
    #[serde(skip_serializing_if = "Types::is_default")]
    pub types: Types,
    /// Takes the original source where the index stores none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub recovery_source: bool,
    /// A shard of more stored bytes is cut into items of about as many, so that several workers share it. None:
    /// [`Selection::SPLIT_BYTES`]. With a bound on the documents of a shard, none is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_bytes: Option<u64>,
    /// What becomes of an id that is in the target already: its document is replaced, or left alone.
    #[serde(skip_serializing_if = "is_usual")]
    pub operation: BulkOperation,
    /// A function of the program that runs it changes the documents ([`crate::Transform`]).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub transformed: bool,
}

fn is_usual(operation: &BulkOperation) -> bool {
    *operation == BulkOperation::default()
}

impl Selection {
    /// Stored bytes of a shard that one item holds unless another number is given: 5 GB.
    pub const SPLIT_BYTES: u64 = 5_000_000_000;

    /// That of a run.
    ///
    /// # Errors
    /// `State` when it cannot be understood.
    pub fn of_run(selection: &Value) -> Result<Self> {
        if selection.is_null() {
            return Ok(Self::default());
        }
        serde_json::from_value(selection.clone()).map_err(|error| {
            let message = format!(
                "the run's selection cannot be understood: {error}; use another session name"
            );
            Error::new(ErrorKind::State, message)
        })
    }

    /// The same for a run. The order of names says nothing, so that of another call does not make another run.
    pub fn to_value(&self) -> Value {
        let mut sorted = self.clone();
        sorted.indices.sort();
        sorted.exclude.sort();
        serde_json::to_value(sorted).unwrap_or_default()
    }
}

/// A [`Selection`] ready for use.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    renamer: Renamer,
    types: Types,
    max_docs_per_shard: Option<u64>,
    split_bytes: Option<u64>,
    operation: BulkOperation,
}

impl Selector {
    /// Compiles the patterns.
    ///
    /// # Errors
    /// `Config` for a pattern that is none.
    pub fn new(selection: &Selection) -> Result<Self> {
        let patterns = |texts: &[String]| -> Result<Vec<Pattern>> {
            texts.iter().map(|text| Pattern::new(text)).collect()
        };
        Ok(Self {
            include: patterns(&selection.indices)?,
            exclude: patterns(&selection.exclude)?,
            renamer: Renamer::new(&selection.rename)?,
            types: selection.types,
            max_docs_per_shard: selection.max_docs_per_shard,
            split_bytes: selection.split_bytes,
            operation: selection.operation,
        })
    }

    /// Why an index is not migrated; none for one that is.
    ///
    /// System indices belong to the cluster they are on, so they must be named, or meant by a pattern that begins with a
    /// dot. A data stream's backing index begins with a dot, too, but holds its user's documents.
    pub fn why_not(&self, name: &str) -> Option<String> {
        if self.exclude.iter().any(|pattern| pattern.matches(name)) {
            return Some("excluded".to_owned());
        }
        let system = name.starts_with('.') && !name.starts_with(".ds-");
        let named = |pattern: &Pattern| pattern.matches(name) && (!system || pattern.means_dots());
        if self.include.iter().any(named) {
            return None;
        }
        if system && (self.include.is_empty() || self.include.iter().any(|one| one.matches(name))) {
            return Some(
                "a system index (its name begins with a dot); name it to migrate it".to_owned(),
            );
        }
        (!self.include.is_empty()).then(|| "not among the indices asked for".to_owned())
    }

    /// The first name asked for that is not among `names`. A pattern may match nothing.
    pub fn absent<'a>(&'a self, names: &[&str]) -> Option<&'a str> {
        self.include.iter().find_map(|pattern| match pattern {
            Pattern::Name(name) => (!names.contains(&name.as_str())).then_some(name.as_str()),
            _ => None,
        })
    }

    /// How indices are called in the target.
    pub(super) fn renamer(&self) -> &Renamer {
        &self.renamer
    }

    /// What becomes of indices with several mapping types.
    pub fn types(&self) -> Types {
        self.types
    }

    /// Into how many items a shard of so many stored bytes is cut.
    pub fn pieces(&self, stored_bytes: u64) -> u32 {
        if self.max_docs_per_shard.is_some() {
            return 1;
        }
        let most = self.split_bytes.unwrap_or(Selection::SPLIT_BYTES).max(1);
        u32::try_from(stored_bytes.div_ceil(most)).unwrap_or(u32::MAX).max(1)
    }

    /// What becomes of an id that is in the target already.
    pub fn operation(&self) -> BulkOperation {
        self.operation
    }

    /// Documents of each shard at most.
    pub fn max_docs_per_shard(&self) -> Option<u64> {
        self.max_docs_per_shard
    }
}

#[derive(Clone, Debug)]
enum Pattern {
    Name(String),
    /// With the text itself: a name may hold brackets.
    Glob(String, GlobMatcher),
    Regex(Regex),
}

impl Pattern {
    fn new(text: &str) -> Result<Self> {
        let refuse = |error: &dyn std::fmt::Display| {
            let message = format!("`{text}` cannot be used as a pattern: {}", reason(error));
            Error::new(ErrorKind::Config, message)
        };
        if let Some(expression) = text.strip_prefix("regex:") {
            return Ok(Self::Regex(whole(expression).map_err(|error| refuse(&error))?));
        }
        if !text.contains(['*', '?', '[', '{']) {
            return Ok(Self::Name(text.to_owned()));
        }
        let glob = GlobBuilder::new(text).build().map_err(|error| refuse(&error))?;
        Ok(Self::Glob(text.to_owned(), glob.compile_matcher()))
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Name(known) => known == name,
            Self::Glob(text, glob) => text == name || glob.is_match(name),
            Self::Regex(regex) => regex.is_match(name),
        }
    }

    /// Whether it asks for names that begin with a dot.
    fn means_dots(&self) -> bool {
        match self {
            Self::Name(_) => true,
            Self::Glob(text, _) => text.starts_with('.'),
            Self::Regex(regex) => {
                let begin = regex.as_str().trim_start_matches(['^', '(', '?', ':']);
                begin.starts_with("\\.") || begin.starts_with("[.")
            }
        }
    }
}

/// What is wrong with an expression, without the drawing that shows where.
pub(super) fn reason(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

/// An expression that matches names from beginning to end.
pub(super) fn whole(expression: &str) -> std::result::Result<Regex, regex::Error> {
    Regex::new(&format!("^(?:{expression})$"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn selector(indices: &[&str], exclude: &[&str]) -> Selector {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let selection =
            Selection { indices: texts(indices), exclude: texts(exclude), ..Selection::default() };
        Selector::new(&selection).unwrap()
    }

    #[test]
    fn all_but_system_indices_unless_told() {
        let cases: &[(&[&str], &[&str], &str, bool)] = &[
            (&[], &[], "logs", true),
            (&[], &[], ".kibana_1", false),
            (&[], &[], ".ds-logs-000001", true),
            (&[".kibana_1"], &[], ".kibana_1", true),
            (&["*"], &[], ".kibana_1", false),
            (&["*"], &[], ".ds-logs-000001", true),
            (&[".*"], &[], ".kibana_1", true),
            (&["regex:.*"], &[], ".kibana_1", false),
            (&["regex:\\.kib.*"], &[], ".kibana_1", true),
            (&["logs-*"], &[], "logs-1", true),
            (&["logs-*"], &[], "blogs-1", false),
            (&["regex:log"], &[], "logs", false),
            (&["regex:log."], &[], "logs", true),
            (&["{a,b}-1"], &[], "b-1", true),
            (&["logs-*"], &["*-2"], "logs-2", false),
            (&[], &["logs"], "logs", false),
            (&["odd[1]"], &[], "odd[1]", true),
        ];
        for (include, exclude, name, expected) in cases {
            let selected = selector(include, exclude).why_not(name).is_none();
            assert_eq!(selected, *expected, "{include:?} without {exclude:?}: {name}");
        }
    }

    #[test]
    fn only_a_name_must_be_there() {
        assert_eq!(selector(&["a*", "b"], &[]).absent(&["c"]), Some("b"));
        assert_eq!(selector(&["a*"], &["b"]).absent(&["c"]), None);
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        for text in ["regex:(", "a[b"] {
            let selection = Selection { indices: vec![text.to_owned()], ..Selection::default() };
            assert_eq!(Selector::new(&selection).unwrap_err().kind(), ErrorKind::Config);
        }
    }

    #[test]
    fn the_order_of_names_makes_no_other_run_and_defaults_add_nothing() {
        let of = |names: [&str; 2]| Selection {
            indices: names.map(str::to_owned).to_vec(),
            ..Selection::default()
        };
        assert_eq!(of(["a", "b"]).to_value(), json!({"indices": ["a", "b"]}));
        assert_eq!(of(["a", "b"]).to_value(), of(["b", "a"]).to_value());
        let full = Selection {
            max_docs_per_shard: Some(9),
            types: Types::Split,
            operation: BulkOperation::Create,
            rename: Rename { prefix: "p-".to_owned(), ..Rename::default() },
            ..of(["a", "b"])
        };
        assert_eq!(Selection::of_run(&full.to_value()).unwrap(), full);
    }
}
