//! What a file may say, and what is said of one that is wrong.

use std::time::Duration;

use super::*;
use crate::ErrorKind;
use crate::settings::{BackfillSettings, FleetConfig};

const EVERYTHING: &str = r#"
session = "nightly"
state = "state"
fleet = "processes"

[source]
repository = "backups"
snapshot = "snap-1"
base_path = "a/b"
allow_partial = true
max_document_size = "64 MiB"
cluster = { endpoint = "https://old.example.com", auth.basic = { user = "reader", password = { file = "old.txt" } } }

[target]
endpoint = "https://search.example.com:9200"
endpoints = ["https://search-2.example.com:9200"]
compression = "off"
server_ids = "never"
user_agent_extra = "nightly/1"
auth.basic = { user = "filler", password = "hunter2" }
tls = { ca = "/etc/ca.pem", allow_insecure = false }

[coordinator]
endpoint = "local"

[backfill]
indices = ["logs-*"]
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
failed_store = "s3://bucket/failed"
allowed_exceptions = ["version_conflict_engine_exception"]
rename = { prefix = "new-", names = { a = "b" }, patterns = [{ pattern = "(.*)", replacement = "$1" }] }
bulk = { size = "5 MiB", documents = 500, in_flight = 2 }
limits = { documents_per_second = 1000, bytes_per_second = "2MB" }
"#;

fn toml(text: &str) -> Config {
    Config::parse(text, ConfigFormat::Toml, "snapfill.toml").unwrap()
}

fn refused(text: &str, format: ConfigFormat) -> String {
    let error = Config::parse(text, format, "file").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

#[test]
fn everything_that_is_said_reaches_the_settings() {
    let settings = toml(EVERYTHING).settings("/state").unwrap();
    let usual = BackfillSettings::new("", "", "");
    assert_eq!((settings.repository.as_str(), settings.snapshot.as_str()), ("backups", "snap-1"));
    assert_eq!(settings.target, std::path::Path::new("/state"));
    assert_eq!(settings.repository_options.max_document_bytes, Some(64 << 20));
    assert_eq!(settings.lease, Duration::from_secs(90));
    assert_eq!(settings.split_bytes, Some(1_000_000_000));
    assert_eq!((settings.bulk.bytes, settings.bulk.documents), (5 << 20, 500));
    assert_eq!(settings.bulk.limits.bytes_per_second.unwrap().get(), 2_000_000);
    assert_eq!(settings.rename.map["a"], "b");
    assert!(settings.load.disable_refresh && settings.load.defer_replicas);
    assert_ne!(settings.types, usual.types);
    assert_ne!(settings.operation, usual.operation);
    assert_ne!(settings.target_indices, usual.target_indices);
    assert_ne!(settings.max_failed, usual.max_failed);
    assert_eq!(settings.workers, 3);
    let error = Config::default().settings("/state").unwrap_err();
    assert!(error.message().contains("source.repository"), "{error}");
}

#[test]
fn a_cluster_is_reached_as_the_file_says() {
    let target = toml(EVERYTHING).target.unwrap();
    let http = target.http().unwrap();
    assert_eq!(http.endpoints().len(), 2);
    assert_eq!(http.user_agent_extra, "nightly/1");
    assert!(
        matches!(&http.auth, crate::cluster::http::Auth::Basic { user, .. } if user == "filler")
    );
}

#[test]
fn yaml_says_the_same_as_toml() {
    let config = toml(EVERYTHING);
    let mut data = serde_json::to_value(&config).unwrap();
    data["target"]["auth"]["basic"]["password"] = "hunter2".into();
    let yaml = serde_saphyr::to_string(&data).unwrap();
    assert_eq!(Config::parse(&yaml, ConfigFormat::Yaml, "a.yaml").unwrap(), config);
    let json = data.to_string();
    assert_eq!(Config::parse(&json, ConfigFormat::Yaml, "a.json").unwrap(), config);
    for nothing in ["", "# nothing\n", "---\n", "{}"] {
        assert_eq!(
            Config::parse(nothing, ConfigFormat::Yaml, "a.yaml").unwrap(),
            Config::default(),
            "{nothing:?}"
        );
    }
}

#[test]
fn a_secret_is_never_shown() {
    let config = toml(EVERYTHING);
    let shown = [
        format!("{config:?}"),
        serde_json::to_string(&config).unwrap(),
        serde_saphyr::to_string(&config).unwrap(),
    ];
    for text in shown {
        assert!(text.contains("filler") && !text.contains("hunter2"), "{text}");
    }
    for wrong in [
        "[target]\nendpoint='http://a'\nauth.basic = 'hunter2'",
        "[target]\nendpoint='http://a'\nauth.basic = { user = 'u', password = 7777777 }",
        "[target]\nendpoint='http://a'\nauth.basic = { user = 'u', password = ['hunter2'] }",
        "[target]\nendpoint='http://me:hunter2@a'",
        "[target]\nendpoint='ftp://me:hunter2@a'",
    ] {
        let said = refused(wrong, ConfigFormat::Toml);
        assert!(!said.contains("hunter2") && !said.contains("7777777"), "{said}");
        assert!(said.starts_with("file:2:") || said.starts_with("file:3:"), "{said}");
    }
    for wrong in [
        "target:\n  endpoint: http://a\n  auth:\n    basic: hunter2",
        "target:\n  endpoint: http://a\n  auth:\n    basic: {user: u, password: 7777777}",
        "target:\n  endpoint: http://a\n  auth:\n    basic: {user: u, password: [hunter2]}",
        "target:\n  endpoint: http://me:hunter2@a",
    ] {
        let said = refused(wrong, ConfigFormat::Yaml);
        assert!(!said.contains("hunter2") && !said.contains("7777777"), "{said}");
    }
}

#[test]
fn a_misspelt_name_is_told_with_its_line_and_the_one_that_was_meant() {
    let toml = refused("session = 'a'\n[target]\nendpoit = 'http://a'\n", ConfigFormat::Toml);
    assert_eq!(toml, "file:3:1: there is no `endpoit`; did you mean `endpoint`?");
    let yaml = refused("session: a\ntarget:\n  endpoit: http://a\n", ConfigFormat::Yaml);
    assert_eq!(yaml, "file:3:3: there is no `endpoit`; did you mean `endpoint`?");
    let far = refused("xyz = 1\n", ConfigFormat::Toml);
    assert_eq!(
        far,
        "file:1:1: there is no `xyz`; there are source, target, coordinator, session, state, backfill, fleet"
    );
}

#[test]
fn a_wrong_value_is_told_with_its_line() {
    for (text, line, what) in [
        ("[backfill]\nlease = '2s'", 2, "3s to 1d"),
        ("[backfill]\n\nlease = 'soon'", 3, "no time"),
        ("[backfill]\nlease = 60", 2, "must be a string"),
        ("[backfill]\nsplit_size = 'many'", 2, "10 MiB"),
        ("[backfill]\nsplit_size = 0", 2, "above 0"),
        ("[backfill]\nworkers = 0", 2, "nonzero"),
        ("[backfill]\ntypes = 'split-them'", 2, "expected one of"),
        ("session = 'Big Name'", 1, "cannot name a session"),
        ("[coordinator]\nendpoint = '/folder'", 2, "http://"),
        ("fleet = 'everywhere'", 1, "expected one of"),
        ("[target]\n\nendpoint = 'a'\n[source", 4, ""),
    ] {
        let said = refused(text, ConfigFormat::Toml);
        assert!(said.starts_with(&format!("file:{line}:")) && said.contains(what), "{said}");
    }
    let said = refused("backfill:\n  lease: 2s\n", ConfigFormat::Yaml);
    assert!(said.starts_with("file:2:") && said.contains("3s to 1d"), "{said}");
}

#[test]
fn secrets_come_from_where_the_file_says() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), "hunter2\n").unwrap();
    let text = "[target]\nendpoint = 'http://a'\nauth.basic = { user = 'u', password = { file = 'password' } }\n";
    let path = folder.path().join("snapfill.toml");
    std::fs::write(&path, text).unwrap();
    let file = ConfigFile::read(&path).unwrap();
    let Some(AuthConfig::Basic(basic)) = file.config.target.unwrap().auth else { panic!() };
    assert_eq!(basic.password.unwrap().resolve("it").unwrap().expose(), "hunter2");
    let absent = SecretConfig::Env("SNAPFILL_NO_SUCH_VARIABLE".into());
    let error = absent.resolve("the password").unwrap_err();
    assert!(error.message().contains("SNAPFILL_NO_SUCH_VARIABLE"), "{error}");
}

