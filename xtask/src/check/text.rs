//! What may not occur in any text: paths of one machine, and notes that give no reason.

use super::Finding;
use super::files::File;

/// Put together here, so that this file does not hold them.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/")];
const NOTES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];

/// How comments begin, by a file's ending.
const COMMENTS: &[(&str, &str)] = &[
    (".rs", "//"),
    (".js", "//"),
    (".kt", "//"),
    (".mjs", "//"),
    (".swift", "//"),
    (".ts", "//"),
    (".py", "#"),
    (".pyi", "#"),
    (".sh", "#"),
    (".toml", "#"),
    (".yaml", "#"),
    (".yml", "#"),
    ("Dockerfile", "#"),
];

pub(super) fn check(file: &File) -> Vec<Finding> {
    let Some(text) = file.text() else { return Vec::new() };
    let mark = COMMENTS.iter().find(|(ending, _)| file.path.ends_with(ending)).map(|(_, m)| *m);
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for path in MACHINE_PATHS.iter().filter(|path| line.contains(**path)) {
            let what = format!("path of one machine, `{path}`");
            findings.push(file.finding(number + 1, what, "not allowed"));
        }
        let comment = mark.and_then(|mark| line.split_once(mark)).map(|(_, comment)| comment);
        let note = comment.filter(|_| !file.is_fixture()).and_then(note_without_reason);
        if let Some(note) = note {
            let what = format!("{note} without a reason");
            let limit = format!("write `{note}(reason)` or `{note}: reason`");
            findings.push(file.finding(number + 1, what, limit));
        }
    }
    findings
}

fn note_without_reason(comment: &str) -> Option<&'static str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let lacks_reason = |&note: &&str| {
        comment.match_indices(note).any(|(at, _)| {
            let (before, after) = (&comment[..at], &comment[at + note.len()..]);
            if before.ends_with(is_word) || after.starts_with(is_word) {
                return false;
            }
            let reason = match after.strip_prefix('(') {
                Some(reason) => reason.split(')').next(),
                None => after.strip_prefix(':'),
            };
            reason.is_none_or(|reason| reason.trim().is_empty())
        })
    };
    NOTES.iter().copied().find(lacks_reason)
}
