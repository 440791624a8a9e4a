//! Files of the Migration Assistant, as its users have them.

use crate::ErrorKind;
use crate::settings::FleetConfig;
use crate::settings::config::{AuthConfig, Config, ConfigFile, ConfigFormat};

const DOCKER: &str = "\
source_cluster:
  endpoint: \"https://capture-proxy:9200\"
  allow_insecure: true
  version: \"ES 7.10\"
  basic_auth:
    username: \"admin\"
    password: \"hunter2\"
target_cluster:
  endpoint: \"https://opensearchtarget:9200\"
  allow_insecure: true
  basic_auth:
    username: \"admin\"
    password: \"hunter2\"
metrics_source:
  prometheus:
    endpoint: \"http://prometheus:9090\"
backfill:
  reindex_from_snapshot:
    docker:
    snapshot_repo: \"abc\"
    snapshot_name: \"one\"
    scale: 3
replay:
  docker:
snapshot:
  snapshot_name: \"test_snapshot\"
  snapshot_repo_name: \"repo\"
  fs:
    repo_path: \"/snapshot/test-console\"
client_options:
  user_agent_extra: \"test-user-agent-v1.0\"
metadata_migration:
  from_snapshot:
kafka:
  broker_endpoints: kafka:9092
  standard: \"\"
";

fn read(text: &str) -> ConfigFile {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("services.yaml");
    std::fs::write(&path, text).unwrap();
    ConfigFile::read(path).unwrap()
}

