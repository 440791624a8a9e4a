//! YAML to JSON, as far as servers take it for a document: one mapping, names that are scalars, no aliases.

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::json::JsonText;
use crate::snapshot::limits::NESTING;

pub(super) fn to_json(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "YAML: not UTF-8")?;
    let mut writer = Writer { json: JsonText::default(), open: Vec::new(), documents: 0 };
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| format!("YAML: {error}"))?;
        writer.take(event).map_err(|what| format!("YAML: {what}"))?;
    }
    match writer.documents {
        1 => Ok(writer.json.finish()),
        count => Err(format!("YAML: {count} documents in place of one")),
    }
}

/// What is open and how many of its members have come; of a mapping, names count too.
enum Open {
    Sequence(usize),
    Mapping(usize),
}

struct Writer {
    json: JsonText,
    open: Vec<Open>,
    documents: usize,
}

impl Writer {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) => self.documents += 1,
            Event::Scalar(text, style, _, tag) => self.scalar(&text, style, tag.as_deref())?,
            Event::SequenceStart(..) => self.begin(Open::Sequence(0), "[")?,
            Event::MappingStart(..) => self.begin(Open::Mapping(0), "{")?,
            Event::SequenceEnd => self.end("]"),
            Event::MappingEnd => self.end("}"),
            Event::Alias(_) => return Err("an alias".to_owned()),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn begin(&mut self, open: Open, bracket: &str) -> Result<(), String> {
        if self.open.len() >= NESTING {
            return Err(format!("nested deeper than {NESTING}"));
        }
        if self.open.is_empty() && bracket == "[" {
            return Err("a list in place of a mapping".to_owned());
        }
        if self.separate() {
            return Err("a name that is no scalar".to_owned());
        }
        self.json.raw(bracket);
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self, bracket: &str) {
        self.open.pop();
        self.json.raw(bracket);
    }

    /// Writes what stands before the next member; says whether that is a name.
    fn separate(&mut self) -> bool {
        let (count, is_name) = match self.open.last_mut() {
            None => return false,
            Some(Open::Sequence(count)) => (count, false),
            Some(Open::Mapping(count)) => {
                let is_name = *count % 2 == 0;
                (count, is_name)
            }
        };
        let first = *count == 0;
        *count += 1;
        match (first, matches!(self.open.last(), Some(Open::Mapping(_))) && !is_name) {
            (true, _) => {}
            (false, true) => self.json.raw(":"),
            (false, false) => self.json.raw(","),
        }
        is_name
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<(), String> {
        if self.open.is_empty() {
            return Err("a scalar in place of a mapping".to_owned());
        }
        if self.separate() {
            self.json.text(text);
            return Ok(());
        }
        let suffix = match tag {
            None => None,
            Some(tag) if tag.is_yaml_core_schema() => Some(tag.suffix.as_str()),
            Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => Some("str"),
            Some(tag) => return Err(format!("the tag {}{}", tag.handle, tag.suffix)),
        };
        match suffix {
            None if style == ScalarStyle::Plain => self.plain(text),
            Some("int" | "float" | "bool" | "null") => self.plain(text),
            None | Some("str") => {
                self.json.text(text);
                Ok(())
            }
            Some("binary") => {
                let base64: String = text.chars().filter(|char| !char.is_whitespace()).collect();
                self.json.text(&base64);
                Ok(())
            }
            Some(other) => Err(format!("the tag !!{other}")),
        }
    }

    /// A scalar without quotes is what it looks like. Numbers pass digit by digit; what YAML's versions read differently
    /// is refused.
    fn plain(&mut self, text: &str) -> Result<(), String> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        match text {
            "" | "~" | "null" | "Null" | "NULL" => self.json.raw("null"),
            "true" | "True" | "TRUE" => self.json.raw("true"),
            "false" | "False" | "FALSE" => self.json.raw("false"),
            _ if is_json_number(unsigned) => {
                self.json.raw(text.strip_prefix('+').unwrap_or(text));
            }
            _ if is_ambiguous_number(unsigned) => {
                return Err(format!("`{text}`, which may be a number or a text"));
            }
            _ => self.json.text(text),
        }
        Ok(())
    }
}

/// Whether the text is a number without sign as JSON has it.
fn is_json_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    digits(whole)
        && !leading_zero
        && fraction.is_none_or(digits)
        && exponent
            .is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// Octal, hexadecimal and grouped digits, and numbers without a digit on one side of the point.
fn is_ambiguous_number(text: &str) -> bool {
    let all = |text: &str, of: fn(u8) -> bool| !text.is_empty() && text.bytes().all(of);
    let grouped = |byte: u8| byte.is_ascii_digit() || byte == b'_';
    let pointed = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'_' | b'.');
    let starts = text.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let based = ["0x", "0X", "0o", "0b"].into_iter().filter_map(|base| text.strip_prefix(base));
    starts
        && (all(text, grouped)
            || all(text, pointed) && text.matches('.').count() == 1 && text != "."
            || based.into_iter().any(|digits| all(digits, |byte| byte.is_ascii_hexdigit()))
            || matches!(text, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn converted(text: &str) -> Result<String, String> {
        to_json(text.as_bytes()).map(|json| String::from_utf8(json).unwrap())
    }

    #[test]
    fn values_are_what_they_look_like() {
        let text = "---\na: 1\nb: -1.50\nc: 123456789012345678901234567890\nd: 'x: 1'\ne: [true, ~, \"1\"]\n\
                    f: 2024-01-01\ng: {}\nh: +5\ni: yes\nj: !!str 5\nk: |\n  two\n  lines\nl: 12:30:45\n7: []\nm: 1e400\n";
        assert_eq!(
            converted(text).unwrap(),
            "{\"a\":1,\"b\":-1.50,\"c\":123456789012345678901234567890,\"d\":\"x: 1\",\"e\":[true,null,\"1\"],\
             \"f\":\"2024-01-01\",\"g\":{},\"h\":5,\"i\":\"yes\",\"j\":\"5\",\"k\":\"two\\nlines\\n\",\
             \"l\":\"12:30:45\",\"7\":[],\"m\":1e400}"
        );
    }

    #[test]
    fn what_may_be_read_in_two_ways_is_refused() {
        for scalar in ["010", "1_000", "0x1F", "1.", ".5", ".inf", "-.NaN", "0o7"] {
            let error = converted(&format!("---\na: {scalar}\n")).unwrap_err();
            assert!(error.contains("number or a text"), "{scalar}: {error}");
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let deep = format!("---\na: {}", "[".repeat(10_000));
        for text in [
            "---\n- 1\n",
            "---\nx\n",
            "---\na: &x 1\nb: *x\n",
            "---\na: 1\n---\nb: 2\n",
            "---\n? [1]\n: 2\n",
            "---\na: !own 1\n",
            "---\na: [1\n",
            "---\n",
            &deep,
        ] {
            assert!(converted(text).is_err(), "{}", &text[..text.len().min(40)]);
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "[-a-z0-9:\\[\\]{}!&*'\"|> \n.,]{0,80}") {
            if let Ok(json) = converted(&format!("---\n{text}")) {
                prop_assert!(!json.contains('\n'));
                prop_assert!(serde_json::from_str::<Box<serde_json::value::RawValue>>(&json).is_ok(), "{}", json);
            }
        }
    }
}
