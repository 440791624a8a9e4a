//! What is wrong with a file, and where.

use std::sync::LazyLock;

use regex::Regex;

use crate::{Error, ErrorKind};

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Complaint {
    line: usize,
    column: usize,
    what: String,
}

/// Names that are this much alike are told as the one that was meant.
const ALIKE: f64 = 0.75;

impl Complaint {
    pub(super) fn of_toml(error: &toml::de::Error, text: &str) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or(text);
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        let line = before.matches('\n').count() + 1;
        Self { line, column, what: explained(error.message()) }
    }

    pub(super) fn of_yaml(error: &serde_saphyr::Error) -> Self {
        let place = error.location().unwrap_or(serde_saphyr::Location::UNKNOWN);
        let number = |place: u64| usize::try_from(place).unwrap_or_default();
        let what = match error.without_snippet() {
            serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
                unknown(field, expected)
            }
            other => explained(&plain(other)),
        };
        Self { line: number(place.line()), column: number(place.column()), what }
    }

    pub(super) fn in_file(self, name: &str) -> Error {
        let Self { line, column, what } = self;
        let place = if line == 0 { name.to_owned() } else { format!("{name}:{line}:{column}") };
        Error::new(ErrorKind::Config, format!("{place}: {what}"))
    }
}

/// The message without the place, which stands before it.
fn plain(error: &serde_saphyr::Error) -> String {
    static PLACE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r" at line \d+, column \d+").ok());
    let message = error.to_string();
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    match &*PLACE {
        Some(place) => place.replace_all(message, "").into_owned(),
        None => message.to_owned(),
    }
}

/// A message of `serde`, with the name that was meant and without values: what stands in a wrong place may be a password.
fn explained(message: &str) -> String {
    static FIELD: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new("^unknown field `([^`]*)`(?:, expected (?:one of )?(.*))?$").ok()
    });
    static VALUE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"^invalid (?:type|value): .*, expected (.*)$"#).ok());
    let first = message.lines().next().unwrap_or(message);
    if let Some(found) = FIELD.as_ref().and_then(|field| field.captures(first)) {
        let expected = found.get(2).map_or("", |names| names.as_str());
        let expected: Vec<&str> =
            expected.split(['`', ',']).map(str::trim).filter(|name| is_name(name)).collect();
        return unknown(&found[1], &expected);
    }
    match VALUE.as_ref().and_then(|value| value.captures(first)) {
        Some(found) => format!("this must be {}", &found[1]),
        None => first.to_owned(),
    }
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word != "or" && word != " or "
}

/// A name that is none.
fn unknown(name: &str, expected: &[&str]) -> String {
    let alike = |known: &&&str| strsim::jaro_winkler(name, known);
    let nearest = expected.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
    match nearest.filter(|known| alike(known) >= ALIKE) {
        Some(nearest) => format!("there is no `{name}`; did you mean `{nearest}`?"),
        None => format!("there is no `{name}`; there are {}", expected.join(", ")),
    }
}
