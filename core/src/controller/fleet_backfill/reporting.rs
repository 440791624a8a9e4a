//! What a report is made from.

use futures::{StreamExt, stream};

use super::Shared;
use crate::cluster::ClusterClientExt;
use crate::controller::archive::summary;
use crate::controller::report::{Gathered, PlanRecord};
use crate::controller::{BackfillStatus, Plan, Report, Work};
use crate::coordination::{Run, StoreTime};
use crate::failed::FailedSummary;
use crate::retry::RetryPolicy;
use crate::{Error, ErrorKind, Result};

/// Indices that are counted at a time.
const COUNTED_AT_ONCE: usize = 4;

impl Shared {
    /// What of a plan is kept for a report, with the documents that the indices have which are there already.
    pub(super) async fn plan_record(&self, plan: &Plan) -> PlanRecord {
        let mut record = PlanRecord::of(plan);
        for target in plan.targets.iter().filter(|target| target.existing.is_some()) {
            if let Some(fill) = record.targets.get_mut(&target.name) {
                // A report then says that it is not known.
                fill.before = self.cluster.count(&target.name).await.ok();
            }
        }
        record
    }

    /// The report of the run, or of the archive of one that was stopped.
    pub(super) async fn report(&self, status: BackfillStatus) -> Result<Report> {
        let now = self.clock.wall().as_secs();
        let (run, work, archive) = match self.store.run().await? {
            Some(run) => (run.value, self.work_so_far().await?, None),
            None => {
                let Some(record) = self.session_record()? else {
                    let message =
                        "there is nothing to report: no backfill was begun under this session";
                    return Err(Error::new(ErrorKind::NotFound, message));
                };
                let at = StoreTime::from_secs(now);
                let (run, totals) = summary(&record.archive, &record.sha256, at).await?;
                (run, Work::of(&totals), Some(record.archive))
            }
        };
        let end = if run.completed_at.is_some() { Self::end_of_run(&run, &work)? } else { None };
        let counted = self.count_targets(&run, end.is_some()).await;
        let gathered = Gathered {
            failures: self.failures_that_hold().await.map_err(|error| error.to_string()),
            is_idempotent: self.cluster.capability().is_idempotent(),
            run,
            work,
            // Its working state is gone, which says nothing of how it stood.
            status: if archive.is_some() { BackfillStatus::Stopped } else { status },
            end,
            archive,
            counted,
            now,
        };
        Ok(gathered.report())
    }

    async fn failures_that_hold(&self) -> Result<FailedSummary> {
        self.failed_log().await?.summary().await
    }

    /// What each index of the target holds. While documents are written, none is refreshed for it.
    async fn count_targets(
        &self,
        run: &Run,
        is_over: bool,
    ) -> std::collections::BTreeMap<String, Result<u64, String>> {
        let names: Vec<_> = PlanRecord::of_run(&run.settings).targets.into_keys().collect();
        let refreshes = is_over && self.cluster.capability().refresh;
        let retry = RetryPolicy::default();
        let retry = &retry;
        stream::iter(names)
            .map(|name| async move {
                let count = || async {
                    match refreshes {
                        true => self.cluster.refreshed_count(&name).await,
                        false => self.cluster.count(&name).await,
                    }
                };
                let counted = retry.run(&*self.clock, count).await;
                (name.clone(), counted.map_err(|error| error.to_string()))
            })
            .buffer_unordered(COUNTED_AT_ONCE)
            .collect()
            .await
    }
}
