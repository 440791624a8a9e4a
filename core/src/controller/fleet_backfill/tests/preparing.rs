//! Preparing targets that are no local ones, as far as their answers go: the documents end up in a local one.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::*;
use crate::cluster::{
    BulkBody, BulkOutcome, ClusterCapability, ClusterHealth, ClusterInfo, Created,
    DataStreamDefinition, Distribution, IndexDefinition, IndexRow,
};
use crate::controller::Decision;
use crate::preparation::{CreateIndices, Rename, Types, UnknownFields};

/// A local target that says it is another, without types.
#[derive(Debug)]
struct Claimed {
    inner: LocalCluster,
    distribution: Distribution,
    version: &'static str,
    client_ids: bool,
}

#[async_trait]
impl ClusterClient for Claimed {
    fn capability(&self) -> ClusterCapability {
        let client_ids = self.client_ids;
        let own = self.inner.capability();
        ClusterCapability { refresh: true, types_in_key: false, client_ids, ..own }
    }

    fn address(&self) -> String {
        self.inner.address()
    }

    async fn info(&self) -> Result<ClusterInfo> {
        let (distribution, version) = (self.distribution, self.version.to_owned());
        Ok(ClusterInfo { distribution, version, ..self.inner.info().await? })
    }

    async fn cat_indices(&self) -> Result<Vec<IndexRow>> {
        self.inner.cat_indices().await
    }

    async fn health(&self) -> Result<ClusterHealth> {
        self.inner.health().await
    }

    async fn create_index(&self, index: &str, definition: &IndexDefinition) -> Result<Created> {
        self.inner.create_index(index, definition).await
    }

    async fn data_streams(&self) -> Result<Option<Vec<String>>> {
        Ok((self.distribution == Distribution::OpenSearch).then(Vec::new))
    }

    async fn create_data_stream(
        &self,
        name: &str,
        definition: &DataStreamDefinition,
    ) -> Result<Created> {
        self.inner.create_index(name, &definition.indices).await
    }

    async fn bulk(&self, body: &BulkBody) -> Result<BulkOutcome> {
        self.inner.bulk(body).await
    }

    async fn count(&self, index: &str) -> Result<u64> {
        self.inner.count(index).await
    }

    async fn refresh(&self, index: &str) -> Result<()> {
        self.inner.refresh(index).await
    }

    async fn update_settings(&self, index: &str, settings: &Value) -> Result<()> {
        self.inner.update_settings(index, settings).await
    }

    async fn index_settings(&self, index: &str) -> Result<Option<Map<String, Value>>> {
        self.inner.index_settings(index).await
    }
}

struct Target {
    dir: tempfile::TempDir,
    local: LocalCluster,
}

impl Target {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let local = LocalCluster::open(dir.path()).unwrap();
        Self { dir, local }
    }

    fn settings(&self, fixture: &str, indices: &[&str]) -> BackfillSettings {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
        let repository = format!("{folder}/{fixture}/repo");
        let mut settings = BackfillSettings::new(repository, "snap-2", self.dir.path());
        settings.indices = indices.iter().map(|name| (*name).to_owned()).collect();
        settings
    }

    fn over(&self, settings: BackfillSettings, version: &'static str) -> LocalBackfill {
        let claimed = self.claimed(version);
        LocalBackfill::builder(settings).with_cluster(Arc::new(claimed)).build().unwrap()
    }

    fn claimed(&self, version: &'static str) -> Claimed {
        let (inner, distribution) = (self.local.clone(), Distribution::OpenSearch);
        Claimed { inner, distribution, version, client_ids: true }
    }

    async fn setting(&self, index: &str, name: &str) -> Value {
        let settings = self.local.index_settings(index).await.unwrap().unwrap();
        settings.get(name).cloned().unwrap_or_default()
    }

    async fn counts(&self) -> Vec<(String, u64)> {
        let rows = self.local.cat_indices().await.unwrap();
        rows.into_iter().map(|row| (row.index, row.docs_count.unwrap())).collect()
    }
}

