//! Conformance functions for every trait, and failing doubles.
//!
//! - [`cluster`]: what every [`ClusterClient`](crate::cluster::ClusterClient) must do
//! - [`work_store`]: what every [`WorkStore`](crate::coordination::WorkStore) must do
//! - [`controller`]: what every [`BackfillController`](crate::controller::BackfillController) must do
//! - [`faulty_cluster`]: [`FaultyCluster`], which loses answers, delays bulks and refuses documents on request
//! - [`faulty_store`]: [`FaultyStore`], which loses answers and is away on request
//! - [`stepped_clock`]: [`SteppedClock`], time that only a test moves
//! - [`samples`]: documents and progress to test with
//!
//! An implementation makes a *fixture* and calls [`cluster_client_conformance!`](crate::cluster_client_conformance) or
//! [`work_store_conformance!`](crate::work_store_conformance), which make one test of each function.

// Conformance functions are tests: a broken expectation is to fail at once and to say where.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod cluster;
#[cfg(feature = "local")]
pub mod controller;
pub mod faulty_cluster;
pub mod faulty_store;
pub mod samples;
pub mod stepped_clock;
pub mod work_store;

pub use cluster::ClusterFixture;
#[cfg(feature = "local")]
pub use controller::ControllerFixture;
pub use faulty_cluster::{BulkFault, FaultyCluster};
pub use faulty_store::{FaultyStore, StoreFault};
pub use stepped_clock::SteppedClock;
pub use work_store::WorkStoreFixture;

/// Makes one `#[tokio::test]` of each conformance function of `ClusterClient`. The argument is evaluated anew for each and
/// must be a [`ClusterFixture`].
#[macro_export]
macro_rules! cluster_client_conformance {
    ($fixture:expr) => {
        $crate::cluster_client_functions!(conformance_tests!($fixture));
    };
}

/// Calls each conformance function of `ClusterClient`, one after another, within an `async` block: for clusters that are too
/// dear to be started for each of them. The argument makes a [`ClusterFixture`] of the function's name.
#[macro_export]
macro_rules! cluster_client_conformance_calls {
    ($make:expr) => {
        $crate::cluster_client_functions!(conformance_calls!($make))
    };
}

/// The conformance functions of `ClusterClient`.
#[doc(hidden)]
#[macro_export]
macro_rules! cluster_client_functions {
    ($then:ident ! ($argument:expr)) => {
        $crate::$then! {
            $argument,
            cluster,
            [
                cluster_client_says_who_it_is,
                cluster_client_creates_an_index_once,
                cluster_client_keeps_definitions_with_settings,
                cluster_client_tells_settings,
                cluster_client_bulk_says_what_became_of_each_document,
                cluster_client_replaces_when_a_bulk_is_sent_again,
                cluster_client_create_mode_leaves_alone_what_is_there,
                cluster_client_writes_an_id_twice_in_one_bulk,
                cluster_client_takes_an_empty_bulk,
                cluster_client_takes_strange_ids,
                cluster_client_keeps_routings_apart,
                cluster_client_keeps_types_apart,
                cluster_client_makes_no_index_by_a_bulk,
                cluster_client_knows_absent_indices,
                cluster_client_fills_a_data_stream,
                cluster_client_lists_indices,
                cluster_client_takes_bulks_at_once,
            ]
        }
    };
}

/// Makes one `#[tokio::test]` of each conformance function of `WorkStore`. The argument is evaluated anew for each and must
/// be a [`WorkStoreFixture`] of an empty session.
#[macro_export]
macro_rules! work_store_conformance {
    ($fixture:expr) => {
        $crate::work_store_functions!(conformance_tests!($fixture));
    };
}

/// Calls each conformance function of `WorkStore`, one after another, within an `async` block: for stores on servers that are
/// too dear to be started for each of them. The argument makes a [`WorkStoreFixture`] of the function's name.
#[macro_export]
macro_rules! work_store_conformance_calls {
    ($make:expr) => {
        $crate::work_store_functions!(conformance_calls!($make))
    };
}

/// The conformance functions of `WorkStore`.
#[doc(hidden)]
#[macro_export]
macro_rules! work_store_functions {
    ($then:ident ! ($argument:expr)) => {
        $crate::$then! {
            $argument,
            work_store,
            [
                work_store_starts_empty,
                work_store_creates_a_run_once,
                work_store_replaces_a_run_by_version,
                work_store_creates_items_once,
                work_store_gives_items_back_as_written,
                work_store_refuses_a_stale_version,
                work_store_lets_one_of_many_win,
                work_store_does_not_revive_what_was_deleted,
                work_store_finds_claimable_items_only,
                work_store_searches_round_from_a_sort_key,
                work_store_pages_through_all_items_once,
                work_store_counts_what_is_unfinished,
                work_store_sums_up,
                work_store_drops_a_session,
                work_store_time_goes_on,
                work_store_enrolls_a_name_once,
                work_store_knows_the_dead_only,
                work_store_many_planners_make_one_plan,
                work_store_goes_on_with_a_plan,
                work_store_many_workers_do_each_item_once,
                work_store_is_empty_after_a_drop,
                work_store_takes_no_version_of_an_earlier_session,
                work_store_refuses_a_run_of_a_newer_format,
                work_store_leaves_alone_what_is_not_ours,
                work_store_counts_workers,
                work_store_finds_what_a_worker_holds,
                work_store_keeps_pages_apart_while_items_come,
                work_store_sums_up_very_many,
            ]
        }
    };
}

/// Makes one `#[tokio::test]` of each row of the behaviour table of `BackfillController`. The argument is evaluated anew for each
/// and must be a [`ControllerFixture`] of a session that is not begun.
#[macro_export]
macro_rules! controller_conformance {
    ($fixture:expr) => {
        $crate::conformance_tests! {
            $fixture,
            controller,
            [
                controller_starts_once,
                controller_start_does_not_shrink,
                controller_scales_up_and_down,
                controller_scales_nothing_to_none,
                controller_pauses_while_starting,
                controller_pauses_and_goes_on,
                controller_stops_and_comes_back,
                controller_stops_what_is_not_running,
                controller_begins_anew_after_a_reset,
                controller_archives_only_what_rests,
                controller_keeps_a_fleet_that_stays,
            ]
        }
    };
}

/// The common part of the conformance macros.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($fixture:expr, $module:ident, [$($name:ident),* $(,)?]) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let fixture = $fixture;
                $crate::testkit::$module::$name(&fixture).await;
            }
        )*
    };
}

/// One call after another.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_calls {
    ($make:expr, $module:ident, [$($name:ident),* $(,)?]) => {
        {
            let make = $make;
            $(
                println!("{}", stringify!($name));
                let fixture = make(stringify!($name));
                $crate::testkit::$module::$name(&fixture).await;
            )*
        }
    };
}
