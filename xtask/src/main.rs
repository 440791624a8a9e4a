//! The commands of the project: `cargo xtask …`.
fn main() {}
