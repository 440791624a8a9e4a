//! Targets on AWS: signed requests, and whose keys they are signed with.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use snapfill_tests::fixtures::Fixture;

use crate::program::{Ended, command, path};

const GREETING: &str = r#"{"name":"n","cluster_name":"c","cluster_uuid":"u","version":{"distribution":"opensearch",
    "number":"2.19.6"},"tagline":"The OpenSearch Project: https://opensearch.org/"}"#;

const ROLE: &str = "arn:aws:iam::123456789012:role/filler";

/// A server that keeps what it was asked.
struct Answering {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Answering {
    /// Gives every request the same answer.
    fn start(status: u16, body: &str) -> Self {
        let body = body.to_owned();
        Self::start_with(move |_| (status, body.clone()))
    }

    /// Answers by the request, its head and its body.
    fn start_with(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                // Noted before it is answered: whoever has the answer finds the request.
                let noted = |request: &str| {
                    log.lock().unwrap().push(request.to_owned());
                    answer(request)
                };
                let _ = stream.ok().and_then(|stream| talk(stream, &noted));
            }
        });
        Self { url, asked }
    }

    /// The last request, its head and its body.
    fn last(&self) -> String {
        self.asked.lock().unwrap().last().unwrap().clone()
    }
}

fn talk(mut stream: TcpStream, answer: &impl Fn(&str) -> (u16, String)) -> Option<String> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.parse().ok())?
        });
        if body.len() >= length.unwrap_or(0) {
            break;
        }
    }
    let request = String::from_utf8(request).ok()?;
    let (status, body) = answer(&request);
    let head =
        format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
    // A token of the instance is good for so long.
    let lasts = "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\r\n";
    stream.write_all(format!("{head}{lasts}{body}").as_bytes()).ok()?;
    Some(request)
}

/// `clusters connection-check` of a target, where nothing but what a test gives tells of AWS.
fn check(target: &str, arguments: &[&str]) -> Command {
    let mut command = command(["clusters", "connection-check", "--target", target]);
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command
}

fn with_keys(command: &mut Command) -> &mut Command {
    command.env("AWS_ACCESS_KEY_ID", "AKIDENV").env("AWS_SECRET_ACCESS_KEY", "hunter2")
}

fn run(command: &mut Command) -> Ended {
    let ended: Ended = command.output().unwrap().into();
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains("hunter"), "{ended:?}");
    }
    ended
}

#[test]
fn requests_are_signed_with_the_environments_keys() {
    let target = Answering::start(200, GREETING);
    let es = ["--target-aws-service", "es", "--target-aws-region", "eu-west-1"];
    let said = run(with_keys(&mut check(&target.url, &es))).ends_with(0).stdout;
    assert!(said.contains("Successfully connected to OpenSearch 2.19.6 at http://"), "{said}");
    let asked = target.last();
    assert!(asked.contains("Credential=AKIDENV/"), "{asked}");
    assert!(asked.contains("/eu-west-1/es/aws4_request"), "{asked}");

    let collection = Answering::start(200, "[]");
    let aoss = ["--target-aws-service", "aoss", "--target-aws-region", "us-east-2"];
    let said = run(with_keys(&mut check(&collection.url, &aoss))).ends_with(0).stdout;
    assert!(said.contains("Successfully connected to OpenSearch Serverless at http://"), "{said}");
    assert!(collection.last().contains("/us-east-2/aoss/aws4_request"));
}

#[test]
fn a_named_profile_is_used_whatever_the_environment_holds() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(
        &file,
        "[profile books]\naws_access_key_id = AKIDBOOKS\naws_secret_access_key = hunter3\nregion = eu-central-1\n",
    )
    .unwrap();
    let target = Answering::start(200, GREETING);
    let books = ["--target-aws-service", "es", "--target-aws-profile", "books"];
    let mut command = check(&target.url, &books);
    run(with_keys(&mut command).env("AWS_CONFIG_FILE", path(&file))).ends_with(0);
    let asked = target.last();
    assert!(asked.contains("Credential=AKIDBOOKS/"), "{asked}");
    assert!(asked.contains("/eu-central-1/es/aws4_request"), "{asked}");
    let absent = ["--target-aws-service", "es", "--target-aws-profile", "absent"];
    let mut command = check(&target.url, &absent);
    command.env("AWS_CONFIG_FILE", path(&file)).env("AWS_REGION", "eu-west-1");
    run(with_keys(&mut command)).fails_with(1, &["the AWS profile `absent` gives no credentials"]);
}

#[test]
fn a_role_is_assumed() {
    let sts = Answering::start(
        200,
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>hunter4</SecretAccessKey><SessionToken>token</SessionToken>\
         <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
    );
    let target = Answering::start(200, GREETING);
    let role = [
        "--target-aws-service",
        "es",
        "--target-aws-region",
        "eu-west-1",
        "--target-aws-role",
        ROLE,
    ];
    let named = ["--target-aws-external-id", "word", "--target-aws-role-session", "nightly"];
    let mut command = check(&target.url, &[&role[..], &named].concat());
    run(with_keys(&mut command).env("AWS_ENDPOINT_URL_STS", &sts.url)).ends_with(0);
    let asked = sts.last();
    assert!(
        asked.contains("ExternalId=word") && asked.contains("RoleSessionName=nightly"),
        "{asked}"
    );
    assert!(asked.contains("Credential=AKIDENV/"), "{asked}");
    assert!(target.last().contains("Credential=ASIAROLE/"));

    let refusing = Answering::start(
        403,
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not yours</Message></Error></ErrorResponse>",
    );
    let mut command = check(&target.url, &role);
    run(with_keys(&mut command).env("AWS_ENDPOINT_URL_STS", &refusing.url))
        .fails_with(1, &["STS refuses (AccessDenied: not yours)"]);
}

