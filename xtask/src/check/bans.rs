//! What may not occur in Rust code. It looks at tokens, so that the inside of a macro counts, and
//! a comment or a string does not.

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};

use super::Finding;
use super::files::File;

const MACROS: &[&str] = &["todo", "unimplemented", "dbg"];

/// The only file of the SDK that may ask for the time.
const CLOCK: &str = "core/src/clock.rs";

pub(super) fn check(file: &File) -> Vec<Finding> {
    let (true, Some(text)) = (file.is_rust(), file.text()) else { return Vec::new() };
    let mut bans = Bans { file, findings: ignored_examples(file, text) };
    // A file that is no Rust is found elsewhere.
    if let Ok(tokens) = text.parse() {
        bans.stream(tokens);
    }
    bans.findings
}

struct Bans<'f> {
    file: &'f File,
    findings: Vec<Finding>,
}

impl Bans<'_> {
    fn stream(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (number, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Ident(ident) => self.ident(ident, tokens.get(number + 1)),
                TokenTree::Group(group) => {
                    if number > 0 && is_punct(&tokens[number - 1], '#') {
                        self.attribute(group);
                    }
                    self.stream(group.stream());
                }
                _ => {}
            }
        }
    }

    fn ident(&mut self, ident: &Ident, next: Option<&TokenTree>) {
        let line = ident.span().start().line;
        let calls = matches!(next, Some(TokenTree::Punct(punct))
            if punct.as_char() == '!' && punct.spacing() == Spacing::Alone);
        if calls && MACROS.iter().any(|name| ident == name) {
            self.findings.push(self.file.finding(line, format!("`{ident}!`"), "not allowed"));
        }
        let path = &self.file.path;
        if ident == "disallowed_methods"
            && path.starts_with("core/")
            && !path.contains("/benches/")
            && path != CLOCK
        {
            let limit = format!("only in {CLOCK}: take a `Clock`");
            self.findings.push(self.file.finding(line, "`clippy::disallowed_methods`", limit));
        }
    }

    fn attribute(&mut self, group: &Group) {
        let mut tokens = group.stream().into_iter();
        let Some(TokenTree::Ident(name)) = tokens.next() else { return };
        let is_ignore = |token: &TokenTree| matches!(token, TokenTree::Ident(i) if i == "ignore");
        let ignores = name == "ignore"
            || name == "cfg_attr"
                && tokens.any(|token| match token {
                    TokenTree::Group(list) => list.stream().into_iter().any(|t| is_ignore(&t)),
                    _ => false,
                });
        if group.delimiter() == Delimiter::Bracket && ignores {
            let line = name.span().start().line;
            let limit =
                "not allowed: return where the server does not run (snapfill_harness::runs)";
            self.findings.push(self.file.finding(line, "`#[ignore]`", limit));
        }
    }
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// Examples in doc comments that are never run.
fn ignored_examples(file: &File, text: &str) -> Vec<Finding> {
    let is_ignored = |line: &str| {
        let line = line.trim_start();
        let comment = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        let fence = comment.and_then(|comment| comment.trim_start().strip_prefix("```"));
        fence.is_some_and(|words| words.split(',').any(|word| word.trim() == "ignore"))
    };
    let lines = text.lines().enumerate().filter(|(_, line)| is_ignored(line));
    let limit = "not allowed: `no_run`, or `text` if it is no Rust";
    lines.map(|(number, _)| file.finding(number + 1, "example marked `ignore`", limit)).collect()
}
