//! What the tests that run snapfill as its users do share.
