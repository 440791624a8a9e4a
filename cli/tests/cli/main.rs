//! The command line as its users meet it: the program is run, and what it prints, how it ends and what it leaves behind
//! is looked at.
//!
//! | file | subject |
//! |---|---|
//! | `aws` | targets on AWS: signed requests and whose keys they are signed with |
//! | `background` | a fleet of worker processes that any terminal controls |
//! | `buckets` | repositories and failed documents in buckets of S3 |
//! | `cat` | the documents of every fixture, on standard output |
//! | `cluster` | targets that are clusters, real ones among them |
//! | `report` | a report of what was moved |
//! | `run` | a backfill from its plan to its last document |
//! | `kill` | a backfill that is killed, interrupted, or run twice at once |
//! | `failed` | documents that a cluster refuses |
//! | `fleets` | the behaviour table of controllers over platforms whose workers are the program |
//! | `faults` | wrong folders, full disks, targets that cannot be written |
//! | `console` | the incumbent's commands over its own `services.yaml`, line by line |
//! | `config` | configuration files, and those of the Migration Assistant |
//! | `completions` | what shells complete words by |
//! | `logging` | log lines, as text and as JSON |
//! | `deploy` | what `deploy/` ships: images, ECS, IAM, Kubernetes |
//! | `damage` | repositories of which a file is flipped, cut or gone |
//! | `gradual` | a fleet that is scaled step by step |
//! | `hostile` | repositories that no server would write, within limits of memory and time |
//! | `memory` | large documents, and how much memory they take |
//! | `pacing` | how fast a run may send |
//! | `remote` | a working state on a real cluster that is stopped, restored and reset |
//! | `secured` | targets with TLS and passwords, real ones among them |
//! | `secrets` | nothing shows a password or a key |
//! | `stop` | a backfill that is stopped, and the ways back |
//! | `story` | the whole story on a real cluster, as users of the incumbent know it |
//! | `worker` | a worker of its own, as a supervisor or a container runs it |
//! | `watch` | looking at a backfill until its end |
//! | `processes` | the behaviour table of controllers over worker processes of this machine |
//! | `program` | running the program |

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

#[cfg(feature = "aws")]
mod aws;
mod background;
#[cfg(feature = "s3")]
mod buckets;
mod cat;
mod chaos;
mod cluster;
mod completions;
mod config;
mod console;
mod damage;
mod deploy;
mod failed;
mod faults;
#[cfg(all(feature = "ecs", feature = "kubernetes"))]
mod fleets;
mod gradual;
mod hostile;
mod kill;
mod logging;
mod memory;
mod pacing;
mod processes;
mod program;
mod readme;
mod remote;
mod report;
mod run;
mod secrets;
mod secured;
mod stop;
mod story;
mod watch;
mod worker;
