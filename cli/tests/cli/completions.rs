//! What shells complete words by.

use std::process::Command;

use crate::program::snapfill;

#[test]
fn every_shell_gets_a_script_with_all_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = snapfill(["completions", shell]).ends_with(0).stdout;
        for word in ["connection-check", "redrive", "worker", "log-level", "coordinator"] {
            assert!(script.contains(word), "no `{word}` for {shell}");
        }
    }
    snapfill(["completions", "csh"]).ends_with(2);
}

#[test]
fn bash_takes_its_script() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("snapfill.bash");
    std::fs::write(&file, snapfill(["completions", "bash"]).ends_with(0).stdout).unwrap();
    let asks = "source \"$0\"; COMP_WORDS=(snapfill back); COMP_CWORD=1; _snapfill snapfill back snapfill; echo ${COMPREPLY[0]}";
    let answer = Command::new("bash").args(["-c", asks]).arg(&file).output().unwrap();
    assert_eq!(String::from_utf8(answer.stdout).unwrap(), "backfill\n");
}