async fn ended(backfill: &LocalBackfill) -> RunEnd {
    backfill.start().await.unwrap();
    backfill.wait().await.unwrap()
}

const REFRESH: &str = "index.refresh_interval";
const REPLICAS: &str = "index.number_of_replicas";

#[tokio::test]
async fn a_target_that_gives_documents_its_own_ids_is_warned_of() {
    let target = Target::new();
    let settings = target.settings("opensearch-2.19.6", &["five"]);
    let claimed = Claimed { client_ids: false, ..target.claimed("2.19.6") };
    let backfill = LocalBackfill::builder(settings.clone()).with_cluster(Arc::new(claimed));
    let backfill = backfill.build().unwrap();
    let plan = backfill.plan().await.unwrap();
    let warns = |text: &String| text.contains("is there twice");
    assert!(plan.targets.iter().all(|target| target.warnings.iter().any(warns)));
    let mut events = backfill.events();
    assert_eq!(ended(&backfill).await, RunEnd::Completed);
    let warned = loop {
        match events.next().await.unwrap() {
            Event::Warning { index, warning } if warns(&warning) => break index,
            Event::Planned { .. } => panic!("not warned of before the run"),
            _ => {}
        }
    };
    assert_eq!(warned, "five");

    let usual = Target::new().over(settings, "2.19.6").plan().await.unwrap();
    assert!(!usual.targets.iter().any(|target| target.warnings.iter().any(warns)));
}

#[tokio::test]
async fn types_that_a_target_lacks_are_refused_or_get_indices_of_their_own() {
    let target = Target::new();
    let mut settings = target.settings("elasticsearch-5.6.16", &["family", "five"]);
    let refused = target.over(settings.clone(), "2.19.6");
    let error = refused.start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    for part in ["index `family`", "blog, comment", "--types split", "--types merge"] {
        assert!(error.message().contains(part), "{error}");
    }
    assert!(target.counts().await.is_empty(), "nothing is made before all is accepted");
    let plan = refused.plan().await.unwrap();
    let decided =
        |name: &str| plan.indices.iter().find(|index| index.name == name).unwrap().decision.clone();
    assert!(matches!(decided("family"), Decision::Refuse(_)));
    assert_eq!(decided("five"), Decision::Migrate);

    settings.types = Types::Split;
    settings.bulk.documents = 3;
    let split = target.over(settings, "2.19.6");
    assert_eq!(ended(&split).await, RunEnd::Completed);
    let counts = target.counts().await;
    let names: Vec<_> = counts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["family-blog", "family-comment", "five"]);
    assert_eq!(counts[0].1 + counts[1].1, 20);
    assert!(counts[0].1 > 0 && counts[1].1 > 0);
    let blog = target.local.definition("family-blog").await.unwrap().unwrap();
    assert_eq!(blog.mappings, json!({"properties": {"t": {"type": "long"}}}));
    let work = split.deep_status().await.unwrap().work;
    assert!(work.indices.iter().all(|index| index.books.accounted() == index.live));
}

#[tokio::test]
async fn a_local_target_keeps_types_in_one_index() {
    let target = Target::new();
    let settings = target.settings("elasticsearch-5.6.16", &["family"]);
    let backfill = LocalBackfill::builder(settings).build().unwrap();
    assert_eq!(ended(&backfill).await, RunEnd::Completed);
    assert_eq!(target.counts().await, [("family".to_owned(), 20)]);
}

#[tokio::test]
async fn indices_that_become_one_end_with_errors_where_ids_meet() {
    let target = Target::new();
    let mut settings = target.settings("elasticsearch-8.15.0", &["excluded", "five", "logs-2024"]);
    settings.rename = Rename {
        patterns: vec![("excluded|logs-.*".to_owned(), "both".to_owned())],
        ..Rename::default()
    };
    let error = target.over(settings.clone(), "2.19.6").start().await.unwrap_err();
    assert!(error.message().contains("excluded, logs-2024 would all become `both`"), "{error}");
    settings.types = Types::Merge;
    let backfill = target.over(settings, "2.19.6");
    let end = ended(&backfill).await;
    let books = backfill.deep_status().await.unwrap().work.books;
    let counts = target.counts().await;
    let stored: u64 = counts.iter().map(|(_, count)| count).sum();
    assert_eq!(books.written, stored + books.overwritten);
    assert_eq!(books.overwritten, 5);
    assert_eq!(end, RunEnd::CompletedWithErrors);
    assert_eq!(backfill.deep_status().await.unwrap().end, Some(end));
}