#[test]
fn relative_paths_begin_at_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapfill.toml");
    std::fs::write(&path, EVERYTHING).unwrap();
    let config = ConfigFile::read(&path).unwrap().config;
    let inside = folder.path().join("backups");
    assert_eq!(config.source.repository.as_deref(), inside.to_str());
    assert_eq!(config.state.unwrap(), folder.path().join("state"));
    assert_eq!(config.backfill.failed_store.as_deref(), Some("s3://bucket/failed"));
    assert_eq!(config.target.unwrap().tls.ca.unwrap(), std::path::Path::new("/etc/ca.pem"));
    assert_eq!(config.fleet, Some(FleetConfig::Processes));
    let error = ConfigFile::read(folder.path().join("none.toml")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(ConfigFile::read("snapfill.conf").unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn sizes_and_times_are_written_so_that_they_read_back() {
    for bytes in [1, 1000, 1024, 5_000_000_000, 10 << 20, 1_234_567, u64::MAX] {
        let written = serde_json::to_string(&Size(bytes)).unwrap();
        assert_eq!(serde_json::from_str::<Size>(&written).unwrap(), Size(bytes), "{written}");
    }
    for seconds in [1, 60, 90, 86_400] {
        let time = Time(Duration::from_secs(seconds));
        let written = serde_json::to_string(&time).unwrap();
        assert_eq!(serde_json::from_str::<Time>(&written).unwrap(), time, "{written}");
    }
    for (text, bytes) in [("10mb", 10_000_000), ("10 MiB", 10 << 20), ("1.5 kib", 1536)] {
        assert_eq!(serde_json::from_value::<Size>(text.into()).unwrap(), Size(bytes), "{text}");
    }
}
