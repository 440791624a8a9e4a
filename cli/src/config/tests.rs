//! What a file says reaches every command, after what is typed.

use std::ffi::OsString;
use std::path::Path;

use snapfill::settings::config::{Config, ConfigFormat};
use snapfill::settings::{FleetConfig, KubernetesFleetConfig};

use super::*;
use crate::arguments::{BackfillCommand, ClustersCommand, SnapshotCommand};
use crate::backfill::place::settings;

/// Every key that is for a run.
const EVERYTHING: &str = r#"
session = "nightly"
state = "/state"

[source]
repository = "/backups"
snapshot = "snap-1"
base_path = "a/b"
allow_partial = true
remote_store = "/remote"
remote_store_base_path = "c"
recovery_source = true
max_document_size = "64 MiB"

[target]
endpoint = "https://search.example.com:9200"
endpoints = ["https://search-2.example.com:9200"]
compression = "off"
server_ids = "never"
user_agent_extra = "nightly/1"
auth.basic = { user = "filler", password = "hunter2" }
tls = { ca = "/etc/ca.pem", certificate = "/etc/cert.pem", key = "/etc/key.pem", allow_insecure = true }

[coordinator]
endpoint = "https://state.example.com:9200"
auth.basic = { user = "keeper", password = "hunter3" }

[backfill]
indices = ["logs-*", "regex:a=b"]
exclude = ["logs-old"]
max_docs_per_shard = 10
split_size = "1GB"
types = "merge"
operation = "create"
create_indices = "never"
unknown_fields = "keep"
replicas = 0
disable_refresh = true
defer_replicas = true
workers = 3
lease = "1m 30s"
max_failed = 7
failed_store = "/failed"
allowed_exceptions = ["version_conflict_engine_exception"]
rename = { prefix = "new-", names = { a = "b" }, patterns = [{ pattern = "(x=)y", replacement = "$1" }] }
bulk = { size = "5 MiB", documents = 500, in_flight = 2 }
limits = { documents_per_second = 1000, bytes_per_second = "2MB" }
"#;

fn config(text: &str) -> Config {
    Config::parse(text, ConfigFormat::Toml, "snapfill.toml").unwrap()
}

fn assert_sound(text: &str) {
    completion::complete(Arguments::definition(), &config(text), Path::new("a.toml"))
        .debug_assert();
}

/// The arguments of a line, completed by a text.
fn completed(text: &str, line: &str) -> Result<Command, clap::Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapfill.toml");
    std::fs::write(&path, text).unwrap();
    let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    let matches = super::completed(ConfigFile::read(path).unwrap(), &words)?;
    Ok(Arguments::from_arg_matches(&matches)?.command)
}

