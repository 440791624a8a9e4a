//! The arguments of one command: flags and options with a value, nothing else.

use crate::failure::{Failure, Result};

#[derive(Debug, Default)]
pub(crate) struct Arguments {
    given: Vec<(String, String)>,
}

impl Arguments {
    /// Reads `--flag`, `--option value` and `--option=value`; any other word is misuse.
    pub(crate) fn parse(words: &[String], flags: &[&str], options: &[&str]) -> Result<Self> {
        let mut arguments = Arguments::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let value = if flags.contains(&name) && value.is_none() {
                String::new()
            } else if options.contains(&name) {
                let missing = || Failure::Usage(format!("{name} needs a value"));
                value.or_else(|| words.next().cloned()).ok_or_else(missing)?
            } else {
                return Err(Failure::Usage(format!("unexpected `{word}`")));
            };
            arguments.given.push((name.to_owned(), value));
        }
        Ok(arguments)
    }

    pub(crate) fn has(&self, flag: &str) -> bool {
        self.value(flag).is_some()
    }

    /// The value of an option; the last one counts.
    pub(crate) fn value(&self, option: &str) -> Option<&str> {
        let given = self.given.iter().rev().find(|(name, _)| name == option);
        given.map(|(_, value)| value.as_str())
    }

    pub(crate) fn required(&self, option: &str) -> Result<&str> {
        self.value(option).ok_or_else(|| Failure::Usage(format!("{option} is missing")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Arguments::parse(&words, &["--full"], &["--out"])
    }

    #[test]
    fn reads_flags_and_options() {
        let arguments = parse("--full --out a --out=b").unwrap();
        assert!(arguments.has("--full"));
        assert_eq!(arguments.value("--out"), Some("b"));
        assert!(!parse("").unwrap().has("--full"));
    }

    #[test]
    fn refuses_the_rest() {
        for line in ["--out", "--fast", "word", "--full=yes"] {
            assert!(matches!(parse(line), Err(Failure::Usage(_))), "{line}");
        }
    }
}