#[tokio::test]
async fn a_trial_sends_some_documents_of_each_shard_and_books_the_rest() {
    let target = Target::new();
    let mut settings = target.settings("elasticsearch-8.15.0", &["shapes", "five", "routed"]);
    settings.max_docs_per_shard = Some(3);
    settings.bulk.documents = 2;
    let backfill = target.over(settings.clone(), "2.19.6");
    assert_eq!(ended(&backfill).await, RunEnd::Completed);
    let work = backfill.deep_status().await.unwrap().work;
    for index in &work.indices {
        assert_eq!(index.books.accounted(), index.live, "{}", index.index);
        assert!(index.books.written <= 3 * index.shards.total, "{}", index.index);
    }
    assert_eq!(work.indices[2].books.written, 6);
    assert!(work.books.skipped[&crate::SkipReason::Limit] > 100);
    settings.max_docs_per_shard = None;
    let other = target.over(settings, "2.19.6").start().await.unwrap_err();
    assert_eq!(other.kind(), ErrorKind::State, "without a limit it is another run");
}

#[tokio::test]
async fn names_are_changed_and_patterns_choose() {
    let target = Target::new();
    let mut settings = target.settings("elasticsearch-8.15.0", &["f*", "regex:rou.ed"]);
    settings.exclude = vec!["rout*".to_owned()];
    settings.rename.prefix = "new-".to_owned();
    let backfill = target.over(settings, "2.19.6");
    let plan = backfill.plan().await.unwrap();
    let five = plan.migrated().next().unwrap();
    assert_eq!((five.name.as_str(), &five.targets[..]), ("five", &["new-five".to_owned()][..]));
    assert_eq!(ended(&backfill).await, RunEnd::Completed);
    assert_eq!(target.counts().await, [("new-five".to_owned(), 7)]);
}

#[tokio::test]
async fn settings_of_the_load_are_put_back_whoever_ends_the_run() {
    let target = Target::new();
    let own = IndexDefinition { settings: json!({REFRESH: "7s"}), ..IndexDefinition::default() };
    target.local.create_index("routed", &own).await.unwrap();
    let mut settings = target.settings("elasticsearch-8.15.0", &["five", "routed"]);
    settings.load.disable_refresh = true;
    settings.load.defer_replicas = true;
    settings.target_indices.replicas = Some(2);
    let killed = target.over(settings.clone(), "2.19.6");
    // Killed before the first worker.
    killed.shared.prepare().await.unwrap();
    for index in ["five", "routed"] {
        assert_eq!(target.setting(index, REFRESH).await, "-1");
        assert_eq!(target.setting(index, REPLICAS).await, "0");
    }
    // Killed after planning had begun: what the first planner found still counts.
    let again = target.over(settings.clone(), "2.19.6");
    assert_eq!(ended(&again).await, RunEnd::Completed);
    let put_back = || async {
        assert_eq!(target.setting("five", REFRESH).await, Value::Null);
        assert_eq!(target.setting("five", REPLICAS).await, "2");
        assert_eq!(target.setting("routed", REFRESH).await, "7s");
        assert_eq!(target.setting("routed", REPLICAS).await, Value::Null);
    };
    put_back().await;
    // Killed between the last document and putting back.
    let undo = |run: &mut Run| {
        let mut record = crate::preparation::LoadRecord::of_run(&run.settings);
        record.done = false;
        record.write(&mut run.settings);
        Ok(())
    };
    again.shared.coordinator.change_run(undo).await.unwrap();
    let during = settings.load.during().into();
    target.local.update_settings("five", &during).await.unwrap();
    target.over(settings.clone(), "2.19.6").start().await.unwrap();
    put_back().await;
    // Once done, what a user sets stays.
    target.local.update_settings("five", &json!({REFRESH: "3s"})).await.unwrap();
    assert_eq!(ended(&target.over(settings, "2.19.6")).await, RunEnd::Completed);
    assert_eq!(target.setting("five", REFRESH).await, "3s");
}

