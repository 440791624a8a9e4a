//! The scenarios of `tests/conformance`, through the facade itself.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use snapfill_ffi::{
    Backfill, BackfillOptions, Cluster, ClusterOptions, DocumentStream, EventStream, FailedFilter,
    GradualOptions, RateLimits, Repository, RepositoryOptions, SnapfillError, runtime,
};
use snapfill_tests::platform::FakeCluster;

type Outcome = Result<Value, SnapfillError>;

fn block<T>(work: impl Future<Output = Result<T, SnapfillError>>) -> Result<T, SnapfillError> {
    runtime::wait(work, || Ok(()))
}

fn json_of(data: impl serde::Serialize) -> Value {
    serde_json::to_value(data).unwrap()
}

fn text(given: &Map<String, Value>, name: &str) -> String {
    given[name].as_str().unwrap_or_else(|| panic!("no {name} in {given:?}")).to_owned()
}

fn may_say(given: &Map<String, Value>, name: &str) -> Option<String> {
    given.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn number(given: &Map<String, Value>, name: &str) -> Option<u32> {
    given.get(name).and_then(Value::as_u64).map(|number| u32::try_from(number).unwrap())
}

/// Makes the steps of a scenario.
struct Client {
    names: BTreeMap<String, String>,
    backfills: HashMap<String, (Arc<Backfill>, Arc<EventStream>)>,
}

impl Client {
    fn step(&mut self, step: &Value) {
        let verb = step["do"].as_str().unwrap();
        let given = self.fill(&step["with"]).as_object().cloned().unwrap_or_default();
        let outcome = match step.get("of") {
            Some(of) => self.of_backfill(verb, &given, &self.fill(of)),
            None => alone(verb, &given),
        };
        let result = match (outcome, step.get("fails")) {
            (Ok(result), None) => result,
            (Ok(result), Some(code)) => panic!("{verb} gave {result} and should fail with {code}"),
            (Err(error), code) => {
                assert_eq!(Some(error.code().as_str()), code.and_then(Value::as_str), "{error}");
                if let Some(retryable) = step.get("retryable") {
                    assert_eq!(error.is_retryable(), retryable.as_bool().unwrap(), "{error}");
                }
                return;
            }
        };
        if let Some(name) = step.get("save") {
            let saved = result.as_str().unwrap_or_else(|| panic!("{verb} gave {result}"));
            self.names.insert(name.as_str().unwrap().to_owned(), saved.to_owned());
        }
        if let Some(expected) = step.get("gives") {
            assert!(holds(&result, &self.fill(expected)), "{verb} gave {result:#}");
        }
    }

    fn of_backfill(&mut self, verb: &str, given: &Map<String, Value>, of: &Value) -> Outcome {
        let key = of.to_string();
        if !self.backfills.contains_key(&key) {
            let backfill = Backfill::new(options(of.as_object().unwrap()))?;
            let events = backfill.events();
            self.backfills.insert(key.clone(), (backfill, events));
        }
        let (backfill, events) = self.backfills[&key].clone();
        let folder = may_say(given, "folder");
        Ok(match verb {
            "plan" => json_of(block(backfill.plan())?),
            "start" => json_of(block(backfill.start())?),
            "scale" => json_of(block(backfill.scale(number(given, "workers").unwrap()))?),
            "scale_gradually" => scale_gradually(&backfill, given)?,
            "pause" => json_of(block(backfill.pause())?),
            "stop" => json_of(block(backfill.stop(folder))?),
            "archive" => json_of(block(backfill.archive(folder))?),
            "restore" => json_of(block(backfill.restore(text(given, "file")))?),
            "reset" => json_of(block(backfill.reset(folder))?),
            "status" => json_of(block(backfill.status())?),
            "deep_status" => json_of(block(backfill.deep_status())?),
            "limits" => json_of(block(backfill.limits())?),
            "limit" => json_of(block(backfill.limit(limits(given)))?),
            "failed_summary" => json_of(block(backfill.failed_summary())?),
            "failed_documents" => failed_documents(&backfill, given)?,
            "redrive" => json_of(block(backfill.redrive(failed_filter(given)))?),
            "report" => json_of(block(backfill.report())?),
            "wait" => json_of(block(backfill.wait())?),
            "events" => names_of(&events)?,
            other => panic!("no verb {other} of a backfill"),
        })
    }

    /// Puts names in their places.
    fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                // The longest name first: none is the beginning of another by accident.
                let mut names: Vec<_> = self.names.iter().collect();
                names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
                let fill = |text: String, (name, value): (&String, &String)| {
                    text.replace(&format!("${name}"), value)
                };
                names.into_iter().fold(text.clone(), fill).into()
            }
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.fill(value))).collect()
            }
            other => other.clone(),
        }
    }
}

fn options(of: &Map<String, Value>) -> BackfillOptions {
    let mut options = BackfillOptions::default();
    for (name, value) in of {
        let said = || value.as_str().map(str::to_owned);
        match name.as_str() {
            "target" => options.target = said().unwrap(),
            "repository" => options.repository = said(),
            "snapshot" => options.snapshot = said(),
            "coordinator" => options.coordinator = said(),
            "state" => options.state = said(),
            "types" => options.types = said(),
            "indices" => options.indices = serde_json::from_value(value.clone()).unwrap(),
            "max_docs_per_second" => options.max_docs_per_second = value.as_u64(),
            "bulk_documents" => options.bulk_documents = value.as_u64(),
            other => panic!("no option {other}"),
        }
    }
    options
}

fn limits(given: &Map<String, Value>) -> RateLimits {
    RateLimits {
        documents_per_second: given["documents_per_second"].as_u64(),
        bytes_per_second: given["bytes_per_second"].as_u64(),
    }
}

