//! A worker over real shards of a fixture and a target that misbehaves. The clock stands still unless a test moves it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use object_store::memory::InMemory;
use tokio::task::JoinHandle;

use super::*;
use crate::cluster::{BulkBody, IndexDefinition, ItemOutcome, LocalCluster};
use crate::controller::{RunEnd, Work};
use crate::coordination::{
    LeaseRules, LocalWorkStore, Run, Session, SnapshotName, WorkItem, WorkStore,
};
use crate::failed::{FailedDocument, FailedStore, FailureBudget, FailureLimit};
use crate::snapshot::{DocumentsOptions, Repository};
use crate::testkit::{BulkFault, FaultyCluster, FaultyStore, SteppedClock, StoreFault};

mod lease;
mod order;
mod pressure;
mod transform;
mod trouble;

const FIXTURE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/elasticsearch-8.15.0/repo");
const INDEX: &str = "shapes";

/// Documents of one bulk.
const BULK: u32 = 5;

/// Looks in vain after which what is waited for does not come. Each lets other threads run, so that a busy machine has no
/// fewer.
const LOOKS: u32 = 200_000;

/// Steps of the clock after which what is waited for does not come: hours.
const STEPS: u32 = 20_000;

/// A target, a working state and a snapshot.
struct Bench {
    _dir: tempfile::TempDir,
    clock: SteppedClock,
    snapshot: Snapshot,
    target: Arc<LocalCluster>,
    store: Arc<LocalWorkStore>,
    released: watch::Sender<()>,
    events: EventSender,
    failed: FailedStore,
    /// The documents that are to arrive, by number within their shard.
    expected: Vec<BTreeMap<u32, (String, Vec<u8>)>>,
    /// Where the bulks of each shard begin. They end with a segment, so they are not all of one size.
    bulks: Vec<Vec<u32>>,
}

/// One worker of a bench, before it runs.
struct Player {
    worker: Worker,
}

impl Player {
    fn run(self) -> JoinHandle<Result<WorkerEnd>> {
        tokio::spawn(async move { self.worker.run().await })
    }
}

impl Bench {
    /// A run of the first `shards` shards of the index.
    async fn new(shards: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = SteppedClock::default();
        let snapshot = Repository::open(FIXTURE).await.unwrap().snapshot("snap-2").await.unwrap();
        let target = Arc::new(LocalCluster::open(dir.path()).unwrap());
        target.create_index(INDEX, &IndexDefinition::default()).await.unwrap();
        let shared = Arc::new(clock.clone());
        let store = Arc::new(LocalWorkStore::open(dir.path(), Session::default(), shared).unwrap());
        let (mut expected, mut bulks) = (Vec::new(), Vec::new());
        let mut items = Vec::new();
        for number in 0..shards {
            let shard = snapshot.shard(INDEX, number).await.unwrap();
            let size = shard.size().await.unwrap();
            items.push(WorkItem::new(INDEX, number, 0..size.max_doc).sized(size.stored_bytes, 1));
            let (mut documents, mut starts) = (BTreeMap::new(), Vec::new());
            let mut stream = shard.documents(DocumentsOptions {
                batch_documents: BULK as usize,
                ..DocumentsOptions::default()
            });
            while let Some(batch) = stream.next().await {
                let batch = batch.unwrap();
                for document in batch.documents.iter() {
                    let content = (document.id.to_owned(), document.source.to_vec());
                    documents.insert(document.number, content);
                }
                if !batch.documents.is_empty() {
                    starts.push(batch.first);
                }
            }
            expected.push(documents);
            bulks.push(starts);
        }
        let bench = Self {
            _dir: dir,
            clock,
            snapshot,
            target,
            store,
            released: watch::Sender::default(),
            events: EventSender::new(),
            failed: FailedStore::over(
                Arc::new(InMemory::new()),
                object_store::path::Path::default(),
            ),
            expected,
            bulks,
        };
        let name = SnapshotName { name: "snap-2".into(), uuid: bench.snapshot.uuid().into() };
        let run = Run::new(Session::default(), name, FIXTURE, "target", serde_json::Value::Null);
        bench.coordinator().plan(&run, &items).await.unwrap();
        bench
    }

    fn coordinator(&self) -> Coordinator {
        self.coordinator_over(Arc::clone(&self.store) as _)
    }

    fn coordinator_over(&self, store: Arc<dyn WorkStore>) -> Coordinator {
        Coordinator::new(store, Arc::new(self.clock.clone()), LeaseRules::default())
    }

    fn faulty(&self) -> FaultyCluster {
        FaultyCluster::new(Arc::clone(&self.target) as _, Arc::new(self.clock.clone()))
    }

    fn failures(&self, limit: FailureLimit) -> Arc<Failures> {
        let budget = FailureBudget::new(limit, Arc::new(self.coordinator()));
        Arc::new(Failures { log: self.failed.session(""), budget })
    }

    /// The failures that hold.
    async fn kept(&self) -> Vec<FailedDocument> {
        let mut kept = Vec::new();
        let mut documents = self.failed.session("").documents().await.unwrap();
        while let Some(failed) = documents.next().await {
            kept.extend(failed.unwrap());
        }
        kept
    }

    fn pressure(&self, cluster: &Arc<FaultyCluster>) -> Arc<Pressure> {
        let (cluster, clock) = (Arc::clone(cluster) as _, Arc::new(self.clock.clone()));
        let coordinator = Arc::new(self.coordinator());
        Arc::new(Pressure::new(cluster, coordinator, clock, self.events.clone()))
    }

