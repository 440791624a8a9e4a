//! Repositories and failed documents in buckets of S3: real requests, signed with the environment's keys.

use std::process::Command;

use snapfill_harness::{S3Call, S3Fault, S3Server};
use snapfill_tests::fixtures::{Fixture, Line, assert_same};
use snapfill_tests::platform::FakeCluster;

use crate::program::{Ended, command, path};

const FIXTURE: &str = "opensearch-2.19.6";
const REPOSITORY: &str = "s3://books/backups/a";

/// A server that holds a repository.
struct Bench {
    server: S3Server,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let server = S3Server::start().unwrap();
        let repository = Fixture::named(FIXTURE).repository();
        server.upload("books", "backups/a", &repository).unwrap();
        Self { server, folder: tempfile::tempdir().unwrap() }
    }

    /// The program, where nothing tells of AWS but what the server needs.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = command(words);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") {
                command.env_remove(name);
            }
        }
        command.envs(self.server.environment());
        command
    }

    fn call(&self, words: &[&str]) -> Ended {
        run(&mut self.command(words))
    }

    fn place(&self, name: &str) -> String {
        path(&self.folder.path().join(name))
    }

    fn run_into(&self, target: &str, more: &[&str]) -> Ended {
        let words = ["backfill", "run", "--repo", REPOSITORY, "--snapshot", "snap-2"];
        self.call(&[&words[..], &["--target", target], more].concat())
    }
}

fn run(command: &mut Command) -> Ended {
    let ended: Ended = command.output().unwrap().into();
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains("hunter"), "{ended:?}");
    }
    ended
}

#[test]
fn a_snapshot_in_a_bucket_is_listed_printed_and_verified() {
    let bench = Bench::new();
    let listed = bench.call(&["snapshot", "list", "s3://books/backups/a/"]).ends_with(0);
    assert!(listed.stdout.contains("snap-1") && listed.stdout.contains("snap-2"), "{listed:?}");
    let printed = bench.call(&["snapshot", "cat", REPOSITORY, "snap-2"]).ends_with(3);
    let mut lines: Vec<_> = printed.stdout.split_terminator('\n').map(Line::parse).collect();
    lines.sort();
    assert_same(&lines, &Fixture::named(FIXTURE).expected_with_source("snap-2"), REPOSITORY);
    bench.call(&["snapshot", "verify", REPOSITORY, "snap-2"]).ends_with(3);
    let base = ["--base-path", "backups/a"];
    bench.call(&[&["snapshot", "list", "s3://books"][..], &base].concat()).ends_with(0);
}

#[test]
fn a_run_reads_from_a_bucket_and_its_workers_need_only_keys() {
    let bench = Bench::new();
    let target = bench.place("target");
    let first = bench.run_into(&target, &["--workers", "2"]).ends_with(3);
    assert!(first.stdout.contains("not every document was written"), "{first:?}");
    let shards = |calls: Vec<S3Call>| calls.iter().filter(|call| call.range.is_some()).count();
    assert!(shards(bench.server.calls()) > 0);
    bench.run_into(&target, &[]).ends_with(3);
    assert_eq!(shards(bench.server.calls()), 0, "nothing is read twice");

    // Neither an endpoint nor a region: the run tells.
    let mut worker = bench.command(&["worker", "--target", &target]);
    run(worker.env_remove("AWS_ENDPOINT_URL_S3").env_remove("AWS_REGION")).ends_with(0);
    assert!(!bench.server.calls().is_empty());
}

