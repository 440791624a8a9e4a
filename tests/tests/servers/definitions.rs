//! Servers take the definitions that are made for them, of every index of every fixture.

use serde_json::json;
use snapfill::cluster::{ClusterInfo, Distribution};
use snapfill::preparation::{
    IndexOptions, PlannedTarget, Selection, Selector, TargetFacts, TargetVersion, Types, assign,
};
use snapfill::snapshot::Repository;
use snapfill_harness::{Server, Version, shared};
use snapfill_tests::fixtures::{FIXTURES, Fixture};

use super::runtime;

fn facts(server: &Server) -> TargetFacts {
    let name = server.version().name();
    let (distribution, version) = name.split_once('-').unwrap();
    let distribution = match distribution {
        "opensearch" => Distribution::OpenSearch,
        _ => Distribution::Elasticsearch,
    };
    let info = ClusterInfo {
        distribution,
        version: version.to_owned(),
        name: name.to_owned(),
        uuid: String::new(),
        serverless: false,
    };
    TargetFacts { version: TargetVersion::of(&info).unwrap(), ..TargetFacts::empty_local() }
}

async fn planned(fixture: Fixture, facts: &TargetFacts) -> Vec<PlannedTarget> {
    let repository = fixture.repository().display().to_string();
    let snapshot = Repository::open(&repository).await.unwrap().snapshot("snap-2").await.unwrap();
    let mut indices = Vec::new();
    for name in snapshot.index_names() {
        indices.push(snapshot.index(name).await.unwrap());
    }
    let indices: Vec<_> = indices.iter().map(|index| &*index.metadata).collect();
    let selection = Selection { types: Types::Split, ..Selection::default() };
    let selector = Selector::new(&selection).unwrap();
    let made = assign(&indices, &selector, &IndexOptions::default(), facts);
    assert!(made.refused.is_empty(), "{} for {}: {:?}", fixture.name, facts.version, made.refused);
    made.targets.into_values().collect()
}

/// Indices that need a module which a version's distribution for tests lacks.
fn lacking(version: Version) -> &'static [&'static str] {
    if !version.is_opensearch() && version.major() >= 8 { &["joined"] } else { &[] }
}

pub(crate) fn takes_every_definition(version: Version) {
    let Some(server) = shared(version) else { return };
    let facts = facts(&server);
    let runtime = runtime();
    let mut refused = Vec::new();
    for fixture in FIXTURES {
        for target in runtime.block_on(planned(fixture, &facts)) {
            if lacking(version).contains(&target.name.as_str()) {
                continue;
            }
            let body = json!(target.definition.unwrap()).to_string();
            let path = format!("/{}", target.name);
            match server.call("PUT", &path, &body) {
                Ok(_) => {
                    server.call("DELETE", &path, "").unwrap();
                }
                Err(error) => refused.push(format!("{}: {error}\n{body}", fixture.name)),
            }
        }
    }
    assert!(refused.is_empty(), "{} of {version}:\n{}", refused.len(), refused.join("\n"));
}
