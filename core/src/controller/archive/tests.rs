//! Archives of a working state in SQLite, whole and damaged.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::controller::EventSender;
use crate::coordination::{
    Coordinator, LeaseRules, LocalWorkStore, Run, Session, SnapshotName, Standing, WorkItem,
};
use crate::testkit::samples::progress;
use crate::testkit::{FaultyStore, SteppedClock, StoreFault};
use crate::{Error, ErrorKind};

const TARGET: &str = "https://search.example.com:9200";

/// More than one batch, and the last one is not full.
const SHARDS: u32 = 1201;

struct Bench {
    dir: tempfile::TempDir,
    clock: SteppedClock,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), clock: SteppedClock::default() }
    }

    /// The coordinator of a session in a working state of its own.
    fn coordinator(&self, state: &str, session: &str) -> Coordinator {
        self.over(self.store(state, session))
    }

    fn over(&self, store: Arc<dyn WorkStore>) -> Coordinator {
        Coordinator::new(store, Arc::new(self.clock.clone()), LeaseRules::default())
    }

    fn store(&self, state: &str, session: &str) -> Arc<dyn WorkStore> {
        let (folder, clock) = (self.dir.path().join(state), Arc::new(self.clock.clone()));
        let session = Session::named(session).unwrap();
        Arc::new(LocalWorkStore::open(folder, session, clock).unwrap())
    }

    /// A run of many items: one is done, one is half done and held, one is given up.
    async fn begun(&self, state: &str) -> Coordinator {
        let coordinator = self.coordinator(state, "");
        let mut items: Vec<_> =
            (0..SHARDS).map(|shard| WorkItem::new("logs", shard, 0..10).sized(100, 1)).collect();
        items[7].quarantined = true;
        items[7].last_error = Some("corrupt".to_owned());
        coordinator.plan(&run(""), &items).await.unwrap();
        let _alive = coordinator.enroll("w").await.unwrap();
        let done = coordinator.acquire("w").await.unwrap().unwrap();
        done.complete(progress(&done.item(), 10), 10).await.unwrap();
        let half = coordinator.acquire("w").await.unwrap().unwrap();
        half.renew(progress(&half.item(), 4)).await.unwrap();
        coordinator
    }

    async fn archived(&self) -> Archived {
        let coordinator = self.begun("from").await;
        self.archive(&coordinator).await.unwrap()
    }

    async fn archive(&self, coordinator: &Coordinator) -> Result<Archived> {
        let folder = self.dir.path().join("archives");
        let store = &**coordinator.store();
        Ok(archive(store, &self.clock, &folder).await?.unwrap())
    }

    async fn restore(&self, file: &Path) -> Result<ArchiveManifest> {
        restore(&self.coordinator("to", ""), file, Expected { target: TARGET, run: None }).await
    }

    /// Nothing was begun where an archive was refused.
    async fn assert_untouched(&self) {
        let standing = self.coordinator("to", "").standing().await.unwrap();
        assert_eq!(standing, Standing::Absent);
    }
}

fn run(session: &str) -> Run {
    let snapshot = SnapshotName { name: "nightly".into(), uuid: "u1".into() };
    let session = Session::named(session).unwrap();
    Run::new(session, snapshot, "file:///backup", TARGET, json!({"indices": ["logs"]}))
}

async fn items_of(store: &dyn WorkStore) -> Vec<WorkItem> {
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let page = store.items(after.as_deref(), 1000).await.unwrap();
        items.extend(page.items.into_iter().map(|item| item.value));
        after = page.next;
        if after.is_none() {
            return items;
        }
    }
}