fn failed_filter(given: &Map<String, Value>) -> FailedFilter {
    let names = |name| {
        let said = given.get(name).cloned().unwrap_or_else(|| json!([]));
        serde_json::from_value(said).unwrap()
    };
    FailedFilter { indices: names("indices"), classes: names("classes") }
}

fn failed_documents(backfill: &Backfill, given: &Map<String, Value>) -> Outcome {
    let stream = backfill.failed_documents(failed_filter(given))?;
    let (mut found, max) = (Vec::new(), number(given, "batch").unwrap_or(1000));
    loop {
        let batch = block(Arc::clone(&stream).next_batch(max))?;
        if batch.is_empty() {
            return Ok(found.into());
        }
        assert!(batch.len() as u64 <= u64::from(max));
        found.extend(batch.into_iter().map(json_of));
    }
}

fn scale_gradually(backfill: &Backfill, given: &Map<String, Value>) -> Outcome {
    let options = GradualOptions {
        step: number(given, "step"),
        settle: number(given, "settle").map(|seconds| Duration::from_secs(seconds.into())),
        max_cpu_percent: number(given, "max_cpu_percent")
            .map(|percent| percent.try_into().unwrap()),
        worst_status: may_say(given, "worst_status"),
        ..GradualOptions::default()
    };
    let scaling = backfill.scale_gradually(number(given, "workers").unwrap(), options)?;
    let mut steps = Vec::new();
    while let Some(step) = block(Arc::clone(&scaling).next())? {
        steps.push(json_of(step));
    }
    Ok(steps.into())
}

/// What is done without a backfill.
fn alone(verb: &str, given: &Map<String, Value>) -> Outcome {
    if verb == "write" {
        let file = PathBuf::from(text(given, "file"));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text(given, "text")).unwrap();
        return Ok(Value::Null);
    }
    if verb == "tell" {
        tell(&text(given, "url"), &given["say"]);
        return Ok(Value::Null);
    }
    if let Some(verb) = verb.strip_prefix("cluster_") {
        let cluster = Cluster::new(text(given, "address"), ClusterOptions::default())?;
        return Ok(match verb {
            "info" => json_of(block(cluster.info())?),
            "indices" => json_of(block(cluster.indices())?),
            "count" => json_of(block(cluster.count(text(given, "index")))?),
            other => panic!("no verb {other} of a cluster"),
        });
    }
    let repository = Repository::new(text(given, "repository"), RepositoryOptions::default());
    if verb == "snapshots" {
        return Ok(json_of(block(repository.snapshots())?));
    }
    let snapshot = repository.snapshot(text(given, "snapshot"));
    match verb {
        "info" => Ok(json_of(block(snapshot.info())?)),
        "indices" => Ok(json_of(block(snapshot.indices())?)),
        "documents" => {
            let stream = snapshot.documents(may_say(given, "index"), number(given, "shard"));
            documents(&stream, number(given, "batch").unwrap_or(1000))
        }
        other => panic!("no verb {other}"),
    }
}

/// Tells a fake something.
fn tell(url: &str, say: &Value) {
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let body = say.to_string();
    write!(stream, "POST /{path} HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    assert!(answer.contains("200"), "{url}: {answer}");
}

fn documents(stream: &Arc<DocumentStream>, max: u32) -> Outcome {
    let mut found = Vec::new();
    while let Some(batch) = block(Arc::clone(stream).next_batch(max))? {
        assert!((1..=u64::from(max)).contains(&batch.count()));
        found.extend(batch.documents().into_iter().map(|one| {
            json!({
                "index": one.index, "shard": one.shard, "id": one.id, "routing": one.routing, "type": one.doc_type,
                "parent": one.parent, "source": String::from_utf8(one.source).unwrap(),
            })
        }));
    }
    Ok(json!({ "count": found.len(), "skipped": stream.skipped(), "documents": found }))
}

fn names_of(events: &Arc<EventStream>) -> Outcome {
    let mut names = Vec::new();
    loop {
        let batch = block(Arc::clone(events).next_batch(1000))?;
        if batch.is_empty() {
            return Ok(names.into());
        }
        names.extend(batch.iter().map(|event| json_of(event)["event"].clone()));
    }
}

/// Whether a result has what is expected of it.
fn holds(actual: &Value, expected: &Value) -> bool {
    match expected {
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("at_least") => {
            actual.as_u64() >= fields["at_least"].as_u64()
        }
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("length") => {
            actual.as_array().map(|items| items.len() as u64) == fields["length"].as_u64()
        }
        Value::Object(fields) => fields
            .iter()
            .all(|(name, expected)| actual.get(name).is_some_and(|actual| holds(actual, expected))),
        Value::Array(items) => items.iter().all(|expected| {
            actual.as_array().is_some_and(|all| all.iter().any(|actual| holds(actual, expected)))
        }),
        other => actual == other,
    }
}

#[test]
fn the_facade_does_what_every_language_must() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").canonicalize().unwrap();
    let mut scenarios: Vec<PathBuf> = fs::read_dir(tests.join("conformance"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    scenarios.sort();
    assert!(!scenarios.is_empty());
    for path in scenarios {
        let scenario: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let place = |path: &Path| path.to_str().unwrap().to_owned();
        let cluster = FakeCluster::start();
        let names = [
            ("cluster".to_owned(), cluster.url().to_owned()),
            ("fixtures".to_owned(), place(&tests.join("fixtures"))),
            ("tmp".to_owned(), place(folder.path())),
        ];
        let mut client = Client { names: names.into(), backfills: HashMap::new() };
        for step in scenario["steps"].as_array().unwrap() {
            println!("{}: {step}", path.display());
            client.step(step);
        }
    }
}
