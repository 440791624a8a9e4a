//! Documents that the target refused for good: counted, listed, sent again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use snapfill::cluster::BulkOperation;
use snapfill::failed as core;
use tokio::sync::Mutex;

use crate::backfill::Control;
use crate::convert::size;
use crate::{Backfill, Result, runtime};

/// Which failed documents are meant. By default all of them.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FailedFilter {
    /// Those of these indices, by their name in the snapshot or in the target; none: of all.
    #[cfg_attr(feature = "uniffi", uniffi(default = []))]
    pub indices: Vec<String>,
    /// Those of these classes: `mapping`, `too_large`, `version`, `transform`, `other`; none: of all.
    #[cfg_attr(feature = "uniffi", uniffi(default = []))]
    pub classes: Vec<String>,
}

impl TryFrom<FailedFilter> for core::FailedFilter {
    type Error = crate::SnapfillError;

    fn try_from(filter: FailedFilter) -> Result<Self> {
        let FailedFilter { indices, classes } = filter;
        let classes = classes.iter().map(|word| word.parse()).collect::<snapfill::Result<_>>()?;
        Ok(Self { indices, classes })
    }
}

/// How many documents the target refused and still refuses, and why.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FailedSummary {
    /// All of them.
    pub total: u64,
    /// By index, class and the target's word; the most frequent first.
    pub groups: Vec<FailureGroup>,
}

/// Failures of one kind.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FailureGroup {
    /// The index that was to receive them.
    pub index: String,
    /// What kind of failure it was: `mapping`, `too_large`, `version`, `transform` or `other`.
    pub failure_class: String,
    /// The target's word for it.
    pub error_type: String,
    /// How many.
    pub documents: u64,
    /// The ids of the first of them.
    pub example_ids: Vec<String>,
    /// The target's explanation for the first one.
    pub example_reason: String,
    /// What may help.
    pub remedy: String,
}

impl From<core::FailedSummary> for FailedSummary {
    fn from(summary: core::FailedSummary) -> Self {
        let core::FailedSummary { total, groups } = summary;
        Self { total, groups: groups.into_iter().map(FailureGroup::from).collect() }
    }
}

impl From<core::FailureGroup> for FailureGroup {
    fn from(group: core::FailureGroup) -> Self {
        Self {
            index: group.index,
            failure_class: group.class.as_str().to_owned(),
            error_type: group.error_type,
            documents: group.documents,
            example_ids: group.example_ids,
            example_reason: group.example_reason,
            remedy: group.remedy.to_owned(),
        }
    }
}

/// A document that the target refused for good.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FailedDocument {
    /// The index that was to receive it.
    pub index: String,
    /// `_id`.
    pub id: String,
    /// `_routing`, where it has its own.
    pub routing: Option<String>,
    /// What was to be done with an id that is there already: `index` or `create`.
    pub operation: String,
    /// What kind of failure it was: `mapping`, `too_large`, `version`, `transform` or `other`.
    pub failure_class: String,
    /// The HTTP status of the item.
    pub status: u32,
    /// The target's word for it.
    pub error_type: String,
    /// The target's explanation.
    pub reason: String,
    /// The index of the snapshot.
    pub source_index: String,
    /// The shard of that index.
    pub shard: u32,
    /// The document's number in the shard.
    pub number: u32,
    /// The document, as it was sent. In JSON it is in base64.
    #[serde(serialize_with = "in_base64")]
    pub source: Vec<u8>,
}

fn in_base64<S: Serializer>(bytes: &[u8], to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_str(&STANDARD.encode(bytes))
}

impl TryFrom<core::FailedDocument> for FailedDocument {
    type Error = crate::SnapfillError;

    fn try_from(document: core::FailedDocument) -> Result<Self> {
        let source = document.source()?.to_vec();
        let operation = match document.operation {
            BulkOperation::Index => "index",
            BulkOperation::Create => "create",
        };
        Ok(Self {
            index: document.index,
            id: document.id,
            routing: document.routing,
            operation: operation.to_owned(),
            failure_class: document.class.as_str().to_owned(),
            status: document.status.into(),
            error_type: document.error_type,
            reason: document.reason,
            source_index: document.source_index,
            shard: document.shard,
            number: document.number,
            source,
        })
    }
}

/// What became of failed documents that were sent again.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Redriven {
    /// Taken now.
    pub written: u64,
    /// Refused again, or left alone because a transform failed on them.
    pub failed: u64,
    /// The target's words for those, and how many of each.
    pub reasons: HashMap<String, u64>,
}

impl From<core::Redriven> for Redriven {
    fn from(redriven: core::Redriven) -> Self {
        let core::Redriven { written, failed, reasons } = redriven;
        Self { written, failed, reasons: reasons.into_iter().collect() }
    }
}

/// The documents that a target refused for good and that were not sent again with success. One caller at a time pulls batches
/// from it.
#[derive(Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct FailedDocumentStream {
    control: Arc<Control>,
    filter: core::FailedFilter,
    reading: Mutex<Reading>,
}

#[derive(Debug, Default)]
struct Reading {
    /// None before the first batch was asked for.
    documents: Option<core::FailedDocuments>,
    /// What came and was not given out yet.
    ready: VecDeque<FailedDocument>,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl FailedDocumentStream {
    /// The next ones, `max` of them or fewer; none when all have come. A cancelled call loses no document.
    ///
    /// # Errors
    /// What the working state fails with, and the place where they are kept; `Corrupt`, naming a file that is damaged.
    pub async fn next_batch(self: Arc<Self>, max: u32) -> Result<Vec<FailedDocument>> {
        runtime::run(async move {
            let mut reading = self.reading.lock().await;
            let Reading { documents, ready } = &mut *reading;
            let documents = match documents {
                Some(documents) => documents,
                none => {
                    let log = self.control.opened().await?.failed_documents().await?;
                    none.insert(log.documents().await?)
                }
            };
            while ready.is_empty() {
                let Some(failed) = documents.next().await.transpose()? else { break };
                let meant = failed.into_iter().filter(|document| self.filter.admits(document));
                *ready = meant.map(FailedDocument::try_from).collect::<Result<_>>()?;
            }
            let count = ready.len().min(size(max.into()).max(1));
            Ok(ready.drain(..count).collect())
        })
        .await
    }
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Backfill {
    /// How many documents the target refused, and why. Those that were sent again with success do not count.
    ///
    /// # Errors
    /// What the working state fails with, and the place where they are kept.
    pub async fn failed_summary(self: Arc<Self>) -> Result<FailedSummary> {
        self.ask(|backfill| async move {
            Ok(backfill.failed_documents().await?.summary().await?.into())
        })
        .await
    }

    /// The documents that the target refused. Nothing is read before a batch is asked for.
    ///
    /// # Errors
    /// `Config` for a class that is none.
    pub fn failed_documents(&self, filter: FailedFilter) -> Result<Arc<FailedDocumentStream>> {
        let (control, filter) = (Arc::clone(self.control()), filter.try_into()?);
        Ok(Arc::new(FailedDocumentStream { control, filter, reading: Mutex::default() }))
    }

    /// Sends failed documents again, to the index they were meant for. What is taken is none any more; what is refused again
    /// stays. May be repeated.
    ///
    /// # Errors
    /// `Config` for a class that is none; what the place where they are kept fails with, and the target for good. What was taken
    /// until then is noted.
    pub async fn redrive(self: Arc<Self>, filter: FailedFilter) -> Result<Redriven> {
        let filter = filter.try_into()?;
        self.ask(|backfill| async move { Ok(backfill.redrive(filter).await?.into()) }).await
    }
}
