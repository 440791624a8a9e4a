//! What the tests that run snapfill as its users do share: the fixtures and the documents that must come out of them.

pub mod fixtures;
