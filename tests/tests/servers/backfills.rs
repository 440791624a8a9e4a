//! Fixtures are filled into real clusters with everything that a user would say, and nothing made by hand: every document
//! equal by id, routing and source, found by its routing, on the shard it was on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use snapfill::cluster::{ClusterClient, ClusterClientExt, HttpCluster};
use snapfill::controller::{BackfillController, LocalBackfill, RunEnd};
use snapfill::preparation::{Types, UnknownFields};
use snapfill::settings::BackfillSettings;
use snapfill::snapshot::{DocumentsOptions, Repository};
use snapfill_harness::{Server, Version, shared};
use snapfill_tests::fixtures::{FIXTURES, Fixture, Line, assert_same};
use snapfill_tests::node::{documents_by_routing, documents_of, documents_on};

use super::{cluster_of, runtime};

pub(crate) fn first_snapshots_are_filled_in(version: Version) {
    fill_all(version, "snap-1");
}

pub(crate) fn second_snapshots_are_filled_in(version: Version) {
    fill_all(version, "snap-2");
}

/// Fills every fixture that can go into this version, one after another into one node.
fn fill_all(version: Version, snapshot: &str) {
    let Some(server) = shared(version) else { return };
    for fixture in FIXTURES.into_iter().filter(|fixture| goes_into(*fixture, version)) {
        runtime().block_on(fill(fixture, snapshot, &server));
    }
}

/// OpenSearch of today takes everything; each Elasticsearch what is of its own major.
fn goes_into(fixture: Fixture, version: Version) -> bool {
    if version.is_opensearch() {
        return true;
    }
    let (distribution, number) = fixture.name.split_once('-').unwrap();
    distribution == "elasticsearch" && number.starts_with(&format!("{}.", version.major()))
}

async fn fill(fixture: Fixture, snapshot: &str, server: &Server) {
    let prefix = format!("{}-{snapshot}-", fixture.name);
    let state = tempfile::tempdir().unwrap();
    let repository = fixture.repository().display().to_string();
    let mut settings = BackfillSettings::new(repository, snapshot, state.path());
    settings.rename.prefix.clone_from(&prefix);
    settings.exclude = vec![".ds-*".to_owned()];
    settings.types = Types::Split;
    settings.target_indices.unknown_fields = UnknownFields::Drop;
    settings.workers = 3;
    settings.bulk.documents = 50;
    let cluster = cluster_of(server);
    let backfill =
        LocalBackfill::builder(settings).with_cluster(Arc::clone(&cluster) as _).build().unwrap();
    let what = format!("{} {snapshot} into {}", fixture.name, server.version());
    backfill.start().await.unwrap_or_else(|error| panic!("{what}: {error}"));
    let end = backfill.wait().await.unwrap_or_else(|error| panic!("{what}: {error}"));
    let work = backfill.deep_status().await.unwrap().work;
    assert_eq!((work.books.failed, work.books.overwritten), (0, 0), "{what}: {:?}", work.books);

    let source = Source::read(fixture, snapshot, &prefix).await;
    let lost: u64 = fixture.expected_without_source(snapshot).values().sum();
    let expected = if lost > 0 { RunEnd::CompletedWithErrors } else { RunEnd::Completed };
    assert_eq!(end, expected, "{what}");
    Check { server, cluster: &cluster, source: &source, what }.run().await;
    let names: Vec<&str> = source.indices.keys().map(String::as_str).collect();
    server.call("DELETE", &format!("/{}", names.join(",")), "").unwrap();
}

/// What must come out, by the names that it has in the target.
struct Source {
    indices: BTreeMap<String, SourceIndex>,
}

#[derive(Default)]
struct SourceIndex {
    shards: u32,
    /// Whether its documents have others inside them, which a server counts in its lists.
    is_nested: bool,
    /// Whether its documents were put on shards as servers do today.
    is_placed_as_today: bool,
    documents: Vec<Line>,
    /// The shard of each id.
    placed: BTreeMap<String, u32>,
}

