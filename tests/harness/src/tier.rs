//! Which tests run: the default tier is quick and needs no network, the full tier has real servers.

/// Whether the full tier was asked for (`SNAPFILL_TEST_TIER=full`, set by `cargo xtask test
/// --full`). Tests with a real server return at once where it was not.
pub fn is_full_tier() -> bool {
    std::env::var_os("SNAPFILL_TEST_TIER").is_some_and(|tier| tier == "full")
}
