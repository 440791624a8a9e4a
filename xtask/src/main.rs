//! The project's own commands: `cargo xtask …`. A command is a row in [`COMMANDS`] and a module.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what a command does")]

use std::env;
use std::process::ExitCode;

use crate::failure::{Failure, Result};
use crate::workspace::Workspace;

mod arguments;
mod bench;
mod check;
mod checked_in;
mod corpus;
mod cycles;
mod demo;
mod failure;
mod fixtures;
mod fuzz;
mod generate;
mod kotlin;
mod mutate;
mod native;
mod node;
mod package;
mod parity;
mod process;
mod programs;
mod python;
mod random;
mod simulate;
mod stopwatch;
mod suite;
mod throughput;
mod tools;
mod venv;
mod workspace;

struct Command {
    name: &'static str,
    usage: &'static str,
    summary: &'static str,
    run: fn(&Workspace, &[String]) -> Result,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        usage: "test [--all-servers | --full]",
        summary: "format, house limits, lints, tests on three real servers or on all, docs; --full adds benches to all",
        run: suite::run,
    },
    Command {
        name: "servers",
        usage: "servers [--all-servers]",
        summary: "downloads the servers that the tests start, or all of them",
        run: suite::run_servers,
    },
    Command {
        name: "check",
        usage: "check",
        summary: "the house limits alone: sizes, names, what may not occur",
        run: check::run,
    },
    Command {
        name: "demo",
        usage: "demo",
        summary: "the main job on a real snapshot, into ./snapfill-demo",
        run: demo::run,
    },
    Command {
        name: "bench",
        usage: "bench [-- CRITERION-ARGUMENTS]",
        summary: "the speed of decoding stored fields",
        run: bench::run,
    },
    Command {
        name: "corpus",
        usage: "corpus --gib N --out DIR [--server NAME]",
        summary: "a snapshot with N GiB of documents, made by a real server (opensearch-2.19.6)",
        run: corpus::run,
    },
    Command {
        name: "cycles",
        usage: "cycles [--cycles N] [--language NAME]",
        summary: "backfills begun and interrupted 1000 times in each language: what it leaves behind, and how long it takes",
        run: cycles::run,
    },
    Command {
        name: "fixtures",
        usage: "fixtures VERSION [--tiny] [--out DIR]",
        summary: "the snapshots that tests read, made again by a real server; --tiny for mutation",
        run: fixtures::run,
    },
    Command {
        name: "fuzz",
        usage: "fuzz [--minutes N] [TARGET…]",
        summary: "each fuzz target for 2 minutes of processor time, the six largest for 10, or all for N",
        run: fuzz::run,
    },
    Command {
        name: "generate",
        usage: "generate",
        summary: "what is made from the code and checked in: the schema of configuration files",
        run: generate::run,
    },
    Command {
        name: "kotlin",
        usage: "kotlin [--write]",
        summary: "the Kotlin package: its tests, and the declarations for Kotlin and Swift, which --write makes anew",
        run: kotlin::run,
    },
    Command {
        name: "mutate",
        usage: "mutate [VERSION…]",
        summary: "every flip and cut of the tiny snapshots, read and judged",
        run: mutate::run,
    },
    Command {
        name: "node",
        usage: "node",
        summary: "the Node package, built in place: its types and its tests",
        run: node::run,
    },
    Command {
        name: "package",
        usage: "package [--quick]",
        summary: "what users install, built into an emptied dist/ and tried where nothing else is; --quick unoptimised, for this machine alone",
        run: package::run,
    },
    Command {
        name: "parity",
        usage: "parity [--write]",
        summary: "holds each language against the facade; --write makes bindings/api.json and docs/parity.md anew",
        run: parity::run,
    },
    Command {
        name: "python",
        usage: "python",
        summary: "the Python package, built in place: its tests, mypy and stubtest",
        run: python::run,
    },
    Command {
        name: "simulate",
        usage: "simulate [--seeds N | --seed N]",
        summary: "fleets under a seeded scheduler with faults: 10 000 seeds, or N, or one with its trace",
        run: simulate::run,
    },
    Command {
        name: "throughput",
        usage: "throughput --repo DIR --snapshot NAME [--rounds N]",
        summary: "documents a second through each language's package, beside Rust's",
        run: throughput::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(what)) => {
            eprintln!("error: {what}\n\n{}", usage());
            ExitCode::from(2)
        }
        Err(Failure::Failed(what)) => {
            eprintln!("error: {what}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result {
    let Some((name, rest)) = arguments.split_first() else {
        return Err(Failure::Usage("no command".to_owned()));
    };
    if ["help", "--help", "-h"].contains(&name.as_str())
        || rest.iter().take_while(|word| *word != "--").any(|word| word == "--help" || word == "-h")
    {
        println!("{}", usage());
        return Ok(());
    }
    let command = COMMANDS.iter().find(|command| command.name == name);
    let command = command.ok_or_else(|| Failure::Usage(format!("no command `{name}`")))?;
    (command.run)(&Workspace::find()?, rest)
}

fn usage() -> String {
    let mut text = "Usage: cargo xtask COMMAND\n\nCommands:".to_owned();
    for command in COMMANDS {
        text += &format!("\n  {}\n      {}", command.usage, command.summary);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn misuse_is_told_from_failure() {
        let corpus = ["corpus", "corpus --gib x --out y"];
        let fixtures = ["fixtures", "fixtures opensearch-0.1", "fixtures --tiny"];
        let simulate = ["simulate --seed x", "simulate --seeds", "simulate --seed 1 --seeds 2"];
        let lines = ["frobnicate", "test --frobnicate"];
        for line in lines.iter().chain(&corpus).chain(&fixtures).chain(&simulate) {
            let outcome = dispatch(&words(line));
            assert!(matches!(outcome, Err(Failure::Usage(_))), "{line}: {outcome:?}");
        }
        assert!(matches!(dispatch(&[]), Err(Failure::Usage(_))));
    }

    #[test]
    fn help_runs_nothing() {
        dispatch(&words("help")).unwrap();
        dispatch(&words("corpus --help")).unwrap();
    }
}
