//! The tarballs for npm: the package that people install, and the one with its native half for this platform.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::libraries::Libraries;
use super::platform::Platform;
use super::{VERSION, snippets};
use crate::failure::{Failure, Result};
use crate::node;
use crate::process::printed;
use crate::workspace::{Workspace, start_afresh};

/// What README's readers have and we do not, before the snippets that name it.
const READERS: &str =
    "import { Cluster } from 'snapfill';\nconst user = 'filler';\nconst password = 'secret';\n";

/// Builds both into `dist`.
pub(super) fn build(
    workspace: &Workspace,
    libraries: &Libraries,
    dist: &Path,
) -> Result<Vec<PathBuf>> {
    let platform = format!("snapfill-linux-{}-gnu", Platform::here()?.node);
    let own = node_manifest(workspace)?;
    let folder = workspace.target()?.join("package/npm");
    let (main, half) = (folder.join("snapfill"), folder.join(&platform));

    start_afresh(&half)?;
    copy(&libraries.node, &half.join("snapfill.node"))?;
    write_json(&half.join("package.json"), &half_manifest(&own, &platform)?)?;
    let readme =
        "The native half of the package `snapfill` for this platform, which installs it.\n";
    fs::write(half.join("README.md"), readme).map_err(Failure::at(&half))?;

    start_afresh(&main)?;
    node::compile(workspace, &main.join("dist"))?;
    copy(&workspace.root().join("node/README.md"), &main.join("README.md"))?;
    copy(&workspace.root().join("node/package.json"), &main.join("package.json"))?;
    // By npm, which keeps the order: that of the conditions in `exports` counts.
    printed(
        npm(&main).args(["pkg", "delete", "devDependencies", "scripts", "files"]),
        "npm pkg delete",
    )?;
    let half_is_wanted = format!("optionalDependencies.{platform}={VERSION}");
    printed(npm(&main).args(["pkg", "set", "files[]=dist", &half_is_wanted]), "npm pkg set")?;

    [(main, "snapfill"), (half, platform.as_str())]
        .iter()
        .map(|(folder, name)| {
            copy(&workspace.root().join("LICENSE"), &folder.join("LICENSE"))?;
            let mut pack = npm(folder);
            pack.args(["pack", "--silent", "--pack-destination"]).arg(dist);
            printed(&mut pack, "npm pack")?;
            Ok(dist.join(format!("{name}-{VERSION}.tgz")))
        })
        .collect()
}

fn npm(folder: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder);
    command
}

fn copy(from: &Path, to: &Path) -> Result {
    fs::copy(from, to).map(|_| ()).map_err(Failure::at(from))
}

fn write_json(file: &Path, value: &Value) -> Result {
    fs::write(file, format!("{value:#}\n")).map_err(Failure::at(file))
}

fn node_manifest(workspace: &Workspace) -> Result<Value> {
    let file = workspace.root().join("node/package.json");
    let text = fs::read_to_string(&file).map_err(Failure::at(&file))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))
}

/// That of the package with the native half.
fn half_manifest(own: &Value, platform: &str) -> Result<Value> {
    Ok(json!({
        "name": platform,
        "version": VERSION,
        "description": format!("{}: the native half", own["description"].as_str().unwrap_or_default()),
        "license": own["license"],
        "engines": own["engines"],
        "os": ["linux"],
        "cpu": [Platform::here()?.node],
        "libc": ["glibc"],
        "main": "snapfill.node",
        "files": ["snapfill.node"],
    }))
}

/// Installs them into a project that has nothing else, and runs there what READMEs print.
pub(super) fn attempt(workspace: &Workspace, tarballs: &[PathBuf]) -> Result {
    let place = tempfile::tempdir().map_err(Failure::at(Path::new("npm")))?;
    let place = place.path();
    write_json(&place.join("package.json"), &json!({ "private": true }))?;
    let install = ["install", "--offline", "--no-audit", "--no-fund"];
    printed(npm(place).args(install).args(tarballs), "npm install")?;
    let mut typed = Vec::new();
    for readme in ["README.md", "node/README.md"] {
        let code = snippets::script(workspace, readme, "js", READERS)?;
        for (ending, code) in [("mjs", &code), ("cjs", &required(&code)), ("mts", &code)] {
            let room =
                snippets::room(place, &format!("{}-{ending}", readme.replace(['/', '.'], "-")))?;
            let script = room.join(format!("snippets.{ending}"));
            fs::write(&script, code).map_err(Failure::at(&script))?;
            match ending {
                "mts" => typed.push(script),
                _ => run(&script, &format!("the snippets of {readme} as {ending}"))?,
            }
        }
    }
    let wrong = place.join("wrong-arguments.mjs");
    copy(&workspace.root().join("tests/packages/wrong-arguments.mjs"), &wrong)?;
    run(&wrong, "tests/packages/wrong-arguments.mjs")?;
    let version = printed(
        npm(place).args(["exec", "--offline", "--", "snapfill", "--version"]),
        "npx snapfill --version",
    )?;
    snippets::expect(&version, &format!("snapfill {VERSION}\n"))?;
    typed.extend(snippets::examples(workspace, "node", "mts", place)?);
    check_types(workspace, place, &typed)?;
    tarballs.iter().for_each(|tarball| println!("{}: installed and tried", tarball.display()));
    Ok(())
}

/// Runs a script in the folder that it lies in.
fn run(script: &Path, what: &str) -> Result {
    let mut node = Command::new("node");
    node.arg(script).current_dir(script.parent().unwrap_or(script));
    printed(&mut node, what).map(|_| ())
}

/// The same for those who `require`: top-level `await` is not for them.
fn required(code: &str) -> String {
    let (mut imports, mut rest) = (String::new(), String::new());
    for line in code.lines() {
        let import = line.strip_prefix("import ").and_then(|line| line.split_once(" from "));
        match import {
            Some((names, module)) => {
                let module = module.trim_end_matches(';');
                imports += &format!("const {names} = require({module});\n");
            }
            None => rest += &format!("{line}\n"),
        }
    }
    format!("{imports}(async () => {{\n{rest}}})();\n")
}

fn check_types(workspace: &Workspace, place: &Path, scripts: &[PathBuf]) -> Result {
    let modules = workspace.root().join("node/node_modules");
    let mut tsc = Command::new(modules.join(".bin/tsc"));
    tsc.args(["--noEmit", "--strict", "--target", "es2022", "--module", "node16"]);
    tsc.args(["--types", "node", "--typeRoots"]).arg(modules.join("@types"));
    printed(tsc.args(scripts).current_dir(place), "tsc --strict").map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_become_requires() {
        let code = "import { A, B } from 'snapfill';\n\nawait new A();\n";
        let expected =
            "const { A, B } = require('snapfill');\n(async () => {\n\nawait new A();\n})();\n";
        assert_eq!(required(code), expected);
    }
}
