//! Reading whole blobs, ranges of blobs and listings, with limits and errors that name the blob.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::S3Options;
use super::limits::METADATA_BLOB_BYTES;
use super::location::{Location, locate};
use crate::{Error, ErrorKind, Result};

/// The blobs of one repository, named by their path below its root.
#[derive(Clone)]
pub(crate) struct Blobs {
    store: Arc<dyn ObjectStore>,
    root: Path,
    /// The folder of the repository below the root, empty where it is the root itself.
    base: Path,
    name: Arc<str>,
    url: Arc<str>,
    region: Option<Arc<str>>,
}

/// What a folder holds, as far as the store tells.
#[derive(Debug)]
pub(crate) enum Listing {
    /// The names of its files.
    Files(Vec<String>),
    /// The store gives out files by name and no listings, or not to us. The error says which.
    Refused(Error),
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blobs").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Blobs {
    pub(crate) async fn open(location: &str, base: Option<&str>, s3: &S3Options) -> Result<Self> {
        let Location { store, root, name, url, region } = locate(location, s3).await?;
        let region = region.map(Into::into);
        let base_of_root = Path::default();
        Self { store, root, base: base_of_root, name: name.into(), url: url.into(), region }
            .below(base)
    }

    pub(crate) fn over(
        store: Arc<dyn ObjectStore>,
        name: &str,
        base: Option<&str>,
    ) -> Result<Self> {
        let (root, of_root) = (Path::default(), Path::default());
        Self { store, root, base: of_root, name: name.into(), url: name.into(), region: None }
            .below(base)
    }

    /// The same store, with the repository in a folder below its root.
    fn below(self, base: Option<&str>) -> Result<Self> {
        let Some(base) = base.map(|base| base.trim_matches('/')).filter(|base| !base.is_empty())
        else {
            return Ok(self);
        };
        let parsed = Path::parse(base).map_err(|error| {
            Error::new(ErrorKind::Config, format!("the base path `{base}` is no path of folders"))
                .with_source(error)
        })?;
        let join = |whole: &str| format!("{}/{base}", whole.trim_end_matches('/')).into();
        Ok(Self { base: parsed, name: join(&self.name), url: join(&self.url), ..self })
    }

    /// The same store with paths that begin at its root, above the repository's base path.
    pub(crate) fn above_base(&self) -> Self {
        Self { base: Path::default(), ..self.clone() }
    }

    /// The repository's folder below the root of its store; empty where it is the root itself.
    pub(crate) fn base(&self) -> &str {
        self.base.as_ref()
    }

    /// How the repository is named to people.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How the repository is named to other processes.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The region of its bucket, where it is in one.
    pub(crate) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The names of the files directly below `folder`.
    pub(crate) async fn list(&self, folder: &str) -> Result<Listing> {
        use object_store::Error as Stores;
        let prefix = self.path(folder)?;
        match self.store.list_with_delimiter(Some(&prefix)).await {
            Ok(listed) => {
                let names = listed.objects.iter().filter_map(|object| object.location.filename());
                Ok(Listing::Files(names.map(str::to_owned).collect()))
            }
            Err(error) => {
                let is_no_listing =
                    matches!(error, Stores::NotSupported { .. } | Stores::NotImplemented { .. });
                let explained = self.explain(error, folder);
                match is_no_listing || explained.kind() == ErrorKind::Auth {
                    true => Ok(Listing::Refused(explained)),
                    false => Err(explained),
                }
            }
        }
    }

