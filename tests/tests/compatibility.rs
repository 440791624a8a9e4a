//! What is read, what is reported, what is refused: tried on real snapshots and on ones made for the purpose, and held
//! against `docs/compatibility.md`. `SNAPFILL_BLESS=1 cargo test -p snapfill-tests --test compatibility` writes it anew.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use snapfill::snapshot::{DocumentsOptions, Repository, RepositoryOptions, SnapshotIndex};
use snapfill_tests::fixtures::{FIXTURES, Fixture, folder};
use snapfill_tests::hostile::HostileRepository;
use snapfill_tests::lucene_writer::lucene4::RELEASES;
use snapfill_tests::lucene_writer::{Index, Mode};

const HEAD: &str = "\
# Compatibility

What the reader does with each version and feature. This page is written by `tests/tests/compatibility.rs`, which tries every
row and fails when one comes out differently; `tests/tests/reader.rs` compares each document of the first table with what the
server itself returned.

*Read*: the documents come out as they were stored. *Reported*: they cannot, and are counted under that reason in the books.
*Refused*: an error of that kind, before anything is written.
";

/// What became of reading a snapshot, as the table says it.
async fn outcome(
    location: &Path,
    options: RepositoryOptions,
    snapshot: &str,
    only: Option<&str>,
) -> String {
    match read(location, options, snapshot, only).await {
        Ok((read, reported)) => {
            let mut text = format!("read: {read}");
            for (reason, count) in reported {
                write!(text, "; reported: {count} {reason}").unwrap();
            }
            text
        }
        Err(error) => {
            let what = error.message().replace(location.to_str().unwrap(), "…");
            format!("refused ({}): {}", error.kind(), what.replace('|', "\\|"))
        }
    }
}

async fn read(
    location: &Path,
    options: RepositoryOptions,
    snapshot: &str,
    only: Option<&str>,
) -> snapfill::Result<(u64, BTreeMap<String, u64>)> {
    let repository = Repository::open_with(location.to_str().unwrap(), options).await?;
    let snapshot = repository.snapshot(snapshot).await?;
    let (mut read, mut reported) = (0, BTreeMap::new());
    let mut report = |reason: &str, count: u64| {
        if count > 0 {
            *reported.entry(reason.to_owned()).or_default() += count;
        }
    };
    for index in snapshot.indices().await? {
        if only.is_some_and(|only| index.metadata.name != only) {
            continue;
        }
        report("shard_missing", missing(&snapshot, &index));
        for shard in snapshot.shards(&index).await? {
            let mut batches = shard.documents(DocumentsOptions::default());
            while let Some(batch) = batches.next().await {
                let batch = batch?;
                read += batch.documents.len() as u64;
                for (reason, count) in &batch.skipped {
                    report(reason.as_str(), *count);
                }
                report("converted to JSON", batch.converted);
                report("taken from `_recovery_source`", batch.recovered);
            }
        }
    }
    Ok((read, reported))
}

fn missing(snapshot: &snapfill::snapshot::Snapshot, index: &SnapshotIndex) -> u64 {
    let shards = 0..index.metadata.shards().unwrap_or(0);
    shards.filter(|number| snapshot.missing(&index.metadata.name, *number).is_some()).count() as u64
}

fn plain() -> RepositoryOptions {
    RepositoryOptions::default()
}

/// Every server version: each of its repositories and snapshots.
async fn versions() -> String {
    let mut table = String::from(
        "\n## Versions\n\n| server | Lucene | repository | snapshot | documents |\n|---|---|---|---|---|\n",
    );
    for fixture in FIXTURES {
        let facts: Value =
            serde_json::from_slice(&std::fs::read(fixture.folder().join("facts.json")).unwrap())
                .unwrap();
        for repository in fixture.repositories() {
            for snapshot in repository.snapshots {
                let outcome = outcome(&repository.folder, plain(), snapshot, None).await;
                let expected = fixture.expected_with_source(snapshot).len();
                let all = format!("read: {expected}");
                assert!(outcome == all || outcome.starts_with(&format!("{all};")), "{outcome}");
                let name = repository.folder.file_name().unwrap().to_str().unwrap();
                let lucene = facts["lucene"].as_str().unwrap();
                writeln!(
                    table,
                    "| {} | {lucene} | `{name}` | {snapshot} | {outcome} |",
                    fixture.name
                )
                .unwrap();
            }
        }
    }
    table
}

