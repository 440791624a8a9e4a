//! JSON text made to fit one line of a bulk body, without touching anything else.

use std::borrow::Cow;

/// The source as it may be sent, or `None` when it is not JSON text.
///
/// Bytes pass untouched where they hold no raw newline. A raw newline between tokens becomes a space. Old servers let
/// two more in, both invalid JSON: one inside a string becomes the escape that it stands for, one that ends a `//`
/// comment takes the comment with it.
pub(crate) fn one_line(source: &[u8]) -> Option<Cow<'_, [u8]>> {
    let first = source.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if *first != b'{' {
        return None;
    }
    match memchr::memchr(b'\n', source) {
        None => Some(Cow::Borrowed(source)),
        Some(_) => Some(Cow::Owned(without_newlines(source))),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Between,
    Slash,
    Text,
    Escape,
    LineComment,
    BlockComment,
    BlockCommentStar,
}

fn without_newlines(source: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(source.len());
    let mut state = State::Between;
    for &byte in source {
        let next = step(state, byte);
        match (state, byte) {
            (State::Text, b'\n') => line.extend_from_slice(b"\\n"),
            (State::Escape, b'\n') => line.push(b'n'),
            (_, b'\n') => line.push(b' '),
            (State::Slash, b'/') => {
                line.pop();
            }
            (State::LineComment, _) => {}
            _ => line.push(byte),
        }
        state = next;
    }
    line
}

fn step(state: State, byte: u8) -> State {
    match (state, byte) {
        (State::Text, b'"') => State::Between,
        (State::Text, b'\\') => State::Escape,
        (State::Text | State::Escape, _) => State::Text,
        (State::Slash, b'/') => State::LineComment,
        (State::Slash, b'*') => State::BlockComment,
        (State::LineComment, b'\n') => State::Between,
        (State::LineComment, _) => State::LineComment,
        (State::BlockComment | State::BlockCommentStar, b'*') => State::BlockCommentStar,
        (State::BlockCommentStar, b'/') => State::Between,
        (State::BlockComment | State::BlockCommentStar, _) => State::BlockComment,
        (_, b'"') => State::Text,
        (_, b'/') => State::Slash,
        _ => State::Between,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(source: &str) -> String {
        String::from_utf8(one_line(source.as_bytes()).unwrap().into_owned()).unwrap()
    }

    #[test]
    fn newlines_between_tokens_become_spaces() {
        assert_eq!(
            line("{\n  \"a\": 1.10,\r\n \"b\" : [ ]\n}"),
            "{   \"a\": 1.10,\r  \"b\" : [ ] }"
        );
    }

    #[test]
    fn newlines_inside_strings_become_their_escape() {
        assert_eq!(line("{\"a\":\"x\ny\\\"\nz\\\\\"}\n"), "{\"a\":\"x\\ny\\\"\\nz\\\\\"} ");
        assert_eq!(line("{\"a\":\"x\\\ny\"}"), "{\"a\":\"x\\ny\"}");
    }

    #[test]
    fn a_line_comment_goes_with_its_newline() {
        assert_eq!(line("{ // \"why\"\n\"a\":\"http://x\"}"), "{  \"a\":\"http://x\"}");
        assert_eq!(line("{/* a\n\"b */\"c\":1}"), "{/* a \"b */\"c\":1}");
    }

    #[test]
    fn without_newlines_nothing_is_touched() {
        assert!(matches!(one_line(b"{ \"n\": 1e400, \"n\": 2 }"), Some(Cow::Borrowed(_))));
    }

    #[test]
    fn what_is_not_json_text_is_said() {
        for source in [&b""[..], b"  ", b":)\n\x01\xfa\xfb", b"\xbf\xff", b"---\na: 1"] {
            assert!(one_line(source).is_none());
        }
    }

    proptest! {
        #[test]
        fn pretty_printed_documents_keep_their_value(members in prop::collection::btree_map(".{0,9}", any::<i64>(), 0..9)) {
            let value = serde_json::to_value(members).unwrap();
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            let line = line(&pretty);
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
        }
    }
}
