//! What is sent, and where.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::{ErrorKind, ManualClock};

/// An address that refuses connections.
async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port())
}

#[tokio::test]
async fn a_bulk_goes_to_its_index_without_any_pipeline() {
    let fake = Fake::start(|_| None).await;
    assert!(cluster(&fake).bulk(&two_documents()).await.unwrap().is_clean());
    let sent = fake.last();
    assert!(sent.target.starts_with("/books/_bulk?pipeline=_none&"), "{}", sent.target);
    let body = "{\"index\":{\"_id\":\"d0\"}}\n{\"n\":0}\n{\"index\":{\"_id\":\"d1\"}}\n{\"n\":1}\n";
    assert_eq!(String::from_utf8(sent.body.clone()).unwrap(), body);
    assert_eq!(sent.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(sent.header("content-encoding"), None, "a target on this machine");
}

#[tokio::test]
async fn bodies_are_compressed_on_request() {
    let fake = Fake::start(|_| None).await;
    let mut config = HttpConfig::new([fake.url()]).unwrap();
    config.compression = Compression::Gzip;
    HttpCluster::new(config).unwrap().bulk(&two_documents()).await.unwrap();
    let sent = fake.last();
    assert_eq!(sent.header("content-encoding"), Some("gzip"));
    let mut plain = String::new();
    flate2::read::GzDecoder::new(&sent.body[..]).read_to_string(&mut plain).unwrap();
    assert!(plain.ends_with("{\"n\":1}\n"));
}

#[test]
fn only_targets_elsewhere_are_sent_compressed_bodies() {
    let compresses = |urls: &[&str]| HttpConfig::new(urls).unwrap().compresses();
    assert!(!compresses(&["http://127.0.0.1:9200", "https://localhost", "http://[::1]:9200"]));
    assert!(compresses(&["https://search.example.com"]));
    assert!(compresses(&["http://127.0.0.1:9200", "http://10.0.0.1:9200"]));
}

#[tokio::test]
async fn every_request_says_who_we_are() {
    let key = || "secret".to_owned().into();
    let table = [
        (Auth::Basic { user: "me".into(), password: key() }, "Basic bWU6c2VjcmV0"),
        (Auth::ApiKey("id:key".to_owned().into()), "ApiKey aWQ6a2V5"),
        (Auth::ApiKey("aWQ6a2V5\n".to_owned().into()), "ApiKey aWQ6a2V5"),
        (Auth::Bearer(key()), "Bearer secret"),
    ];
    let fake = Fake::start(|_| None).await;
    for (auth, expected) in table {
        let mut config = HttpConfig::new([fake.url()]).unwrap().with_auth(auth);
        config.user_agent_extra = "nightly/7".to_owned();
        let cluster = HttpCluster::new(config).unwrap();
        cluster.bulk(&two_documents()).await.unwrap();
        assert!(!format!("{cluster:?}").contains("secret"));
        for seen in fake.seen().iter().rev().take(3) {
            assert_eq!(seen.header("authorization"), Some(expected));
            let agent = concat!("snapfill/", env!("CARGO_PKG_VERSION"), " nightly/7");
            assert_eq!(seen.header("user-agent"), Some(agent));
        }
    }
}

#[test]
fn credentials_in_an_address_and_broken_ones_are_refused_unseen() {
    for address in [
        "https://me:hunter2@host",
        "https://hunter2@host",
        "ftp://hunter2",
        "hunter2",
        "http://h/?hunter2",
    ] {
        let error = HttpConfig::new([address]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    for auth in [
        Auth::Bearer("hunter2\n\u{1}".to_owned().into()),
        Auth::Basic { user: "a:b".into(), password: "hunter2".to_owned().into() },
        Auth::Basic { user: "a".into(), password: String::new().into() },
    ] {
        let config = HttpConfig::new(["http://host"]).unwrap().with_auth(auth);
        let error = HttpCluster::new(config).unwrap_err();
        assert!(
            error.kind() == ErrorKind::Config && !format!("{error:?}").contains("hunter2"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_endpoint_that_is_away_is_passed_over_and_set_aside() {
    let (gone, fake) = (nobody().await, Fake::start(|_| None).await);
    let clock = Arc::new(ManualClock::new(Duration::from_secs(1)));
    let config = HttpConfig::new([gone, fake.url()]).unwrap();
    let cluster = HttpCluster::with_clock(config, clock).unwrap();
    for _ in 0..4 {
        cluster.bulk(&two_documents()).await.unwrap();
    }
    assert_eq!(fake.seen().iter().filter(|seen| seen.is_bulk()).count(), 4);
}

#[tokio::test]
async fn an_endpoint_that_is_not_ready_is_left_for_the_other_at_the_next_try() {
    let sick = Fake::start(|seen| seen.is_bulk().then(|| Reply::new(503, ""))).await;
    let well = Fake::start(|_| None).await;
    let config = HttpConfig::new([sick.url(), well.url()]).unwrap();
    let cluster = HttpCluster::with_clock(config, Arc::new(ManualClock::default())).unwrap();
    let mut failures = 0;
    for _ in 0..6 {
        failures += usize::from(cluster.bulk(&two_documents()).await.is_err());
    }
    assert_eq!(failures, 1, "asked once, then set aside");
}

#[tokio::test]
async fn a_target_that_is_away_is_unavailable() {
    let config = HttpConfig::new([nobody().await, nobody().await]).unwrap();
    let error = HttpCluster::new(config).unwrap().info().await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true));
    assert!(
        error.to_string().contains("cannot connect") && error.to_string().contains("127.0.0.1"),
        "{error}"
    );
}

#[tokio::test]
async fn a_target_that_keeps_silent_is_unavailable() {
    let fake = Fake::start(|seen| seen.is_bulk().then(Reply::silence)).await;
    let mut config = HttpConfig::new([fake.url()]).unwrap();
    config.timeout = Duration::from_millis(100);
    let error = HttpCluster::new(config).unwrap().bulk(&two_documents()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true));
    assert!(error.to_string().contains("in time"), "{error}");
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirection() {
    let other = Fake::start(|_| None).await;
    let place = format!("location: {}/?token=hunter2", other.url());
    let fake = Fake::start(move |_| Some(Reply::new(301, "").header(&place))).await;
    let error = cluster(&fake).info().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    assert!(text.contains(&other.url()) && !text.contains("hunter2"), "{text}");
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn connections_are_used_again() {
    let fake = Fake::start(|_| None).await;
    let cluster = cluster(&fake);
    for _ in 0..5 {
        cluster.bulk(&two_documents()).await.unwrap();
    }
    assert_eq!(fake.connections(), 1);
}
