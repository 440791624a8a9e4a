//! The command line as its users meet it: the program is run, and what it prints, how it ends and what it leaves behind
//! is looked at.
//!
//! | file | subject |
//! |---|---|
//! | `cat` | the documents of every fixture, on standard output |
//! | `cluster` | targets that are clusters, real ones in the full tier |
//! | `run` | a backfill from its plan to its last document |
//! | `kill` | a backfill that is killed, interrupted, or run twice at once |
//! | `faults` | wrong folders, full disks, targets that cannot be written |
//! | `damage` | repositories of which a file is flipped, cut or gone |
//! | `hostile` | repositories that no server would write, within limits of memory and time |
//! | `memory` | large documents, and how much memory they take |
//! | `pacing` | how fast a run may send |
//! | `program` | running the program |

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod cat;
mod cluster;
mod damage;
mod faults;
mod hostile;
mod kill;
mod memory;
mod pacing;
mod program;
mod readme;
mod run;
