//! Targets that are clusters.

use snapfill_harness::{Server, Version, runs};
use snapfill_tests::fixtures::{Fixture, assert_same};
use snapfill_tests::node::{by_index, documents_of};

use crate::program::{path, snapfill};

/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:1";

#[test]
fn a_cluster_that_is_away_is_said_to_be_in_one_line() {
    let ended = snapfill(["clusters", "connection-check", "--target", NOBODY]).ends_with(1);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.starts_with("error: cannot connect to the target: "), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1);
    let told = snapfill(["clusters", "info", "--target", NOBODY, "--json"]).ends_with(1);
    assert_eq!(told.json()["error"]["kind"], "unavailable");
}

#[test]
fn passwords_stay_out_of_addresses_and_of_output() {
    let ended =
        snapfill(["clusters", "info", "--target", "https://me:hunter2@127.0.0.1:1"]).ends_with(2);
    assert!(ended.stderr.contains("give them apart from it"), "{ended:?}");
    assert!(!ended.stderr.contains("hunter2"));
    let variable = ["--target-user", "me", "--target-password-env", "SNAPFILL_TEST_NOT_SET"];
    let ended =
        snapfill([&["clusters", "info", "--target", NOBODY][..], &variable].concat()).ends_with(2);
    assert!(ended.stderr.contains("SNAPFILL_TEST_NOT_SET, which is not set"), "{ended:?}");
}

#[test]
fn what_is_for_clusters_only_is_refused_with_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let ended =
        snapfill(["clusters", "info", "--target", &path(folder.path()), "--allow-insecure"])
            .ends_with(2);
    assert!(
        ended.stderr.contains("--allow-insecure is for targets that are clusters"),
        "{ended:?}"
    );
}

#[test]
fn a_run_that_this_machine_does_not_know_is_said_to_be_unknown() {
    let state = tempfile::tempdir().unwrap();
    let state = path(state.path());
    let local = ["--coordinator", "local", "--state", &state];
    let asked = ["backfill", "status", "--target", NOBODY];
    let ended = snapfill([&asked[..], &local].concat()).ends_with(1);
    assert!(ended.stderr.contains("knows of no run into http://127.0.0.1:1"), "{ended:?}");
}

#[test]
fn a_real_cluster_is_filled_and_shows_it() {
    if !runs(Version::OpenSearch2_19_6) {
        return;
    }
    let fixture = Fixture::named("opensearch-2.19.6");
    let server = Server::start(Version::OpenSearch2_19_6).unwrap();
    let state = tempfile::tempdir().unwrap();
    let (repository, state) = (path(&fixture.repository()), path(state.path()));
    let indices = ["--index", "shapes", "--index", "routed", "--index", "best"];
    let run = [
        "backfill",
        "run",
        "--repo",
        &repository,
        "--snapshot",
        "snap-2",
        "--state",
        &state,
        "--target",
    ];
    let run = [&run[..], &[server.url()], &indices].concat();
    let ended = snapfill(run.clone()).ends_with(0);
    assert!(ended.stdout.ends_with("\nBackfill complete: all 8 shards done\n"), "{ended:?}");
    assert!(
        !ended.stderr.contains(&state),
        "nothing but failed documents is kept there: {ended:?}"
    );
    let again = snapfill(run).ends_with(0);
    assert_eq!(again.stdout, ended.stdout);

    let listed = snapfill(["clusters", "cat-indices", "--target", server.url(), "--json"])
        .ends_with(0)
        .json();
    let expected = by_index(fixture.expected_with_source("snap-2"));
    for index in ["shapes", "routed", "best"] {
        assert_same(&documents_of(&server, index), &expected[index], index);
        let rows = listed["target_cluster"].as_array().unwrap();
        let row = rows.iter().find(|row| row["index"] == index).unwrap();
        let listed: usize = row["docs.count"].to_string().trim_matches('"').parse().unwrap();
        let count = expected[index].len();
        // Nested documents are counted, too.
        assert!(listed == count || (index == "shapes" && listed > count), "{row}");
    }
    let both = ["clusters", "cat-indices", "--source", server.url(), "--target", server.url()];
    let both = snapfill([&both[..], &["--json"]].concat()).ends_with(0).json();
    assert_eq!(names_of(&both["source_cluster"]), names_of(&both["target_cluster"]));
    let status =
        ["backfill", "status", "--target", server.url(), "--state", &state, "--deep-check"];
    assert!(snapfill(status).ends_with(0).stdout.ends_with(&ended.stdout));
    let said =
        snapfill(["clusters", "connection-check", "--target", server.url()]).ends_with(0).stdout;
    assert_eq!(
        said,
        format!(
            "TARGET CLUSTER\nSuccessfully connected to OpenSearch 2.19.6 at {}\n",
            server.url()
        )
    );
}

fn names_of(rows: &serde_json::Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["index"].as_str().unwrap()).collect()
}

#[test]
fn what_a_real_cluster_refuses_is_sent_again_when_its_mapping_is_mended() {
    if !runs(Version::OpenSearch2_19_6) {
        return;
    }
    let fixture = Fixture::named("opensearch-2.19.6");
    let server = Server::start(Version::OpenSearch2_19_6).unwrap();
    let state = tempfile::tempdir().unwrap();
    let (repository, state) = (path(&fixture.repository()), path(state.path()));
    let mapping =
        |kind: &str| format!(r#"{{"mappings": {{"properties": {{"n": {{"type": "{kind}"}}}}}}}}"#);
    server.call("PUT", "/five", &mapping("ip")).unwrap();
    let of_run = ["--target", server.url(), "--state", &state];
    let run = ["backfill", "run", "--repo", &repository, "--snapshot", "snap-2", "--index", "five"];
    let ended = snapfill([&run[..], &of_run].concat()).ends_with(3);
    assert!(ended.stdout.contains(" 7 live = 0 written + 7 failed + 0 skipped\n"), "{ended:?}");
    let failed = |words: &[&str]| snapfill([&["backfill", "failed"], words, &of_run].concat());
    let told = failed(&["summary", "--json"]).ends_with(0).json();
    assert_eq!((&told["total"], &told["groups"][0]["class"]), (&7.into(), &"mapping".into()));
    assert!(failed(&["redrive"]).ends_with(1).stdout.starts_with("0 documents taken, 7 still"));
    server.call("DELETE", "/five", "").unwrap();
    server.call("PUT", "/five", &mapping("long")).unwrap();
    assert_eq!(failed(&["redrive"]).ends_with(0).stdout, "7 documents taken, 0 still refused\n");
    server.call("POST", "/five/_refresh", "").unwrap();
    let expected = by_index(fixture.expected_with_source("snap-2"));
    assert_same(&documents_of(&server, "five"), &expected["five"], "five");
}