fn kind(result: Result<ArchiveManifest>) -> (ErrorKind, String) {
    let error: Error = result.unwrap_err();
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn an_archive_has_the_form_that_is_known_and_says_what_it_is() {
    let bench = Bench::new();
    let coordinator = bench.begun("from").await;
    let before = items_of(&**coordinator.store()).await;
    let archived = bench.archive(&coordinator).await.unwrap();
    let text = std::fs::read(&archived.file).unwrap();
    let batches: Vec<serde_json::Map<String, Value>> = serde_json::from_slice(&text).unwrap();
    assert_eq!(batches[0]["shard_setup"]["target"], TARGET);
    let lengths: Vec<_> = batches.iter().map(serde_json::Map::len).collect();
    assert_eq!(lengths, [1, 500, 500, 201]);
    let found: Vec<_> = batches[1..].iter().flatten().collect();
    assert!(found.iter().zip(&before).all(|((id, document), item)| {
        **id == item.id() && **document == serde_json::to_value(item).unwrap()
    }));
    let manifest = &archived.manifest;
    assert_eq!(*manifest, ArchiveManifest::beside(&archived.file).unwrap());
    assert_eq!((manifest.items, manifest.completed, manifest.books.written), (1201, 1, 14));
    assert_eq!(manifest.quarantined, 1);
    assert_eq!((manifest.snapshot.uuid.as_str(), manifest.bytes), ("u1", text.len() as u64));
    assert_eq!(archived.highest_lease, 1);
    assert_eq!(items_of(&**coordinator.store()).await, before, "nothing is deleted");
}

#[tokio::test]
async fn a_restore_brings_everything_back_and_frees_what_was_held() {
    let bench = Bench::new();
    let coordinator = bench.begun("from").await;
    let before = items_of(&**coordinator.store()).await;
    coordinator.stop().await.unwrap();
    let archived = bench.archive(&coordinator).await.unwrap();
    bench.restore(&archived.file).await.unwrap();
    let restored = bench.coordinator("to", "");
    assert_eq!(restored.standing().await.unwrap(), Standing::Open(1199));
    let known = restored.store().run().await.unwrap().unwrap().value;
    known.matches(&run("")).unwrap();
    assert!(!is_being_restored(&known) && known.completed_at.is_some());
    let after = items_of(&**restored.store()).await;
    let expected: Vec<_> = before
        .into_iter()
        .map(|item| WorkItem {
            lease_holder: None,
            expiration: crate::coordination::StoreTime::ZERO,
            ..item
        })
        .collect();
    assert_eq!(after, expected);
    let again = bench.restore(&archived.file).await;
    assert_eq!(kind(again).0, ErrorKind::State, "the session has something now");
}

#[tokio::test]
async fn a_damaged_archive_is_refused_before_anything_is_done() {
    let bench = Bench::new();
    let archived = bench.archived().await;
    let whole = std::fs::read(&archived.file).unwrap();
    for place in [0, 1, 40, whole.len() / 3, whole.len() / 2, whole.len() - 2] {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        std::fs::write(&archived.file, &bytes).unwrap();
        let (kind, text) = kind(bench.restore(&archived.file).await);
        let known = [ErrorKind::Corrupt, ErrorKind::State, ErrorKind::Unsupported];
        assert!(known.contains(&kind), "byte {place}: {text}");
    }
    for end in [0, 1, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&archived.file, &whole[..end]).unwrap();
        assert_eq!(kind(bench.restore(&archived.file).await).0, ErrorKind::Corrupt, "{end}");
    }
    // A document fewer, well formed.
    let text = String::from_utf8(whole.clone()).unwrap();
    let (start, end) = (text.rfind(",\n\"").unwrap(), text.rfind('}').unwrap());
    std::fs::write(&archived.file, format!("{}{}", &text[..start], &text[end..])).unwrap();
    let (found, text) = kind(bench.restore(&archived.file).await);
    assert!(found == ErrorKind::Corrupt && text.contains("SHA-256"), "{text}");
    bench.assert_untouched().await;
    std::fs::write(&archived.file, &whole).unwrap();
    bench.restore(&archived.file).await.unwrap();
}

#[tokio::test]
async fn an_archive_of_something_else_is_refused() {
    let bench = Bench::new();
    let archived = bench.archived().await;
    let to = |session: &str| bench.coordinator("to", session);
    let expected = Expected { target: TARGET, run: None };
    let session = kind(restore(&to("other"), &archived.file, expected).await);
    assert!(session.0 == ErrorKind::State && session.1.contains("`other`"), "{}", session.1);
    let elsewhere = Expected { target: "https://elsewhere", run: None };
    let target = kind(restore(&to(""), &archived.file, elsewhere).await);
    assert!(target.0 == ErrorKind::State && target.1.contains("https://elsewhere"), "{}", target.1);
    for (name, uuid) in [("weekly", "u1"), ("nightly", "u2")] {
        let mut asked = run("");
        asked.snapshot = SnapshotName { name: name.into(), uuid: uuid.into() };
        let other = Expected { target: TARGET, run: Some(&asked) };
        let snapshot = kind(restore(&to(""), &archived.file, other).await);
        assert!(
            snapshot.0 == ErrorKind::State && snapshot.1.contains("snapshot"),
            "{}",
            snapshot.1
        );
    }
    bench.assert_untouched().await;
    let beside = manifest::path_of(&archived.file);
    let text = std::fs::read_to_string(&beside).unwrap();
    std::fs::write(&beside, text.replace("\"formatVersion\": 1", "\"formatVersion\": 2")).unwrap();
    let newer = kind(bench.restore(&archived.file).await);
    assert!(newer.0 == ErrorKind::Unsupported && newer.1.contains("update"), "{}", newer.1);
    std::fs::remove_file(&beside).unwrap();
    assert_eq!(kind(bench.restore(&archived.file).await).0, ErrorKind::NotFound);
    bench.assert_untouched().await;
}

