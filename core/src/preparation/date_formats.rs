//! Date formats that were written for Joda time, before Elasticsearch 7 and OpenSearch 1.

/// The formats that have a name, as they are called today. Before, the words were joined by capitals.
static NAMED: &[&str] = &[
    "basic_date",
    "basic_date_time",
    "basic_date_time_no_millis",
    "basic_ordinal_date",
    "basic_ordinal_date_time",
    "basic_ordinal_date_time_no_millis",
    "basic_time",
    "basic_time_no_millis",
    "basic_t_time",
    "basic_t_time_no_millis",
    "basic_week_date",
    "basic_week_date_time",
    "basic_week_date_time_no_millis",
    "date",
    "date_hour",
    "date_hour_minute",
    "date_hour_minute_second",
    "date_hour_minute_second_fraction",
    "date_hour_minute_second_millis",
    "date_optional_time",
    "date_time",
    "date_time_no_millis",
    "hour",
    "hour_minute",
    "hour_minute_second",
    "hour_minute_second_fraction",
    "hour_minute_second_millis",
    "ordinal_date",
    "ordinal_date_time",
    "ordinal_date_time_no_millis",
    "time",
    "time_no_millis",
    "t_time",
    "t_time_no_millis",
    "week_date",
    "week_date_time",
    "week_date_time_no_millis",
    "weekyear",
    "weekyear_week",
    "weekyear_week_day",
    "year",
    "year_month",
    "year_month_day",
    "epoch_millis",
    "epoch_second",
];

/// The same formats, `||` between them, as later servers write them.
pub(super) fn modern(format: &str) -> String {
    format.split("||").map(one).collect::<Vec<_>>().join("||")
}

fn one(format: &str) -> String {
    let name = format.trim();
    if name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_') {
        let snake = snake_case(name);
        let plain = snake.strip_prefix("strict_").unwrap_or(&snake);
        if NAMED.contains(&plain) {
            return snake;
        }
    }
    // Later servers take a leading 8 for a pattern that is theirs already.
    match name.strip_prefix('8') {
        Some(pattern) => pattern.to_owned(),
        None => pattern(name),
    }
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// Letters that mean something else in java.time: `Y` is no year there but that of a week, and offsets have other
/// letters. What stands in quotes stays.
fn pattern(joda: &str) -> String {
    let mut java = String::with_capacity(joda.len() + 2);
    let mut quoted = false;
    let mut letters = joda.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\'' {
            quoted = !quoted;
        }
        let mut run = 1;
        while !quoted && letter != '\'' && letters.peek() == Some(&letter) {
            letters.next();
            run += 1;
        }
        let text = |letter: char| letter.to_string().repeat(run);
        match letter {
            'Z' if !quoted && run == 1 => java.push_str("XX"),
            'Z' if !quoted && run == 2 => java.push_str("XXX"),
            'Z' if !quoted => java.push_str("VV"),
            'Y' | 'C' if !quoted => java.push_str(&text('y')),
            'x' if !quoted => java.push_str(&text('Y')),
            other => java.push_str(&text(other)),
        }
    }
    java
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_keep_their_meaning() {
        for (joda, java) in [
            ("dateOptionalTime", "date_optional_time"),
            ("strictDateOptionalTime||epoch_millis", "strict_date_optional_time||epoch_millis"),
            ("strict_date_optional_time", "strict_date_optional_time"),
            ("yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm:ss"),
            ("YYYY-MM-dd'T'HH:mm:ssZ", "yyyy-MM-dd'T'HH:mm:ssXX"),
            ("yyyy-MM-dd'T'HH:mm:ss.SSSZZ||date", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX||date"),
            ("'Zulu' xxxx-'W'ww", "'Zulu' YYYY-'W'ww"),
            ("8uuuu-MM-dd", "uuuu-MM-dd"),
            ("basicDateTimeNoMillis", "basic_date_time_no_millis"),
        ] {
            assert_eq!(modern(joda), java);
        }
    }
}
