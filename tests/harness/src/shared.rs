//! One node for all tests of a process that run on its version.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::server::Server;
use crate::tier::runs;
use crate::version::Version;

/// The nodes that some test holds.
static RUNNING: Mutex<Vec<(Version, Weak<Server>)>> = Mutex::new(Vec::new());

/// A node of that version, which other tests of this process use at the same time; `None` where
/// tests on it do not run. It stops when the last test lets it go, also by a panic. Everybody keeps
/// to index names of their own.
///
/// # Panics
/// When the node does not start.
#[expect(clippy::panic, reason = "a test that was asked for must not pass without its server")]
pub fn shared(version: Version) -> Option<Arc<Server>> {
    if !runs(version) {
        return None;
    }
    // Held while a node starts: one start at a time, and nobody starts a second one of a version.
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.retain(|(_, server)| server.strong_count() > 0);
    let known = running.iter().find(|(known, _)| *known == version);
    if let Some(server) = known.and_then(|(_, server)| server.upgrade()) {
        return Some(server);
    }
    match Server::start(version) {
        Ok(server) => {
            let server = Arc::new(server);
            running.push((version, Arc::downgrade(&server)));
            Some(server)
        }
        Err(error) => panic!("{error}"),
    }
}

/// Makes tests of functions that take a [`Version`](crate::Version): for each version a module,
/// and in it a test for each function. Tests of one version run next to each other, on one node
/// where they take it from [`shared`].
#[macro_export]
macro_rules! each_version {
    ($($test:ident),+ $(,)?) => {
        $crate::of_version!(elasticsearch_1_7_6 Elasticsearch1_7_6 $($test)+);
        $crate::of_version!(elasticsearch_2_4_6 Elasticsearch2_4_6 $($test)+);
        $crate::of_version!(elasticsearch_5_6_16 Elasticsearch5_6_16 $($test)+);
        $crate::of_version!(elasticsearch_6_8_23 Elasticsearch6_8_23 $($test)+);
        $crate::of_version!(elasticsearch_7_10_2 Elasticsearch7_10_2 $($test)+);
        $crate::of_version!(elasticsearch_7_17_29 Elasticsearch7_17_29 $($test)+);
        $crate::of_version!(elasticsearch_8_15_0 Elasticsearch8_15_0 $($test)+);
        $crate::of_version!(elasticsearch_8_19_21 Elasticsearch8_19_21 $($test)+);
        $crate::of_version!(elasticsearch_9_5_3 Elasticsearch9_5_3 $($test)+);
        $crate::of_version!(opensearch_1_3_20 OpenSearch1_3_20 $($test)+);
        $crate::of_version!(opensearch_2_19_6 OpenSearch2_19_6 $($test)+);
        $crate::of_version!(opensearch_3_8_0 OpenSearch3_8_0 $($test)+);
    };
}

/// The tests of one version: a part of [`each_version!`].
#[doc(hidden)]
#[macro_export]
macro_rules! of_version {
    ($module:ident $version:ident $($test:ident)+) => {
        mod $module {
            $(
                #[test]
                pub(super) fn $test() {
                    super::$test($crate::Version::$version);
                }
            )+
        }
    };
}

#[cfg(test)]
mod tests {
    use super::shared;
    use crate::version::Version;

    fn is_in_the_table(version: Version) {
        assert!(Version::all().any(|known| known == version));
    }

    crate::each_version!(is_in_the_table);

    /// Does not compile for a new version before `each_version!` has it.
    fn in_macro(version: Version) -> fn() {
        match version {
            Version::Elasticsearch1_7_6 => elasticsearch_1_7_6::is_in_the_table,
            Version::Elasticsearch2_4_6 => elasticsearch_2_4_6::is_in_the_table,
            Version::Elasticsearch5_6_16 => elasticsearch_5_6_16::is_in_the_table,
            Version::Elasticsearch6_8_23 => elasticsearch_6_8_23::is_in_the_table,
            Version::Elasticsearch7_10_2 => elasticsearch_7_10_2::is_in_the_table,
            Version::Elasticsearch7_17_29 => elasticsearch_7_17_29::is_in_the_table,
            Version::Elasticsearch8_15_0 => elasticsearch_8_15_0::is_in_the_table,
            Version::Elasticsearch8_19_21 => elasticsearch_8_19_21::is_in_the_table,
            Version::Elasticsearch9_5_3 => elasticsearch_9_5_3::is_in_the_table,
            Version::OpenSearch1_3_20 => opensearch_1_3_20::is_in_the_table,
            // Only its security plugin is of interest, which has tests of its own.
            Version::OpenSearch2_19_4 | Version::OpenSearch2_19_6 => {
                opensearch_2_19_6::is_in_the_table
            }
            Version::OpenSearch3_8_0 => opensearch_3_8_0::is_in_the_table,
        }
    }

    #[test]
    fn every_version_has_its_tests() {
        Version::all().for_each(|version| in_macro(version)());
    }

    #[test]
    fn a_node_is_shared_while_somebody_holds_it() {
        let version = Version::OpenSearch2_19_6;
        let Some(one) = shared(version) else { return };
        let other = shared(version).unwrap();
        assert_eq!(one.url(), other.url());
        drop(other);
        let http = one.http();
        http.request("GET", "/", b"").unwrap();
        drop(one);
        assert!(http.request("GET", "/", b"").is_err(), "the node still answers");
    }
}
