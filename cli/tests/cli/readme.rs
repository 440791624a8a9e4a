//! The commands of the README run as they are printed.

use std::path::Path;
use std::process::Command;

use crate::program::SNAPFILL;

fn shell_lines() -> Vec<String> {
    let readme = include_str!("../../../README.md");
    let (_, marked) = readme.split_once("is run by cli/tests/cli/readme.rs. -->\n```sh\n").unwrap();
    let (block, _) = marked.split_once("```").unwrap();
    block.lines().map(str::to_owned).collect()
}

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root.join("tests"), folder.path().join("tests")).unwrap();
    let program = Path::new(SNAPFILL);
    let path =
        format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let lines = shell_lines();
    assert_eq!(lines.len(), 11);
    let (setting, commands) = lines.split_first().unwrap();
    for command in commands {
        let script = format!("{setting}\n{command}\n");
        let ran = Command::new("bash")
            .args(["-c", &script])
            .current_dir(folder.path())
            .env("PATH", &path)
            .output()
            .unwrap();
        // One index of the example stores no source, which reading commands report by code 3.
        let lossy = command.contains("backfill run") || command.contains("verify");
        assert_eq!(ran.status.code(), Some(if lossy { 3 } else { 0 }), "{command}: {ran:?}");
        assert!(!ran.stdout.is_empty(), "{command} printed nothing");
    }
}
