//! `cargo xtask simulate`: whole fleets under a seeded scheduler, many seeds or one with its trace.

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::process::{cargo, exit_code};
use crate::workspace::Workspace;

/// Seeds that are run when nobody says how many.
const SEEDS: &str = "10000";

pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    let arguments = Arguments::parse(words, &[], &["--seeds", "--seed"])?;
    let mut command = cargo(workspace);
    // With debug assertions, and without waiting for a build of its own.
    command.args(["test", "-p", "snapfill", "--lib"]);
    command.args(["simulation::tests::no_seed_breaks_an_invariant", "--", "--nocapture"]);
    match (number(&arguments, "--seed")?, number(&arguments, "--seeds")?) {
        (Some(_), Some(_)) => {
            return Err(Failure::Usage("--seed or --seeds, not both".to_owned()));
        }
        (Some(seed), None) => command.env("SNAPFILL_SIMULATION_SEED", seed),
        (None, seeds) => command.env("SNAPFILL_SIMULATION_SEEDS", seeds.unwrap_or(SEEDS)),
    };
    match exit_code(&mut command)? {
        0 => Ok(()),
        code => Failure::failed(format!("the simulation ended with exit code {code}")),
    }
}

fn number<'a>(arguments: &'a Arguments, option: &str) -> Result<Option<&'a str>> {
    let value = arguments.value(option);
    if value.is_some_and(|value| value.parse::<u64>().is_err()) {
        return Err(Failure::Usage(format!("{option} needs a number")));
    }
    Ok(value)
}