impl Source {
    async fn read(fixture: Fixture, snapshot: &str, prefix: &str) -> Self {
        let expected = fixture.expected_with_source(snapshot);
        let mut types = BTreeMap::<String, BTreeSet<String>>::new();
        for line in &expected {
            types.entry(line.index.clone()).or_default().extend(line.doc_type.clone());
        }
        let name_of = |index: &str, doc_type: Option<&str>| match types.get(index) {
            Some(all) if all.len() > 1 => format!("{prefix}{index}-{}", doc_type.unwrap()),
            _ => format!("{prefix}{index}"),
        };
        let mut indices = BTreeMap::<String, SourceIndex>::new();
        for mut line in expected.into_iter().filter(|line| !line.index.starts_with(".ds-")) {
            line.index = name_of(&line.index, line.doc_type.as_deref());
            line.doc_type = None;
            indices.entry(line.index.clone()).or_default().documents.push(line);
        }
        let repository = Repository::open(&fixture.repository().display().to_string()).await;
        let snapshot = repository.unwrap().snapshot(snapshot).await.unwrap();
        for index in snapshot.indices().await.unwrap() {
            let metadata = &index.metadata;
            if metadata.name.starts_with(".ds-") {
                continue;
            }
            let names: Vec<String> = match types.get(&metadata.name) {
                Some(types) if types.len() > 1 => {
                    types.iter().map(|name| name_of(&metadata.name, Some(name))).collect()
                }
                _ => vec![name_of(&metadata.name, None)],
            };
            for name in names {
                let known = indices.entry(name).or_default();
                known.shards = metadata.shards().unwrap();
                known.is_nested = metadata.has_nested_fields();
                known.is_placed_as_today = !fixture.name.starts_with("elasticsearch-1.");
            }
            for shard in snapshot.shards(&index).await.unwrap() {
                let mut batches = shard.documents(DocumentsOptions::default());
                while let Some(batch) = batches.next().await {
                    for document in batch.unwrap().documents.iter() {
                        let known =
                            indices.get_mut(&name_of(&metadata.name, document.doc_type)).unwrap();
                        known.placed.insert(document.id.to_owned(), shard.number());
                    }
                }
            }
        }
        for index in indices.values_mut() {
            index.documents.sort();
        }
        Self { indices }
    }
}

struct Check<'a> {
    server: &'a Server,
    cluster: &'a HttpCluster,
    source: &'a Source,
    what: String,
}

impl Check<'_> {
    async fn run(&self) {
        let rows = self.cluster.cat_indices().await.unwrap();
        for (name, index) in &self.source.indices {
            let what = format!("{} {name}", self.what);
            let count = self.cluster.refreshed_count(name).await.unwrap();
            assert_eq!(count, index.documents.len() as u64, "{what}");
            assert_same(&documents_of(self.server, name), &self.expected(index), &what);
            let row =
                rows.iter().find(|row| row.index == *name).unwrap_or_else(|| panic!("{what}"));
            assert_eq!(row.pri, Some(u64::from(index.shards)), "{what}");
            let listed = row.docs_count.unwrap();
            assert!(listed == count || (index.is_nested && listed > count), "{what}: {row:?}");
            self.are_found_by_routing(name, index, &what);
            self.are_on_their_shards(name, index, &what);
        }
    }

    /// The documents as this target shows them: where there are no parents, a child is routed to its own.
    fn expected(&self, index: &SourceIndex) -> Vec<Line> {
        let has_parents =
            !self.server.version().is_opensearch() && self.server.version().major() < 6;
        let mut documents = index.documents.clone();
        if !has_parents {
            for document in &mut documents {
                let parent = document.parent.take();
                document.routing = document.routing.take().or(parent);
            }
            documents.sort();
        }
        documents
    }

    fn are_found_by_routing(&self, name: &str, index: &SourceIndex, what: &dyn fmt::Display) {
        for line in self.expected(index) {
            if let Some(routing) = line.routing.as_ref() {
                let found = documents_by_routing(self.server, name, &line.id, routing);
                assert!(found.contains(&line), "{what}: {} by {routing}: {found:?}", line.id);
            }
        }
    }

    fn are_on_their_shards(&self, name: &str, index: &SourceIndex, what: &dyn fmt::Display) {
        let is_of_today =
            self.server.version().is_opensearch() || self.server.version().major() > 1;
        if index.is_placed_as_today != is_of_today {
            return;
        }
        for shard in 0..index.shards {
            for line in documents_on(self.server, name, shard) {
                assert_eq!(
                    index.placed.get(&line.id),
                    Some(&shard),
                    "{what}: shard of {}",
                    line.id
                );
            }
        }
    }
}
