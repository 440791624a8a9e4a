//! Real servers take the definitions that are made for them, of every index of every fixture. Full tier.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use snapfill::cluster::{ClusterInfo, Distribution};
use snapfill::preparation::{
    IndexOptions, PlannedTarget, Selection, Selector, TargetFacts, TargetVersion, Types, assign,
};
use snapfill::snapshot::Repository;
use snapfill_harness::{Server, Version, is_full_tier};
use snapfill_tests::fixtures::{FIXTURES, Fixture};

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

/// `without` are indices that need a module which the test server lacks.
async fn takes_every_definition(version: Version, without: &[&str]) {
    if !is_full_tier() {
        return;
    }
    let server = Server::start(version).unwrap();
    let facts = facts(&server);
    let mut refused = Vec::new();
    for fixture in FIXTURES {
        for target in planned(fixture, &facts).await {
            if without.contains(&target.name.as_str()) {
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
    assert!(refused.is_empty(), "{} of {}:\n{}", refused.len(), version.name(), refused.join("\n"));
}

#[tokio::test]
async fn opensearch_1_takes_every_definition() {
    takes_every_definition(Version::OpenSearch1_3_20, &[]).await;
}

#[tokio::test]
async fn opensearch_2_takes_every_definition() {
    takes_every_definition(Version::OpenSearch2_19_6, &[]).await;
}

#[tokio::test]
async fn opensearch_3_takes_every_definition() {
    takes_every_definition(Version::OpenSearch3_8_0, &[]).await;
}

#[tokio::test]
async fn elasticsearch_6_takes_every_definition() {
    takes_every_definition(Version::Elasticsearch6_8_23, &[]).await;
}

#[tokio::test]
async fn elasticsearch_7_takes_every_definition() {
    takes_every_definition(Version::Elasticsearch7_17_29, &[]).await;
}

#[tokio::test]
async fn elasticsearch_9_takes_every_definition() {
    takes_every_definition(Version::Elasticsearch9_5_3, &["joined"]).await;
}
