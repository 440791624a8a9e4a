//! The conformance table of work stores on the SQLite file of a directory, each handle in a process of its own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use snapfill::cluster::Created;
use snapfill::coordination::totals::TotalsBuilder;
use snapfill::coordination::{
    CasOutcome, Enrollment, ItemPage, ItemTotals, LocalWorkStore, Run, Session, StoreTime, Version,
    Versioned, WorkItem, WorkStore, WorkStoreCapability,
};
use snapfill::testkit::WorkStoreFixture;
use snapfill::{Error, ErrorKind, Result, SystemClock};

const DIRECTORY: &str = "SNAPFILL_TEST_WORK_STORE";

/// Begins a line of an answer, among what the test program itself prints.
const ANSWER: &str = "answer ";

/// What a process is asked.
#[derive(Serialize, Deserialize)]
enum Call {
    Now,
    Run,
    CreateRun(Run),
    SetRun(Run, Number),
    CreateItems(Vec<WorkItem>),
    Item(String),
    CompareAndSet(WorkItem, Number),
    OpenItems(u64, u64, usize),
    Items(Option<String>, usize),
    Unfinished,
    Enroll(String),
    Leave(String),
    HeldBy(String),
    Departed,
    Workers,
    DropSession,
}

/// A version.
type Number = (u64, u64);

fn number(version: Version) -> Number {
    (version.term, version.number)
}

fn version((term, number): Number) -> Version {
    Version { term, number }
}

type Known<T> = (T, Number);

fn known<T>(value: Versioned<T>) -> Known<T> {
    (value.value, number(value.version))
}

fn versioned<T>((value, state): Known<T>) -> Versioned<T> {
    Versioned { value, version: version(state) }
}

fn all_known(items: Vec<Versioned<WorkItem>>) -> Vec<Known<WorkItem>> {
    items.into_iter().map(known).collect()
}

fn outcome(outcome: CasOutcome) -> Option<Number> {
    match outcome {
        CasOutcome::Done(version) => Some(number(version)),
        CasOutcome::Conflict => None,
    }
}

fn cas(done: Option<Number>) -> CasOutcome {
    done.map_or(CasOutcome::Conflict, |state| CasOutcome::Done(version(state)))
}

/// A process that answers calls, until its standard input ends.
#[tokio::test]
async fn process_that_answers() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let clock = Arc::new(SystemClock::new());
    let session = Session::named("conformance").unwrap();
    let store = LocalWorkStore::open(directory, session, clock).unwrap();
    let mut enrolled = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let call = serde_json::from_str(&line.unwrap()).unwrap();
        let answer = match answer(&store, &mut enrolled, call).await {
            Ok(value) => json!({ "ok": value }),
            Err(error) => {
                json!({"kind": format!("{:?}", error.kind()), "message": error.message()})
            }
        };
        println!("\n{ANSWER}{answer}");
    }
}

async fn answer(
    store: &LocalWorkStore,
    enrolled: &mut Vec<Box<dyn Enrollment>>,
    call: Call,
) -> Result<Value> {
    Ok(match call {
        Call::Now => json!(store.now().await?.0),
        Call::Run => json!(store.run().await?.map(known)),
        Call::CreateRun(run) => json!(store.create_run(&run).await? == Created::Created),
        Call::SetRun(run, state) => json!(outcome(store.set_run(&run, version(state)).await?)),
        Call::CreateItems(items) => json!(store.create_items(&items).await?),
        Call::Item(id) => json!(store.item(&id).await?.map(known)),
        Call::CompareAndSet(item, state) => {
            json!(outcome(store.compare_and_set(&item, version(state)).await?))
        }
        Call::OpenItems(before, from, limit) => {
            json!(all_known(store.open_items(StoreTime(before), from, limit).await?))
        }
        Call::Items(after, limit) => {
            let page = store.items(after.as_deref(), limit).await?;
            json!((all_known(page.items), page.next))
        }
        Call::Unfinished => json!(store.unfinished().await?),
        Call::Enroll(worker) => {
            enrolled.push(store.enroll(&worker).await?);
            Value::Null
        }
        Call::Leave(worker) => {
            enrolled.retain(|life| life.worker() != worker);
            Value::Null
        }
        Call::HeldBy(worker) => json!(all_known(store.held_by(&worker).await?)),
        Call::Departed => json!(all_known(store.departed().await?)),
        Call::Workers => json!(WorkStore::workers(store).await?),
        Call::DropSession => {
            store.drop_session().await?;
            Value::Null
        }
    })
}

