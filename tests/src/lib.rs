//! What the tests that run snapfill as its users do share: the fixtures and the documents that must come out of them.

// A test that cannot go on has nothing better to do.
#![allow(clippy::panic)]

pub mod copy;
pub mod fixtures;
pub mod hostile;
#[path = "../../core/lucene/tests/support/writer.rs"]
pub mod lucene_writer;
pub mod mutation;
pub mod node;
pub mod platform;
pub mod random;
pub mod target;
