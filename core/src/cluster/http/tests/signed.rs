//! Requests signed for AWS, and a service that looks at the signature.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_sigv4::http_request::PayloadChecksumKind;
use serde::Deserialize;
use url::Url;

use super::fake::Seen;
use super::small_cluster::{Kind, SmallCluster};
use super::*;
use crate::cluster::aws::signer::Scope;
use crate::cluster::aws::{
    AwsCluster, AwsCredentials, AwsService, CredentialSource, FixedCredentials, KeptCredentials,
};
use crate::cluster::http::{ServerIds, Unsigned};
use crate::cluster::{ClusterClientExt, IndexDefinition};
use crate::testkit::ClusterFixture;
use crate::{Clock, Error, ErrorKind, ManualClock, Result};

/// 2015-08-30T12:36:00Z.
pub(super) const NOW: Duration = Duration::from_secs(1_440_938_160);

const NO_MATCH: &str =
    "The request signature we calculated does not match the signature you provided.";

fn credentials(key: &str) -> AwsCredentials {
    AwsCredentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: key.to_owned().into(),
        session_token: None,
        expires: None,
        account_id: None,
    }
}

pub(super) fn example() -> AwsCredentials {
    credentials("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
}

/// Of the suite that AWS publishes for Signature Version 4: those whose request a URL can hold,
/// and whose path is not encoded once as S3 alone has it.
#[derive(Deserialize)]
struct Vector {
    name: String,
    method: String,
    target: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    signs_body: bool,
    token: Option<String>,
    signed_headers: String,
    signature: String,
}

#[test]
fn the_official_vectors_come_out() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("sigv4_vectors.json")).unwrap();
    assert_eq!(vectors.len(), 26);
    for vector in vectors {
        let url = Url::parse(&format!("https://example.amazonaws.com{}", vector.target)).unwrap();
        let scope = Scope {
            region: "us-east-1",
            service: "service",
            time: NOW,
            checksum: match vector.signs_body {
                true => PayloadChecksumKind::XAmzSha256,
                false => PayloadChecksumKind::NoHeader,
            },
        };
        let (method, headers, body) = (&*vector.method, &*vector.headers, vector.body.as_bytes());
        let unsigned = Unsigned { method, url: &url, headers, body };
        let session_token = vector.token.map(Into::into);
        let signed = scope.sign(unsigned, &AwsCredentials { session_token, ..example() }).unwrap();
        let (_, value) = signed.iter().find(|(name, _)| name == "authorization").unwrap();
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={}, Signature={}",
            vector.signed_headers, vector.signature
        );
        assert_eq!(value.expose(), expected, "{}", vector.name);
    }
}

/// What the service does: signs what it got, and compares. It says what it does not like.
fn judged(seen: &Seen, service: &str) -> std::result::Result<(), &'static str> {
    let Some(authorization) = seen.header("authorization") else {
        return Err("Missing Authentication Token");
    };
    let names =
        authorization.split("SignedHeaders=").nth(1).and_then(|rest| rest.split(',').next());
    let names: Vec<&str> = names.unwrap_or_default().split(';').collect();
    let never = ["content-length", "connection", "transfer-encoding", "user-agent"];
    let always = ["host", "x-amz-date", "x-amz-content-sha256"];
    if never.iter().any(|name| names.contains(name))
        || !always.iter().all(|name| names.contains(name) && seen.header(name).is_some())
    {
        return Err(NO_MATCH);
    }
    let others = names.iter().filter(|name| !always.contains(name));
    let headers: Vec<_> = others
        .filter_map(|name| Some(((*name).to_owned(), seen.header(name)?.to_owned())))
        .collect();
    let url =
        Url::parse(&format!("http://{}{}", seen.header("host").unwrap(), seen.target)).unwrap();
    let checksum = PayloadChecksumKind::XAmzSha256;
    let scope = Scope { region: "eu-west-1", service, time: NOW, checksum };
    let request = Unsigned { method: &seen.method, url: &url, headers: &headers, body: &seen.body };
    let own = scope.sign(request, &example()).unwrap();
    match own.iter().all(|(name, value)| seen.header(name) == Some(value.expose())) {
        true => Ok(()),
        false => Err(NO_MATCH),
    }
}

