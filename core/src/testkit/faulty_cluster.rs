//! A cluster with faults on request.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::cluster::{
    BulkBody, BulkOutcome, ClusterCapability, ClusterClient, ClusterHealth, ClusterInfo, Created,
    HealthStatus, IndexDefinition, IndexRow, ItemError, ItemOutcome,
};
use crate::{Clock, DocumentBatchBuilder, DocumentRef, Error, ErrorKind, Result};

/// What happens to a bulk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BulkFault {
    /// Nothing.
    #[default]
    None,
    /// It is written after so long.
    Delay(Duration),
    /// It fails and nothing is written.
    Refused(ErrorKind),
    /// It is written, and the answer gets lost.
    AnswerLost(ErrorKind),
    /// It is written, and no answer ever comes.
    Silence,
    /// It is answered with one item too few.
    ShortAnswer,
    /// It is refused as too long, and nothing is written.
    TooLarge,
    /// It is refused with the wish to wait for so long.
    Busy(Duration),
    /// The client panics.
    Panic,
}

type OnBulk = Box<dyn Fn(u64, &BulkBody) -> BulkFault + Send + Sync>;
type OnHealth = Box<dyn Fn() -> Result<ClusterHealth> + Send + Sync>;
type OnDocument = Box<dyn Fn(u64, DocumentRef<'_>) -> Option<ItemOutcome> + Send + Sync>;

/// A cluster that passes everything on to another, save for the faults it was asked for. Bulks are counted from 0, in the
/// order in which they arrive, those that fail included.
pub struct FaultyCluster {
    inner: Arc<dyn ClusterClient>,
    clock: Arc<dyn Clock>,
    on_bulk: OnBulk,
    on_document: OnDocument,
    on_health: Option<OnHealth>,
    bulks: AtomicU64,
    written: Mutex<Vec<Vec<u32>>>,
}

impl FaultyCluster {
    /// No faults yet. Delays sleep on `clock`.
    pub fn new(inner: Arc<dyn ClusterClient>, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner,
            clock,
            on_bulk: Box::new(|_, _| BulkFault::None),
            on_document: Box::new(|_, _| None),
            on_health: None,
            bulks: AtomicU64::new(0),
            written: Mutex::default(),
        }
    }

    /// Decides by the bulk's number and body what happens to it.
    #[must_use]
    pub fn on_bulk(
        mut self,
        decide: impl Fn(u64, &BulkBody) -> BulkFault + Send + Sync + 'static,
    ) -> Self {
        self.on_bulk = Box::new(decide);
        self
    }

    /// Decides by the bulk's number and the document whether the document is answered for here. It is not written then.
    #[must_use]
    pub fn on_document(
        mut self,
        decide: impl Fn(u64, DocumentRef<'_>) -> Option<ItemOutcome> + Send + Sync + 'static,
    ) -> Self {
        self.on_document = Box::new(decide);
        self
    }

    /// Answers for its health.
    #[must_use]
    pub fn on_health(
        mut self,
        answer: impl Fn() -> Result<ClusterHealth> + Send + Sync + 'static,
    ) -> Self {
        self.on_health = Some(Box::new(answer));
        self
    }

    /// How many bulks arrived.
    pub fn bulks(&self) -> u64 {
        self.bulks.load(Ordering::SeqCst)
    }

    /// The document numbers that were passed on, a list a bulk, in the order in which they were written.
    pub fn written(&self) -> Vec<Vec<u32>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn pass_on(&self, number: u64, body: &BulkBody) -> Result<BulkOutcome> {
        let mut builder = DocumentBatchBuilder::default();
        let mut numbers = Vec::new();
        let mut outcomes = Vec::new();
        for document in body.documents.iter() {
            let outcome = (self.on_document)(number, document);
            if outcome.is_none() {
                builder.push(document);
                numbers.push(document.number);
            }
            outcomes.push(outcome);
        }
        let rest = BulkBody { documents: builder.finish(), ..body.clone() };
        let mut answers = self.inner.bulk(&rest).await?.items.into_iter();
        self.written.lock().unwrap_or_else(PoisonError::into_inner).push(numbers);
        let items: Vec<_> =
            outcomes.into_iter().filter_map(|outcome| outcome.or_else(|| answers.next())).collect();
        Ok(BulkOutcome { items })
    }
}

fn too_large(documents: usize) -> BulkOutcome {
    let error = ItemError {
        status: 413,
        error_type: "request_entity_too_large".to_owned(),
        reason: "the request is too long".to_owned(),
    };
    BulkOutcome { items: vec![ItemOutcome::TooLarge(Box::new(error)); documents] }
}

impl fmt::Debug for FaultyCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyCluster")
            .field("inner", &self.inner)
            .field("bulks", &self.bulks())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ClusterClient for FaultyCluster {
    fn capability(&self) -> ClusterCapability {
        self.inner.capability()
    }

    fn address(&self) -> String {
        self.inner.address()
    }

    async fn info(&self) -> Result<ClusterInfo> {
        self.inner.info().await
    }

    async fn cat_indices(&self) -> Result<Vec<IndexRow>> {
        self.inner.cat_indices().await
    }

    async fn health(&self) -> Result<ClusterHealth> {
        match &self.on_health {
            Some(answer) => answer(),
            None => self.inner.health().await,
        }
    }

    async fn index_health(&self, index: &str) -> Result<Option<HealthStatus>> {
        self.inner.index_health(index).await
    }

    async fn create_index(&self, index: &str, definition: &IndexDefinition) -> Result<Created> {
        self.inner.create_index(index, definition).await
    }

    async fn bulk(&self, body: &BulkBody) -> Result<BulkOutcome> {
        let number = self.bulks.fetch_add(1, Ordering::SeqCst);
        match (self.on_bulk)(number, body) {
            BulkFault::None => self.pass_on(number, body).await,
            BulkFault::Delay(by) => {
                self.clock.sleep(by).await;
                self.pass_on(number, body).await
            }
            BulkFault::Refused(kind) => {
                Err(Error::new(kind, format!("bulk {number} was to be refused")))
            }
            BulkFault::AnswerLost(kind) => {
                self.pass_on(number, body).await?;
                Err(Error::new(kind, format!("the answer of bulk {number} was to be lost")))
            }
            BulkFault::Silence => {
                self.pass_on(number, body).await?;
                std::future::pending().await
            }
            BulkFault::ShortAnswer => {
                let mut outcome = self.pass_on(number, body).await?;
                outcome.items.pop();
                Ok(outcome)
            }
            BulkFault::TooLarge => Ok(too_large(body.documents.len())),
            BulkFault::Busy(wait) => {
                let message = format!("bulk {number} came too soon");
                Err(Error::new(ErrorKind::RateLimited, message).with_retry_after(wait))
            }
            BulkFault::Panic => panic!("bulk {number} was to panic"),
        }
    }

    async fn count(&self, index: &str) -> Result<u64> {
        self.inner.count(index).await
    }

    async fn refresh(&self, index: &str) -> Result<()> {
        self.inner.refresh(index).await
    }

    async fn update_settings(&self, index: &str, settings: &serde_json::Value) -> Result<()> {
        self.inner.update_settings(index, settings).await
    }

    async fn index_settings(
        &self,
        index: &str,
    ) -> Result<Option<serde_json::Map<String, serde_json::Value>>> {
        self.inner.index_settings(index).await
    }
}

#[cfg(test)]
#[cfg(feature = "local")]
mod tests {
    use super::super::samples::{bulk, documents};
    use super::*;
    use crate::ManualClock;
    use crate::cluster::{BulkOperation, LocalCluster};

    async fn local() -> (tempfile::TempDir, Arc<dyn ClusterClient>) {
        let dir = tempfile::tempdir().unwrap();
        let cluster = LocalCluster::open(dir.path()).unwrap();
        cluster.create_index("a", &IndexDefinition::default()).await.unwrap();
        (dir, Arc::new(cluster))
    }

    #[tokio::test]
    async fn chosen_documents_are_answered_for_in_place() {
        let (_dir, inner) = local().await;
        let faulty = FaultyCluster::new(inner, Arc::new(ManualClock::default())).on_document(
            |_, document| {
                let failed = ItemOutcome::Failed(Box::default());
                (document.number == 1).then_some(failed)
            },
        );
        let body = bulk("a", BulkOperation::Index, documents(0..3));
        let items = faulty.bulk(&body).await.unwrap().items;
        assert!(matches!(
            items[..],
            [ItemOutcome::Created, ItemOutcome::Failed(_), ItemOutcome::Created]
        ));
        assert_eq!(faulty.written(), [[0, 2]]);
        assert_eq!(faulty.count("a").await.unwrap(), 2);
    }

    #[tokio::test]
    async fn chosen_bulks_fail_before_or_after_they_are_written() {
        let (_dir, inner) = local().await;
        let clock = ManualClock::default();
        let faulty =
            FaultyCluster::new(inner, Arc::new(clock.clone())).on_bulk(|number, _| match number {
                0 => BulkFault::Refused(ErrorKind::RateLimited),
                1 => BulkFault::AnswerLost(ErrorKind::Unavailable),
                _ => BulkFault::Delay(Duration::from_secs(7)),
            });
        let body = |from| bulk("a", BulkOperation::Index, documents(from..from + 1));
        assert_eq!(faulty.bulk(&body(0)).await.unwrap_err().kind(), ErrorKind::RateLimited);
        assert_eq!(faulty.count("a").await.unwrap(), 0);
        assert_eq!(faulty.bulk(&body(1)).await.unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(faulty.count("a").await.unwrap(), 1);
        faulty.bulk(&body(2)).await.unwrap();
        assert_eq!(clock.monotonic(), Duration::from_secs(7));
    }
}
