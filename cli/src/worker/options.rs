//! What a worker is told, by flags and by the environment.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use clap::{Arg, ArgAction, Args, Command, ValueEnum};

use crate::arguments::{RunOptions, Target};

#[derive(Debug, Args)]
pub(crate) struct Worker {
    /// The target: a folder or a cluster's URL
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) target: Target,
    /// The repository, to plan the run if nobody has: a folder, a file:// URL or s3://bucket/folder
    #[arg(long, requires = "snapshot")]
    pub(crate) repo: Option<String>,
    /// The snapshot's name
    #[arg(long, requires = "repo")]
    pub(crate) snapshot: Option<String>,
    #[command(flatten)]
    pub(crate) duty: Duty,
    #[command(flatten)]
    pub(crate) how: RunOptions,
}

/// How long a worker stays, and how it is watched.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "In a container")]
pub(crate) struct Duty {
    /// What to do when nothing is left to be done, nothing is planned, or the backfill was stopped
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = WhenDone::Exit)]
    pub(crate) when_done: WhenDone,
    /// How long what is in flight is waited for after SIGTERM or Ctrl-C. Less than what kills the container: Amazon ECS and
    /// Kubernetes wait 30 s
    #[arg(long, value_name = "TIME", default_value = "25s", value_parser = seconds)]
    pub(crate) grace: Duration,
    /// Answer `GET /healthz` and `GET /metrics` (Prometheus) at this address, such as 0.0.0.0:9464
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// `/healthz` answers 503 when work items are held and nothing came forward for so many leases
    #[arg(long, value_name = "N", default_value = "5")]
    pub(crate) stall_leases: NonZeroU32,
    /// `/healthz` answers 503 when sending was paused for so long, to spare the target
    #[arg(long, value_name = "TIME", default_value = "900s", value_parser = seconds)]
    pub(crate) stall_pause: Duration,
    /// End as after SIGTERM when standard input ends: for a supervisor that holds its other end, and may die
    #[arg(long, hide = true)]
    pub(crate) until_stdin_closes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhenDone {
    /// End
    Exit,
    /// Stay, and look again from time to time
    Stay,
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.strip_suffix('s').unwrap_or(text).parse() {
        Ok(seconds) if seconds <= 86_400 => Ok(Duration::from_secs(seconds)),
        _ => Err("give a number of seconds up to 86400 such as 25s".to_owned()),
    }
}

/// Has each flag of a command taken from the environment where it is not typed: `--bulk-bytes` from `SNAPFILL_BULK_BYTES`. What
/// may be given several times stands there a line each.
pub(crate) fn by_environment(command: Command) -> Command {
    command.mut_args(|flag| match flag.get_long() {
        Some(name) if !flag.is_hide_set() => {
            let variable = variable_of(name);
            let repeated = matches!(flag.get_action(), ArgAction::Append);
            // Addresses may hold a password.
            let flag = flag.env(variable).hide_env_values(true);
            if repeated { Arg::value_delimiter(flag, '\n') } else { flag }
        }
        _ => flag,
    })
}

fn variable_of(flag: &str) -> String {
    format!("SNAPFILL_{}", flag.replace('-', "_").to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds() {
        assert_eq!(seconds("25s"), Ok(Duration::from_secs(25)));
        assert_eq!(seconds("0"), Ok(Duration::ZERO));
        assert!(seconds("86401s").is_err() && seconds("soon").is_err() && seconds("-1").is_err());
    }

    #[test]
    fn variables_are_called_like_their_flags() {
        assert_eq!(variable_of("bulk-bytes"), "SNAPFILL_BULK_BYTES");
    }
}