fn run_of(text: &str, line: &str) -> crate::arguments::Run {
    match completed(text, line).unwrap() {
        Command::Backfill(BackfillCommand::Run(run)) => *run,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_definition_is_sound_with_any_part_of_a_file() {
    assert_sound(EVERYTHING);
    let parts = [
        "[source]\nrepository = 'a'",
        "[source]\nsnapshot = 'a'",
        "[target]\nendpoint = 'a'",
        "[source]\nrepository = 'a'\n[target]\nendpoint = 'a'",
        "[target]\nendpoint = 'https://a'\nauth.sigv4 = { service = 'es', role = 'arn' }",
        "[target]\nendpoint = 'https://a'\nauth.bearer = 'x'",
    ];
    for part in parts {
        assert_sound(part);
    }
}

#[test]
fn a_run_is_what_the_file_says() {
    let mut run = run_of(EVERYTHING, "snapfill backfill run");
    assert_eq!(run.target.address().unwrap(), "https://search.example.com:9200".parse().unwrap());
    assert_eq!(run.how.cluster.user.as_deref(), Some("filler"));
    assert_eq!(run.how.cluster.endpoints.len(), 1);
    assert_eq!(run.how.refusals.allowed.exceptions, ["version_conflict_engine_exception"]);
    assert_eq!(run.how.state.coordinator_user.as_deref(), Some("keeper"));
    assert_eq!(run.how.state.state.as_deref(), Some(Path::new("/state")));
    let password = run.how.cluster.password_env.resolve("it").unwrap();
    assert_eq!(password.expose(), "hunter2");
    let password = run.how.state.coordinator_password_env.resolve("it").unwrap();
    assert_eq!(password.expose(), "hunter3");
    assert!(!format!("{run:?}").contains("hunter"));
    assert!(run.how.state.configured_by.is_some());
    run.how.cluster.allowed_exceptions = std::mem::take(&mut run.how.refusals.allowed.exceptions);
    let ours = settings(run.repo, run.snapshot, run.how, "/state".into());
    assert_eq!(ours, config(EVERYTHING).settings("/state").unwrap());
}

#[test]
fn what_is_typed_has_the_word() {
    let line = "snapfill backfill run --workers 9 --index one --lease 5s --session other --repo /else --snapshot two";
    let run = run_of(EVERYTHING, line);
    assert_eq!((run.repo.as_str(), run.snapshot.as_str()), ("/else", "two"));
    assert_eq!(run.how.workers, 9);
    assert_eq!(run.how.choosing.indices, ["one"]);
    assert_eq!(run.how.session, "other");
    assert_eq!(run.how.reading.base_path, None, "it is of the other repository");
    assert!(run.how.cluster.user.is_some(), "the target is the same");
}

#[test]
fn nothing_of_one_target_is_for_another() {
    let run = run_of(EVERYTHING, "snapfill backfill run --target https://elsewhere.example.com");
    assert_eq!(run.how.cluster.user, None);
    assert!(!run.how.cluster.allow_insecure && run.how.cluster.endpoints.is_empty());
    assert!(run.how.cluster.password_env.variable().is_some());
    let same =
        "snapfill backfill run --target https://search.example.com:9200/ --target-user filler";
    let run = run_of(EVERYTHING, same);
    assert_eq!(run.how.cluster.password_env.resolve("it").unwrap().expose(), "hunter2");
    let run = run_of(EVERYTHING, "snapfill backfill run --target-user somebody");
    assert!(run.how.cluster.password_env.variable().is_some(), "another user's password");
    let run = run_of(EVERYTHING, "snapfill backfill run --target-api-key-env KEY");
    assert_eq!(run.how.cluster.user, None);
    let run = run_of(EVERYTHING, "snapfill backfill run --coordinator local");
    assert_eq!(run.how.state.coordinator_user, None);
}

#[test]
fn a_fleet_of_the_file_is_the_fleet_unless_another_is_typed() {
    let fleet_of = |text: &str, line: &str| match completed(text, line).unwrap() {
        Command::Backfill(BackfillCommand::Status(status)) => status.run.fleet.config(),
        other => panic!("{other:?}"),
    };
    let ecs = "fleet.ecs = { cluster = 'c', service = 's', region = 'r' }\n[target]\nendpoint = 'https://a.example.com'";
    let line = "snapfill backfill status";
    assert_eq!(Some(fleet_of(ecs, line)), config(ecs).fleet);
    let pods = "fleet.kubernetes = { deployment = 'd', namespace = 'n' }\n[target]\nendpoint = 'https://a.example.com'";
    assert_eq!(Some(fleet_of(pods, line)), config(pods).fleet);
    let other = fleet_of(ecs, "snapfill backfill status --k8s-deployment d");
    assert_eq!(other, FleetConfig::Kubernetes(KubernetesFleetConfig::new("d")));
}

#[test]
fn every_command_takes_what_it_lacks() {
    for line in [
        "snapfill backfill plan",
        "snapfill backfill status --deep-check",
        "snapfill backfill start",
        "snapfill backfill scale 3",
        "snapfill backfill pause",
        "snapfill backfill stop",
        "snapfill backfill reset",
        "snapfill backfill limit",
        "snapfill backfill failed summary",
        "snapfill run",
        "snapfill worker",
        "snapfill clusters info",
        "snapfill clusters cat-indices",
        "snapfill snapshot list",
        "snapfill snapshot describe",
        "snapfill snapshot verify",
    ] {
        if let Err(error) = completed(EVERYTHING, line) {
            panic!("{line}: {error}");
        }
    }
    let error = completed("[source]\nrepository = 'a'", "snapfill backfill run").unwrap_err();
    assert_eq!(error.kind(), ClapKind::MissingRequiredArgument);
    assert!(error.to_string().contains("--snapshot") && !error.to_string().contains("--repo"));
}

#[test]
fn a_snapshot_that_is_typed_alone_is_one_of_the_repository() {
    let Command::Snapshot(SnapshotCommand::Describe(one)) =
        completed(EVERYTHING, "snapfill snapshot describe two").unwrap()
    else {
        panic!()
    };
    assert_eq!((one.repo.as_str(), one.snapshot.as_str()), ("/backups", "two"));
    let Command::Snapshot(SnapshotCommand::Describe(both)) =
        completed(EVERYTHING, "snapfill snapshot describe /else two").unwrap()
    else {
        panic!()
    };
    assert_eq!((both.repo.as_str(), both.snapshot.as_str()), ("/else", "two"));
}

#[test]
fn what_goes_is_not_what_is_printed() {
    let Command::Snapshot(SnapshotCommand::Cat(cat)) =
        completed(EVERYTHING, "snapfill snapshot cat").unwrap()
    else {
        panic!()
    };
    assert!(cat.indices.is_empty());
    let Command::Worker(worker) = completed(EVERYTHING, "snapfill worker").unwrap() else {
        panic!()
    };
    assert_eq!(worker.how.workers, 1, "a fleet has three, and each is one");
}

#[test]
fn signing_and_secrets_out_of_reach_arrive() {
    let signed = "[target]\nendpoint = 'https://a.example.com'\nauth.sigv4 = { service = 'es', region = 'r' }";
    let Command::Clusters(ClustersCommand::Info(info)) =
        completed(signed, "snapfill clusters info").unwrap()
    else {
        panic!()
    };
    #[cfg(feature = "aws")]
    assert!(info.cluster.aws.service.is_some());
    assert!(info.cluster.user.is_none());
    let secret = "[target]\nendpoint = 'https://a.example.com'\nauth.secrets_manager = 'arn:x'";
    let Command::Clusters(ClustersCommand::Info(info)) =
        completed(secret, "snapfill clusters info").unwrap()
    else {
        panic!()
    };
    let failure = info.cluster.password_env.resolve("it").unwrap_err();
    assert_eq!(failure.kind(), snapfill::ErrorKind::Unsupported);
}

#[test]
fn a_file_is_found_wherever_it_is_typed() {
    let of = |line: &str| typed(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
    assert_eq!(of("snapfill --config-file a.toml backfill run"), Some("a.toml".into()));
    assert_eq!(of("snapfill backfill run --config-file=a.toml"), Some("a.toml".into()));
    assert_eq!(of("snapfill backfill run -- --config-file=a.toml"), None);
    assert_eq!(of("snapfill backfill run"), None);
}