pub(super) fn is_genuine(seen: &Seen, service: &str) -> bool {
    judged(seen, service).is_ok()
}

pub(super) fn forbidden(message: &str) -> Reply {
    Reply::new(403, &serde_json::json!({ "message": message }).to_string())
}

/// A service that refuses what is not signed for it.
async fn service(kind: Kind) -> (Fake, Arc<SmallCluster>) {
    let small = Arc::new(SmallCluster::new(kind));
    let answering = Arc::clone(&small);
    let name = service_of(kind).name();
    let fake = Fake::start(move |seen| {
        let refused = judged(seen, name).err().map(forbidden);
        Some(refused.unwrap_or_else(|| answering.answer(seen)))
    })
    .await;
    (fake, small)
}

fn service_of(kind: Kind) -> AwsService {
    match kind {
        Kind::Domain => AwsService::Domain,
        Kind::Search | Kind::TimeSeries => AwsService::Serverless,
    }
}

fn config(fake: &Fake) -> HttpConfig {
    let mut config = HttpConfig::new([fake.url()]).unwrap();
    config.compression = Compression::Gzip;
    config
}

fn signing(fake: &Fake, service: AwsService, source: Arc<dyn CredentialSource>) -> HttpCluster {
    AwsCluster::new(service, "eu-west-1", source)
        .connect(config(fake), Arc::new(ManualClock::new(NOW)))
        .unwrap()
}

fn known() -> Arc<dyn CredentialSource> {
    Arc::new(FixedCredentials(example()))
}

struct Signing {
    cluster: Arc<HttpCluster>,
    _fake: Fake,
}

impl Signing {
    async fn start(kind: Kind, server_ids: ServerIds) -> Self {
        let (fake, _) = service(kind).await;
        let mut config = config(&fake);
        config.server_ids = server_ids;
        let cluster = AwsCluster::new(service_of(kind), "eu-west-1", known())
            .connect(config, Arc::new(ManualClock::new(NOW)))
            .unwrap();
        Self { cluster: Arc::new(cluster), _fake: fake }
    }
}

impl ClusterFixture for Signing {
    fn cluster(&self) -> Arc<dyn ClusterClient> {
        Arc::clone(&self.cluster) as _
    }
}

mod domain {
    use super::*;
    crate::cluster_client_conformance!(Signing::start(Kind::Domain, ServerIds::Auto).await);
}

mod serverless {
    use super::*;
    crate::cluster_client_conformance!(Signing::start(Kind::Search, ServerIds::Auto).await);
}

mod serverless_without_ids {
    use super::*;
    crate::cluster_client_conformance!(Signing::start(Kind::TimeSeries, ServerIds::Always).await);
}

#[tokio::test]
async fn the_service_accepts_what_we_sign_and_nothing_that_was_changed() {
    for kind in [Kind::Domain, Kind::Search] {
        let (fake, _) = service(kind).await;
        let name = service_of(kind).name();
        let cluster = signing(&fake, service_of(kind), known());
        cluster.create_index("books", &IndexDefinition::default()).await.unwrap();
        assert!(cluster.bulk(&two_documents()).await.unwrap().is_clean());
        let sent = fake.last();
        assert_eq!(sent.header("x-amz-date"), Some("20150830T123600Z"));
        assert!(is_genuine(&sent, name));
        let header = |name: &str, value: &str| {
            let mut changed = sent.clone();
            let found = changed.headers.iter_mut().find(|(known, _)| known == name);
            found.unwrap().1 = value.to_owned();
            changed
        };
        let without = |name: &str| {
            let mut changed = sent.clone();
            changed.headers.retain(|(known, _)| known != name);
            changed
        };
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let tampered = [
            Seen { body: b"{}".to_vec(), ..sent.clone() },
            Seen { method: "PUT".to_owned(), ..sent.clone() },
            Seen { target: sent.target.replace("books", "boots"), ..sent.clone() },
            Seen { target: sent.target.replace("_none", "_some"), ..sent.clone() },
            header("x-amz-date", "20150830T123700Z"),
            header("content-type", "application/json"),
            header("content-encoding", "br"),
            header("host", "elsewhere.example.com"),
            header("x-amz-content-sha256", empty),
            without("x-amz-content-sha256"),
            without("x-amz-date"),
            without("authorization"),
        ];
        for (place, seen) in tampered.iter().enumerate() {
            assert!(!is_genuine(seen, name), "{place}");
        }
        // What a proxy on the way may change.
        for free in ["content-length", "user-agent", "accept"] {
            assert!(is_genuine(&without(free), name), "{free}");
        }
        assert!(!format!("{cluster:?}").contains("wJalr"));
    }
}