fn refused(text: &str) -> String {
    let error = Config::parse(text, ConfigFormat::Services, "services.yaml").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

#[test]
fn a_file_for_docker_is_a_fleet_of_this_machine() {
    let file = read(DOCKER);
    assert_eq!(file.format, ConfigFormat::Services);
    let config = file.config;
    assert_eq!(config.fleet, Some(FleetConfig::Processes));
    assert_eq!(config.source.repository.as_deref(), Some("/snapshot/test-console"));
    assert_eq!(config.source.snapshot.as_deref(), Some("one"), "the backfill's own has the word");
    assert_eq!(config.backfill.workers.map(u16::from), Some(3));
    let source = config.source.cluster.as_ref().unwrap();
    assert_eq!(source.tls.allow_insecure, Some(true));
    let target = config.target.as_ref().unwrap();
    assert_eq!(target.endpoint.to_string(), "https://opensearchtarget:9200");
    assert_eq!(target.user_agent_extra.as_deref(), Some("test-user-agent-v1.0"));
    assert!(matches!(&target.auth, Some(AuthConfig::Basic(basic)) if basic.user == "admin"));
    let shown = format!("{config:?}{config}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let about = ["metrics_source", "replay", "metadata_migration", "kafka"];
    assert_eq!(file.notes.len(), about.len(), "{:?}", file.notes);
    for name in about {
        assert!(file.notes.iter().any(|note| note.contains(&format!("`{name}`"))), "{name}");
    }
}

#[test]
fn a_file_for_aws_is_a_service_of_ecs_and_a_bucket() {
    let file = read(
        "target_cluster:\n  endpoint: https://search-a-b.eu-west-1.es.amazonaws.com\n  sigv4:\n    region: eu-west-1\n    service: es\n\
         backfill:\n  reindex_from_snapshot:\n    ecs: {cluster_name: c, service_name: s, aws_region: eu-west-1}\n    backfill_session_name: two\n    session_name: one\n\
         snapshot:\n  snapshot_name: nightly\n  s3: {repo_uri: 's3://bucket/a', aws_region: eu-west-1, role: 'arn:aws:iam::1:role/r', endpoint: 'http://localhost:1'}\n",
    );
    let config = file.config;
    let Some(FleetConfig::Ecs(ecs)) = config.fleet else { panic!("{:?}", config.fleet) };
    assert_eq!((ecs.cluster.as_str(), ecs.region.as_deref()), ("c", Some("eu-west-1")));
    assert_eq!(config.session.unwrap().name(), "two");
    let source = config.source;
    assert_eq!(source.repository.as_deref(), Some("s3://bucket/a"));
    assert_eq!(source.s3.role, None, "it is the cluster's, not ours");
    assert_eq!(source.s3.endpoint.as_deref(), Some("http://localhost:1"));
    assert!(matches!(config.target.unwrap().auth, Some(AuthConfig::Sigv4(_))));
    assert_eq!(file.notes.len(), 1, "{:?}", file.notes);
    assert!(file.notes[0].contains("`snapshot.s3.role`"), "{:?}", file.notes);
}

#[test]
fn a_file_for_kubernetes_is_a_deployment_and_its_secret_is_named_as_out_of_reach() {
    let file = read(
        "target_cluster:\n  endpoint: https://target:9200\n  basic_auth:\n    k8s_secret_name: target-login\n\
         backfill:\n  reindex_from_snapshot:\n    k8s: {namespace: ma, deployment_name: workers}\n",
    );
    let Some(FleetConfig::Kubernetes(pods)) = file.config.fleet else { panic!() };
    assert_eq!((pods.namespace.as_deref(), pods.deployment.as_str()), (Some("ma"), "workers"));
    let error = file.config.target.unwrap().http().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    for word in ["target-login", "--target-user", "SNAPFILL_TARGET_PASSWORD"] {
        assert!(error.message().contains(word), "{error}");
    }
    let arn = read(
        "target_cluster:\n  endpoint: https://target:9200\n  basic_auth:\n    user_secret_arn: arn:aws:secretsmanager:x\n",
    );
    let error = arn.config.target.unwrap().http().unwrap_err();
    assert!(error.message().contains("arn:aws:secretsmanager:x"), "{error}");
}

#[test]
fn what_is_not_done_is_said_and_ends_nothing() {
    let file = read(
        "source_cluster:\n  endpoint: https://old:9200\n  sigv4:\n    region: eu-west-1\n    service: es\n\
         target_cluster:\n  endpoint: https://new:9200\n  no_auth:\n  color: blue\n\
         backfill:\n  opensearch_ingestion:\n    pipeline: x\n\
         snapshot:\n  snapshot_name: nightly\n  gcs:\n    repo_uri: gs://bucket/a\n",
    );
    let notes = file.notes.join("\n");
    for word in ["`target_cluster.color`", "`source_cluster`", "`backfill.opensearch_ingestion`"] {
        assert!(notes.contains(word), "{notes}");
    }
    assert_eq!(file.config.source.cluster, None);
    assert_eq!(file.config.source.repository.as_deref(), Some("gs://bucket/a"));
    assert_eq!(file.config.target.unwrap().auth, None);
}

#[test]
fn what_makes_no_sense_is_told_with_its_line() {
    let said = refused("target_cluster:\n  allow_insecure: true\n");
    assert!(said.starts_with("services.yaml:") && said.contains("endpoint"), "{said}");
    let said =
        refused("target_cluster:\n  endpoint: https://a\n  no_auth:\n  sigv4: {region: x}\n");
    assert!(said.starts_with("services.yaml:") && said.contains("one of `no_auth`"), "{said}");
    let said = refused(
        "target_cluster:\n  endpoint: https://a\n  basic_auth:\n    username: me\n    user_secret_arn: x\n    password: hunter2\n",
    );
    assert!(said.contains("`basic_auth` has") && !said.contains("hunter2"), "{said}");
    let said =
        refused("snapshot:\n  snapshot_name: a\n  fs: {repo_path: /a}\n  s3: {repo_uri: s3://a}\n");
    assert!(said.contains("one of `s3`, `gcs` and `fs`"), "{said}");
}

#[test]
fn ours_and_theirs_are_told_apart() {
    for ours in ["", "backfill:\n  workers: 2\n", "target:\n  endpoint: a\n", "session: a\n"] {
        assert_eq!(read(ours).format, ConfigFormat::Yaml, "{ours}");
    }
    for theirs in ["backfill:\n  reindex_from_snapshot:\n    docker:\n", "kafka: {}\n"] {
        assert_eq!(read(theirs).format, ConfigFormat::Services, "{theirs}");
    }
}
