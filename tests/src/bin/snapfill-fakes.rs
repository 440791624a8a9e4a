//! `snapfill-fakes`: what the tests of other languages need beside them, until standard input ends. It prints where things are as one
//! line of JSON:
//!
//! - `cluster`: a cluster that refuses documents when it is told to ([`FakeCluster`]);
//! - with `--workers PROGRAM` also `server`, a real server, and `ecs`, an Amazon ECS with one service ([`SteppingEcs`]), whose
//!   tasks are `PROGRAM worker` and fill the server.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

use std::error::Error;
use std::io::{self, Read};
use std::process::ExitCode;

use serde_json::json;
use snapfill_harness::{Server, Version};
use snapfill_tests::platform::{FakeCluster, SlowRun, SteppingEcs, ecs};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let ended = match words.as_slice() {
        [] => serve(None),
        [flag, program] if flag == "--workers" => serve(Some(program)),
        _ => Err("give nothing, or --workers PROGRAM".into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("snapfill-fakes: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(workers: Option<&String>) -> Result<(), Box<dyn Error>> {
    let cluster = FakeCluster::start();
    let Some(program) = workers else {
        println!("{}", json!({ "cluster": cluster.url() }));
        return until_nobody_listens();
    };
    let server = Server::start(Version::OpenSearch2_19_6)?;
    let run = SlowRun::new()?;
    let platform = SteppingEcs::start(run.workers_into(server.url(), "", program));
    let places = json!({
        "cluster": cluster.url(),
        "server": server.url(),
        "ecs": {"url": platform.url(), "cluster": ecs::CLUSTER, "service": ecs::SERVICE},
    });
    println!("{places}");
    until_nobody_listens()
}

/// Whoever started this holds the other end of standard input, and may die.
fn until_nobody_listens() -> Result<(), Box<dyn Error>> {
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
