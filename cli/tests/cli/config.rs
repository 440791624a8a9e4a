//! Configuration files: ours, and those of the Migration Assistant.

use std::path::{Path, PathBuf};

use snapfill_tests::fixtures::Fixture;
use snapfill_tests::platform::FakeCluster;

use crate::program::{SNAPFILL, command, path, snapfill};

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

/// A configuration whose target is a folder beside it.
fn local(folder: &Path, more: &str) -> PathBuf {
    let repository = path(&Fixture::named("elasticsearch-7.10.2").repository());
    let text = format!(
        "[source]\nrepository = '{repository}'\nsnapshot = 'snap-1'\n[target]\nendpoint = 'filled'\n{more}"
    );
    write(folder, "snapfill.toml", &text)
}

#[test]
fn a_run_and_all_that_is_about_it_are_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(&local(folder.path(), "[backfill]\nworkers = 2\n"));
    snapfill(["--config-file", &file, "backfill", "run"]).ends_with(0);
    assert!(folder.path().join("filled/snapfill.db").is_file(), "relative to the file");
    let status = command(["backfill", "status", "--deep-check"]);
    let ended = from_environment(status, &file);
    assert!(ended.stdout.contains("Shards completed: 8\n"), "{ended:?}");
    for line in [
        &["backfill", "plan"][..],
        &["clusters", "cat-indices"],
        &["snapshot", "list"],
        &["snapshot", "describe"],
    ] {
        from_environment(command(line), &file);
    }
    let other = path(&folder.path().join("other"));
    let typed = ["--config-file", &file, "backfill", "status", "--target", &other];
    snapfill(typed).fails_with(1, &["other"]);
}

fn from_environment(mut command: std::process::Command, file: &str) -> crate::program::Ended {
    let ended: crate::program::Ended =
        command.env("SNAPFILL_CONFIG", file).output().unwrap().into();
    ended.ends_with(0)
}

#[test]
fn what_is_missing_is_said_with_where_it_may_stand() {
    let ended = snapfill(["backfill", "run"]).ends_with(2);
    for word in ["--repo", "--snapshot", "--target", "--config-file", "SNAPFILL_CONFIG"] {
        assert!(ended.stderr.contains(word), "{ended:?}");
    }
    snapfill(["clusters", "cat-indices"]).fails_with(2, &["nothing to list"]);
}

#[test]
fn a_file_that_is_wrong_is_told_by_its_line_and_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(&local(folder.path(), "[backfill]\nworker = 2\n"));
    let wrong = format!("{file}:7:1: there is no `worker`; did you mean `workers`?");
    snapfill(["--config-file", &file, "backfill", "run"]).fails_with(2, &[&wrong]);
    snapfill(["config", "check", &file]).fails_with(1, &[&wrong]);
    let told = snapfill(["--json", "--config-file", &file, "backfill", "run"]).ends_with(2).json();
    assert_eq!(told["error"]["kind"], "config");
    snapfill(["--config-file", "/no/such.toml", "backfill", "run"])
        .fails_with(2, &["/no/such.toml"]);
    snapfill(["config", "check"]).fails_with(2, &["--config-file"]);
}

#[test]
fn a_check_says_what_was_understood_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let text = "target_cluster:\n  endpoint: https://target:9200\n  basic_auth:\n    username: filler\n    password: hunter2\n\
                kafka:\n  standard:\nbackfill:\n  reindex_from_snapshot:\n    docker:\n    scale: 5\n";
    let file = path(&write(folder.path(), "services.yaml", text));
    let ended = snapfill(["config", "check", &file]).ends_with(0);
    assert!(!ended.stdout.contains("hunter2"), "{ended:?}");
    let expected = format!(
        "{file} is in order (services.yaml of the Migration Assistant). What it says:\n\n\
         target:\n  endpoint: https://target:9200\n  auth:\n    basic:\n      user: filler\n      password: \"********\"\n\
         backfill:\n  workers: 5\nfleet: processes\n\nNote: `kafka` is not for snapfill and is ignored\n"
    );
    assert_eq!(ended.stdout, expected);
    let told = snapfill(["config", "check", &file, "--json"]).ends_with(0).json();
    assert_eq!(told["format"], "services");
    assert_eq!(told["config"]["fleet"], "processes");
    assert_eq!(told["notes"].as_array().unwrap().len(), 1);
    assert!(!told.to_string().contains("hunter2"));
}

