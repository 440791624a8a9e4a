//! Small snapshots of every version, damaged in thousands of ways: the reader fails, or reads the very same documents.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use snapfill::ErrorKind;
use snapfill::controller::{BackfillController, LocalBackfill, RunEnd};
use snapfill::settings::BackfillSettings;
use snapfill::snapshot::Repository;
use snapfill_tests::fixtures::{Line, assert_same};
use snapfill_tests::mutation::{Blob, Damage, Specimen, Verdict};
use snapfill_tests::random::Random;
use snapfill_tests::target::documents_of;

/// Flips and cuts of an ordinary run, over all versions.
const MUTATIONS: usize = 20_000;

/// Backfills of an ordinary run, over all versions.
const RUNS: usize = 300;

/// The folder with a repository for each version.
fn tiny() -> PathBuf {
    let folder = std::env::var_os("SNAPFILL_SPECIMENS").map(PathBuf::from);
    folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tiny"))
}

/// The names of the versions there are specimens of.
fn versions() -> Vec<String> {
    let entries = std::fs::read_dir(tiny()).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.path().join("repo").is_dir());
    let mut names: Vec<_> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

async fn specimen(version: &str) -> Arc<Specimen> {
    Arc::new(Specimen::load(version, &tiny().join(version).join("repo")).await)
}

/// The documents that the server had, sorted.
fn expected(version: &str) -> Vec<Line> {
    let text = std::fs::read_to_string(tiny().join(version).join("expected.ndjson")).unwrap();
    let mut lines: Vec<_> = text.lines().map(Line::parse).collect();
    lines.sort();
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_snapshots_hold_what_their_servers_had() {
    for version in versions() {
        let specimen = specimen(&version).await;
        assert!(specimen.bytes() <= 40_000, "{version}: {} bytes", specimen.bytes());
        let (_, last) = specimen.readings.last_key_value().unwrap();
        let mut read: Vec<_> = last.documents.values().flatten().cloned().collect();
        read.sort();
        assert_same(&read, &expected(&version), &version);
    }
}

/// How many cases ended in which way.
#[derive(Debug, Default)]
struct Tally {
    cases: usize,
    same: usize,
    refused: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, case: String, verdict: Verdict) {
        self.cases += 1;
        match verdict {
            Verdict::Same => self.same += 1,
            Verdict::Refused(kind) => {
                *self.refused.entry(format!("{kind:?}")).or_default() += 1;
            }
            Verdict::Wrong(what) => self.wrong.push(format!("{case}: {what}")),
        }
    }

    fn join(&mut self, other: Self) {
        self.cases += other.cases;
        self.same += other.same;
        self.wrong.extend(other.wrong);
        for (kind, count) in other.refused {
            *self.refused.entry(kind).or_default() += count;
        }
    }

    fn assert_nothing_wrong(&self) {
        let first = self.wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
        assert!(
            self.wrong.is_empty(),
            "{} of {} cases went wrong:\n{first}",
            self.wrong.len(),
            self.cases
        );
    }
}

/// Judges all cases, on as many threads as the runtime has.
async fn judge(specimen: &Arc<Specimen>, cases: Vec<(Blob, Damage)>) -> Tally {
    let half = cases.len().div_ceil(2).max(1);
    let tasks: Vec<_> = cases
        .chunks(half)
        .map(|cases| {
            let (specimen, cases) = (Arc::clone(specimen), cases.to_vec());
            tokio::spawn(async move {
                let mut tally = Tally::default();
                for (blob, damage) in cases {
                    let case = format!("{}: {}, {damage}", specimen.name, blob.path);
                    tally.add(case, specimen.judge(&blob, damage).await);
                }
                tally
            })
        })
        .collect();
    let mut tally = Tally::default();
    for task in tasks {
        tally.join(task.await.unwrap());
    }
    tally
}