#[tokio::test]
async fn a_planner_that_died_between_record_and_change_loses_nothing() {
    let target = Target::new();
    let mut settings = target.settings("elasticsearch-8.15.0", &["five"]);
    settings.load.disable_refresh = true;
    let first = target.over(settings.clone(), "2.19.6");
    let plan = first.plan().await.unwrap();
    let run = first.shared.run_of(first.shared.snapshot().await.unwrap()).unwrap();
    first.shared.ready_indices(run, &plan).await.unwrap();
    // The index is there with the settings of the load, and no item is planned.
    assert_eq!(target.setting("five", REFRESH).await, "-1");
    assert_eq!(ended(&target.over(settings, "2.19.6")).await, RunEnd::Completed);
    assert_eq!(target.setting("five", REFRESH).await, Value::Null);
}

#[tokio::test]
async fn a_stop_puts_settings_back_before_it_forgets() {
    let target = Target::new();
    let mut settings = target.settings("elasticsearch-8.15.0", &["five"]);
    settings.load.disable_refresh = true;
    let backfill = target.over(settings, "2.19.6");
    backfill.shared.prepare().await.unwrap();
    backfill.stop(Some(target.dir.path())).await.unwrap();
    assert_eq!(target.setting("five", REFRESH).await, Value::Null);
}

#[tokio::test]
async fn no_index_is_made_where_none_is_to_be_made() {
    let target = Target::new();
    let mut settings = target.settings("elasticsearch-8.15.0", &["five"]);
    settings.target_indices.create = CreateIndices::Never;
    let backfill = target.over(settings.clone(), "2.19.6");
    assert!(backfill.start().await.unwrap_err().message().contains("has no index `five`"));
    target.local.create_index("five", &IndexDefinition::default()).await.unwrap();
    assert_eq!(ended(&backfill).await, RunEnd::Completed);
}

/// Whatever a fixture holds, a definition for each target is made of it.
#[tokio::test]
async fn every_fixture_has_definitions_for_every_target() {
    let fixtures = [
        "elasticsearch-1.7.6",
        "elasticsearch-2.4.6",
        "elasticsearch-5.6.16",
        "elasticsearch-6.8.23",
        "elasticsearch-7.10.2",
        "elasticsearch-7.17.29",
        "elasticsearch-8.15.0",
        "elasticsearch-8.19.21",
        "elasticsearch-9.5.3",
        "opensearch-1.3.20",
        "opensearch-2.19.6",
        "opensearch-3.8.0",
    ];
    for fixture in fixtures {
        for version in ["1.3.20", "2.19.6", "3.8.0"] {
            let target = Target::new();
            let mut settings = target.settings(fixture, &[]);
            settings.types = Types::Split;
            settings.target_indices.unknown_fields = UnknownFields::Refuse;
            let plan = target.over(settings, version).plan().await.unwrap();
            plan.require_accepted().unwrap();
            for planned in &plan.targets {
                let definition = planned.definition.as_ref().unwrap();
                let text = serde_json::to_string(definition).unwrap();
                for gone in [
                    "\"string\"",
                    "not_analyzed",
                    "\"_parent\"",
                    "_data_stream_timestamp",
                    "\"_all\"",
                    "index.uuid",
                    "index.version",
                    "soft_deletes",
                    "\"mode\"",
                    "provided_name",
                    "dateOptionalTime",
                ] {
                    assert!(!text.contains(gone), "{fixture} for {version}: {gone} in {text}");
                }
                assert!(definition.mappings.get("doc").is_none(), "{fixture}: {text}");
            }
        }
    }
}
