//! The jar: the Kotlin package, with the library inside, where JNA finds it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::libraries::Libraries;
use super::platform::Platform;
use super::{VERSION, snippets};
use crate::failure::{Failure, Result};
use crate::process::printed;
use crate::workspace::{Workspace, start_afresh};

/// What README's readers have and we do not, before the snippets that are no whole program.
const READERS: &str =
    "import io.snapfill.*\nimport java.nio.file.Path\n\nprivate const val password = \"secret\"\n";

/// Builds it into `dist`.
pub(super) fn build(workspace: &Workspace, libraries: &Libraries, dist: &Path) -> Result<PathBuf> {
    let folder = workspace.target()?.join("package/jar");
    start_afresh(&folder)?;
    let resources = folder.join("resources");
    let place = |inner: &str, from: &Path| {
        let inner = resources.join(inner);
        fs::create_dir_all(&inner).map_err(Failure::at(&inner))?;
        let name = from.file_name().unwrap_or_default();
        fs::copy(from, inner.join(name)).map_err(Failure::at(from))
    };
    place(Platform::here()?.jna, &libraries.kotlin)?;
    place("META-INF", &workspace.root().join("LICENSE"))?;
    let mut package = maven(&workspace.root().join("kotlin/pom.xml"));
    package.args(["package", "-Dmaven.test.skip=true"]);
    package.arg(format!("-Dsnapfill.build={}", folder.join("build").display()));
    package.arg(format!("-Dsnapfill.resources={}", resources.display()));
    printed(&mut package, "mvn package")?;
    let name = format!("snapfill-{VERSION}.jar");
    let built = folder.join("build").join(&name);
    fs::copy(&built, dist.join(&name)).map_err(Failure::at(&built))?;
    Ok(dist.join(name))
}

fn maven(project: &Path) -> Command {
    let mut command = Command::new("mvn");
    command.args(["--quiet", "--batch-mode", "--file"]).arg(project);
    command
}

/// Compiles what READMEs print against it alone, and runs that with it, JNA and what Kotlin needs on the class path.
pub(super) fn attempt(workspace: &Workspace, jar: &Path) -> Result {
    let place = tempfile::tempdir().map_err(Failure::at(jar))?;
    let place = place.path();
    let source = place.join("source");
    start_afresh(&source)?;
    let mut calls = String::new();
    for (package, readme) in [("first", "README.md"), ("second", "kotlin/README.md")] {
        for (name, code) in programs(workspace, package, readme)? {
            let file = source.join(format!("{name}.kt"));
            fs::write(&file, code).map_err(Failure::at(&file))?;
            calls += &format!("    {name}.main()\n");
        }
    }
    let file = source.join("Trial.kt");
    fs::write(&file, format!("suspend fun main() {{\n{calls}}}\n")).map_err(Failure::at(&file))?;
    snippets::examples(workspace, "kotlin", "kt", &source)?;
    let mut compile = maven(&workspace.root().join("tests/packages/pom.xml"));
    compile.arg("compile").arg(format!("-Dplace={}", place.display()));
    printed(compile.arg(format!("-Dsnapfill.jar={}", jar.display())), "mvn compile")?;
    let file = place.join("class-path");
    let others = fs::read_to_string(&file).map_err(Failure::at(&file))?;
    let classes = format!("{}:{}", place.join("build/classes").display(), others.trim());
    let mut java = Command::new("java");
    java.args(["-cp", &classes, "TrialKt"]).current_dir(snippets::room(place, "run")?);
    // By cargo it names the folder of what was built, where JNA would find a library that is not the jar's.
    java.env_remove("LD_LIBRARY_PATH");
    printed(&mut java, "the snippets in Kotlin")?;
    println!("{}: installed and tried", jar.display());
    Ok(())
}

/// The snippets of a README as programs of their own: the name of each, and its code.
fn programs(workspace: &Workspace, package: &str, readme: &str) -> Result<Vec<(String, String)>> {
    let blocks = snippets::of(&workspace.root().join(readme), "kotlin")?;
    let programs = blocks.iter().enumerate().map(|(number, block)| {
        let block = snippets::over_fixture(block, &snippets::fixture(workspace));
        let body = match block.contains("suspend fun main()") {
            true => block,
            false => format!("{READERS}\nsuspend fun main() {{\n{block}}}\n"),
        };
        (format!("{package}{number}"), format!("package {package}{number}\n\n{body}"))
    });
    Ok(programs.collect())
}
