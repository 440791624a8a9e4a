//! The native halves of packages in other languages: built by cargo, and put where the package looks for them.

use std::fs;
use std::path::PathBuf;

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::process::{cargo, succeed};
use crate::workspace::Workspace;

/// Says that the tests of the workspace were just built.
pub(crate) const AFTER_TESTS: &str = "--after-tests";

/// What is built to have a native half.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope {
    /// It alone.
    Package,
    /// It alone, optimised, to be measured.
    Release,
    /// The whole workspace, with the features that its tests have: after them only the native half is left to build.
    Workspace,
}

impl Scope {
    /// Which of them the words of a command ask for.
    pub(crate) fn parse(words: &[String]) -> Result<Self> {
        Arguments::parse(words, &[AFTER_TESTS], &[]).map(|arguments| Self::of(&arguments))
    }

    /// The folder that it is built into, within cargo's target folder.
    pub(crate) fn folder(self) -> &'static str {
        if matches!(self, Self::Release) { "release" } else { "debug" }
    }

    /// Which of them the arguments of a command ask for.
    pub(crate) fn of(arguments: &Arguments) -> Self {
        if arguments.has(AFTER_TESTS) { Self::Workspace } else { Self::Package }
    }

    /// What tells cargo so, when these packages are to be built.
    pub(crate) fn arguments<'a>(self, packages: &[&'a str]) -> Vec<&'a str> {
        let alone = packages.iter().flat_map(|package| ["-p", package]);
        match self {
            Self::Package => alone.collect(),
            Self::Release => ["--release"].into_iter().chain(alone).collect(),
            Self::Workspace => vec!["--workspace", "--lib", "--bins", "--tests"],
        }
    }
}

/// The variable that tells tests in other languages where programs are that were built.
pub(crate) const BUILT_VARIABLE: &str = "SNAPFILL_BUILT";

/// What tests in other languages run beside them: `snapfill` and `snapfill-fakes`.
const BESIDE: &[&str] = &["snapfill-cli", "snapfill-tests"];

/// Builds these packages, and what their tests run; what is to be measured, alone.
pub(crate) fn build(workspace: &Workspace, packages: &[&str], scope: Scope) -> Result {
    let beside = if matches!(scope, Scope::Release) { &[] } else { BESIDE };
    let packages = [packages, beside].concat();
    succeed(cargo(workspace).arg("build").args(scope.arguments(&packages)), "cargo build")
}

/// Where programs are that were built.
pub(crate) fn built(workspace: &Workspace) -> Result<PathBuf> {
    Ok(workspace.target()?.join(Scope::Package.folder()))
}

/// A native half.
#[derive(Debug)]
pub(crate) struct Half {
    /// Its crate.
    pub(crate) package: &'static str,
    /// What cargo makes of it, in its target folder.
    pub(crate) library: &'static str,
    /// Where the package looks for it, from the workspace's root.
    pub(crate) place: &'static str,
}

impl Half {
    /// Builds it, and puts it where the package looks for it.
    pub(crate) fn build(&self, workspace: &Workspace, scope: Scope) -> Result {
        build(workspace, &[self.package], scope)?;
        self.put(workspace, scope)
    }

    /// Puts it, which was built, where the package looks for it.
    pub(crate) fn put(&self, workspace: &Workspace, scope: Scope) -> Result {
        let built = workspace.target()?.join(scope.folder()).join(self.library);
        let place = workspace.root().join(self.place);
        // A library that a running program has in use is replaced, not written over.
        let beside = place.with_extension("new");
        fs::copy(&built, &beside)
            .and_then(|_| fs::rename(&beside, &place))
            .map_err(|error| Failure::Failed(format!("cannot copy {}: {error}", built.display())))
    }
}
