//! How fast a run may send, said and changed from the command line.

use std::io::{BufRead, BufReader};

use snapfill_harness::{Server, Version, runs};
use snapfill_tests::fixtures::{Fixture, assert_same};
use snapfill_tests::node::{by_index, documents_of};

use crate::program::{command, path, run_arguments, snapfill};

#[test]
fn ceilings_are_kept_with_the_run_and_changed_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("filled");
    let fixture = Fixture::named("opensearch-2.19.6");
    let mut run = run_arguments(fixture, "snap-2", &target);
    let paced = ["--index", "shapes", "--max-docs-per-second", "1000000", "--bulks-in-flight", "2"];
    run.extend(paced.map(str::to_owned));
    snapfill(run).ends_with(0);
    let limit = |more: &[&str]| {
        snapfill([&["backfill", "limit", "--target", &path(&target)][..], more].concat())
    };
    let of = |documents: &str| format!("At most {documents} a second from each worker process\n");
    assert_eq!(limit(&[]).ends_with(0).stdout, of("1 000 000 documents"));
    let both = limit(&["--bytes-per-second", "5242880"]).ends_with(0);
    assert!(both.stdout.contains("and 5mb a second"), "{both:?}");
    let bytes = limit(&["--docs-per-second", "none"]).ends_with(0);
    assert_eq!(bytes.stdout, of("5mb"));
    let json = limit(&["--json"]).ends_with(0).json();
    assert_eq!(json["limits"]["bytesPerSecond"], 5_242_880);
    assert!(json["limits"]["documentsPerSecond"].is_null());
    let status =
        snapfill(["backfill", "status", "--target", &path(&target), "--deep-check"]).ends_with(0);
    assert!(status.stdout.ends_with(&of("5mb")), "{status:?}");
    assert!(limit(&["--docs-per-second", "0"]).ends_with(2).stderr.contains("or none"));
    assert_eq!(limit(&["--bytes-per-second", "none"]).ends_with(0).stdout, "No ceiling\n");
}

#[test]
fn there_is_nothing_to_limit_where_nothing_runs() {
    let folder = tempfile::tempdir().unwrap();
    let target = path(folder.path());
    snapfill(["backfill", "limit", "--target", &target, "--docs-per-second", "5"])
        .fails_with(1, &[]);
}

#[test]
fn an_index_that_a_real_server_blocks_is_waited_for_and_filled() {
    if !runs(Version::OpenSearch2_19_6) {
        return;
    }
    let fixture = Fixture::named("opensearch-2.19.6");
    let server = Server::start(Version::OpenSearch2_19_6).unwrap();
    // As the flood-stage watermark does it.
    let blocked = |how: &str| format!(r#"{{"index.blocks.read_only_allow_delete":{how}}}"#);
    server.call("PUT", "/shapes", r#"{"mappings":{"dynamic":false}}"#).unwrap();
    server.call("PUT", "/shapes/_settings", &blocked("true")).unwrap();
    let state = tempfile::tempdir().unwrap();
    let (repo, state) = (path(&fixture.repository()), path(state.path()));
    let run = ["run", &repo, "snap-2", server.url(), "--state", &state, "--index", "shapes"];
    let mut child = command(run).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
    let paused = told.find(|line| line.as_ref().unwrap().starts_with("Sending is paused"));
    let paused = paused.unwrap().unwrap();
    assert!(paused.contains("no documents for shapes"), "{paused}");
    let status =
        ["backfill", "status", "--target", server.url(), "--state", &state, "--deep-check"];
    // The pause is written into the run a moment later.
    while !snapfill(status).ends_with(0).stdout.contains(&paused) {
        assert!(child.try_wait().unwrap().is_none());
    }
    server.call("PUT", "/shapes/_settings", &blocked("null")).unwrap();
    assert!(told.any(|line| line.unwrap().starts_with("Sending goes on")));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let expected = by_index(fixture.expected_with_source("snap-2"));
    assert_same(&documents_of(&server, "shapes"), &expected["shapes"], "shapes");
}
