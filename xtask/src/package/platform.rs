//! What the systems that packages are for are called.

use std::env::consts::{ARCH, OS};

use crate::failure::{Failure, Result};

/// Linux with glibc, on one kind of processor.
#[derive(Debug)]
pub(super) struct Platform {
    arch: &'static str,
    pub(super) rust: &'static str,
    /// Node's word for the processor.
    pub(super) node: &'static str,
    /// The folder in which JNA looks for libraries inside a jar.
    pub(super) jna: &'static str,
}

const PLATFORMS: &[Platform] = &[
    Platform { arch: "x86_64", rust: "x86_64-unknown-linux-gnu", node: "x64", jna: "linux-x86-64" },
    Platform {
        arch: "aarch64",
        rust: "aarch64-unknown-linux-gnu",
        node: "arm64",
        jna: "linux-aarch64",
    },
];

/// The oldest glibc that packages for users run with.
pub(super) const OLDEST_GLIBC: &str = "2.28";

impl Platform {
    /// That of this machine.
    pub(super) fn here() -> Result<&'static Self> {
        let own = PLATFORMS.iter().find(|platform| OS == "linux" && platform.arch == ARCH);
        own.ok_or_else(|| Failure::Failed(format!("no packages are built on {OS} {ARCH}")))
    }
}