    /// A metadata blob, whole; `None` when it is not there.
    pub(crate) async fn find(&self, blob: &str) -> Result<Option<Bytes>> {
        match self.get(blob).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A metadata blob, whole.
    pub(crate) async fn get(&self, blob: &str) -> Result<Bytes> {
        let got =
            self.store.get(&self.path(blob)?).await.map_err(|error| self.explain(error, blob))?;
        if got.meta.size > METADATA_BLOB_BYTES {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "a metadata blob of {} bytes is larger than {METADATA_BLOB_BYTES}",
                    got.meta.size
                ),
            )
            .with_context("file", blob));
        }
        got.bytes().await.map_err(|error| self.explain(error, blob))
    }

    /// A range of a data blob; exactly as long as asked.
    pub(crate) async fn get_range(&self, blob: &str, range: Range<u64>) -> Result<Bytes> {
        let wanted = range.end.saturating_sub(range.start);
        if wanted == 0 {
            return Ok(Bytes::new());
        }
        let path = self.path(blob)?;
        let got = self.store.get_range(&path, range.clone()).await;
        match got {
            Ok(bytes) if bytes.len() as u64 == wanted => Ok(bytes),
            Ok(bytes) => Err(self.truncated(blob, &range, bytes.len() as u64)),
            Err(error) => Err(self.explain_range(error, blob, &range).await),
        }
    }

    /// The size of a blob in bytes.
    pub(crate) async fn size(&self, blob: &str) -> Result<u64> {
        let meta = self.store.head(&self.path(blob)?).await;
        meta.map(|meta| meta.size).map_err(|error| self.explain(error, blob))
    }

    /// Joins the root and a path below it; names that would leave the root do not parse.
    fn path(&self, below: &str) -> Result<Path> {
        let parsed = Path::parse(below).map_err(|error| {
            Error::new(ErrorKind::Corrupt, format!("`{below}` is not a path inside the repository"))
                .with_source(error)
        })?;
        Ok(self.root.parts().chain(self.base.parts()).chain(parsed.parts()).collect())
    }

    fn explain(&self, error: object_store::Error, blob: &str) -> Error {
        let explained = match &error {
            object_store::Error::NotFound { .. } => Error::new(
                ErrorKind::NotFound,
                "a file of the repository is not there; was the snapshot deleted meanwhile?",
            ),
            _ => explain_store(&error, "cannot read the repository"),
        };
        let place = if blob.is_empty() { "." } else { blob };
        explained
            .with_context("file", place)
            .with_context("repository", self.name())
            .with_source(error)
    }

    /// A range past the end is a blob that is too short, not a store that is away. Stores say so in their own words, so
    /// the blob's size is asked.
    async fn explain_range(
        &self,
        error: object_store::Error,
        blob: &str,
        range: &Range<u64>,
    ) -> Error {
        let explained = self.explain(error, blob);
        if explained.kind() == ErrorKind::Auth {
            return explained;
        }
        match self.size(blob).await {
            Ok(size) if size < range.end => {
                self.truncated(blob, range, size.saturating_sub(range.start)).with_source(explained)
            }
            _ => explained,
        }
    }

    fn truncated(&self, blob: &str, range: &Range<u64>, got: u64) -> Error {
        Error::new(
            ErrorKind::Corrupt,
            format!(
                "the file is too short: of bytes {}..{} that must be there, {got} are",
                range.start, range.end
            ),
        )
        .with_context("file", blob)
        .with_context("repository", self.name())
    }
}

/// What a store says, in our words where it has some; `doing` is said otherwise.
pub(crate) fn explain_store(error: &object_store::Error, doing: &str) -> Error {
    use object_store::Error as Stores;
    #[cfg(feature = "s3")]
    if let Some(ours) = super::s3::ours(error) {
        return ours;
    }
    let kind = match error {
        Stores::Generic { source, .. } if is_local_io(source.as_ref()) => ErrorKind::Io,
        Stores::NotFound { .. } => ErrorKind::NotFound,
        Stores::PermissionDenied { .. } | Stores::Unauthenticated { .. } => ErrorKind::Auth,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("{doing}: {error}"))
}

fn is_local_io(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<std::io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    fn over(base: Option<&str>) -> Result<Blobs> {
        Blobs::over(Arc::new(InMemory::new()), "memory:/", base)
    }

    #[test]
    fn paths_lie_below_the_base_or_the_root() {
        let blobs = over(Some("/q/w/")).unwrap();
        assert_eq!(blobs.path("a/b").unwrap().as_ref(), "q/w/a/b");
        assert_eq!(blobs.above_base().path("a/b").unwrap().as_ref(), "a/b");
        assert_eq!(
            (blobs.base(), blobs.name(), blobs.url()),
            ("q/w", "memory:/q/w", "memory:/q/w")
        );
        for absent in [None, Some(""), Some("/")] {
            assert_eq!(over(absent).unwrap().base(), "");
        }
    }

    #[tokio::test]
    async fn paths_that_lead_out_of_the_repository_are_refused() {
        let blobs = over(None).unwrap();
        for path in ["../x", "a/../../x", "a/./x", "a//x", "a/\0"] {
            assert_eq!(blobs.get(path).await.unwrap_err().kind(), ErrorKind::Corrupt, "{path}");
        }
        assert_eq!(over(Some("../x")).unwrap_err().kind(), ErrorKind::Config);
    }
}