#[test]
fn a_container_a_web_identity_and_an_instance_give_keys() {
    let keys = |name: &str| {
        format!(
            r#"{{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"{name}","SecretAccessKey":"hunter5","Token":"t",
            "Expiration":"2099-01-01T00:00:00Z","LastUpdated":"2020-01-01T00:00:00Z"}}"#
        )
    };
    let target = Answering::start(200, GREETING);
    let es = ["--target-aws-service", "es", "--target-aws-region", "eu-west-1"];
    let signs_with = |command: &mut Command, name: &str| {
        run(command).ends_with(0);
        let asked = target.last();
        assert!(asked.contains(&format!("Credential={name}/")), "{asked}");
    };

    let container = Answering::start(200, &keys("ASIACONTAINER"));
    let mut command = check(&target.url, &es);
    command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/keys", container.url));
    signs_with(&mut command, "ASIACONTAINER");

    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "the identity").unwrap();
    let sts = Answering::start(
        200,
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAWEB</AccessKeyId><SecretAccessKey>hunter6\
         </SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
         </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
    );
    let mut command = check(&target.url, &es);
    command.env("AWS_WEB_IDENTITY_TOKEN_FILE", path(&token)).env("AWS_ROLE_ARN", ROLE);
    command.env("AWS_ENDPOINT_URL_STS", &sts.url);
    signs_with(&mut command, "ASIAWEB");
    assert!(sts.last().contains("WebIdentityToken=the%20identity"), "{}", sts.last());

    let instance = Answering::start_with(move |request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        match path.trim_end_matches('/') {
            "/latest/api/token" => (200, "token".to_owned()),
            "/latest/meta-data/iam/security-credentials" => (200, "filler".to_owned()),
            "/latest/meta-data/iam/security-credentials/filler" => (200, keys("ASIAINSTANCE")),
            _ => (404, String::new()),
        }
    });
    let mut command = check(&target.url, &es);
    command.env_remove("AWS_EC2_METADATA_DISABLED");
    command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &instance.url);
    signs_with(&mut command, "ASIAINSTANCE");
}

#[test]
fn what_is_missing_or_wrong_is_said_in_one_line() {
    let target = Answering::start(200, GREETING);
    let es = ["--target-aws-service", "es", "--target-aws-region", "eu-west-1"];
    run(&mut check(&target.url, &es)).fails_with(1, &["no AWS credentials were found: set"]);
    run(with_keys(&mut check(&target.url, &es[..2]))).fails_with(2, &["no AWS region: name it"]);

    let expired = Answering::start(
        403,
        r#"{"message":"The security token included in the request is expired"}"#,
    );
    run(with_keys(&mut check(&expired.url, &es)))
        .fails_with(1, &["the AWS credentials have expired: fetch new ones"]);
    let unsigned = Answering::start(403, r#"{"message":"Missing Authentication Token"}"#);
    run(&mut check(&unsigned.url, &[])).fails_with(1, &["the target wants signed requests"]);

    let collection = "https://07tjusf2h91cunochc.us-east-2.aoss.amazonaws.com";
    run(with_keys(&mut check(collection, &es))).fails_with(2, &["give --target-aws-service aoss"]);
}

#[test]
fn signing_goes_with_no_other_authentication_and_no_folder() {
    let es = ["--target-aws-service", "es"];
    let mut both = check("http://127.0.0.1:1", &[&es[..], &["--target-user", "me"]].concat());
    let ended = run(&mut both).ends_with(2);
    assert!(ended.stderr.contains("cannot be used with '--target-user"), "{ended:?}");
    let mut alone = check("http://127.0.0.1:1", &["--target-aws-role", ROLE]);
    let ended = run(&mut alone).ends_with(2);
    assert!(ended.stderr.contains("--target-aws-service"), "{ended:?}");
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&es[..], &["--server-ids", "always"]] {
        run(&mut check(&path(folder.path()), arguments))
            .fails_with(2, &["is for targets that are clusters"]);
    }
}

#[test]
fn a_collection_that_cannot_hold_the_working_state_is_refused_with_the_ways_out() {
    let collection = Answering::start(200, "[]");
    let repository = path(&Fixture::named("opensearch-2.19.6").repository());
    let source = ["--repo", &repository, "--snapshot", "snap-2"];
    let aoss = ["--target-aws-service", "aoss", "--target-aws-region", "us-east-2"];
    let folder = tempfile::tempdir().unwrap();
    let state = path(&folder.path().join("state"));
    let of_run = [&["--target", &collection.url, "--state", &state][..], &aoss].concat();
    for words in [
        [&["backfill", "run"], &source[..]].concat(),
        vec!["worker"],
        vec!["backfill", "status"],
        vec!["backfill", "stop"],
        vec!["backfill", "failed", "summary"],
    ] {
        let ways_out =
            ["cannot hold the working state", "--coordinator URL", "--coordinator local"];
        let words = [&words, &of_run[..]].concat();
        run(with_keys(&mut command(&words))).fails_with(2, &ways_out);
    }
    assert!(!folder.path().join("state").exists());
    let asked = collection.asked.lock().unwrap();
    assert!(asked.iter().all(|asked| !asked.contains("working_state")), "{asked:?}");
}
