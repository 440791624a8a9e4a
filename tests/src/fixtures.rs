//! Real snapshots, and the documents that must come out of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A fixture folder: one server version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixture {
    /// The folder's name, which is the server's.
    pub name: &'static str,
}

/// The server versions whose snapshots are read.
pub const FIXTURES: [Fixture; 12] = [
    Fixture { name: "elasticsearch-1.7.6" },
    Fixture { name: "elasticsearch-2.4.6" },
    Fixture { name: "elasticsearch-5.6.16" },
    Fixture { name: "elasticsearch-6.8.23" },
    Fixture { name: "elasticsearch-7.10.2" },
    Fixture { name: "elasticsearch-7.17.29" },
    Fixture { name: "elasticsearch-8.15.0" },
    Fixture { name: "elasticsearch-8.19.21" },
    Fixture { name: "elasticsearch-9.5.3" },
    Fixture { name: "opensearch-1.3.20" },
    Fixture { name: "opensearch-2.19.6" },
    Fixture { name: "opensearch-3.8.0" },
];

/// One repository of a fixture.
#[derive(Clone, Debug)]
pub struct FixtureRepository {
    /// Where it lies.
    pub folder: PathBuf,
    /// Its snapshots, oldest first.
    pub snapshots: &'static [&'static str],
}

/// The snapshots that the first repository of each fixture has; its others have the second one alone.
pub const SNAPSHOTS: [&str; 2] = ["snap-1", "snap-2"];

/// The indices that were there when the first snapshot was taken.
const FIRST_INDICES: [&str; 3] = ["shapes", "routed", "best"];

/// A document as a server returned it, or as `snapfill snapshot cat` prints it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// `_index`.
    pub index: String,
    /// `_type`.
    pub doc_type: Option<String>,
    /// `_id`.
    pub id: String,
    /// `_routing`.
    pub routing: Option<String>,
    /// `_parent`.
    pub parent: Option<String>,
    /// `_source` as text, line breaks made spaces.
    pub source: Option<String>,
}

#[derive(Deserialize)]
struct RawLine<'a> {
    _index: String,
    #[serde(default)]
    _type: Option<String>,
    _id: String,
    #[serde(default)]
    _routing: Option<String>,
    #[serde(default)]
    _parent: Option<String>,
    #[serde(borrow, default)]
    _source: Option<&'a RawValue>,
}

impl Line {
    /// Parses one line of NDJSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn parse(line: &str) -> Self {
        let raw: RawLine<'_> = match serde_json::from_str(line) {
            Ok(raw) => raw,
            Err(error) => panic!("{error} in {line}"),
        };
        Self {
            index: raw._index,
            doc_type: raw._type,
            id: raw._id,
            routing: raw._routing,
            parent: raw._parent,
            source: raw._source.map(|source| source.get().replace('\n', " ")),
        }
    }

    /// The source as a JSON value: numbers by value, members in any order.
    #[must_use]
    pub fn value(&self) -> Option<Value> {
        serde_json::from_str(self.source.as_deref()?).ok()
    }
}