/// One index with one peculiarity, in one version.
async fn indices() -> String {
    let rows = [
        ("several types and `_parent`", "elasticsearch-1.7.6", "family"),
        ("several types and `_parent` (doc values)", "elasticsearch-5.6.16", "family"),
        ("nested objects, ids of every kind", "elasticsearch-8.19.21", "shapes"),
        ("custom routing", "opensearch-3.8.0", "routed"),
        ("`best_compression`: DEFLATE", "opensearch-2.19.6", "best"),
        ("`best_compression`: zstd", "elasticsearch-9.5.3", "best"),
        ("sorted index", "opensearch-3.8.0", "sorted"),
        ("data stream", "opensearch-3.8.0", ".ds-ds-1-000001"),
        ("join field", "opensearch-3.8.0", "joined"),
        ("`_source` filtered by the mapping: what is stored", "opensearch-3.8.0", "excluded"),
        ("`_source` disabled", "elasticsearch-6.8.23", "nosource"),
        ("synthetic `_source`", "elasticsearch-8.15.0", "synthetic"),
        ("logsdb", "elasticsearch-9.5.3", "logsdb"),
        ("time series, ids stored", "elasticsearch-8.19.21", "tsdb"),
        ("time series, nothing stored", "elasticsearch-9.5.3", "tsdb"),
        ("derived `_source`", "opensearch-3.8.0", "derived"),
    ];
    let mut table = String::from("\n## Indices\n\n| index | in | outcome |\n|---|---|---|\n");
    for (what, fixture, index) in rows {
        let location = Fixture::named(fixture).folder().join("repo");
        let outcome = outcome(&location, plain(), "snap-2", Some(index)).await;
        writeln!(table, "| {what} | {fixture}, `{index}` | {outcome} |").unwrap();
    }
    let location = Fixture::named("elasticsearch-8.15.0").folder().join("repo");
    let options = RepositoryOptions { recovery_source: true, ..plain() };
    let outcome = outcome(&location, options, "snap-2", Some("synthetic")).await;
    let what = "synthetic `_source`, with `--recovery-source`";
    writeln!(table, "| {what} | elasticsearch-8.15.0, `synthetic` | {outcome} |").unwrap();
    table
}

/// Ways of laying out a repository.
async fn layouts() -> String {
    let (paths, shallow) = (folder("opensearch-2.19.6-paths"), folder("opensearch-2.19.6-shallow"));
    let based = RepositoryOptions { base_path: Some("q/w".to_owned()), ..plain() };
    let partial = RepositoryOptions { allow_partial: true, ..based.clone() };
    let remote = RepositoryOptions {
        remote_store: Some(shallow.join("rs/bp/x").to_str().unwrap().to_owned()),
        ..plain()
    };
    let rows: [(&str, PathBuf, RepositoryOptions); 5] = [
        ("PARTIAL snapshot", paths.join("prefix"), based),
        (
            "the same with `--allow-partial`, shard paths HASHED_PREFIX",
            paths.join("prefix"),
            partial.clone(),
        ),
        ("shard paths HASHED_INFIX", paths.join("infix"), partial),
        ("shallow snapshot of a remote-store index", shallow.join("snap"), plain()),
        ("the same with `--remote-store`", shallow.join("snap"), remote),
    ];
    let mut table = String::from("\n## Repositories\n\n| repository | outcome |\n|---|---|\n");
    for (what, location, options) in rows {
        let outcome = outcome(&location, options, "s1", None).await;
        writeln!(table, "| {what} | {outcome} |").unwrap();
    }
    table
}