#[tokio::test]
async fn refusals_of_aws_say_what_to_do_in_one_line() {
    let (fake, _) = service(Kind::Domain).await;
    let wrong_key =
        signing(&fake, AwsService::Domain, Arc::new(FixedCredentials(credentials("other"))));
    let wrong_service = signing(&fake, AwsService::Serverless, known());
    let unsigned = HttpCluster::new(config(&fake)).unwrap();
    let told = [
        (wrong_key.info().await, "check the secret key, the region and the service"),
        (wrong_service.count("books").await.map(|_| unreachable!()), "check the secret key"),
        (unsigned.info().await, "wants signed requests"),
    ];
    for (told, advice) in told {
        let error = told.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Auth, false), "{error}");
        let text = error.to_string();
        assert!(text.contains(advice) && !text.contains('\n'), "{text}");
    }
    let said = [
        ("The security token included in the request is expired", "have expired: fetch new ones"),
        ("The security token included in the request is invalid.", "does not know this access key"),
        (
            "Signature expired: 20150830T123600Z is now earlier than 20150830T124600Z",
            "set this machine's clock",
        ),
        (
            "User: arn:aws:iam::1:user/u is not authorized to perform: es:ESHttpGet",
            "grant the user this right",
        ),
    ];
    for (message, advice) in said {
        let fake = Fake::start(move |_| Some(forbidden(message))).await;
        let error = signing(&fake, AwsService::Domain, known()).info().await.unwrap_err();
        let text = error.to_string();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Auth, false), "{text}");
        assert!(text.contains(advice) && text.contains(message), "{text}");
        assert_eq!(fake.seen().len(), 1, "asked once");
    }
}

#[tokio::test]
async fn serverless_is_not_asked_what_it_does_not_know() {
    let (fake, _) = service(Kind::Search).await;
    let cluster = signing(&fake, AwsService::Serverless, known());
    assert!(cluster.info().await.unwrap().serverless);
    cluster.health().await.unwrap();
    assert_eq!(cluster.refresh("books").await.unwrap_err().kind(), ErrorKind::NotFound);
    for seen in fake.seen() {
        let unknown = ["expand_wildcards", "_cluster", "_nodes", "_refresh"];
        assert!(!unknown.iter().any(|word| seen.target.contains(word)), "{}", seen.target);
    }
    let capability = cluster.capability();
    assert!(!capability.refresh && !capability.load && !capability.working_state);
    assert_eq!(capability.max_bulk_bytes, Some(10 << 20));
    assert!(signing(&fake, AwsService::Domain, known()).capability().working_state);
}

#[tokio::test]
async fn a_target_that_takes_no_ids_is_found_out_by_its_refusal() {
    let (fake, small) = service(Kind::TimeSeries).await;
    let cluster = signing(&fake, AwsService::Serverless, known());
    cluster.create_index("books", &IndexDefinition::default()).await.unwrap();
    assert!(cluster.capability().is_idempotent());
    let refused = cluster.bulk(&two_documents()).await.unwrap();
    assert!(refused.items.iter().all(|item| matches!(item, crate::cluster::ItemOutcome::Retry(_))));
    assert!(!cluster.capability().is_idempotent());
    for _ in 0..2 {
        assert!(cluster.bulk(&two_documents()).await.unwrap().is_clean());
    }
    // Sent again, written again: that is what the capability says.
    assert_eq!(small.documents("books").len(), 4);
    assert_eq!(cluster.refreshed_count("books").await.unwrap(), 4);
}

