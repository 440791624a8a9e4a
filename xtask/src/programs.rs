//! Programs in `benches/`, one a language, that use the packages of this checkout as their users do.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::kotlin::maven;
use crate::native::{self, Scope};
use crate::process::succeed;
use crate::venv;
use crate::workspace::Workspace;
use crate::{node, python};

/// A program in a language.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) language: &'static str,
    pub(crate) path: PathBuf,
    words: Vec<OsString>,
    environment: Vec<(&'static str, PathBuf)>,
}

/// Where a program lies in each language.
#[derive(Debug)]
pub(crate) struct Sources {
    /// From the workspace's root.
    pub(crate) python: &'static str,
    /// From the workspace's root.
    pub(crate) node: &'static str,
    /// The class with the function `main`.
    pub(crate) kotlin: &'static str,
}

impl Program {
    /// One that needs nothing else.
    pub(crate) fn alone(language: &'static str, path: PathBuf) -> Self {
        Self { language, path, words: Vec::new(), environment: Vec::new() }
    }

    /// Ready to be given its arguments.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.words).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The program in Python, Node and Kotlin, over packages that are built in place, optimised.
pub(crate) fn build(workspace: &Workspace, sources: &Sources) -> Result<[Program; 3]> {
    // Together: apart, what they share would be built once for each.
    let packages = [python::HALF.package, node::HALF.package, "snapfill-kotlin"];
    native::build(workspace, &packages, Scope::Release)?;
    Ok([
        in_python(workspace, sources.python)?,
        in_node(workspace, sources.node)?,
        in_kotlin(workspace, sources.kotlin)?,
    ])
}

fn in_python(workspace: &Workspace, script: &str) -> Result<Program> {
    python::HALF.put(workspace, Scope::Release)?;
    let folder = workspace.target()?.join("benches");
    venv::empty(&folder)?;
    Ok(Program {
        language: "Python",
        path: folder.join("bin/python"),
        words: vec![workspace.root().join(script).into()],
        environment: vec![("PYTHONPATH", workspace.root().join("python"))],
    })
}

fn in_node(workspace: &Workspace, script: &str) -> Result<Program> {
    node::HALF.put(workspace, Scope::Release)?;
    node::build_typescript(workspace)?;
    let words = vec![workspace.root().join(script).into()];
    Ok(Program { words, ..Program::alone("Node", "node".into()) })
}

fn in_kotlin(workspace: &Workspace, class: &str) -> Result<Program> {
    let target = workspace.target()?;
    // Where `kotlin/pom.xml` has its classes.
    let classes = workspace.root().join("target/kotlin");
    let list = classes.join("class-path");
    let mut compile = maven(workspace);
    compile.args(["test-compile", "dependency:build-classpath"]);
    compile.arg(format!("-Dmdep.outputFile={}", list.display()));
    succeed(&mut compile, "mvn test-compile")?;
    let others = fs::read_to_string(&list).map_err(Failure::at(&list))?;
    let folders = ["classes", "test-classes"].map(|folder| classes.join(folder));
    let all = folders.into_iter().chain(env::split_paths(others.trim()));
    let path = env::join_paths(all)
        .map_err(|error| Failure::Failed(format!("the class path cannot be made: {error}")))?;
    let mut library = OsString::from("-Djna.library.path=");
    library.push(target.join(Scope::Release.folder()));
    let words = vec![library, "-cp".into(), path, class.into()];
    Ok(Program { words, ..Program::alone("Kotlin", "java".into()) })
}
