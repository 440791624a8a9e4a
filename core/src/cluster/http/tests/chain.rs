//! Keys from a file of profiles and from an assumed role: STS is in the test's process.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::cluster::aws::{
    AssumedRole, AwsChain, AwsCluster, AwsCredentials, AwsService, CredentialSource,
    KeptCredentials,
};
use crate::{Clock, ErrorKind, ManualClock, Result};

/// 2026-01-02T03:04:05Z.
const NOW: Duration = Duration::from_secs(1_767_323_045);

const PROFILES: &str = "
[profile books]
aws_access_key_id = AKIDBOOKS
aws_secret_access_key = hunter2
region = eu-central-1

[profile regionless]
aws_access_key_id = AKIDNOWHERE
aws_secret_access_key = hunter3
";

/// STS: a key for an hour from a time on, and another with each call.
async fn sts(clock: &ManualClock) -> Fake {
    let (calls, clock) = (AtomicUsize::new(0), clock.clone());
    Fake::start(move |_| {
        let number = calls.fetch_add(1, Ordering::SeqCst);
        let end = jiff::Timestamp::from_second(clock.wall().as_secs() as i64 + 3600).unwrap();
        Some(Reply::new(
            200,
            &format!(
                "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
                 <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/filler/nightly</Arn>\
                 <AssumedRoleId>ARO:nightly</AssumedRoleId></AssumedRoleUser><Credentials>\
                 <AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>hunter4</SecretAccessKey>\
                 <SessionToken>token-{number}</SessionToken><Expiration>{end}</Expiration></Credentials>\
                 </AssumeRoleResult></AssumeRoleResponse>"
            ),
        ))
    })
    .await
}

fn profiles(folder: &Path) -> PathBuf {
    let file = folder.join("config");
    std::fs::write(&file, PROFILES).unwrap();
    file
}

fn chain(folder: &Path, profile: &str) -> AwsChain {
    AwsChain {
        profile: Some(profile.to_owned()),
        profile_file: Some(profiles(folder)),
        ..AwsChain::default()
    }
}

fn of_role(folder: &Path, sts: &Fake) -> AwsChain {
    AwsChain {
        role: Some(AssumedRole {
            arn: "arn:aws:iam::123456789012:role/filler".to_owned(),
            external_id: Some("shared word".to_owned()),
            session_name: Some("nightly".to_owned()),
        }),
        sts_endpoint: Some(sts.url().parse().unwrap()),
        ..chain(folder, "books")
    }
}

#[tokio::test]
async fn a_profile_gives_its_keys_and_its_region() {
    let folder = tempfile::tempdir().unwrap();
    let found = chain(folder.path(), "books").find().await.unwrap();
    assert_eq!(found.region, "eu-central-1");
    let AwsCredentials { access_key_id, secret_access_key, expires, .. } =
        found.credentials().await.unwrap();
    assert_eq!((access_key_id.as_str(), secret_access_key.expose()), ("AKIDBOOKS", "hunter2"));
    assert_eq!(expires, None);
    assert!(!format!("{found:?}").contains("hunter2"));
    let region = Some("us-east-2".to_owned());
    let elsewhere = AwsChain { region, ..chain(folder.path(), "books") };
    assert_eq!(elsewhere.find().await.unwrap().region, "us-east-2");
}

#[tokio::test]
async fn a_profile_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let region = Some("eu-west-1".to_owned());
    let absent = AwsChain { region, ..chain(folder.path(), "absent") };
    let error = absent.find().await.unwrap().credentials().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Auth | ErrorKind::Config), "{error}");
    let text = error.to_string();
    assert!(text.contains("`absent`") && !text.contains('\n'), "{text}");
}

#[tokio::test]
async fn a_role_is_assumed_with_the_profiles_keys() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new(NOW));
    let sts = sts(&clock).await;
    let found = of_role(folder.path(), &sts).find().await.unwrap();
    let keys = found.credentials().await.unwrap();
    assert_eq!(keys.access_key_id, "ASIA0");
    assert_eq!(keys.session_token.unwrap().expose(), "token-0");
    assert_eq!(keys.expires, Some(NOW + Duration::from_secs(3600)));
    assert_eq!(keys.account_id.as_deref(), Some("123456789012"));
    let asked = sts.last();
    assert!(asked.header("authorization").unwrap().contains("AKIDBOOKS"));
    let form: Vec<(String, String)> =
        url::form_urlencoded::parse(&asked.body).into_owned().collect();
    for (name, value) in [
        ("Action", "AssumeRole"),
        ("RoleArn", "arn:aws:iam::123456789012:role/filler"),
        ("RoleSessionName", "nightly"),
        ("ExternalId", "shared word"),
    ] {
        assert!(form.contains(&(name.to_owned(), value.to_owned())), "{form:?}");
    }
}

#[tokio::test]
async fn a_roles_keys_are_fetched_anew_before_they_end() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new(NOW));
    let (sts, target) = (sts(&clock).await, Fake::start(|_| None).await);
    let found = of_role(folder.path(), &sts).find().await.unwrap();
    let cluster = AwsCluster::new(AwsService::Domain, found.region.clone(), Arc::new(found))
        .connect(HttpConfig::new([target.url()]).unwrap(), Arc::new(clock.clone()))
        .unwrap();
    for (after, key) in [(0, "ASIA0"), (3299, "ASIA0"), (1, "ASIA1"), (3000, "ASIA1")] {
        clock.advance(Duration::from_secs(after));
        cluster.bulk(&two_documents()).await.unwrap();
        let signed = target.last().header("authorization").unwrap().to_owned();
        assert!(
            signed.contains(&format!("{key}/")) && signed.contains("/eu-central-1/es/"),
            "{signed}"
        );
    }
    assert_eq!(sts.seen().len(), 2);
}

#[tokio::test]
async fn a_role_that_is_refused_says_why_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let sts = Fake::start(|_| {
        let said = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: u is not authorized to \
             perform: sts:AssumeRole</Message></Error><RequestId>r</RequestId></ErrorResponse>";
        Some(Reply::new(403, said))
    })
    .await;
    let found = of_role(folder.path(), &sts).find().await.unwrap();
    let refused = KeptCredentials::new(Arc::new(found), Arc::new(ManualClock::new(NOW)));
    let told: Result<AwsCredentials> = refused.credentials().await;
    let error = told.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Auth, false));
    let text = error.to_string();
    assert!(text.contains("AccessDenied: User: u is not authorized to perform"), "{text}");
    assert!(!text.contains('\n') && !text.contains("hunter"), "{text}");
}