#[test]
fn failed_documents_are_kept_in_a_bucket_and_sent_again_from_there() {
    let (bench, cluster) = (Bench::new(), FakeCluster::start());
    let store = "s3://shelf/failed";
    let kept = bench.server.bucket("shelf").unwrap();
    cluster.refuse("f3", "mapper_parsing_exception", "no");
    let state = bench.place("state");
    let place = ["--coordinator", "local", "--state", &state];
    let only = ["--index", "five", "--failed-store", store];
    bench.run_into(cluster.url(), &[&place[..], &only].concat()).ends_with(3);
    assert!(kept.join("failed").is_dir(), "it is in the bucket");
    let failed = |words: &[&str]| {
        let of_run = [&["--target", cluster.url()][..], &place].concat();
        bench.call(&[&["backfill", "failed"][..], words, &of_run].concat())
    };
    assert_eq!(failed(&["list"]).ends_with(0).stderr, "1 failed document\n");
    let alone = ["backfill", "failed", "list", "--failed-store", store];
    assert_eq!(bench.call(&alone).ends_with(0).stderr, "1 failed document\n");
    cluster.mend();
    let redriven = failed(&["redrive"]).ends_with(0);
    assert_eq!(redriven.stdout, "1 document taken, 0 still refused\n");
}

#[test]
fn what_is_missing_or_wrong_is_said_in_one_line() {
    let bench = Bench::new();
    let list = || bench.command(&["snapshot", "list", REPOSITORY]);
    let says = |command: &mut Command, part: &str| {
        run(command).fails_with(1, &[part]);
    };
    says(list().env("AWS_SECRET_ACCESS_KEY", "hunter-too"), "S3 refuses the signature");
    says(list().env("AWS_ACCESS_KEY_ID", "AKIDOTHER"), "S3 does not know the access key");
    says(
        list().env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY"),
        "no AWS credentials were found: set",
    );
    says(
        list().env("AWS_REGION", "us-east-1"),
        "is in region eu-central-2, not in us-east-1; give --repo-region eu-central-2",
    );
    run(list().env("AWS_REGION", "us-east-1").args(["--repo-region", "eu-central-2"])).ends_with(0);
    says(
        list().env_remove("AWS_REGION").env_remove("AWS_ENDPOINT_URL_S3"),
        "no AWS region for the bucket: name it (--repo-region)",
    );
    says(&mut bench.command(&["snapshot", "list", "s3://shelf/a"]), "there is no bucket `shelf`");
    says(
        list().env("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1"),
        "S3 cannot be reached: Connection refused",
    );
    says(
        list().env("AWS_ENDPOINT_URL_S3", "http://minio.example.com"),
        "allow it (--repo-allow-http)",
    );
    bench.server.fail_next([S3Fault::Refusal(403, "AccessDenied"); 3]);
    says(&mut list(), "s3:GetObject on arn:aws:s3:::books/backups/a/*");
    bench.call(&["snapshot", "list", "gs://books/a"]).fails_with(1, &["gs://", "not supported"]);
}

#[test]
fn a_bucket_that_is_open_to_everybody_needs_no_keys() {
    let bench = Bench::new();
    bench.server.upload("open-books", "a", &Fixture::named(FIXTURE).repository()).unwrap();
    let mut open = bench.command(&["snapshot", "list", "s3://open-books/a", "--repo-anonymous"]);
    open.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    run(&mut open).ends_with(0);
    let mut closed = bench.command(&["snapshot", "list", REPOSITORY, "--repo-anonymous"]);
    run(&mut closed).fails_with(1, &["S3 denies access"]);
}

#[test]
fn a_named_profile_gives_the_keys() {
    let bench = Bench::new();
    let file = bench.place("config");
    let keys = format!(
        "[profile books]\naws_access_key_id = {}\naws_secret_access_key = {}\nregion = {}\n",
        S3Server::KEY_ID,
        S3Server::SECRET,
        S3Server::REGION
    );
    std::fs::write(&file, keys).unwrap();
    let words = ["snapshot", "list", REPOSITORY, "--repo-profile", "books"];
    let mut named = bench.command(&words);
    named.env("AWS_CONFIG_FILE", &file).env("AWS_SECRET_ACCESS_KEY", "hunter-too");
    run(named.env_remove("AWS_REGION")).ends_with(0);
}