#[test]
fn the_example_of_the_page_is_in_order() {
    let page = include_str!("../../../docs/configuration.md");
    let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = path(&write(folder.path(), "snapfill.toml", example));
    snapfill(["config", "check", &file]).ends_with(0);
    let all: String = example.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).fold(
        String::new(),
        |text, line| {
            let is_other_login = line.starts_with("auth.api_key") || line.starts_with("auth.sigv4");
            if is_other_login { text } else { text + line + "\n" }
        },
    );
    let file = path(&write(folder.path(), "all.toml", &all));
    snapfill(["config", "check", &file]).ends_with(0);
}

#[test]
fn the_schema_that_is_checked_in_is_the_one_of_the_program() {
    let printed = snapfill(["config", "schema"]).ends_with(0).json();
    let kept = include_str!("../../../docs/config.schema.json");
    let kept: serde_json::Value = serde_json::from_str(kept).unwrap();
    assert!(printed == kept, "it is not: run `cargo xtask generate`");
}

#[test]
fn a_services_file_runs_as_it_is_under_the_name_console() {
    let folder = tempfile::tempdir().unwrap();
    let fake = FakeCluster::start();
    let repository = path(&Fixture::named("elasticsearch-7.10.2").repository());
    let text = format!(
        "source_cluster:\n  endpoint: {0}\n  no_auth:\ntarget_cluster:\n  endpoint: {0}\n  allow_insecure: true\n  no_auth:\n\
         backfill:\n  reindex_from_snapshot:\n    docker:\nsnapshot:\n  snapshot_name: snap-1\n  fs:\n    repo_path: {repository}\n\
         metadata_migration:\n  from_snapshot:\n",
        fake.url()
    );
    let file = path(&write(folder.path(), "services.yaml", &text));
    let console = folder.path().join("console");
    std::os::unix::fs::symlink(SNAPFILL, &console).unwrap();
    fake.put("books", "1", "{}");
    let mut listing = std::process::Command::new(&console);
    listing.args(["--config-file", &file, "clusters", "cat-indices"]);
    let ended: crate::program::Ended = listing.output().unwrap().into();
    let ended = ended.ends_with(0);
    let table = "health status index uuid pri rep docs.count docs.deleted store.size pri.store.size\n       open   books u                     1\n";
    assert_eq!(ended.stdout, format!("SOURCE CLUSTER\n{table}\nTARGET CLUSTER\n{table}\n"));
    let state = path(&folder.path().join("state"));
    let run =
        ["--config-file", &file, "backfill", "run", "--coordinator", "local", "--state", &state];
    let mut filling = std::process::Command::new(&console);
    let ended: crate::program::Ended = filling.args(run).output().unwrap().into();
    ended.ends_with(0);
    assert!(fake.bulks() > 0);
    let mut help = std::process::Command::new(&console);
    let ended: crate::program::Ended =
        help.args(["backfill", "run", "--help"]).output().unwrap().into();
    assert!(ended.stdout.contains("Usage: console backfill run"), "{ended:?}");
}

#[test]
fn a_backfill_is_described_as_the_file_says_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let text = "source_cluster:\n  endpoint: https://source:9200\n  no_auth:\n\
                target_cluster:\n  endpoint: https://target:9200\n  basic_auth:\n    username: filler\n    password: hunter2\n\
                backfill:\n  reindex_from_snapshot:\n    ecs:\n      cluster_name: c\n      service_name: s\n\
                snapshot:\n  snapshot_name: nightly\n  s3:\n    repo_uri: s3://bucket/a\n    aws_region: eu-west-1\n";
    let file = path(&write(folder.path(), "services.yaml", text));
    let ended = snapfill(["--config-file", &file, "backfill", "describe"]).ends_with(0);
    assert_eq!(
        ended.stdout,
        "source:\n  repository: s3://bucket/a\n  snapshot: nightly\n  s3:\n    region: eu-west-1\n\
         target:\n  endpoint: https://target:9200\n  auth:\n    basic:\n      user: filler\n      password: \"********\"\n\
         fleet:\n  ecs:\n    cluster: c\n    service: s\n"
    );
    let told = snapfill(["backfill", "describe", "--json", "--config-file", &file]).ends_with(0);
    assert_eq!(told.json()["fleet"]["ecs"]["service"], "s");
    assert!(!told.stdout.contains("hunter2"));
    snapfill(["backfill", "describe"]).fails_with(2, &["--config-file"]);
}
