//! Bytes damaged on purpose.
//!
//! A parser of files with magic numbers and checksums never sees random bytes: they end at its door. So a target of the fuzz
//! tests takes a real file, lets the random bytes say how to [edit](edits) it, makes the [checksum](Seal) right again, and
//! hands it to the parser under a [trial](Trial), which holds the parser to a bound of memory.

pub mod edits;
mod seal;
mod trial;

pub use edits::Program;
pub use seal::Seal;
pub use trial::Trial;
