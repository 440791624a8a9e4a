//! `cargo xtask demo`: the main job on a snapshot that a real server wrote, as a user would do it.

use std::path::Path;
use std::process::Command;

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::process::{cargo, exit_code, shell_line};
use crate::workspace::{Workspace, start_afresh};

const FOLDER: &str = "./snapfill-demo";
const TARGET: &str = "./snapfill-demo/target";
/// The file in a local target that holds its documents.
const DATABASE: &str = "snapfill.db";
const REPO: &str = "tests/fixtures/opensearch-2.19.6/repo";
const SNAPSHOT: &str = "snap-2";
/// A document of the index `shapes` that an update has changed.
const DOCUMENT: &str = "doc-0";

/// One command of the demo, and how it must end.
struct Scene {
    says: &'static str,
    arguments: &'static [&'static str],
    exit_code: i32,
}

const SCENES: &[Scene] = &[
    Scene {
        says: "Fill a target with everything in the snapshot.",
        arguments: &["backfill", "run", "--repo", REPO, "--snapshot", SNAPSHOT, "--target", TARGET],
        exit_code: 3,
    },
    Scene {
        says: "Exit code 3 is right here: index `nosource` never stored its documents' source, so \
               they cannot be had from any snapshot. They are counted as lost, not passed over.",
        arguments: &["backfill", "status", "--target", TARGET, "--deep-check"],
        exit_code: 0,
    },
    Scene {
        says: "Source and target side by side.",
        arguments: &[
            "clusters",
            "cat-indices",
            "--repo",
            REPO,
            "--snapshot",
            SNAPSHOT,
            "--target",
            TARGET,
        ],
        exit_code: 0,
    },
    Scene {
        says: "One document, byte for byte as the server had stored it.",
        arguments: &["get", TARGET, "shapes", DOCUMENT],
        exit_code: 0,
    },
];

pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result {
    Arguments::parse(words, &[], &[])?;
    println!("Building the command line (release) …");
    let mut build = cargo(workspace);
    if exit_code(build.args(["build", "--release", "--package", "snapfill-cli"]))? != 0 {
        return Failure::failed("the command line does not build");
    }
    let program = workspace.target()?.join("release/snapfill");
    start_afresh(&workspace.root().join(FOLDER))?;
    for scene in SCENES {
        play(scene, workspace.root(), &program)?;
    }
    println!("{}", ending());
    Ok(())
}

fn play(scene: &Scene, root: &Path, program: &Path) -> Result {
    let line = shell_line(["snapfill"].into_iter().chain(scene.arguments.iter().copied()));
    println!("\n# {}\n$ {line}", scene.says);
    let code = exit_code(Command::new(program).args(scene.arguments).current_dir(root))?;
    if code == scene.exit_code {
        return Ok(());
    }
    let expected = scene.exit_code;
    Failure::failed(format!("`{line}` ended with exit code {code}, not {expected}"))
}

/// Where the result lies and what one can do with it.
fn ending() -> String {
    let database = format!("{TARGET}/{DATABASE}");
    let counts = "select index_name, count(*) from documents_view group by index_name";
    let titles = "select id, json_extract(source, '$.title') from documents_view \
                  where index_name = 'shapes' limit 5";
    format!(
        "\nThe documents are in {TARGET}: one SQLite file, and nothing else is needed to read it.\n  \
         {}\n  {}\n  {}",
        in_double_quotes(&database, counts),
        in_double_quotes(&database, titles),
        shell_line(["snapfill", "get", TARGET, "shapes", DOCUMENT]),
    )
}

/// SQL is full of single quotes.
fn in_double_quotes(database: &str, query: &str) -> String {
    format!("sqlite3 {database} \"{}\"", query.replace('$', "\\$"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_must_end_as_the_demo_says() {
        let scene = |exit_code| Scene { says: "", arguments: &["get"], exit_code };
        play(&scene(0), Path::new("."), Path::new("true")).unwrap();
        let failure = play(&scene(3), Path::new("."), Path::new("true")).unwrap_err();
        let Failure::Failed(why) = failure else { panic!("{failure:?}") };
        assert_eq!(why, "`snapfill get` ended with exit code 0, not 3");
    }

    #[test]
    fn the_queries_can_be_pasted_into_a_shell() {
        assert!(ending().contains(r"json_extract(source, '\$.title') from documents_view where"));
    }
}
