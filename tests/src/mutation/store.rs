//! A store that counts what is asked of it, and gives no more than a budget.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// How much a reader may ask for. A reader that goes round in circles asks without end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Requests of any kind.
    pub requests: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Gives the blobs of another store until the budget is spent; refuses everything from there on.
#[derive(Debug)]
pub struct CountingStore {
    blobs: Arc<InMemory>,
    budget: Budget,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl CountingStore {
    /// A store of these blobs.
    #[must_use]
    pub fn new(blobs: Arc<InMemory>, budget: Budget) -> Self {
        Self { blobs, budget, requests: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    /// What was asked for.
    #[must_use]
    pub fn spent(&self) -> Budget {
        Budget {
            requests: self.requests.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    /// Whether more was asked for than the budget allows.
    #[must_use]
    pub fn is_overdrawn(&self) -> bool {
        let spent = self.spent();
        spent.requests > self.budget.requests || spent.bytes > self.budget.bytes
    }

    fn count(&self, bytes: u64) -> Result<()> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if self.is_overdrawn() { Err(refused("more than the budget")) } else { Ok(()) }
    }
}

fn refused(what: &str) -> Error {
    Error::Generic { store: "counting", source: what.into() }
}

impl fmt::Display for CountingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("counting store")
    }
}

#[async_trait::async_trait]
impl ObjectStore for CountingStore {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(refused("writing"))
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(refused("writing"))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let got = self.blobs.get_opts(location, options).await;
        let bytes = got.as_ref().map_or(0, |got| length(&got.range));
        self.count(bytes)?;
        got
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        Box::pin(futures::stream::once(async { Err(refused("deleting")) }))
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.count(0) {
            Ok(()) => self.blobs.list(prefix),
            Err(error) => Box::pin(futures::stream::once(async { Err(error) })),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.count(0)?;
        self.blobs.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(refused("writing"))
    }
}

fn length(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}
