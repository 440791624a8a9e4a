//! How long a server asks us to wait.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// What `Retry-After` says: seconds, or a date that is compared with `now` since the epoch.
pub(super) fn retry_after(headers: &HeaderMap, now: Duration) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    let seconds = u64::try_from(date.timestamp().as_second()).ok()?;
    Some(Duration::from_secs(seconds).saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        retry_after(&headers, Duration::from_secs(1_445_412_480 - 90))
    }

    #[test]
    fn seconds_and_dates_are_understood() {
        assert_eq!(of("120"), Some(Duration::from_secs(120)));
        assert_eq!(of("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::from_secs(90)));
        assert_eq!(of("Wed, 21 Oct 2015 07:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!((of("soon"), of("-1")), (None, None));
    }
}
