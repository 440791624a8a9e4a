//! Requests signed for AWS, and a server that looks at the signature.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_sigv4::http_request::PayloadChecksumKind;
use url::Url;

use super::fake::Seen;
use super::*;
use crate::cluster::aws::signer::Scope;
use crate::cluster::aws::{
    AwsCluster, AwsCredentials, AwsService, CredentialSource, FixedCredentials,
};
use crate::cluster::http::Unsigned;
use crate::{Clock, ErrorKind, ManualClock, Result};

/// 2015-08-30T12:36:00Z.
const NOW: Duration = Duration::from_secs(1_440_938_160);

fn credentials(key: &str) -> AwsCredentials {
    AwsCredentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: key.to_owned().into(),
        session_token: None,
        expires: None,
    }
}

fn example() -> AwsCredentials {
    credentials("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
}

/// Of the suite that AWS publishes for Signature Version 4.
#[test]
fn the_official_vectors_come_out() {
    let my_header = [("my-header1".to_owned(), "value2,value2,value1".to_owned())];
    let table = [
        (
            "GET",
            "",
            &[][..],
            "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "GET",
            "?Param2=value2&Param1=value1",
            &[],
            "host;x-amz-date",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "POST",
            "",
            &[],
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "GET",
            "",
            &my_header,
            "host;my-header1;x-amz-date",
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
    ];
    for (method, query, headers, names, signature) in table {
        let url = Url::parse(&format!("https://example.amazonaws.com/{query}")).unwrap();
        let scope = Scope {
            region: "us-east-1",
            service: "service",
            time: NOW,
            checksum: PayloadChecksumKind::NoHeader,
        };
        let signed =
            scope.sign(Unsigned { method, url: &url, headers, body: b"" }, &example()).unwrap();
        let (_, value) = signed.iter().find(|(name, _)| name == "authorization").unwrap();
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={names}, \
             Signature={signature}"
        );
        assert_eq!(value.expose(), expected, "{method} {query}");
    }
}

/// What the service does: signs what it got, and compares.
fn is_genuine(seen: &Seen, service: &str) -> bool {
    let Some(authorization) = seen.header("authorization") else { return false };
    let names =
        authorization.split("SignedHeaders=").nth(1).and_then(|rest| rest.split(',').next());
    let names: Vec<&str> = names.unwrap_or_default().split(';').collect();
    let never = ["content-length", "connection", "transfer-encoding", "user-agent"];
    let always = ["host", "x-amz-date", "x-amz-content-sha256"];
    if never.iter().any(|name| names.contains(name))
        || !always.iter().all(|name| names.contains(name))
    {
        return false;
    }
    let others = names.iter().filter(|name| !always.contains(name));
    let headers: Vec<_> =
        others.map(|name| ((*name).to_owned(), seen.header(name).unwrap().to_owned())).collect();
    let url =
        Url::parse(&format!("http://{}{}", seen.header("host").unwrap(), seen.target)).unwrap();
    let scope = Scope {
        region: "eu-west-1",
        service,
        time: NOW,
        checksum: PayloadChecksumKind::XAmzSha256,
    };
    let request = Unsigned { method: &seen.method, url: &url, headers: &headers, body: &seen.body };
    let own = scope.sign(request, &example()).unwrap();
    own.iter().all(|(name, value)| seen.header(name) == Some(value.expose()))
}

async fn verifying(service: &'static str) -> Fake {
    Fake::start(move |seen| {
        let refusal = r#"{"message":"The request signature we calculated does not match the signature you provided."}"#;
        (!is_genuine(seen, service)).then(|| Reply::new(403, refusal))
    })
    .await
}

fn signing(fake: &Fake, service: AwsService, source: Arc<dyn CredentialSource>) -> AwsCluster {
    let mut config = HttpConfig::new([fake.url()]).unwrap();
    config.compression = Compression::Gzip;
    AwsCluster::new(config, "eu-west-1", service, source, Arc::new(ManualClock::new(NOW))).unwrap()
}

#[tokio::test]
async fn the_service_accepts_what_we_sign() {
    for service in [AwsService::Domain, AwsService::Serverless] {
        let fake = verifying(service.name()).await;
        let cluster = signing(&fake, service, Arc::new(FixedCredentials(example())));
        cluster.info().await.unwrap();
        assert!(cluster.bulk(&two_documents()).await.unwrap().is_clean());
        let sent = fake.last();
        assert_eq!(sent.header("x-amz-date"), Some("20150830T123600Z"));
        assert!(is_genuine(&sent, service.name()));
        let tampered = [
            Seen { body: b"{}".to_vec(), ..sent.clone() },
            Seen { method: "PUT".to_owned(), ..sent.clone() },
            Seen { target: sent.target.replace("books", "boots"), ..sent.clone() },
            Seen { target: sent.target.replace("_none", "_some"), ..sent.clone() },
        ];
        assert!(tampered.iter().all(|seen| !is_genuine(seen, service.name())));
        assert!(!format!("{cluster:?}").contains("wJalr"));
    }
}

#[tokio::test]
async fn a_wrong_key_and_a_wrong_service_are_refused() {
    let fake = verifying("es").await;
    let wrong_key =
        signing(&fake, AwsService::Domain, Arc::new(FixedCredentials(credentials("other"))));
    let wrong_service =
        signing(&fake, AwsService::Serverless, Arc::new(FixedCredentials(example())));
    for error in
        [wrong_key.info().await.unwrap_err(), wrong_service.count("books").await.unwrap_err()]
    {
        assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
        assert!(error.to_string().contains("does not match"), "{error}");
    }
}

#[tokio::test]
async fn serverless_is_not_asked_what_it_does_not_know() {
    let fake = Fake::start(|seen| match seen.target.split('?').next() {
        Some("/_cat/indices") => Some(Reply::new(200, "[]")),
        Some("/" | "/_cluster/health" | "/books/_refresh") => Some(Reply::new(404, "")),
        _ => None,
    })
    .await;
    let cluster = signing(&fake, AwsService::Serverless, Arc::new(FixedCredentials(example())));
    assert!(cluster.info().await.unwrap().serverless);
    cluster.health().await.unwrap();
    cluster.refresh("books").await.unwrap();
    let capability = cluster.capability();
    assert!(!capability.refresh && !capability.load && capability.max_bulk_bytes == Some(10 << 20));
}

/// Keys that end after ten minutes.
#[derive(Debug, Default)]
struct Passing {
    clock: ManualClock,
    asked: AtomicUsize,
}

#[async_trait]
impl CredentialSource for Passing {
    async fn credentials(&self) -> Result<AwsCredentials> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let expires = Some(self.clock.wall() + Duration::from_secs(600));
        let session_token = Some("hunter2".to_owned().into());
        Ok(AwsCredentials { expires, session_token, ..example() })
    }
}

#[tokio::test]
async fn keys_are_fetched_anew_before_they_end() {
    let fake = Fake::start(|_| None).await;
    let source = Arc::new(Passing { clock: ManualClock::new(NOW), ..Passing::default() });
    let config = HttpConfig::new([fake.url()]).unwrap();
    let clock = Arc::new(source.clock.clone());
    let cluster =
        AwsCluster::new(config, "eu-west-1", AwsService::Domain, Arc::clone(&source) as _, clock)
            .unwrap();
    for (after, asked) in [(0, 1), (299, 1), (1, 2), (100, 2)] {
        source.clock.advance(Duration::from_secs(after));
        cluster.bulk(&two_documents()).await.unwrap();
        assert_eq!(source.asked.load(Ordering::SeqCst), asked, "after {after} s more");
        assert_eq!(fake.last().header("x-amz-security-token"), Some("hunter2"));
    }
    assert!(!format!("{cluster:?}").contains("hunter2"));
}
