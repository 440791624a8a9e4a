//! Repositories with one file flipped in one byte, cut or gone: an error that names the place, or no difference.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use snapfill_tests::copy::copy_folder;
use snapfill_tests::fixtures::{Fixture, assert_same};
use snapfill_tests::random::Random;
use snapfill_tests::target::{counts_of, documents_of};

use crate::program::{Ended, path, snapfill};

const SEED: u64 = 2024;

/// What can become of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    Gone,
    Flipped,
    Halved,
    Emptied,
}

impl Damage {
    /// Does it to a file of these bytes; the file is there as it was again after [`restore`].
    fn inflict(self, file: &Path, sound: &[u8]) {
        let mut random = Random::of(SEED, &path(file.file_name().unwrap().as_ref()));
        let written = match self {
            Self::Gone => std::fs::remove_file(file),
            Self::Halved => std::fs::write(file, &sound[..sound.len() / 2]),
            Self::Emptied => std::fs::write(file, []),
            Self::Flipped => {
                let mut bytes = sound.to_vec();
                let place = usize::try_from(random.below(sound.len() as u64)).unwrap();
                bytes[place] ^= u8::try_from(1 + random.below(255)).unwrap();
                std::fs::write(file, bytes)
            }
        };
        written.unwrap();
    }
}

/// A copy of a fixture's repository that may be damaged.
struct Copy {
    folder: tempfile::TempDir,
    /// Its files, relative to it, sorted.
    files: Vec<PathBuf>,
}

impl Copy {
    fn of(fixture: Fixture) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = copy_folder(&fixture.repository(), folder.path());
        Self { folder, files }
    }

    fn path(&self) -> String {
        path(self.folder.path())
    }
}

/// Whether the damage was noticed; if so, that it was said well, if not, that nothing differs.
fn notices(ended: &Ended, sound: &Ended, what: &str) -> bool {
    ended.assert_calm();
    if ended.code == sound.code {
        assert!(ended.stdout == sound.stdout, "{what}: other output, and no word about it");
        return false;
    }
    assert_eq!(ended.code, Some(5), "{what}: {}", ended.stderr);
    let told: Vec<_> = ended
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: ") || line.contains(": DAMAGED: "))
        .collect();
    assert!(!told.is_empty(), "{what}: {}", ended.stderr);
    for line in &told {
        let named = ["(file: ", " file: ", "shard: ", "`index-N`"];
        assert!(named.iter().any(|name| line.contains(name)), "{what}: no place in {line}");
    }
    let errors = told.iter().filter(|line| line.starts_with("error: ")).count();
    assert!(errors <= 1, "{what}: {}", ended.stderr);
    true
}

