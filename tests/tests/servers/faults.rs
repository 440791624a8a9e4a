//! Behind a proxy that misbehaves, a run ends with the same documents, and knows when to stop asking.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use snapfill::SystemClock;
use snapfill::cluster::{ClusterClient, HttpCluster, HttpConfig};
use snapfill::controller::{BackfillController, LocalBackfill, RunEnd};
use snapfill::failed::{FailureClass, Redrive};
use snapfill::settings::BackfillSettings;
use snapfill_harness::{Fault, FaultProxy, Faults, Server, Version, shared};
use snapfill_tests::fixtures::{Fixture, Line, assert_same};
use snapfill_tests::node::{by_index, documents_of};

use super::runtime;

const VERSION: Version = Version::OpenSearch2_19_6;
const INDICES: [&str; 5] = ["shapes", "routed", "best", "five", "merged"];

/// How long the client waits for an answer that does not come.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is tried, each with its name: some requests go wrong like this, a few where it costs `PATIENCE`.
fn modes() -> Vec<(&'static str, Faults)> {
    let late = Fault::Late(Duration::from_millis(200));
    let resets = [Fault::ResetBefore, Fault::ResetAfter];
    let silent = [Fault::HalfOpen, Fault::Silence];
    let broken = [Fault::CutShort, Fault::HalfJson, Fault::Nonsense];
    vec![
        ("late", Faults::new(1, &[late])),
        ("reset", Faults::new(2, &resets)),
        ("half-open", Faults::new(3, &silent).at_most(4)),
        ("storm", Faults::new(4, &[Fault::TooMany(None)]).in_a_row(4).at_most(16)),
        ("asked-to-wait", Faults::new(5, &[Fault::TooMany(Some(1))]).in_a_row(2).at_most(8)),
        ("away", Faults::new(6, &[Fault::Unavailable]).in_a_row(3).at_most(15)),
        ("broken", Faults::new(7, &broken)),
        ("everything", Faults::new(8, &[&resets[..], &silent[..1], &broken].concat()).at_most(12)),
    ]
}

/// A run through the proxy, its indices under a prefix of their own.
struct Run {
    _state: tempfile::TempDir,
    backfill: LocalBackfill,
    cluster: Arc<HttpCluster>,
}

impl Run {
    fn new(proxy: &FaultProxy, prefix: &str, change: impl FnOnce(&mut BackfillSettings)) -> Self {
        let state = tempfile::tempdir().unwrap();
        let repository = Fixture::named(VERSION.name()).repository().display().to_string();
        let mut settings = BackfillSettings::new(repository, "snap-2", state.path());
        settings.indices = INDICES.map(str::to_owned).to_vec();
        settings.rename.prefix = prefix.to_owned();
        settings.workers = 3;
        settings.bulk.documents = 20;
        change(&mut settings);
        let mut config = HttpConfig::new([proxy.url()]).unwrap();
        config.timeout = PATIENCE;
        let cluster = Arc::new(HttpCluster::new(config).unwrap());
        let builder = LocalBackfill::builder(settings).with_cluster(Arc::clone(&cluster) as _);
        Self { _state: state, backfill: builder.build().unwrap(), cluster }
    }

    async fn end(&self) -> RunEnd {
        self.backfill.start().await.unwrap();
        self.backfill.wait().await.unwrap()
    }
}

/// Every document is there, and no other; the indices go.
fn hold_the_same(server: &Server, prefix: &str) {
    let expected = by_index(Fixture::named(VERSION.name()).expected_with_source("snap-2"));
    for index in INDICES {
        let name = format!("{prefix}{index}");
        server.call("POST", &format!("/{name}/_refresh"), "").unwrap();
        let of_target = |line: &Line| Line { index: name.clone(), ..line.clone() };
        let expected: Vec<Line> = expected[index].iter().map(of_target).collect();
        assert_same(&documents_of(server, &name), &expected, &name);
        server.call("DELETE", &format!("/{name}"), "").unwrap();
    }
}

