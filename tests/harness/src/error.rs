//! What can go wrong, each with what to do about it.

use std::io;
use std::path::PathBuf;

/// The harness's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a server could not be had or did not answer as it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program the harness runs is not installed.
    #[error("`{tool}` was not found: {how}")]
    MissingTool {
        /// The program's name.
        tool: &'static str,
        /// How to get it.
        how: &'static str,
    },
    /// No Java that this server runs on.
    #[error(
        "no JDK {oldest} to {newest} for {version} (found: {found}): set JAVA_HOME, or install one \
         below /usr/lib/jvm, for instance `apt-get install openjdk-{}-jdk-headless`",
        if *newest < 21 { 17 } else { 21 }
    )]
    MissingJdk {
        /// The server that needs it.
        version: &'static str,
        /// The oldest major version it runs on.
        oldest: u32,
        /// The newest major version it runs on.
        newest: u32,
        /// The major versions that are installed.
        found: String,
    },
    /// A program ended with an error.
    #[error("`{command}` failed ({status}):\n{output}")]
    Failed {
        /// The command line.
        command: String,
        /// How it ended.
        status: String,
        /// The end of what it printed.
        output: String,
    },
    /// No version has this name.
    #[error("no server version `{name}`: known are {known}")]
    UnknownVersion {
        /// What was asked for.
        name: String,
        /// Every name, comma separated.
        known: String,
    },
    /// The cache cannot be used by the unprivileged user that servers run as.
    #[error(
        "the server cache {path} lies below a folder that others may not enter, and servers do not \
         run as root: set SNAPFILL_SERVER_CACHE to another folder"
    )]
    ClosedCache {
        /// The folder.
        path: PathBuf,
    },
    /// The server ended, or did not become healthy in time.
    #[error("{version} {what}; the end of its output:\n{output}")]
    NotUp {
        /// The server.
        version: &'static str,
        /// What happened.
        what: String,
        /// The end of its console output.
        output: String,
    },
    /// The server answered with an error status.
    #[error("{method} {path} answered {status}: {body}")]
    Status {
        /// The request's method.
        method: String,
        /// The request's path.
        path: String,
        /// The HTTP status.
        status: u16,
        /// The answer's beginning.
        body: String,
    },
    /// What came back is no HTTP, or no JSON.
    #[error("{method} {path}: the answer cannot be read: {what}")]
    Malformed {
        /// The request's method.
        method: String,
        /// The request's path.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// Reading or writing failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// The cause.
        source: io::Error,
    },
    /// A class of a distribution is not the one that is known.
    #[error("{path}: {class} has no constant `{constant}`: it is not the version it should be")]
    NoConstant {
        /// The archive.
        path: PathBuf,
        /// The class in it.
        class: &'static str,
        /// What should be in the class.
        constant: &'static str,
    },
    /// A module's jar holds no class that a server could load.
    #[error("{path} has no class {class}: it is no module of this version")]
    NoPlugin {
        /// The jar.
        path: PathBuf,
        /// The names it could have.
        class: String,
    },
    /// Certificates for a secured node could not be made or read.
    #[error("certificates for the node: {what}")]
    Certificates {
        /// What happened.
        what: String,
    },
    /// The version has no security plugin to be had.
    #[error("{version} has no security plugin here; opensearch-2.19.4 has")]
    NoSecurity {
        /// The server.
        version: &'static str,
    },
    /// A distribution could not be unpacked.
    #[error("unpacking {path}: {source}")]
    Unpack {
        /// The archive.
        path: PathBuf,
        /// The cause.
        source: zip::result::ZipError,
    },
}

/// Says what was being done when an I/O error happened.
pub(crate) trait During<T> {
    fn during(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> During<T> for io::Result<T> {
    fn during(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io { what: what(), source })
    }
}