impl Fixture {
    /// The fixture of that name.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match FIXTURES.into_iter().find(|fixture| fixture.name == name) {
            Some(fixture) => fixture,
            None => panic!("no fixture {name}"),
        }
    }

    /// Its folder.
    #[must_use]
    pub fn folder(self) -> PathBuf {
        folder(self.name)
    }

    /// Its repositories: of every version `repo`, of some others that differ in how their metadata is written.
    #[must_use]
    pub fn repositories(self) -> Vec<FixtureRepository> {
        let all = [
            ("repo", &SNAPSHOTS[..]),
            ("repo_plain", &SNAPSHOTS[1..]),
            ("repo_zstd", &SNAPSHOTS[1..]),
        ];
        let of =
            |(name, snapshots)| FixtureRepository { folder: self.folder().join(name), snapshots };
        all.into_iter().map(of).filter(|repository| repository.folder.is_dir()).collect()
    }

    /// Every snapshot in every repository of it: the repository's folder and the snapshot's name.
    #[must_use]
    pub fn snapshots(self) -> Vec<(PathBuf, &'static str)> {
        let of = |repository: FixtureRepository| {
            repository.snapshots.iter().map(move |name| (repository.folder.clone(), *name))
        };
        self.repositories().into_iter().flat_map(of).collect()
    }

    /// Its first repository.
    #[must_use]
    pub fn repository(self) -> PathBuf {
        self.folder().join("repo")
    }

    /// The documents of a snapshot as the server returned them, sorted.
    ///
    /// # Panics
    /// When the file is not there.
    #[must_use]
    pub fn expected(self, snapshot: &str) -> Vec<Line> {
        let name =
            if snapshot == "snap-1" { "expected-snap1.ndjson.gz" } else { "expected.ndjson.gz" };
        let path = self.folder().join(name);
        let mut text = String::new();
        let read =
            File::open(&path).and_then(|file| GzDecoder::new(file).read_to_string(&mut text));
        assert!(read.is_ok(), "cannot read {}: {read:?}", path.display());
        let mut lines: Vec<_> =
            text.split('\n').filter(|line| !line.is_empty()).map(Line::parse).collect();
        lines.sort();
        lines
    }

    /// The documents whose source is stored.
    #[must_use]
    pub fn expected_with_source(self, snapshot: &str) -> Vec<Line> {
        let without = self.indices_without_source();
        self.expected(snapshot).into_iter().filter(|line| !without.contains(&line.index)).collect()
    }

    /// How many documents of each index have no stored source.
    #[must_use]
    pub fn expected_without_source(self, snapshot: &str) -> BTreeMap<String, u64> {
        let without = self.indices_without_source();
        let mut counts = BTreeMap::new();
        for line in self.expected(snapshot) {
            if without.contains(&line.index) {
                *counts.entry(line.index).or_default() += 1;
            }
        }
        counts
    }

    /// How many shards the indices of a snapshot have together, by what the server said of them.
    ///
    /// # Panics
    /// When the file is not there.
    #[must_use]
    pub fn shards(self, snapshot: &str) -> u64 {
        let indices = self.indices();
        let of =
            |name: &str| indices.get(name).and_then(|index| index["_shards"].as_u64()).unwrap_or(0);
        match snapshot {
            "snap-1" => FIRST_INDICES.into_iter().map(of).sum(),
            _ => indices.keys().map(|name| of(name)).sum(),
        }
    }

    /// What the server said of its indices: settings, mappings, aliases.
    ///
    /// # Panics
    /// When the file is not there.
    #[must_use]
    pub fn indices(self) -> BTreeMap<String, Value> {
        let path = self.folder().join("indices.json");
        match File::open(&path).map_err(serde_json::Error::io).and_then(serde_json::from_reader) {
            Ok(indices) => indices,
            Err(error) => panic!("cannot read {}: {error}", path.display()),
        }
    }

    /// Indices whose `_source` the server rebuilds on read, or never had: none is stored.
    fn indices_without_source(self) -> BTreeSet<String> {
        let without = |index: &Value| {
            let at = |pointer| index.pointer(pointer);
            let is = |pointer, word: &str| at(pointer).and_then(Value::as_str) == Some(word);
            let disabled =
                |mapping: &Value| mapping.pointer("/_source/enabled") == Some(&Value::Bool(false));
            // Before Elasticsearch 7, mappings are by type.
            let in_a_type = || {
                let types = at("/mappings").and_then(Value::as_object);
                types.is_some_and(|types| types.values().any(disabled))
            };
            at("/mappings").is_some_and(disabled)
                || in_a_type()
                || is("/mappings/_source/mode", "synthetic")
                || is("/settings/index/mapping/source/mode", "synthetic")
                || is("/settings/index/derived_source/enabled", "true")
                || at("/settings/index/mode").is_some()
        };
        self.indices()
            .into_iter()
            .filter(|(_, index)| without(index))
            .map(|(name, _)| name)
            .collect()
    }
}

/// The folder of a fixture of any kind.
#[must_use]
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// The sources by id that a fixture of one small index must give.
///
/// # Panics
/// When the file is not there.
#[must_use]
pub fn expected_by_id(fixture: &str) -> BTreeMap<String, Value> {
    let path = folder(fixture).join("expected.json.gz");
    let read = File::open(&path).map_err(serde_json::Error::io);
    match read.and_then(|file| serde_json::from_reader(GzDecoder::new(file))) {
        Ok(documents) => documents,
        Err(error) => panic!("cannot read {}: {error}", path.display()),
    }
}

/// Fails with the first difference of two sorted lists of documents, shortened to what a person can read.
///
/// # Panics
/// When they differ.
pub fn assert_same(actual: &[Line], expected: &[Line], what: &str) {
    for (actual, expected) in actual.iter().zip(expected) {
        assert!(
            actual == expected,
            "{what}:\n got {}\nwant {}",
            shortened(actual),
            shortened(expected)
        );
    }
    assert_eq!(actual.len(), expected.len(), "{what}: number of documents");
}

fn shortened(line: &Line) -> String {
    format!("{line:?}").chars().take(600).collect()
}