/// Damages every file of a fixture's repository in every way. A file that is not missed when it is gone is not read, so
/// the other damages are left out for it.
fn try_every_file(fixture: Fixture, command: &str, snapshot: &str) -> usize {
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(8);
    std::thread::scope(|scope| {
        let tries = |thread: usize| {
            move || {
                let copy = Copy::of(fixture);
                let run = || snapfill(["snapshot", command, &copy.path(), snapshot]);
                let sound = run();
                let of_thread = copy.files.iter().skip(thread).step_by(threads);
                of_thread.filter(|name| is_noticed(&copy, name, &sound, &run)).count()
            }
        };
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(tries(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

/// Whether the loss of this file is noticed.
fn is_noticed(copy: &Copy, name: &Path, sound: &Ended, run: &impl Fn() -> Ended) -> bool {
    let file = copy.folder.path().join(name);
    let bytes = std::fs::read(&file).unwrap();
    let mut is_read = true;
    for damage in [Damage::Gone, Damage::Flipped, Damage::Halved, Damage::Emptied] {
        if bytes.is_empty() && damage != Damage::Gone {
            continue;
        }
        damage.inflict(&file, &bytes);
        let noticed = notices(&run(), sound, &format!("{damage:?} {}", name.display()));
        std::fs::write(&file, &bytes).unwrap();
        if damage == Damage::Gone && !noticed {
            is_read = false;
            break;
        }
    }
    is_read
}

#[test]
fn cat_prints_no_other_documents() {
    let noticed = try_every_file(Fixture::named("elasticsearch-8.15.0"), "cat", "snap-2");
    assert!(noticed > 80, "only {noticed} files are read");
}

#[test]
fn verify_notices_whatever_is_damaged() {
    let noticed = try_every_file(Fixture::named("opensearch-3.8.0"), "verify", "snap-1");
    assert!(noticed > 40, "only {noticed} files are read");
}

/// The catalogue is the one file without a checksum: what it says is held against the files that have one.
#[test]
fn a_flipped_catalogue_leads_to_no_other_documents() {
    let copy = Copy::of(Fixture::named("elasticsearch-7.10.2"));
    let run = || snapfill(["snapshot", "cat", &copy.path(), "snap-1"]);
    let (sound, file) = (run(), copy.folder.path().join("index-3"));
    let bytes = std::fs::read(&file).unwrap();
    let mut random = Random::new(SEED);
    let mut noticed = 0;
    for _ in 0..60 {
        let mut flipped = bytes.clone();
        let place = usize::try_from(random.below(bytes.len() as u64)).unwrap();
        // Low bits alone: mostly another letter or digit, so that the JSON stays sound.
        flipped[place] ^= u8::try_from(1 + random.below(3)).unwrap();
        std::fs::write(&file, flipped).unwrap();
        noticed += usize::from(notices(&run(), &sound, &format!("byte {place} of index-3")));
    }
    assert!(noticed > 10, "only {noticed} flips were noticed");
}

/// Where the stored fields of the index `best` are, in chunks: its largest file.
fn stored_fields(copy: &Copy) -> PathBuf {
    let catalogue: Value =
        serde_json::from_slice(&std::fs::read(copy.folder.path().join("index-3")).unwrap())
            .unwrap();
    let id = catalogue["indices"]["best"]["id"].as_str().unwrap();
    let folder = Path::new("indices").join(id).join("0");
    let of_best = copy.files.iter().filter(|file| file.starts_with(&folder));
    let size = |file: &&PathBuf| std::fs::metadata(copy.folder.path().join(file)).unwrap().len();
    of_best.max_by_key(size).unwrap().clone()
}

/// Flips a byte that planning does not meet, so that the damage shows in the middle of the work.
fn flip_amid_documents(copy: &Copy, snapshot: &str) -> (PathBuf, Vec<u8>) {
    let file = copy.folder.path().join(stored_fields(copy));
    let sound = std::fs::read(&file).unwrap();
    let mut random = Random::new(SEED);
    for _ in 0..50 {
        let mut bytes = sound.clone();
        let place = usize::try_from(random.below(sound.len() as u64)).unwrap();
        bytes[place] ^= 0x55;
        std::fs::write(&file, bytes).unwrap();
        let plan = ["backfill", "plan", "--repo", &copy.path(), "--snapshot", snapshot];
        let cat = ["snapshot", "cat", &copy.path(), snapshot, "--index", "best"];
        let cat = snapfill(cat);
        if snapfill(plan).code == Some(0) && cat.code == Some(5) && !cat.stdout.is_empty() {
            return (file, sound);
        }
    }
    panic!("no byte of {} is met only amid the documents", file.display());
}

#[tokio::test]
async fn a_damaged_shard_is_given_up_and_the_others_are_done() {
    let fixture = Fixture::named("opensearch-2.19.6");
    let copy = Copy::of(fixture);
    let (file, sound) = flip_amid_documents(&copy, "snap-2");
    let folder = tempfile::tempdir().unwrap();
    let (repository, target) = (copy.path(), path(folder.path()));
    let run = ["run", &repository, "snap-2", &target, "--bulk-documents", "5"];
    let ended = snapfill(run).ends_with(1);
    let blob = path(file.strip_prefix(copy.folder.path()).unwrap());
    let told: Vec<_> = ended
        .stdout
        .lines()
        .filter(|line| line.starts_with("Failed best[0] after 3 attempts: "))
        .collect();
    assert!(told.len() == 1 && told[0].contains(&blob), "{ended:?}");
    let verdict = ended.stdout.lines().last().unwrap();
    assert!(verdict.starts_with("Backfill failed: 1 of 25 shards given up"), "{ended:?}");
    assert!(verdict.ends_with("--session again --index best"), "{ended:?}");
    assert_given_up(folder.path(), fixture).await;
    // Repeated, it ends alike.
    assert_eq!(snapfill(run).ends_with(1).stdout, ended.stdout);

    // Mended, the way that was shown leads to the end.
    std::fs::write(&file, sound).unwrap();
    let again = snapfill([&run[..], &["--session", "again", "--index", "best"]].concat());
    again.ends_with(0);
    let expected = fixture.expected_with_source("snap-2");
    assert_same(&documents_of(folder.path()).await, &expected, "mended");
}

/// Everything but `best` is there, and the books of `best` claim nothing that is not.
async fn assert_given_up(target: &Path, fixture: Fixture) {
    let mut others = documents_of(target).await;
    others.retain(|line| line.index != "best");
    let mut expected = fixture.expected_with_source("snap-2");
    expected.retain(|line| line.index != "best");
    assert_same(&others, &expected, "all but the damaged index");

    let target_text = path(target);
    let status = ["backfill", "status", "--target", &target_text, "--deep-check", "--json"];
    let told = snapfill(status).ends_with(0).json();
    assert_eq!(told["end"], "failed");
    assert_eq!(
        (&told["work"]["failed"][0]["index"], &told["work"]["failed"][0]["shard"]),
        (&"best".into(), &0.into())
    );
    let there = counts_of(target).await;
    for index in told["work"]["indices"].as_array().unwrap() {
        let name = index["index"].as_str().unwrap();
        let written = index["books"]["written"].as_u64().unwrap();
        let there = there.get(name).copied().unwrap_or(0);
        if name == "best" {
            assert!(0 < written && written <= there && there < 151, "{written} of {there}");
        } else {
            assert_eq!(written, there, "{name}");
        }
    }
}

#[test]
fn damage_that_planning_meets_is_said_before_anything_is_written() {
    let copy = Copy::of(Fixture::named("opensearch-2.19.6"));
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    let manifests: BTreeSet<_> = copy
        .files
        .iter()
        .filter(|file| file.components().count() == 4 && path(file).contains("/snap-"))
        .collect();
    let manifest = copy.folder.path().join(manifests.first().unwrap());
    std::fs::write(&manifest, b"").unwrap();
    let refused = snapfill(["run", &copy.path(), "snap-2", &path(&target)]);
    let (name, advice) = (path(manifest.file_name().unwrap().as_ref()), "from a copy");
    refused.fails_with(5, &[&name, "shard: ", advice]);
    let rows = ["clusters", "cat-indices", "--target", &path(&target), "--json"];
    assert_eq!(snapfill(rows).ends_with(0).json()["target_cluster"], Value::Array(Vec::new()));
}
