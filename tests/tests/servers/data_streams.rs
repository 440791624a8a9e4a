//! Backing indices go into data streams; where there are none, they are refused by name.

use snapfill::ErrorKind;
use snapfill::cluster::{ClusterClient, ClusterClientExt};
use snapfill::controller::{BackfillController, LocalBackfill, RunEnd};
use snapfill::settings::BackfillSettings;
use snapfill_harness::{Server, Version, shared};
use snapfill_tests::fixtures::Fixture;

use super::backfills::BACKING;
use super::{cluster_of, runtime};

const STREAM: &str = "all-streams";

/// A run of its own each time it is built.
struct Run {
    state: tempfile::TempDir,
    backfill: LocalBackfill,
}

impl Run {
    fn of(fixture: &str, server: &Server) -> Self {
        let state = tempfile::tempdir().unwrap();
        let repository = Fixture::named(fixture).repository().display().to_string();
        let mut settings = BackfillSettings::new(repository, "snap-2", state.path());
        settings.indices = vec![BACKING.to_owned()];
        settings.rename.map.insert("ds-1".to_owned(), STREAM.to_owned());
        settings.load.disable_refresh = true;
        let cluster = cluster_of(server);
        let backfill = LocalBackfill::builder(settings).with_cluster(cluster).build().unwrap();
        Self { state, backfill }
    }

    /// How it ended, and how many documents were present.
    async fn end(self) -> (RunEnd, u64) {
        self.backfill.start().await.unwrap();
        let end = self.backfill.wait().await.unwrap();
        let books = self.backfill.deep_status().await.unwrap().work.books;
        assert_eq!((books.written, books.failed), (12, 0), "{books:?}");
        drop(self.state);
        (end, books.present)
    }
}

pub(crate) fn data_streams_are_filled_or_refused(version: Version) {
    let Some(server) = shared(version) else { return };
    runtime().block_on(async {
        match cluster_of(&server).data_streams().await.unwrap() {
            Some(_) => are_filled(&server).await,
            None => are_refused(&server).await,
        }
    });
}

async fn are_filled(server: &Server) {
    let cluster = cluster_of(server);
    let mut documents = 0;
    for fixture in ["opensearch-2.19.6", "opensearch-3.8.0"] {
        let plan = Run::of(fixture, server).backfill.plan().await.unwrap();
        assert_eq!(plan.targets[0].name, STREAM);
        assert_eq!(plan.targets[0].existing.is_some(), documents > 0, "{:?}", plan.targets);
        assert_eq!(Run::of(fixture, server).end().await, (RunEnd::Completed, 0));
        documents += 12;
        assert_eq!(cluster.refreshed_count(STREAM).await.unwrap(), documents);
    }
    // Another run cannot know whether what is there is the same.
    let again = Run::of("opensearch-3.8.0", server).end().await;
    assert_eq!(again, (RunEnd::CompletedWithErrors, 12));
    assert_eq!(cluster.refreshed_count(STREAM).await.unwrap(), documents);

    let rolled = server.call("POST", &format!("/{STREAM}/_rollover"), "").unwrap();
    let index = rolled["new_index"].as_str().unwrap();
    let settings = server.call("GET", &format!("/{index}/_settings"), "").unwrap();
    let refresh = &settings[index]["settings"]["index"]["refresh_interval"];
    assert!(refresh.is_null(), "the load's settings went on: {settings}");
    let mapping = server.call("GET", &format!("/{index}/_mapping"), "").unwrap();
    let field = &mapping[index]["mappings"]["properties"]["m"]["type"];
    assert_eq!(field, "long", "{mapping}");
    server.call("DELETE", &format!("/_data_stream/{STREAM}"), "").unwrap();
}

async fn are_refused(server: &Server) {
    let refused = Run::of("opensearch-2.19.6", server).backfill.start().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    let text = refused.to_string();
    assert!(text.contains(BACKING) && text.contains("has no data streams"), "{text}");
    assert!(!cluster_of(server).has_index(STREAM).await.unwrap());
}