    /// A worker that writes its checkpoint whenever it can.
    fn player(&self, name: &str, cluster: &Arc<FaultyCluster>) -> Player {
        let coordinator = Arc::new(self.coordinator());
        let worker = Worker {
            name: name.to_owned(),
            failures: self.failures(FailureLimit::Usual),
            snapshot: self.snapshot.clone(),
            cluster: Arc::clone(cluster) as _,
            coordinator,
            clock: Arc::new(self.clock.clone()),
            retry: RetryPolicy {
                retries: 5,
                first_delay: Duration::ZERO,
                max_delay: Duration::ZERO,
            },
            bulk: BulkSettings {
                documents: BULK as usize,
                checkpoint_bytes: 0,
                ..BulkSettings::default()
            },
            events: self.events.clone(),
            stop: CancellationToken::new(),
            selector: Arc::default(),
            transform: None,
            indices: Mutex::new(HashMap::new()),
            released: self.released.clone(),
            pressure: self.pressure(cluster),
            meter: std::sync::Mutex::new(Meter::new(self.clock.monotonic())),
        };
        Player { worker }
    }

    /// A target that does `fault` with every bulk that holds the document.
    fn slow_at(&self, number: u32, fault: BulkFault) -> Arc<FaultyCluster> {
        let decide = move |_, body: &BulkBody| {
            if holds(body, number) { fault } else { BulkFault::None }
        };
        Arc::new(self.faulty().on_bulk(decide))
    }

    /// Moves the clock, slowly enough for everything to happen in between.
    async fn clock_runs_until<T>(&self, running: &JoinHandle<T>) {
        for _ in 0..STEPS {
            if running.is_finished() {
                return;
            }
            self.clock.advance(Duration::from_millis(500));
            self.target_answers().await;
        }
        panic!("it does not end, however far the clock is moved");
    }

    /// Lets the target end what it writes, behind which this waits: on a busy machine the clock would run ahead of the disk,
    /// and bulks would be out of time.
    async fn target_answers(&self) {
        others_run().await;
        self.target.update_settings(INDEX, &serde_json::json!({})).await.unwrap();
    }

    async fn item(&self, shard: u32) -> WorkItem {
        let id = WorkItem::new(INDEX, shard, 0..1).id();
        self.store.item(&id).await.unwrap().unwrap().value
    }

    async fn until_item(&self, shard: u32, is: impl Fn(&WorkItem) -> bool) -> WorkItem {
        for _ in 0..LOOKS {
            let item = self.item(shard).await;
            if is(&item) {
                return item;
            }
            tokio::task::yield_now().await;
        }
        panic!("the item does not come to what is expected: {:?}", self.item(shard).await);
    }

    /// A document in the middle of a shard that a bulk begins with.
    fn middle(&self, shard: usize) -> u32 {
        let starts = &self.bulks[shard];
        let rest = &starts[starts.len() / 2..];
        *rest.iter().find(|start| self.expected[shard].contains_key(start)).unwrap()
    }

    fn count(&self, shard: usize) -> usize {
        self.expected[shard].len()
    }

    /// A worker with a target that behaves brings the run to its end.
    async fn finish(&self) {
        let cluster = Arc::new(self.faulty());
        let running = self.player("finisher", &cluster).run();
        for _ in 0..STEPS {
            if running.is_finished() {
                break;
            }
            // A look in vain is made again after a while, and no clock runs here.
            self.released.send_replace(());
            others_run().await;
        }
        assert!(running.is_finished(), "{:?}", self.item(0).await);
        assert_eq!(running.await.unwrap().unwrap(), WorkerEnd::NothingLeft);
    }

    async fn work(&self) -> Work {
        Work::of(&self.store.totals().await.unwrap())
    }

    /// Every document is there with its bytes, the books say so, and none was found overwritten.
    async fn assert_exact(&self) {
        let mut expected: Vec<_> =
            self.expected.iter().flat_map(BTreeMap::values).cloned().collect();
        expected.sort();
        let mut found = Vec::new();
        let mut scan = self.target.scan(INDEX).await.unwrap();
        while let Some(page) = scan.next_batch().await.unwrap() {
            found.extend(page.documents().map(|document| (document.id, document.source.to_vec())));
        }
        found.sort();
        assert!(found == expected, "{} documents arrived of {}", found.len(), expected.len());
        let work = self.work().await;
        assert_eq!(work.end(), Some(RunEnd::Completed));
        assert_eq!(work.books.written as usize, expected.len());
        assert_eq!(work.books.overwritten, 0);
    }
}

/// Whether a bulk holds the document of this number.
fn holds(body: &BulkBody, number: u32) -> bool {
    body.documents.iter().any(|document| document.number == number)
}

async fn until(what: impl Fn() -> bool) {
    for _ in 0..LOOKS {
        if what() {
            return;
        }
        other_threads_run().await;
    }
    panic!("what was waited for does not come");
}

/// Lets other tasks run for a while, with the clock standing still: what has not happened then waits for something.
async fn others_run() {
    for _ in 0..4 {
        other_threads_run().await;
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
    }
}

/// Gives the processor away: on a busy machine yielding to other tasks is done before a thread that reads or writes had
/// its turn.
async fn other_threads_run() {
    tokio::task::spawn_blocking(std::thread::yield_now).await.unwrap();
}
