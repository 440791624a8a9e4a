//! Several addresses of one cluster, and which of them to ask.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use url::Url;

use crate::Clock;

/// How long an endpoint is set aside at its first trouble; doubled at each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// How long it is set aside at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How an endpoint fares.
#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    /// Troubles since it last answered.
    troubles: u32,
    /// Until when it is asked only if there is no other.
    aside_until: Duration,
}

/// The addresses of one cluster, asked in turn. One that does not answer is set aside for a while.
#[derive(Debug)]
pub(super) struct Endpoints {
    urls: Vec<Url>,
    standings: Mutex<Vec<Standing>>,
    turn: AtomicUsize,
    clock: Arc<dyn Clock>,
}

impl Endpoints {
    pub(super) fn new(urls: Vec<Url>, clock: Arc<dyn Clock>) -> Self {
        let standings = Mutex::new(vec![Standing::default(); urls.len()]);
        Self { urls, standings, turn: AtomicUsize::new(0), clock }
    }

    /// All of them, best first: those in good standing, in turn; then those set aside, the soonest back first. A cluster
    /// all of whose endpoints are set aside is asked all the same.
    pub(super) fn in_order(&self) -> Vec<(usize, &Url)> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let now = self.clock.monotonic();
        let standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        let count = self.urls.len().max(1);
        let mut order: Vec<_> = self.urls.iter().enumerate().collect();
        order.rotate_left(turn % count);
        order.sort_by_key(|(place, _)| {
            let until =
                standings.get(*place).map_or(Duration::ZERO, |standing| standing.aside_until);
            if until > now { until } else { Duration::ZERO }
        });
        order
    }

    /// It answered.
    pub(super) fn answered(&self, place: usize) {
        self.change(place, |standing, _| *standing = Standing::default());
    }

    /// It could not be reached, or a part of it could not.
    pub(super) fn failed(&self, place: usize) {
        self.change(place, |standing, now| {
            let pause =
                FIRST_PAUSE.saturating_mul(1 << standing.troubles.min(10)).min(LONGEST_PAUSE);
            standing.troubles = standing.troubles.saturating_add(1);
            standing.aside_until = now.saturating_add(pause);
        });
    }

    fn change(&self, place: usize, change: impl FnOnce(&mut Standing, Duration)) {
        let now = self.clock.monotonic();
        let mut standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(standing) = standings.get_mut(place) {
            change(standing, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    fn three(clock: &ManualClock) -> Endpoints {
        let urls = ["http://a/", "http://b/", "http://c/"].map(|url| Url::parse(url).unwrap());
        Endpoints::new(urls.to_vec(), Arc::new(clock.clone()))
    }

    fn places(endpoints: &Endpoints) -> Vec<usize> {
        endpoints.in_order().into_iter().map(|(place, _)| place).collect()
    }

    #[test]
    fn endpoints_are_asked_in_turn() {
        let endpoints = three(&ManualClock::default());
        assert_eq!([places(&endpoints), places(&endpoints)], [[0, 1, 2], [1, 2, 0]]);
    }

    #[test]
    fn one_in_trouble_is_asked_last_until_its_time_is_over() {
        let clock = ManualClock::new(Duration::from_secs(1));
        let endpoints = three(&clock);
        endpoints.failed(0);
        assert_eq!(places(&endpoints), [1, 2, 0]);
        clock.advance(FIRST_PAUSE);
        endpoints.turn.store(0, Ordering::Relaxed);
        assert_eq!(places(&endpoints), [0, 1, 2]);
        endpoints.failed(0);
        clock.advance(FIRST_PAUSE);
        endpoints.turn.store(0, Ordering::Relaxed);
        assert_eq!(places(&endpoints), [1, 2, 0], "the second time is longer");
        endpoints.answered(0);
        endpoints.turn.store(0, Ordering::Relaxed);
        assert_eq!(places(&endpoints), [0, 1, 2]);
    }

    #[test]
    fn where_all_are_in_trouble_the_one_soonest_back_is_asked_first() {
        let clock = ManualClock::new(Duration::from_secs(1));
        let endpoints = three(&clock);
        for place in [2, 0, 1] {
            endpoints.failed(place);
            clock.advance(Duration::from_millis(10));
        }
        assert_eq!(places(&endpoints), [2, 0, 1]);
    }
}
