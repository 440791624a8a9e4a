//! Targets with TLS and passwords: a real server with the security plugin.

use snapfill_harness::{Options, Security, Server, Version, runs};
use snapfill_tests::fixtures::{Fixture, assert_same};
use snapfill_tests::node::{by_index, documents_of};

use crate::program::{Ended, command, path};

/// A way to reach the server: arguments, and the password.
struct Way<'a> {
    arguments: Vec<&'a str>,
    password: &'a str,
}

fn run(way: &Way<'_>, words: &[&str]) -> Ended {
    let mut command = command(words);
    command.args(&way.arguments).env("SNAPFILL_TARGET_PASSWORD", way.password);
    let ended: Ended = command.output().unwrap().into();
    assert!(!ended.stderr.contains("hunter2") && !ended.stdout.contains("hunter2"), "{ended:?}");
    ended
}

#[test]
fn a_secured_server_is_filled_by_those_it_knows_and_nobody_else() {
    if !runs(Version::OpenSearch2_19_4) {
        return;
    }
    let mut options = Options::default();
    options.security = true;
    let server = Server::start_with(Version::OpenSearch2_19_4, &options).unwrap();
    let security = server.security().unwrap();
    let state = tempfile::tempdir().unwrap();
    fills(&server, security, &path(state.path()));
    refuses(&server, security, &path(state.path()));
    plain_is_told_from_tls(&server);
}

/// `run` of an index of the fixture into the server.
fn filling<'a>(
    server: &'a Server,
    repository: &'a str,
    index: &'a str,
    state: &'a str,
) -> [&'a str; 12] {
    let [run, to, only, kept] = ["run", "snap-2", "--index", "--state"];
    let session = "--session";
    [run, repository, to, server.url(), only, index, session, index, kept, state, "--workers", "2"]
}

fn fills(server: &Server, security: &Security, state: &str) {
    let fixture = Fixture::named("opensearch-2.19.6");
    let expected = by_index(fixture.expected_with_source("snap-2"));
    let repository = path(&fixture.repository());
    let [ca, certificate, key] =
        [&security.ca_file, &security.client_certificate, &security.client_key]
            .map(|file| path(file));
    let with_password = Way {
        arguments: vec!["--target-ca", &ca, "--target-user", security.user],
        password: security.password,
    };
    let with_certificate = Way {
        arguments: vec!["--target-ca", &ca, "--target-cert", &certificate, "--target-key", &key],
        password: "",
    };
    let unchecked = Way {
        arguments: vec!["--allow-insecure", "--target-user", security.user],
        password: security.password,
    };
    for (way, index) in
        [(with_password, "routed"), (with_certificate, "shapes"), (unchecked, "best")]
    {
        let state = format!("{state}/{index}");
        let ended = run(&way, &filling(server, &repository, index, &state)).ends_with(0);
        assert!(ended.stdout.contains("Backfill complete"), "{ended:?}");
        assert_same(&documents_of(server, index), &expected[index], index);
    }
}

fn refuses(server: &Server, security: &Security, state: &str) {
    let repository = path(&Fixture::named("opensearch-2.19.6").repository());
    let [ca, wrong] = [&security.ca_file, &security.client_certificate].map(|file| path(file));
    let by = |file, user, password| Way {
        arguments: vec!["--target-ca", file, "--target-user", user],
        password,
    };
    let admin = security.user;
    let unknown = "does not know us: check user and password";
    let untrusted = "the target's certificate is not trusted";
    let table = [
        (by(&ca, admin, "hunter2"), unknown),
        (by(&ca, "nobody", "hunter2"), unknown),
        (Way { arguments: vec!["--target-ca", &ca], password: "" }, unknown),
        (by(&wrong, admin, security.password), untrusted),
        (Way { arguments: vec!["--target-user", admin], password: security.password }, untrusted),
    ];
    let state = format!("{state}/refused");
    for (way, said) in table {
        let check = ["clusters", "connection-check", "--target", server.url()];
        run(&way, &check).fails_with(1, &[said]);
        run(&way, &filling(server, &repository, "five", &state)).fails_with(1, &[said]);
    }
    // One of the plugin's example, who may read only.
    let reader = by(&ca, "readall", "readall");
    run(&reader, &filling(server, &repository, "five", &state))
        .fails_with(1, &["does not let us do this: grant the user this right"]);
    let token = ["--target-ca", &ca, "--target-token-env", "SNAPFILL_TARGET_PASSWORD"];
    let token = Way { arguments: token.to_vec(), password: "hunter2" };
    run(&token, &["clusters", "info", "--target", server.url()]).fails_with(1, &[unknown]);
}

fn plain_is_told_from_tls(server: &Server) {
    let plain = server.url().replace("https://", "http://");
    let nobody = Way { arguments: Vec::new(), password: "" };
    run(&nobody, &["clusters", "info", "--target", &plain])
        .fails_with(1, &["if it speaks TLS, begin its address with https://"]);
}
