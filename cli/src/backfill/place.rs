//! Where a run writes and where it is coordinated, from what was typed.

use std::path::PathBuf;
use std::sync::Arc;

use snapfill::cluster::{ClusterClient, HttpCluster, TargetAddress};
use snapfill::controller::{BackfillBuilder, LocalBackfill};
use snapfill::coordination::{LeaseRules, Run, WorkStore};
use snapfill::retry::RetryPolicy;
use snapfill::settings::{BackfillSettings, BulkSettings};
use snapfill::{ErrorKind, SystemClock};

use crate::arguments::{RunOptions, Target};
use crate::exit::Failure;
use crate::target::{connect, require_none};

/// Where a run writes and where it is coordinated.
pub(crate) struct Place {
    folder: PathBuf,
    cluster: Option<HttpCluster>,
    store: Option<Arc<dyn WorkStore>>,
}

impl Place {
    pub(crate) async fn open(target: &Target, how: &RunOptions) -> Result<Self, Failure> {
        let TargetAddress::Url(url) = target.address()? else {
            require_none(&how.cluster)?;
            return Ok(Self { folder: target.folder()?, cluster: None, store: None });
        };
        let cluster = connect(&url, &how.cluster).await?;
        let store = how.state.store(&cluster, &how.session, how.lease)?;
        Ok(Self { folder: how.state.folder(&url)?, cluster: Some(cluster), store })
    }

    /// The folder that this machine has for the run: the target itself, where that is one.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// The run of the session, if one is planned. A cluster that is away for a moment is waited for.
    pub(crate) async fn planned(&self, session: &str) -> Result<Option<Run>, Failure> {
        let Some(store) = &self.store else {
            return match LocalBackfill::attach(&self.folder, session).await {
                Ok(backfill) => Ok(backfill.run().await?),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error.into()),
            };
        };
        let read = || store.run();
        let run = RetryPolicy::patient().run(&SystemClock::new(), read).await?;
        Ok(run.map(|run| run.value))
    }

    /// Where the working state is, when that is not where the documents go.
    pub(crate) fn remark(&self) -> Option<String> {
        (self.cluster.is_some() && self.store.is_none())
            .then(|| format!("The working state is kept in {}", self.folder.display()))
    }

    pub(crate) fn fit(&self, builder: BackfillBuilder) -> BackfillBuilder {
        let builder = match &self.cluster {
            Some(cluster) => {
                builder.with_cluster(Arc::new(cluster.clone()) as Arc<dyn ClusterClient>)
            }
            None => builder,
        };
        match &self.store {
            Some(store) => builder.with_store(Arc::clone(store)),
            None => builder,
        }
    }
}

pub(crate) fn settings(
    repo: String,
    snapshot: String,
    how: RunOptions,
    folder: PathBuf,
) -> BackfillSettings {
    let bulk = BulkSettings {
        bytes: usize::try_from(how.bulk_bytes).unwrap_or(usize::MAX),
        documents: usize::try_from(how.bulk_documents).unwrap_or(usize::MAX),
        in_flight: how.pacing.bulks_in_flight.get().into(),
        limits: how.pacing.limits(),
        allowed_exceptions: how.cluster.allowed_exceptions.iter().cloned().collect(),
        timeout: LeaseRules::for_length(how.lease).bulk_timeout(BulkSettings::default().timeout),
        ..BulkSettings::default()
    };
    let selection = how.choosing.selection(how.reading.recovery_source);
    BackfillSettings {
        repository_options: how.reading.into(),
        session: how.session,
        indices: selection.indices,
        exclude: selection.exclude,
        max_docs_per_shard: selection.max_docs_per_shard,
        split_bytes: selection.split_bytes,
        rename: selection.rename,
        types: selection.types,
        target_indices: how.making.into(),
        load: how.loading.into(),
        workers: how.workers.into(),
        lease: how.lease,
        max_failed: how.refusals.limit(),
        failed_store: how.refusals.failed_store,
        operation: selection.operation,
        from_scratch: how.from_scratch,
        bulk,
        ..BackfillSettings::new(repo, snapshot, folder)
    }
}
