use super::*;
use crate::KubernetesFleet;
use snapfill::Clock;
use snapfill::cluster::LocalCluster;
use snapfill::testkit::{BulkFault, FaultyCluster};
use snapfill_tests::fixtures::FIXTURES;

mod transform;

fn block<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    runtime::wait(work, || Ok(()))
}

fn options(target: &Path) -> BackfillOptions {
    let fixture = FIXTURES.iter().find(|fixture| fixture.name == "opensearch-3.8.0").unwrap();
    BackfillOptions {
        target: target.to_str().unwrap().to_owned(),
        repository: Some(fixture.repositories()[0].folder.to_str().unwrap().to_owned()),
        snapshot: Some("snap-2".to_owned()),
        workers: Some(2),
        ..BackfillOptions::default()
    }
}

#[test]
fn a_backfill_runs_tells_what_happens_and_is_known_to_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let backfill = Backfill::new(options(folder.path())).unwrap();
    let plan = block(Arc::clone(&backfill).plan()).unwrap();
    assert!(plan.indices.iter().any(|index| index.name == "shapes" && index.decision == "migrate"));

    let events = backfill.events();
    block(Arc::clone(&backfill).start()).unwrap();
    let mut names = Vec::new();
    loop {
        let batch = block(Arc::clone(&events).next_batch(50)).unwrap();
        if batch.is_empty() {
            break;
        }
        names.extend(
            batch.iter().map(|event| serde_json::to_value(event).unwrap()["event"].clone()),
        );
    }
    for name in ["planned", "item_started", "progress", "item_completed", "worker_ended"] {
        assert!(names.iter().any(|told| told == name), "{name} is not in {names:?}");
    }
    let end = block(Arc::clone(&backfill).wait()).unwrap();
    let deep = block(backfill.deep_status()).unwrap();
    assert_eq!(deep.end, Some(end));
    assert_eq!(deep.state, "STOPPED");
    assert!(deep.work.books.written > 0);

    let target = folder.path().to_str().unwrap().to_owned();
    let other = Backfill::new(BackfillOptions { target, ..BackfillOptions::default() }).unwrap();
    assert_eq!(block(other.deep_status()).unwrap().work.books.written, deep.work.books.written);
}

#[test]
fn a_stopped_backfill_is_restored() {
    let (folder, archives) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let backfill = Backfill::new(options(folder.path())).unwrap();
    block(Arc::clone(&backfill).start()).unwrap();
    block(Arc::clone(&backfill).wait()).unwrap();
    let place = archives.path().to_str().unwrap().to_owned();
    let file = block(Arc::clone(&backfill).stop(Some(place))).unwrap().unwrap();
    let refused = block(Arc::clone(&backfill).start()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::State);
    block(Arc::clone(&backfill).restore(file)).unwrap();
    assert!(block(backfill.deep_status()).unwrap().end.is_some());
}

#[test]
fn options_for_clusters_are_refused_for_a_folder() {
    let mut wrong = options(Path::new("./never-made"));
    wrong.target_options.user = Some("filler".to_owned());
    assert_eq!(Backfill::new(wrong).unwrap_err().kind(), ErrorKind::Config);
    let mut wrong = options(Path::new("./never-made"));
    wrong.coordinator = Some("local".to_owned());
    assert_eq!(Backfill::new(wrong).unwrap_err().kind(), ErrorKind::Config);
    assert!(!Path::new("./never-made").exists());
}

#[test]
fn a_configuration_file_says_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let repository = options(folder.path()).repository.unwrap();
    let file = folder.path().join("snapfill.toml");
    let text = format!(
        "[source]\nrepository = \"{repository}\"\nsnapshot = \"snap-2\"\n[target]\nendpoint = \"./filled\"\n\
         [backfill]\nindices = [\"shapes\"]\n"
    );
    std::fs::write(&file, text).unwrap();
    let backfill = Backfill::from_config(file.to_str().unwrap().to_owned()).unwrap();
    block(Arc::clone(&backfill).start()).unwrap();
    assert_eq!(block(Arc::clone(&backfill).wait()).unwrap(), "completed");
    assert_eq!(block(backfill.deep_status()).unwrap().work.indices.len(), 1);
    assert!(folder.path().join("filled").is_dir(), "the target is beside the file");

    std::fs::write(&file, "[target]\nendpoint = 7\n").unwrap();
    let refused = Backfill::from_config(file.to_str().unwrap().to_owned()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config);
    assert!(refused.to_string().contains("snapfill.toml"), "{refused}");
}