#[tokio::test]
async fn a_restore_that_was_interrupted_goes_on_and_is_open_to_nobody_before() {
    let bench = Bench::new();
    let archived = bench.archived().await;
    let to = bench.coordinator("to", "");
    let mut half = run("");
    half.stopping = true;
    half.settings = json!({"restoring": archived.manifest.sha256});
    to.store().create_run(&half).await.unwrap();
    let some: Vec<_> = items_of(&*bench.store("from", "")).await.into_iter().take(700).collect();
    to.store().create_items(&some).await.unwrap();
    assert!(to.acquire("early").await.unwrap().is_none());
    bench.restore(&archived.file).await.unwrap();
    assert_eq!(to.standing().await.unwrap(), Standing::Open(1199));
    assert_eq!(items_of(&**to.store()).await.len(), 1201);
}

#[tokio::test]
async fn what_reads_back_otherwise_keeps_the_working_state() {
    let bench = Bench::new();
    let coordinator = bench.begun("from").await;
    let archived = bench.archive(&coordinator).await.unwrap();
    let store = &**coordinator.store();
    verify::verify(store, &archived.file, &archived.manifest).await.unwrap();
    // An item that is not in the file.
    store.create_items(&[WorkItem::new("late", 0, 0..5)]).await.unwrap();
    let error = verify::verify(store, &archived.file, &archived.manifest).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    let again = bench.archive(&coordinator).await.unwrap();
    let mut bytes = std::fs::read(&again.file).unwrap();
    bytes.push(b' ');
    std::fs::write(&again.file, bytes).unwrap();
    let error = verify::verify(store, &again.file, &again.manifest).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}

#[tokio::test]
async fn the_second_look_after_a_stop_leaves_alone_what_was_begun_anew_meanwhile() {
    let bench = Bench::new();
    let inner = bench.begun("from").await;
    let faulty = FaultyStore::new(Arc::clone(inner.store()), |_, _| StoreFault::None).elsewhere();
    let coordinator = bench.over(Arc::new(faulty));
    let clock = bench.clock.clone();
    let clearing =
        tokio::spawn(async move { clear(&coordinator, &clock, &EventSender::new()).await });
    while inner.store().run().await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
    let late = [WorkItem::new("late", 0, 0..5)];
    let refused = inner.store().create_items(&late).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::State, "a write that comes late revives nothing");
    inner.store().create_run(&run("")).await.unwrap();
    inner.store().create_items(&late).await.unwrap();
    while !clearing.is_finished() {
        bench.clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    clearing.await.unwrap().unwrap();
    assert_eq!(items_of(&**inner.store()).await.len(), 1);
}

#[tokio::test]
async fn a_stop_waits_for_those_who_hold_something_and_no_longer_than_their_lease() {
    let bench = Bench::new();
    let coordinator = bench.coordinator("from", "");
    coordinator.plan(&run(""), &[WorkItem::new("logs", 0, 0..10)]).await.unwrap();
    let _alive = coordinator.enroll("w").await.unwrap();
    let _held = coordinator.acquire("w").await.unwrap().unwrap();
    let clock = bench.clock.clone();
    let waiting =
        tokio::spawn(
            async move { wait_for_workers(&coordinator, &clock, &EventSender::new()).await },
        );
    let mut seconds = 0;
    while !waiting.is_finished() {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        bench.clock.advance(Duration::from_secs(1));
        seconds += 1;
        assert!(seconds < 10_000, "it waits for ever");
    }
    waiting.await.unwrap().unwrap();
    assert!(seconds > 30, "the lease was still running after {seconds} s");
}

#[tokio::test]
async fn a_record_is_replaced_as_a_whole_and_says_the_ways_out() {
    let bench = Bench::new();
    let archived = bench.archived().await;
    let folder = bench.dir.path();
    let session = Session::default();
    assert_eq!(SessionRecord::read(folder, &session).unwrap(), None);
    let record = SessionRecord::of(&archived, true);
    record.write(folder).unwrap();
    assert_eq!(SessionRecord::read(folder, &session).unwrap(), Some(record.clone()));
    let error = record.require_not_stopped().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    let path = archived.file.to_str().unwrap();
    for part in [path, "--from-scratch", "backfill restore", "pause", "another session"] {
        assert!(error.message().contains(part), "no `{part}` in {error}");
    }
    let reset = SessionRecord { stopped: false, ..record };
    reset.write(folder).unwrap();
    SessionRecord::read(folder, &session).unwrap().unwrap().require_not_stopped().unwrap();
    assert_eq!(SessionRecord::read(folder, &Session::named("b").unwrap()).unwrap(), None);
}
