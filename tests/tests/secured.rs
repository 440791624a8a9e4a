//! A real server with TLS and users: who is let in, and what is said to the others.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use snapfill::ErrorKind;
use snapfill::cluster::http::{Auth, TlsConfig};
use snapfill::cluster::{ClusterClient, HttpCluster, HttpConfig};
use snapfill::controller::{BackfillController, LocalBackfill, RunEnd};
use snapfill::settings::BackfillSettings;
use snapfill::testkit::ClusterFixture;
use snapfill_harness::{Options, Security, Server, Version, runs};
use snapfill_tests::fixtures::{Fixture, assert_same};
use snapfill_tests::node::{by_index, documents_of};

struct Node {
    cluster: Arc<HttpCluster>,
    index: String,
}

impl ClusterFixture for Node {
    fn cluster(&self) -> Arc<dyn ClusterClient> {
        Arc::clone(&self.cluster) as _
    }

    fn index(&self) -> String {
        self.index.clone()
    }
}

fn believing(security: &Security) -> TlsConfig {
    TlsConfig { ca_file: Some(security.ca_file.clone()), ..TlsConfig::default() }
}

fn known(user: &str, password: &str) -> Auth {
    Auth::Basic { user: user.to_owned(), password: password.to_owned().into() }
}

fn cluster(server: &Server, tls: TlsConfig, auth: Auth) -> Arc<HttpCluster> {
    let config = HttpConfig::new([server.url()]).unwrap().with_tls(tls).with_auth(auth);
    Arc::new(HttpCluster::new(config).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secured_server_lets_in_whom_it_knows() {
    if !runs(Version::OpenSearch2_19_4) {
        return;
    }
    let mut options = Options::default();
    options.security = true;
    let server = Server::start_with(Version::OpenSearch2_19_4, &options).unwrap();
    let security = server.security().unwrap();
    let by_password =
        cluster(&server, believing(security), known(security.user, security.password));
    snapfill::cluster_client_conformance_calls!(|name: &str| Node {
        cluster: Arc::clone(&by_password),
        index: name.to_owned()
    });
    let shown = TlsConfig {
        client_certificate: Some(security.client_certificate.clone()),
        client_key: Some(security.client_key.clone()),
        ..believing(security)
    };
    fills(&server, cluster(&server, shown, Auth::None)).await;

    let anybody = || TlsConfig { allow_insecure: true, ..TlsConfig::default() };
    let wrong = TlsConfig { ca_file: Some(security.client_certificate.clone()), ..anybody() };
    let wrong = TlsConfig { allow_insecure: false, ..wrong };
    let table = [
        (believing(security), known(security.user, "hunter2"), ErrorKind::Auth),
        (believing(security), Auth::None, ErrorKind::Auth),
        (anybody(), Auth::Bearer("hunter2".to_owned().into()), ErrorKind::Auth),
        (wrong, known(security.user, security.password), ErrorKind::Config),
        (TlsConfig::default(), known(security.user, security.password), ErrorKind::Config),
    ];
    for (tls, auth, kind) in table {
        let error = cluster(&server, tls, auth).info().await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (kind, false), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    // A user of the plugin's example who may read indices and nothing else.
    let reader = cluster(&server, anybody(), known("readall", "readall"));
    let error = reader.info().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
    assert!(error.to_string().contains("no permissions for [cluster:monitor/main]"), "{error}");
}

async fn fills(server: &Server, cluster: Arc<HttpCluster>) {
    let fixture = Fixture::named("opensearch-2.19.6");
    let state = tempfile::tempdir().unwrap();
    let repository = fixture.repository().display().to_string();
    let mut settings = BackfillSettings::new(repository, "snap-2", state.path());
    settings.indices = vec!["routed".to_owned()];
    let backfill = LocalBackfill::builder(settings).with_cluster(cluster).build().unwrap();
    backfill.start().await.unwrap();
    assert_eq!(backfill.wait().await.unwrap(), RunEnd::Completed);
    let expected = by_index(fixture.expected_with_source("snap-2"));
    assert_same(&documents_of(server, "routed"), &expected["routed"], "routed");
}