fn sound(mode: Mode) -> Vec<(String, Vec<u8>)> {
    let document = |n: usize| Some((n.to_string(), br#"{"user":"anna"}"#.to_vec()));
    let mut index = Index::new(mode);
    index.deleted = [1].into();
    index.write(&(0..5).map(document).collect::<Vec<_>>()).0
}

async fn made(repository: &HostileRepository) -> String {
    let folder = tempfile::tempdir().unwrap();
    repository.write(folder.path());
    outcome(folder.path(), plain(), "snap", None).await
}

/// Lucene formats that no server at hand writes, from our own writer: five documents, one of them deleted.
async fn formats() -> String {
    let mut table = String::from(
        "\n## Lucene formats that no fixture has\n\nWritten by the tests' own writer: five documents, one of them deleted.\n\n\
         | format | outcome |\n|---|---|\n",
    );
    let named = [
        ("Lucene 8.5 and 8.6, LZ4", Mode::Lucene86),
        ("Lucene 8.5 and 8.6, DEFLATE", Mode::Lucene86High),
        ("Lucene 5.0 to 8.4, LZ4, version 0", Mode::Lucene50(0)),
        ("Lucene 5.0 to 8.4, DEFLATE, version 0", Mode::Lucene50High(0)),
        ("OpenSearch ZSTD", Mode::ZstdDict),
        ("OpenSearch ZSTD_NO_DICT", Mode::ZstdBlocks),
    ];
    for (what, mode) in named {
        let outcome = made(&HostileRepository::of(&sound(mode))).await;
        writeln!(table, "| {what} | {outcome} |").unwrap();
    }
    let sources: [(&str, &[u8]); 3] = [
        ("`_source` in SMILE", b":)\n\x00\xFA\x80a\xC2\xFB"),
        ("`_source` in CBOR", b"\xBF\x61a\x01\xFF"),
        ("`_source` in YAML", b"---\na: 1\n"),
    ];
    for (what, source) in sources {
        let files = Index::new(Mode::Fast).write(&[Some(("1".to_owned(), source.to_vec()))]).0;
        let outcome = made(&HostileRepository::of(&files)).await;
        writeln!(table, "| {what}, one document | {outcome} |").unwrap();
    }
    for release in RELEASES {
        let outcome = made(&HostileRepository::of(&sound(Mode::Lucene41(release)))).await;
        let (info, fields) = (release.segment_info, release.field_infos);
        writeln!(
            table,
            "| Lucene 4: {} v{}, {} v{}, stored fields v{}, commit format {} | {outcome} |",
            info.0, info.1, fields.0, fields.1, release.fdt, release.commit
        )
        .unwrap();
    }
    for name in [
        "QatStoredFieldsLz4",
        "QatStoredFieldsDeflate",
        "QatStoredFieldsZstd",
        "Lucene40StoredFieldsData",
    ] {
        let mut files = sound(Mode::Zstd);
        let fdt = &mut files.iter_mut().find(|(name, _)| name == "_0.fdt").unwrap().1;
        fdt.truncate(fdt.len() - 16);
        let old = fdt[4] as usize + 5;
        let header = [&[name.len() as u8][..], name.as_bytes()].concat();
        fdt.splice(4..old, header);
        *fdt = snapfill_tests::lucene_writer::footer(std::mem::take(fdt));
        let outcome = made(&HostileRepository::of(&files)).await;
        assert!(outcome.starts_with("refused (unsupported)"), "{name}: {outcome}");
        writeln!(table, "| {name} | {outcome} |").unwrap();
    }
    table
}

/// Snapshots and indices that are refused by name.
async fn refusals() -> String {
    let mut table = String::from("\n## Refused by name\n\n| what | outcome |\n|---|---|\n");
    let info = |more: Value| {
        let mut info = json!({"name": "snap", "uuid": "u", "version_id": 136_408_427, "indices": ["logs"], "state": "SUCCESS"});
        info.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "snapshot": info }).to_string()
    };
    for (what, more) in [
        ("FAILED snapshot", json!({"state": "FAILED"})),
        ("IN_PROGRESS snapshot", json!({"state": "IN_PROGRESS"})),
        ("pinned-timestamp snapshot", json!({"pinned_timestamp": 1_722_299_958_000_u64})),
    ] {
        let mut repository = HostileRepository::of(&sound(Mode::Fast));
        repository.put_framed("snap-u.dat", "snapshot", info(more).as_bytes());
        let outcome = made(&repository).await;
        assert!(outcome.starts_with("refused"), "{what}: {outcome}");
        writeln!(table, "| {what} | {outcome} |").unwrap();
    }
    let mut searchable = HostileRepository::of(&sound(Mode::Fast));
    let settings = json!({"index.number_of_shards": "1", "index.version.created": "8150099", "index.store.type": "snapshot"});
    let metadata =
        json!({"logs": {"settings": settings, "mappings": [{"_doc": {}}], "aliases": {}}});
    searchable.put_metadata(metadata.to_string().as_bytes());
    let mut future = HostileRepository::of(&sound(Mode::Fast));
    future.put_json("index-0", &json!({"min_version": "11.0.0", "snapshots": [], "indices": {}}));
    for (what, repository) in
        [("searchable-snapshot index", searchable), ("repository of a newer server", future)]
    {
        let outcome = made(&repository).await;
        assert!(outcome.starts_with("refused (unsupported)"), "{what}: {outcome}");
        writeln!(table, "| {what} | {outcome} |").unwrap();
    }
    table
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_what_happens() {
    let page = [
        HEAD.to_owned(),
        versions().await,
        layouts().await,
        indices().await,
        formats().await,
        refusals().await,
    ]
    .concat();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compatibility.md");
    if std::env::var_os("SNAPFILL_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        written, page,
        "docs/compatibility.md is out of date; run this test with SNAPFILL_BLESS=1"
    );
}
