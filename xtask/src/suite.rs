//! `cargo xtask test`: everything that must hold, in the order that fails soonest.

use snapfill_harness::{SERVERS_VARIABLE, Server, Servers};

use crate::arguments::Arguments;
use crate::check;
use crate::failure::{Failure, Result};
use crate::kotlin;
use crate::native::AFTER_TESTS;
use crate::node;
use crate::package;
use crate::process::{cargo, exit_code, shell_line};
use crate::python;
use crate::stopwatch::Stopwatch;
use crate::tools;
use crate::workspace::Workspace;

/// When a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tier {
    Always,
    Full,
}

#[derive(Debug)]
enum Action {
    /// The house limits, in this process.
    Limits,
    /// What the real servers need, downloaded, in this process.
    Servers,
    /// `cargo` with these arguments.
    Cargo(&'static [&'static str]),
    /// What is built from what the tests have built, by this command, in this process.
    Command(&'static [&'static str], fn(&Workspace, &[String]) -> Result),
}

/// To add a step: a row here.
#[derive(Debug)]
struct Step {
    name: &'static str,
    tier: Tier,
    action: Action,
    environment: &'static [(&'static str, &'static str)],
    /// Its tests start real servers, when they are told which.
    starts_servers: bool,
    /// The step is left out where this file is not there.
    needs: Option<&'static str>,
}

impl Step {
    const fn new(name: &'static str, action: Action) -> Self {
        Step {
            name,
            tier: Tier::Always,
            action,
            environment: &[],
            starts_servers: false,
            needs: None,
        }
    }
}

static STEPS: &[Step] = &[
    Step::new("format", Action::Cargo(&["fmt", "--all", "--check"])),
    Step::new("limits", Action::Limits),
    Step::new(
        "lints",
        Action::Cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ),
    Step::new("servers", Action::Servers),
    Step { starts_servers: true, ..Step::new("tests", Action::Cargo(&["test", "--workspace"])) },
    Step::new("parity", Action::Cargo(&["xtask", "parity"])),
    Step::new("python", Action::Command(&["python"], python::run)),
    Step::new("node", Action::Command(&["node"], node::run)),
    Step::new("kotlin", Action::Command(&["kotlin"], kotlin::run)),
    Step::new("packages", Action::Command(&["package", "--quick"], package::run)),
    Step::new(
        "without aws",
        Action::Cargo(&["check", "-p", "snapfill-cli", "--no-default-features"]),
    ),
    Step {
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
        ..Step::new("docs", Action::Cargo(&["doc", "--workspace", "--no-deps"]))
    },
    Step::new(
        "no features",
        Action::Cargo(&[
            "clippy",
            "-p",
            "snapfill",
            "-p",
            "snapfill-lucene",
            "--no-default-features",
            "--",
            "-D",
            "warnings",
        ]),
    ),
    Step::new(
        "reader alone",
        Action::Cargo(&[
            "run",
            "--quiet",
            "-p",
            "snapfill",
            "--no-default-features",
            "--example",
            "read_snapshot",
            "--",
            "tests/fixtures/tiny/opensearch-3.8.0/repo",
            "snap-1",
        ]),
    ),
    Step {
        tier: Tier::Full,
        needs: Some("core/lucene/benches/decode.rs"),
        ..Step::new(
            "benches run",
            Action::Cargo(&["bench", "-p", "snapfill-lucene", "--bench", "decode", "--", "--test"]),
        )
    },
];

pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    let arguments = Arguments::parse(words, &["--all-servers", "--full"], &[])?;
    let is_full = arguments.has("--full");
    let all = is_full || arguments.has("--all-servers");
    let servers = if all { Servers::All } else { Servers::Default };
    tools::verify(workspace, servers)?;
    let mut times = Vec::new();
    let whole = Stopwatch::start();
    for step in STEPS.iter().filter(|step| step.applies(workspace, is_full)) {
        let watch = Stopwatch::start();
        let line = step.line(servers);
        println!("\n=== {}: {line}", step.name);
        let outcome = step.run(workspace, servers);
        times.push(format!("{} {:.1} s", step.name, watch.seconds()));
        if let Err(failure) = outcome {
            let why = match failure {
                Failure::Usage(why) | Failure::Failed(why) => why,
            };
            return Failure::failed(format!(
                "step `{}` failed: {why}\nrun it alone: {line}",
                step.name
            ));
        }
    }
    println!("\nall passed in {:.1} s: {}", whole.seconds(), times.join(", "));
    Ok(())
}

/// `cargo xtask servers`: downloads what the tests' servers need.
pub(crate) fn run_servers(workspace: &Workspace, words: &[String]) -> Result {
    let all = Arguments::parse(words, &["--all-servers"], &[])?.has("--all-servers");
    let servers = if all { Servers::All } else { Servers::Default };
    tools::verify(workspace, servers)?;
    fetch(servers)
}

/// Has the servers ready before the tests, so that a download that fails is told as one.
fn fetch(servers: Servers) -> Result {
    for version in servers.versions() {
        println!("{version}");
        Server::fetch(version).map_err(|error| Failure::Failed(error.to_string()))?;
    }
    Ok(())
}

impl Step {
    fn applies(&self, workspace: &Workspace, is_full: bool) -> bool {
        (is_full || self.tier == Tier::Always)
            && self.needs.is_none_or(|file| workspace.root().join(file).exists())
    }

    fn run(&self, workspace: &Workspace, servers: Servers) -> Result {
        let arguments = match self.action {
            Action::Limits => return check::run(workspace, &[]),
            Action::Servers => return fetch(servers),
            Action::Command(words, run) => {
                let flags = words.iter().skip(1).chain([&AFTER_TESTS]);
                return run(workspace, &flags.map(|&flag| flag.to_owned()).collect::<Vec<_>>());
            }
            Action::Cargo(arguments) => arguments,
        };
        let mut command = cargo(workspace);
        command.args(arguments).envs(self.environment(servers));
        match exit_code(&mut command)? {
            0 => Ok(()),
            code => Failure::failed(format!("exit code {code}")),
        }
    }

    fn environment(&self, servers: Servers) -> Vec<(&'static str, &'static str)> {
        let servers = self.starts_servers.then(|| (SERVERS_VARIABLE, servers.word()));
        self.environment.iter().copied().chain(servers).collect()
    }

    /// The step as one would type it.
    fn line(&self, servers: Servers) -> String {
        let arguments = match self.action {
            Action::Limits => return "cargo xtask check".to_owned(),
            Action::Command(words, _) => return format!("cargo xtask {}", words.join(" ")),
            Action::Servers => {
                let flag = if servers == Servers::All { " --all-servers" } else { "" };
                return format!("cargo xtask servers{flag}");
            }
            Action::Cargo(arguments) => arguments,
        };
        let environment: String = self
            .environment(servers)
            .iter()
            .map(|(name, value)| format!("{name}={} ", shell_line([*value])))
            .collect();
        let words = ["cargo"].into_iter().chain(arguments.iter().copied());
        environment + &shell_line(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_shown_as_it_can_be_typed() {
        let lines: Vec<String> = STEPS.iter().map(|step| step.line(Servers::All)).collect();
        let docs = "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps";
        assert!(lines.iter().any(|line| line == docs), "{lines:?}");
        let tests = "SNAPFILL_TEST_SERVERS=all cargo test --workspace";
        assert!(lines.iter().any(|line| line == tests), "{lines:?}");
    }

    #[test]
    fn no_two_steps_have_one_name() {
        for (number, step) in STEPS.iter().enumerate() {
            assert!(STEPS[..number].iter().all(|other| other.name != step.name), "{}", step.name);
        }
    }
}
