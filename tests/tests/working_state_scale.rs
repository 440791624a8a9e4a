//! How the working state in an index fares with 100 000 items and 200 workers. Counts are asserted; times are printed:
//! `SNAPFILL_TEST_SERVERS=default cargo test -p snapfill-tests --test working_state_scale -- --nocapture --test-threads 1`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::sync::Arc;

use snapfill::cluster::{HttpCluster, HttpConfig};
use snapfill::coordination::totals::TotalsBuilder;
use snapfill::coordination::{
    Coordinator, FailureCause, Held, IndexWorkStore, ItemTotals, LeaseRules, Run, Session,
    SnapshotName, StoreTime, WorkItem, WorkStore,
};
use snapfill::testkit::samples::progress;
use snapfill::testkit::{FaultyStore, StoreFault};
use snapfill::{Clock, SystemClock};
use snapfill_harness::{Server, Version, runs};

const ITEMS: u32 = 100_000;
const WORKERS: usize = 200;
const ACQUISITIONS: usize = 10;

struct Bench {
    server: Server,
    cluster: HttpCluster,
    clock: Arc<SystemClock>,
}

impl Bench {
    fn new(version: Version) -> Self {
        let server = Server::start(version).unwrap();
        let cluster = HttpCluster::new(HttpConfig::new([server.url()]).unwrap()).unwrap();
        Self { server, cluster, clock: Arc::new(SystemClock::new()) }
    }

    fn store(&self, session: &str) -> Arc<FaultyStore> {
        let session = Session::named(session).unwrap();
        let store =
            IndexWorkStore::new(self.cluster.clone(), session, Arc::clone(&self.clock) as _);
        Arc::new(FaultyStore::new(Arc::new(store), |_, _| StoreFault::None))
    }

    fn coordinator(&self, store: &Arc<FaultyStore>) -> Coordinator {
        Coordinator::new(
            Arc::clone(store) as _,
            Arc::clone(&self.clock) as _,
            LeaseRules::default(),
        )
    }

    /// Searches that the session's index has answered.
    fn searches(&self, store: &FaultyStore) -> u64 {
        let index = store.session().index_name();
        let stats = self.server.call("GET", &format!("/{index}/_stats/search"), "").unwrap();
        stats["_all"]["primaries"]["search"]["query_total"].as_u64().unwrap()
    }

    async fn timed<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        let begin = self.clock.monotonic();
        let value = work.await;
        println!("{what}: {:?}", self.clock.monotonic() - begin);
        value
    }
}

fn run(session: &Session) -> Run {
    let snapshot = SnapshotName { name: "s".into(), uuid: "u".into() };
    Run::new(session.clone(), snapshot, "file:///r", "http://t", serde_json::Value::Null)
}

/// Of 50 indices; every tenth shard has five items.
fn items() -> Vec<WorkItem> {
    let mut items = Vec::new();
    for shard in 0.. {
        let parts = if shard % 10 == 0 { 5 } else { 1 };
        for part in 0..parts {
            let index = format!("index-{:02}", shard % 50);
            let documents = part * 1000..(part + 1) * 1000;
            items.push(WorkItem::new(index, shard / 50, documents).sized(1 << 30, parts));
            if items.len() == ITEMS as usize && part + 1 == parts {
                return items;
            }
        }
    }
    items
}

/// The sums as the items themselves give them.
async fn sum(store: &dyn WorkStore, at: StoreTime) -> ItemTotals {
    let mut builder = TotalsBuilder::new(at);
    let mut after = None;
    loop {
        let page = store.items(after.as_deref(), 5000).await.unwrap();
        page.items.iter().for_each(|item| builder.add(&item.value));
        after = page.next;
        if after.is_none() {
            return builder.finish();
        }
    }
}

