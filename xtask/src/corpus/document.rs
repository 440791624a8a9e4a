//! Documents of about 2.4 KB that look like an application's log: their text compresses as text
//! does, and their numbers as numbers do. The same number always gives the same bytes.

use std::fmt::Write;

use crate::random::Random;

const LEVELS: &[&str] = &["INFO", "INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR"];
const SERVICES: &[&str] = &["checkout", "catalogue", "payments", "search", "identity", "shipping"];
const METHODS: &[&str] = &["GET", "GET", "GET", "POST", "PUT", "DELETE"];
const STATUSES: &[u16] = &[200, 200, 200, 200, 201, 204, 301, 304, 400, 404, 429, 500, 503];

const ONSETS: &[&str] = &[
    "b", "br", "c", "ch", "d", "dr", "f", "g", "gr", "h", "j", "k", "l", "m", "n", "p", "pl", "qu",
    "r", "s", "st", "t", "tr", "v", "w", "z",
];
const VOWELS: &[&str] = &["a", "e", "i", "o", "u", "ea", "io", "ou"];
const CODAS: &[&str] = &["", "", "l", "m", "n", "nd", "r", "rt", "s", "st", "t", "x"];

/// The commonest words; the rest of the vocabulary is made of syllables.
const COMMON: &[&str] = &[
    "the",
    "of",
    "and",
    "to",
    "in",
    "for",
    "is",
    "on",
    "that",
    "by",
    "this",
    "with",
    "request",
    "user",
    "order",
    "was",
    "from",
    "at",
    "not",
    "connection",
    "timeout",
    "retry",
    "after",
    "while",
    "reading",
    "response",
    "cache",
    "queue",
    "batch",
    "index",
    "shard",
    "token",
];
const VOCABULARY: u64 = 6000;
const PHRASES: u64 = 500;
const MESSAGE_PHRASES: u64 = 6;
const DETAIL_PHRASES: u64 = 17;

/// Millisecond of the first document: 2024-01-01T00:00:00Z.
const FIRST_TIME: u64 = 1_704_067_200_000;

/// Appends the JSON of a document.
pub(super) fn write(number: u64, out: &mut String) {
    let mut random = Random::new(number);
    let time = FIRST_TIME + number * 37 + random.below(37);
    let service = random.pick(SERVICES);
    // Writing to a string does not fail.
    let _ = write!(
        out,
        r#"{{"sequence":{number},"@timestamp":{time},"level":"{}","service":"{service}","#,
        random.pick(LEVELS)
    );
    let _ = write!(
        out,
        r#""host":"{service}-{:02}.eu-central-1.example.net","trace_id":"{:016x}{:016x}","#,
        random.below(24),
        random.next(),
        random.next()
    );
    let _ = write!(
        out,
        r#""http":{{"method":"{}","path":"/api/v2/{}/{}","status":{},"bytes":{}}},"#,
        random.pick(METHODS),
        service,
        random.below(1_000_000),
        random.pick(STATUSES),
        random.below(200_000)
    );
    let _ = write!(
        out,
        r#""client":{{"ip":"10.{}.{}.{}","session":{}}},"duration_ms":{}.{:03},"#,
        random.below(16),
        random.below(256),
        random.below(256),
        random.below(1 << 40),
        random.below(2000),
        random.below(1000)
    );
    out.push_str(r#""message":""#);
    phrases(&mut random, MESSAGE_PHRASES, out);
    out.push_str(r#"","detail":""#);
    let length = DETAIL_PHRASES + random.below(20);
    phrases(&mut random, length, out);
    out.push_str(r#"","tags":["#);
    for tag in 0..3 {
        let _ = write!(out, r#"{}"tag-{}""#, if tag > 0 { "," } else { "" }, random.below(500));
    }
    out.push_str("]}");
}

/// Phrases, the commoner the more often, with a number here and there: text repeats itself in
/// more than single words.
fn phrases(random: &mut Random, count: u64, out: &mut String) {
    for number in 0..count {
        if number > 0 {
            out.push(' ');
        }
        let phrase = random.leaning_below(PHRASES);
        words(&mut Random::new(phrase ^ 0x00c0_ffee), 4 + phrase % 7, out);
        if random.below(5) == 0 {
            let _ = write!(out, " {}", random.below(100_000));
        }
    }
}

fn words(random: &mut Random, count: u64, out: &mut String) {
    for number in 0..count {
        if number > 0 {
            out.push(' ');
        }
        let word = random.leaning_below(VOCABULARY);
        match COMMON.get(word as usize / 4) {
            Some(common) => out.push_str(common),
            None => made_up(word, out),
        }
    }
}

/// A word of the vocabulary that is not among the common ones.
fn made_up(word: u64, out: &mut String) {
    let mut shape = Random::new(word ^ 0x5eed);
    for _ in 0..2 + shape.below(2) {
        out.push_str(shape.pick(ONSETS));
        out.push_str(shape.pick(VOWELS));
        out.push_str(shape.pick(CODAS));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn document(number: u64) -> String {
        let mut text = String::new();
        write(number, &mut text);
        text
    }

    #[test]
    fn a_number_always_gives_the_same_document() {
        assert_eq!(document(7), document(7));
        assert_ne!(document(7), document(8));
    }

    #[test]
    fn documents_are_json_of_the_promised_size() {
        let mut total = 0;
        for number in 0..500 {
            let text = document(number);
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["sequence"], number);
            assert!(!text.contains('\n'));
            total += text.len();
        }
        let mean = total / 500;
        assert!((2200..2600).contains(&mean), "{mean} bytes on average");
    }
}
