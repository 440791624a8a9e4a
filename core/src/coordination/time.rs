//! The clock of the store.

use std::time::Duration;

/// Milliseconds since the epoch of the store's clock: the only time that leases are measured with.
///
/// Only differences between times of one store mean anything. Documents of the working state hold whole seconds, because
/// the status queries of the system we replace expect them; the lease rules therefore only make whole seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreTime(pub u64);

impl StoreTime {
    /// The epoch itself; as an expiration, it says that nobody holds the item.
    pub const ZERO: Self = Self(0);

    /// So many whole seconds.
    pub fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Whole seconds, rounded down.
    pub fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// The last whole second before it.
    #[must_use]
    pub fn floor(self) -> Self {
        Self::from_secs(self.as_secs())
    }

    /// The next whole second after it, or itself.
    #[must_use]
    pub fn ceil(self) -> Self {
        Self::from_secs(self.0.div_ceil(1000))
    }

    /// That much later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// That much earlier, at least [`StoreTime::ZERO`].
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` it is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// As whole seconds, for `#[serde(with = …)]`.
pub(super) mod seconds {
    use super::StoreTime;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::coordination) fn serialize<S: Serializer>(
        time: &StoreTime,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_u64(time.as_secs())
    }

    pub(in crate::coordination) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<StoreTime, D::Error> {
        u64::deserialize(from).map(StoreTime::from_secs)
    }
}

/// As whole seconds or nothing, for `#[serde(with = …)]`.
pub(super) mod optional_seconds {
    use super::StoreTime;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::coordination) fn serialize<S: Serializer>(
        time: &Option<StoreTime>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(StoreTime::as_secs).serialize(to)
    }

    pub(in crate::coordination) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<StoreTime>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(StoreTime::from_secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_and_arithmetic_stay_within_bounds() {
        assert_eq!(StoreTime(1500).ceil(), StoreTime(2000));
        assert_eq!(StoreTime(1500).floor(), StoreTime(1000));
        assert_eq!(StoreTime(2000).ceil(), StoreTime(2000));
        assert_eq!(StoreTime(5).minus(Duration::from_secs(1)), StoreTime::ZERO);
        assert_eq!(StoreTime(u64::MAX).plus(Duration::from_secs(1)), StoreTime(u64::MAX));
        assert_eq!(StoreTime(5).since(StoreTime(9)), Duration::ZERO);
    }
}