async fn acquire_all(coordinator: Coordinator, worker: String) -> Vec<Held> {
    let mut held = Vec::new();
    for _ in 0..ACQUISITIONS {
        held.push(coordinator.acquire(&worker).await.unwrap().unwrap());
    }
    held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_items_and_many_workers() {
    if !runs(Version::OpenSearch2_19_6) {
        return;
    }
    let bench = Bench::new(Version::OpenSearch2_19_6);
    let store = bench.store("scale");
    let coordinator = bench.coordinator(&store);
    let plan = items();
    let run = run(store.session());
    let planning = coordinator.plan(&run, &plan);
    bench.timed(&format!("planning of {} items", plan.len()), planning).await.unwrap();
    let first = bench.timed("status", coordinator.totals()).await.unwrap();
    assert_eq!(first.items.total, plan.len() as u64);
    bench.timed("status again", coordinator.totals()).await.unwrap();

    let before = bench.searches(&store);
    let tasks: Vec<_> = (0..WORKERS)
        .map(|worker| {
            // A clock of its own for each, as each process has.
            let store = bench.store("scale");
            let taking = acquire_all(bench.coordinator(&store), format!("w{worker}"));
            tokio::spawn(async move { (taking.await, store.writes()) })
        })
        .collect();
    let all = bench.timed("2000 acquisitions by 200 workers", futures::future::join_all(tasks));
    let (mut held, mut writes) = (Vec::new(), 0);
    for done in all.await {
        let (leases, attempts) = done.unwrap();
        held.extend(leases);
        writes += attempts;
    }
    let searches = bench.searches(&store) - before;
    let successes = held.len() as u64;
    println!("{successes} leases, {writes} compare-and-sets, {searches} searches");
    assert_eq!(successes, (WORKERS * ACQUISITIONS) as u64);
    assert!(searches <= successes, "{searches} searches for {successes} leases");
    assert!(writes * 10 <= successes * 13, "{writes} attempts for {successes} leases");

    for (place, held) in held.iter().enumerate() {
        let item = held.item();
        match place % 4 {
            0 => held.complete(progress(&item, item.end), 1000).await.unwrap(),
            1 => held.renew(progress(&item, item.first + 500)).await.unwrap(),
            2 => {
                held.fail(FailureCause::Outside, "away", progress(&item, item.first))
                    .await
                    .unwrap();
            }
            _ => {}
        }
    }
    let totals = bench.timed("status with 1000 leases", coordinator.totals()).await.unwrap();
    let mut expected = sum(&*store, totals.at).await;
    let oldest = |totals: &ItemTotals| totals.oldest_lease.as_ref().map(|(_, until)| *until);
    assert_eq!(oldest(&totals), oldest(&expected));
    expected.oldest_lease = totals.oldest_lease.clone();
    assert_eq!(totals, expected);
    assert_eq!((totals.items.completed, totals.items.in_progress), (500, 1000));
    assert_eq!(bench.timed("workers", store.workers()).await.unwrap(), WORKERS as u64);
}

/// A search for open items takes no longer where most are finished.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finished_items_cost_nothing() {
    if !runs(Version::OpenSearch2_19_6) {
        return;
    }
    let bench = Bench::new(Version::OpenSearch2_19_6);
    for (name, open_of_ten) in [("open", 10), ("finished", 1)] {
        let store = bench.store(name);
        store.create_run(&run(store.session())).await.unwrap();
        let plan: Vec<_> = (0..)
            .zip(items())
            .map(|(place, item)| {
                let completed_at = (place % 10 >= open_of_ten).then(|| StoreTime::from_secs(9));
                WorkItem { completed_at, ..item }
            })
            .collect();
        for batch in plan.chunks(1000) {
            store.create_items(batch).await.unwrap();
        }
        store.unfinished().await.unwrap();
        let now = store.now().await.unwrap();
        let search = async {
            for from in 0..200_u64 {
                let found = store.open_items(now, from << 45, 16).await.unwrap();
                assert_eq!(found.len(), 16);
            }
        };
        bench.timed(&format!("200 searches, {open_of_ten} of ten items open"), search).await;
    }
}