#[test]
fn workers_are_in_one_place_that_has_a_name() {
    let target = Path::new("./never-made");
    let ecs = |cluster: &str| crate::EcsFleet {
        cluster: cluster.to_owned(),
        service: "snapfill".to_owned(),
        ..Default::default()
    };
    let pods = KubernetesFleet { deployment: "snapfill".to_owned(), ..Default::default() };
    let mut both = options(target);
    (both.ecs, both.kubernetes) = (Some(ecs("migration")), Some(pods));
    assert_eq!(Backfill::new(both).unwrap_err().kind(), ErrorKind::Config);
    let mut nameless = options(target);
    nameless.ecs = Some(ecs(""));
    assert_eq!(Backfill::new(nameless).unwrap_err().kind(), ErrorKind::Config);
}

/// Takes more than a minute unless it is interrupted.
fn endless(target: &Path) -> BackfillOptions {
    BackfillOptions {
        indices: vec!["shapes".to_owned()],
        workers: Some(1),
        max_docs_per_second: Some(5),
        bulk_documents: Some(5),
        bulks_in_flight: Some(1),
        ..options(target)
    }
}

#[test]
fn an_interrupted_backfill_is_paused_and_goes_on_where_it_stood() {
    let folder = tempfile::tempdir().unwrap();
    let backfill = Backfill::new(endless(folder.path())).unwrap();
    block(Arc::clone(&backfill).interrupt()).unwrap();
    assert!(folder.path().read_dir().unwrap().next().is_none(), "nothing was opened for it");

    let events = backfill.events();
    block(Arc::clone(&backfill).start()).unwrap();
    let has_begun = |batch: &[crate::Event]| {
        batch.iter().any(|event| matches!(event, crate::Event::Progress { .. }))
    };
    while !has_begun(&block(Arc::clone(&events).next_batch(50)).unwrap()) {}
    block(Arc::clone(&backfill).interrupt()).unwrap();
    let ended = block(Arc::clone(&backfill).wait()).unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::Cancelled);
    let deep = block(Arc::clone(&backfill).deep_status()).unwrap();
    assert_eq!((deep.fleet.running, deep.end), (0, None));
    assert!(deep.work.books.written > 0, "{:?}", deep.work.books);

    let faster = BackfillOptions { max_docs_per_second: Some(1_000_000), ..endless(folder.path()) };
    let again = Backfill::new(faster).unwrap();
    block(Arc::clone(&again).start()).unwrap();
    assert_eq!(block(Arc::clone(&again).wait()).unwrap(), "completed");
    let books = block(again.deep_status()).unwrap().work.books;
    assert_eq!((books.written, books.failed), (348, 0));
}

#[test]
fn an_interruption_reaches_the_workers_of_this_process_alone() {
    let here = Backfill::new(options(Path::new("./never-made"))).unwrap();
    assert!(here.control.has_workers_here().unwrap());
    let ecs = crate::EcsFleet {
        cluster: "migration".to_owned(),
        service: "snapfill".to_owned(),
        ..Default::default()
    };
    let elsewhere = BackfillOptions { ecs: Some(ecs), ..options(Path::new("./never-made")) };
    assert!(!Backfill::new(elsewhere).unwrap().control.has_workers_here().unwrap());
}

#[test]
fn an_interruption_waits_no_longer_than_a_moment_for_a_slow_target() {
    const SLOW: Duration = Duration::from_secs(60);
    let folder = tempfile::tempdir().unwrap();
    let backfill = Backfill::new(endless(folder.path())).unwrap();
    let local = Arc::new(LocalCluster::open(folder.path()).unwrap());
    let clock = Arc::new(SystemClock::new());
    let target = FaultyCluster::new(local, Arc::clone(&clock) as _);
    let target = Arc::new(target.on_bulk(|_, _| BulkFault::Delay(SLOW)));
    let settings = backfill.control.settings(folder.path().to_owned()).unwrap();
    let builder = LocalBackfill::builder(settings).with_cluster(Arc::clone(&target) as _);
    let opened = Arc::new(builder.build().unwrap().over_any());
    assert!(backfill.control.opened.set(opened).is_ok());

    block(Arc::clone(&backfill).start()).unwrap();
    let a_bulk_is_out = async {
        while target.bulks() == 0 {
            tokio::task::yield_now().await;
        }
        Ok(())
    };
    block(a_bulk_is_out).unwrap();
    let began = clock.monotonic();
    block(Arc::clone(&backfill).interrupt()).unwrap();
    assert!(clock.monotonic() - began < SLOW / 2);
    let fleet = block(backfill.status()).unwrap().fleet;
    assert_eq!((fleet.desired, fleet.terminating), (0, 1), "it is on its way out");
}
