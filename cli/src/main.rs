//! The command line of snapfill.
fn main() {}