/// A process that answers, and the ends of its pipes.
#[derive(Debug)]
struct Process {
    child: Child,
    calls: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Process {
    fn start(directory: &std::path::Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process_that_answers", "--nocapture"])
            .env(DIRECTORY, directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let calls = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, calls, answers }
    }

    fn ask(&mut self, call: &Call) -> Value {
        let calls = self.calls.as_mut().unwrap();
        calls.write_all((serde_json::to_string(call).unwrap() + "\n").as_bytes()).unwrap();
        loop {
            let mut line = String::new();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "the process ended");
            if let Some(answer) = line.strip_prefix(ANSWER) {
                return serde_json::from_str(answer).unwrap();
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.calls.take());
        self.child.wait().unwrap();
    }
}

/// The store of another process.
#[derive(Clone, Debug)]
struct ProcessStore {
    process: Arc<Mutex<Process>>,
    session: Session,
}

impl ProcessStore {
    async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        let process = Arc::clone(&self.process);
        let answer =
            tokio::task::spawn_blocking(move || process.lock().unwrap().ask(&call)).await.unwrap();
        match answer.get("ok") {
            Some(value) => Ok(serde_json::from_value(value.clone()).unwrap()),
            None => {
                let kind = match answer["kind"].as_str() {
                    Some("State") => ErrorKind::State,
                    Some("Unsupported") => ErrorKind::Unsupported,
                    _ => ErrorKind::Unexpected,
                };
                Err(Error::new(kind, answer["message"].as_str().unwrap_or_default()))
            }
        }
    }

    async fn ask_items(&self, call: Call) -> Result<Vec<Versioned<WorkItem>>> {
        let items: Vec<Known<WorkItem>> = self.ask(call).await?;
        Ok(items.into_iter().map(versioned).collect())
    }
}

#[derive(Debug)]
struct Life {
    worker: String,
    process: Arc<Mutex<Process>>,
}

impl Enrollment for Life {
    fn worker(&self) -> &str {
        &self.worker
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.process.lock().unwrap().ask(&Call::Leave(self.worker.clone()));
    }
}

#[async_trait]
impl WorkStore for ProcessStore {
    fn capability(&self) -> WorkStoreCapability {
        WorkStoreCapability { knows_the_dead: true, remote: false }
    }

    fn session(&self) -> &Session {
        &self.session
    }

    async fn now(&self) -> Result<StoreTime> {
        self.ask(Call::Now).await.map(StoreTime)
    }

    async fn run(&self) -> Result<Option<Versioned<Run>>> {
        let run: Option<Known<Run>> = self.ask(Call::Run).await?;
        Ok(run.map(versioned))
    }

    async fn create_run(&self, run: &Run) -> Result<Created> {
        let is_new = self.ask(Call::CreateRun(run.clone())).await?;
        Ok(if is_new { Created::Created } else { Created::AlreadyThere })
    }

    async fn set_run(&self, run: &Run, expected: Version) -> Result<CasOutcome> {
        self.ask(Call::SetRun(run.clone(), number(expected))).await.map(cas)
    }

    async fn create_items(&self, items: &[WorkItem]) -> Result<usize> {
        self.ask(Call::CreateItems(items.to_vec())).await
    }

    async fn item(&self, id: &str) -> Result<Option<Versioned<WorkItem>>> {
        let item: Option<Known<WorkItem>> = self.ask(Call::Item(id.to_owned())).await?;
        Ok(item.map(versioned))
    }

    async fn compare_and_set(&self, item: &WorkItem, expected: Version) -> Result<CasOutcome> {
        self.ask(Call::CompareAndSet(item.clone(), number(expected))).await.map(cas)
    }

    async fn open_items(
        &self,
        expired_before: StoreTime,
        from_sort_key: u64,
        limit: usize,
    ) -> Result<Vec<Versioned<WorkItem>>> {
        self.ask_items(Call::OpenItems(expired_before.0, from_sort_key, limit)).await
    }

    async fn items(&self, after: Option<&str>, limit: usize) -> Result<ItemPage> {
        let call = Call::Items(after.map(str::to_owned), limit);
        let (items, next): (Vec<Known<WorkItem>>, Option<String>) = self.ask(call).await?;
        Ok(ItemPage { items: items.into_iter().map(versioned).collect(), next })
    }

    async fn unfinished(&self) -> Result<u64> {
        self.ask(Call::Unfinished).await
    }

    /// Summed up on this side: sums are no matter of several processes.
    async fn totals(&self) -> Result<ItemTotals> {
        let mut builder = TotalsBuilder::new(self.now().await?);
        let page = self.items(None, usize::MAX >> 1).await?;
        page.items.iter().for_each(|item| builder.add(&item.value));
        Ok(builder.finish())
    }

    async fn enroll(&self, worker: &str) -> Result<Box<dyn Enrollment>> {
        self.ask::<()>(Call::Enroll(worker.to_owned())).await?;
        let process = Arc::clone(&self.process);
        Ok(Box::new(Life { worker: worker.to_owned(), process }))
    }

    async fn held_by(&self, worker: &str) -> Result<Vec<Versioned<WorkItem>>> {
        self.ask_items(Call::HeldBy(worker.to_owned())).await
    }

    async fn departed(&self) -> Result<Vec<Versioned<WorkItem>>> {
        self.ask_items(Call::Departed).await
    }

    async fn workers(&self) -> Result<u64> {
        self.ask(Call::Workers).await
    }

    async fn drop_session(&self) -> Result<()> {
        self.ask(Call::DropSession).await
    }
}

struct Directory(tempfile::TempDir);

#[async_trait]
impl WorkStoreFixture for Directory {
    async fn open(&self) -> Arc<dyn WorkStore> {
        let process = Arc::new(Mutex::new(Process::start(self.0.path())));
        Arc::new(ProcessStore { process, session: Session::named("conformance").unwrap() })
    }
}

snapfill::work_store_conformance!(Directory(tempfile::tempdir().unwrap()));