#[test]
fn a_run_behind_faults_ends_with_the_same_documents() {
    let Some(server) = shared(VERSION) else { return };
    let proxy = FaultProxy::start(server.http()).unwrap();
    let runtime = runtime();
    let plain = Run::new(&proxy, "plain-", |_| {});
    assert_eq!(runtime.block_on(plain.end()), RunEnd::Completed);
    hold_the_same(&server, "plain-");
    let least = proxy.counts().bulks;
    for (name, faults) in modes() {
        proxy.misbehave(faults);
        let prefix = format!("{name}-");
        let run = Run::new(&proxy, &prefix, |_| {});
        assert_eq!(runtime.block_on(run.end()), RunEnd::Completed, "{name}");
        let work = runtime.block_on(run.backfill.deep_status()).unwrap().work;
        let books = &work.books;
        assert_eq!(
            (books.failed, books.overwritten, books.present),
            (0, 0, 0),
            "{name}: {books:?}"
        );
        hold_the_same(&server, &prefix);
        let counts = proxy.counts();
        assert!(counts.faults > 0, "{name}: nothing went wrong");
        // Each that went wrong is sent once more; a slow machine may find some more late.
        let most = least + 2 * counts.faults + 5;
        assert!((least..=most).contains(&counts.bulks), "{name}: {counts:?}, {least} without");
    }
}

/// Bytes that a request may have.
const LIMIT: usize = 1 << 20;

/// A snapshot of an index `big`, made by the server: one of its documents is longer than [`LIMIT`].
fn make_snapshot(server: &Server) -> Vec<String> {
    let ids: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    let definition =
        json!({"mappings": {"properties": {"text": {"type": "text", "index": false}}}});
    server.call("PUT", "/big", &definition.to_string()).unwrap();
    let mut body = String::new();
    for (place, id) in ids.iter().enumerate() {
        let text = "x".repeat(if place == 77 { LIMIT + LIMIT / 2 } else { 10_000 });
        body += &format!("{}\n{}\n", json!({"index": {"_id": id}}), json!({ "text": text }));
    }
    let answer = server.call("POST", "/big/_bulk?refresh=true", &body).unwrap();
    assert_eq!(answer["errors"], false);
    let repository = json!({"type": "fs", "settings": {"location": server.repo_dir()}});
    server.call("PUT", "/_snapshot/big", &repository.to_string()).unwrap();
    let path = "/_snapshot/big/snap-2?wait_for_completion=true";
    server.call("PUT", path, r#"{"indices":"big"}"#).unwrap();
    ids
}

fn ids_of(server: &Server, index: &str) -> Vec<String> {
    server.call("POST", &format!("/{index}/_refresh"), "").unwrap();
    let mut ids: Vec<_> = documents_of(server, index).into_iter().map(|line| line.id).collect();
    ids.sort_by_key(|id| id.parse::<u32>().unwrap());
    ids
}

#[test]
fn one_document_over_the_limit_fails_alone_until_the_limit_is_raised() {
    let Some(server) = shared(VERSION) else { return };
    let ids = make_snapshot(&server);
    let proxy = FaultProxy::start(server.http()).unwrap();
    proxy.set_limit(LIMIT);
    let run = Run::new(&proxy, "limited-", |settings| {
        settings.repository = server.repo_dir().display().to_string();
        settings.indices = vec!["big".to_owned()];
        settings.bulk.documents = 1000;
    });
    runtime().block_on(async {
        assert_eq!(run.end().await, RunEnd::CompletedWithErrors);
        let books = run.backfill.deep_status().await.unwrap().work.books;
        assert_eq!((books.written, books.failed, books.overwritten), (199, 1, 0));
        let without: Vec<_> = ids.iter().filter(|id| *id != "77").cloned().collect();
        assert_eq!(ids_of(&server, "limited-big"), without);
        let counts = proxy.counts();
        assert!(counts.too_large > 0 && counts.bulks < 40, "{counts:?}");

        let log = run.backfill.failed_documents().await.unwrap();
        let mut failed = Vec::new();
        let mut documents = log.documents().await.unwrap();
        while let Some(page) = documents.next().await {
            failed.extend(page.unwrap());
        }
        let [failed] = &failed[..] else { panic!("{} failed", failed.len()) };
        assert_eq!((failed.id.as_str(), failed.class), ("77", FailureClass::TooLarge));

        proxy.set_limit(usize::MAX);
        let clock = Arc::new(SystemClock::new());
        let redrive =
            Redrive::new(log, Arc::clone(&run.cluster) as Arc<dyn ClusterClient>, clock, PATIENCE);
        let redriven = redrive.run().await.unwrap();
        assert_eq!((redriven.written, redriven.failed), (1, 0), "{redriven:?}");
        assert_eq!(redrive.run().await.unwrap().written, 0, "what was taken is sent again");
    });
    assert_eq!(ids_of(&server, "limited-big"), ids);
    let expected: Vec<Line> = documents_of(&server, "big")
        .into_iter()
        .map(|line| Line { index: "limited-big".to_owned(), ..line })
        .collect();
    assert_same(&documents_of(&server, "limited-big"), &expected, "limited-big");
}