/// A blob, drawn by its length, and damage to it.
fn draw(specimen: &Specimen, random: &mut Random) -> (Blob, Damage) {
    let mut at = random.below(specimen.bytes() as u64) as usize;
    for blob in &specimen.blobs {
        match at.checked_sub(blob.data.len()) {
            Some(rest) => at = rest,
            None => return (blob.clone(), Damage::random(random, blob.data.len())),
        }
    }
    unreachable!("the lengths add up to more")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_snapshots_are_refused_or_read_alike() {
    let versions = versions();
    let mut all = Tally::default();
    for version in &versions {
        let specimen = specimen(version).await;
        let mut random = Random::of(0x5eed, version);
        let draws = 0..MUTATIONS.div_ceil(versions.len());
        let cases = draws.map(|_| draw(&specimen, &mut random)).collect();
        all.join(judge(&specimen, cases).await);
    }
    println!("{} cases, {} read alike, refused: {:?}", all.cases, all.same, all.refused);
    all.assert_nothing_wrong();
    assert!(all.cases >= MUTATIONS);
    assert!(all.cases - all.same > MUTATIONS / 4, "most of a snapshot is read, so damage shows");
}

/// Elasticsearch 1 has no checksum around its metadata. The name of a member with one letter wrong is one that nobody knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_lost_its_list_of_indices_is_refused() {
    let specimen = specimen("elasticsearch-1.7.6").await;
    let blob = specimen.blobs.iter().find(|blob| blob.path == "snapshot-snap-1").unwrap();
    let at = blob.data.windows(7).position(|window| window == b"\"indice").unwrap() + 1;
    for bit in 0..5 {
        let verdict = specimen.judge(blob, Damage::Flip { at, bit }).await;
        assert!(matches!(verdict, Verdict::Refused(_)), "bit {bit}: {verdict:?}");
    }
}

/// Backfills the damaged snapshot into a folder. It may fail, or end with errors that it names; *Completed* it is only with
/// the very same documents.
async fn judge_run(specimen: &Specimen, blob: &Blob, damage: Damage) -> Verdict {
    let (name, reading) = specimen.readings.last_key_value().unwrap();
    let store = Arc::new(specimen.damaged_without_budget(blob, damage).await);
    let opened = match Repository::with_store(store, "specimen").await {
        Ok(repository) => repository.snapshot(name).await,
        Err(error) => Err(error),
    };
    let snapshot = match opened {
        Ok(snapshot) => snapshot,
        Err(error) => return Verdict::Refused(error.kind()),
    };
    let folder = tempfile::tempdir().unwrap();
    let settings = BackfillSettings {
        workers: 2,
        ..BackfillSettings::new("memory".to_owned(), name, folder.path())
    };
    let started = LocalBackfill::builder(settings).with_snapshot(snapshot).build();
    let backfill = started.unwrap();
    let end = match backfill.start().await {
        Ok(_) => backfill.wait().await,
        Err(error) => return Verdict::Refused(error.kind()),
    };
    match end {
        Ok(RunEnd::Completed) => {
            let expected: usize = reading.documents.values().map(Vec::len).sum();
            let mut lines: Vec<_> = reading.documents.values().flatten().cloned().collect();
            lines.sort();
            let found = documents_of(folder.path()).await;
            let same = found.len() == expected
                && found.iter().zip(&lines).all(|(a, b)| (&a.id, &a.source) == (&b.id, &b.source));
            if same {
                return Verdict::Same;
            }
            Verdict::Wrong(format!("completed with {} documents of {expected}", found.len()))
        }
        Ok(_) => Verdict::Refused(ErrorKind::Incomplete),
        Err(error) => Verdict::Refused(error.kind()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_run_completes_only_with_the_same_documents() {
    let runs = std::env::var("SNAPFILL_MUTATE_RUNS").ok().and_then(|text| text.parse().ok());
    let runs: usize = runs.unwrap_or(RUNS);
    let versions = versions();
    let mut all = Tally::default();
    for version in &versions {
        let specimen = specimen(version).await;
        let mut random = Random::of(0xf111, version);
        for _ in 0..runs.div_ceil(versions.len()) {
            let (blob, damage) = draw(&specimen, &mut random);
            let case = format!("{version}: {}, {damage}", blob.path);
            all.add(case, judge_run(&specimen, &blob, damage).await);
        }
    }
    println!("{} runs, {} alike, refused: {:?}", all.cases, all.same, all.refused);
    all.assert_nothing_wrong();
    assert!(all.same > 0 && all.same < all.cases);
}

/// Every byte flipped and every length cut, of the versions that `SNAPFILL_MUTATE` names: `cargo xtask mutate`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_flip_and_cut_is_refused_or_read_alike() {
    let Some(wanted) = std::env::var("SNAPFILL_MUTATE").ok() else { return };
    let mut all = Tally::default();
    for version in wanted.split(',') {
        let specimen = specimen(version).await;
        let of_blob = |blob: &Blob| {
            let blob = blob.clone();
            Damage::every(blob.data.len()).map(move |damage| (blob.clone(), damage))
        };
        let cases = specimen.blobs.iter().flat_map(of_blob).collect();
        let tally = judge(&specimen, cases).await;
        println!(
            "mutate-report version={version} bytes={} cases={} same={} refused={:?} wrong={}",
            specimen.bytes(),
            tally.cases,
            tally.same,
            tally.refused,
            tally.wrong.len()
        );
        all.join(tally);
    }
    all.assert_nothing_wrong();
}