/// A whole run into a target that takes no ids, where nobody could know it before.
#[cfg(feature = "local")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_into_a_target_that_takes_no_ids_loses_and_doubles_nothing() {
    use crate::controller::{BackfillController, LocalBackfill, RunEnd};
    use crate::settings::BackfillSettings;

    let (fake, small) = service(Kind::TimeSeries).await;
    let cluster = signing(&fake, AwsService::Serverless, known());
    let state = tempfile::tempdir().unwrap();
    let repository =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/opensearch-2.19.6/repo");
    let mut settings = BackfillSettings::new(repository, "snap-2", state.path());
    settings.indices = vec!["routed".to_owned()];
    settings.workers = 2;
    settings.bulk.documents = 7;
    let backfill =
        LocalBackfill::builder(settings).with_cluster(Arc::new(cluster.clone())).build().unwrap();
    backfill.start().await.unwrap();
    let end = backfill.wait().await.unwrap();
    let work = backfill.deep_status().await.unwrap().work;
    assert_eq!(end, RunEnd::Completed, "{work:?}");
    let documents = small.documents("routed");
    assert_eq!(documents.len() as u64, work.books.written);
    assert!(documents.len() > 50 && work.books.failed == 0, "{:?}", work.books);
    assert!(documents.keys().all(|id| id.starts_with("given-")));
    assert!(!cluster.capability().is_idempotent());
}

#[tokio::test]
async fn ids_are_sent_to_the_last_where_it_was_so_asked() {
    let never = Signing::start(Kind::TimeSeries, ServerIds::Never).await;
    never.cluster.create_index("books", &IndexDefinition::default()).await.unwrap();
    let error = never.cluster.bulk(&two_documents()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Config, false));
    assert!(error.to_string().contains("--server-ids auto"), "{error}");
    let always = Signing::start(Kind::Domain, ServerIds::Always).await;
    always.cluster.create_index("books", &IndexDefinition::default()).await.unwrap();
    for _ in 0..2 {
        assert!(always.cluster.bulk(&two_documents()).await.unwrap().is_clean());
    }
    assert_eq!(always.cluster.refreshed_count("books").await.unwrap(), 4);
}

/// Keys that end after ten minutes, or none.
#[derive(Debug, Default)]
struct Passing {
    clock: ManualClock,
    asked: AtomicUsize,
    is_away: AtomicBool,
}

#[async_trait]
impl CredentialSource for Passing {
    async fn credentials(&self) -> Result<AwsCredentials> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.is_away.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "away"));
        }
        let expires = Some(self.clock.wall() + Duration::from_secs(600));
        let session_token = Some("hunter2".to_owned().into());
        Ok(AwsCredentials { expires, session_token, ..example() })
    }
}

#[tokio::test]
async fn keys_are_fetched_anew_before_they_end() {
    let fake = Fake::start(|_| None).await;
    let source = Arc::new(Passing { clock: ManualClock::new(NOW), ..Passing::default() });
    let clock = Arc::new(source.clock.clone());
    let cluster = AwsCluster::new(AwsService::Domain, "eu-west-1", Arc::clone(&source) as _)
        .connect(config(&fake), clock)
        .unwrap();
    for (after, asked) in [(0, 1), (299, 1), (1, 2), (100, 2)] {
        source.clock.advance(Duration::from_secs(after));
        cluster.bulk(&two_documents()).await.unwrap();
        assert_eq!(source.asked.load(Ordering::SeqCst), asked, "after {after} s more");
        assert_eq!(fake.last().header("x-amz-security-token"), Some("hunter2"));
    }
    assert!(!format!("{cluster:?}").contains("hunter2"));
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_anew_serve_to_their_end() {
    let source = Arc::new(Passing { clock: ManualClock::new(NOW), ..Passing::default() });
    let kept = KeptCredentials::new(Arc::clone(&source) as _, Arc::new(source.clock.clone()));
    kept.credentials().await.unwrap();
    source.is_away.store(true, Ordering::SeqCst);
    source.clock.advance(Duration::from_secs(599));
    kept.credentials().await.unwrap();
    source.clock.advance(Duration::from_secs(1));
    assert_eq!(kept.credentials().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(source.asked.load(Ordering::SeqCst), 3);
}
