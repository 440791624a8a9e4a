//! Reading and writing failed documents.

use std::collections::VecDeque;
use std::fmt;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::FailedDocument;
use super::names::{self, Said, Void};
use super::place::folder_of;
use super::standing::{FailureKey, Verdicts};
use crate::coordination::{WorkItem, random};
use crate::snapshot::{Location, S3Options, explain_store, locate, locate_folder, url_of};
use crate::{Error, ErrorKind, Result};

/// The folder for failed documents, beside the working state.
const FOLDER: &str = "failed";

/// The folder of the objects that say what was redriven.
const REDRIVEN: &str = "redriven";

/// Most bytes that one object may unpack to; a bulk request is far smaller.
const MAX_UNPACKED: u64 = 4 << 30;

/// Where failed documents are kept: a folder, or any object store.
#[derive(Clone)]
pub struct FailedStore {
    store: Arc<dyn ObjectStore>,
    root: Path,
    name: Arc<str>,
    /// How to name it to other processes; empty for one that has no URL.
    url: Arc<str>,
}

impl fmt::Debug for FailedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailedStore")
            .field("name", &self.name)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl FailedStore {
    /// Keeps them in a folder, which is made when it is not there, or in a bucket, `s3://bucket/folder`.
    ///
    /// # Errors
    /// `Config` for what is neither, `Unsupported` for a store that this build does not know, `Io` when the folder cannot be
    /// made; for a bucket `Config` where no region is to be found.
    pub async fn at(place: &str, s3: &S3Options) -> Result<Self> {
        make_folder(place)?;
        Self::existing(place, s3).await
    }

    /// Opens a place where some may have been kept.
    ///
    /// # Errors
    /// As [`FailedStore::at`]; `NotFound` for a folder that is not there.
    pub async fn existing(place: &str, s3: &S3Options) -> Result<Self> {
        folder_of(place)?;
        let located = locate(place, s3).await.map_err(|error| no_place(place, error))?;
        let Location { store, root, name, url, .. } = located;
        Ok(Self { store, root, name: name.into(), url: url.into() })
    }

    /// Makes the folder, where the place is one, and says how other processes find the place: the same for every way of
    /// writing it.
    ///
    /// # Errors
    /// As [`FailedStore::at`].
    pub(crate) fn claim(place: &str) -> Result<String> {
        make_folder(place)?;
        url_of(place).map_err(|error| no_place(place, error))
    }

    /// Keeps them in the folder `failed` of a folder that is there. It is made with the first failure.
    ///
    /// # Errors
    /// `NotFound` when the folder is not there, `Io` when it cannot be read.
    pub fn inside(folder: &FilePath) -> Result<Self> {
        let Location { store, root, name, url, .. } =
            locate_folder(folder, &folder.display().to_string())?;
        let url = format!("{}{FOLDER}/", url);
        Ok(Self { store, root: root.join(FOLDER), name: name.into(), url: url.into() })
    }

    /// Keeps them in any object store.
    pub fn over(store: Arc<dyn ObjectStore>, root: Path) -> Self {
        let name = root.to_string().into();
        Self { store, root, name, url: Arc::from("") }
    }

    /// How other processes find it: the same for every way of writing it. Empty for a store that was put in as an object.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it keeps of one session; empty for the default one.
    pub fn session(&self, session: &str) -> FailedLog {
        let root = self.root.clone().join(names::session_folder(session));
        FailedLog(Self { root, ..self.clone() })
    }
}

/// Makes the folder that a place names, where it names one.
fn make_folder(place: &str) -> Result<()> {
    let Some(folder) = folder_of(place)? else { return Ok(()) };
    std::fs::create_dir_all(&folder).map_err(|error| {
        let message = format!(
            "cannot make the folder {} for failed documents: {error}; name a folder that you may write to",
            folder.display()
        );
        Error::new(ErrorKind::Io, message).with_source(error)
    })
}

fn no_place(place: &str, error: Error) -> Error {
    let message = match error.kind() {
        ErrorKind::NotFound => format!("there is no folder `{place}` of failed documents"),
        ErrorKind::Unsupported => {
            format!("failed documents cannot be kept at `{place}`: {}", error.message())
        }
        _ => return error,
    };
    Error::new(error.kind(), message)
}

/// The failed documents of one session.
#[derive(Clone, Debug)]
pub struct FailedLog(FailedStore);

impl FailedLog {
    /// Keeps what failed of one bulk request. Once it returns, the checkpoint may pass these documents.
    ///
    /// # Errors
    /// `Io` or `Unavailable` when it cannot be written.
    pub(crate) async fn keep(&self, documents: &[FailedDocument]) -> Result<()> {
        let Some(any) = documents.first() else { return Ok(()) };
        let numbers = || documents.iter().map(|document| document.number);
        let said = Said::Failed {
            first: numbers().min().unwrap_or_default(),
            last: numbers().max().unwrap_or_default(),
            count: documents.len() as u64,
            lease: any.lease,
        };
        let path = self.shard(&any.source_index, any.shard).join(said.name(random::number()));
        self.put(&path, pack(documents)?).await
    }

    /// Says that a lease which is not the item's first sends the rest of it anew: what failed there before holds no more.
    ///
    /// # Errors
    /// As [`FailedLog::keep`].
    pub(crate) async fn begin_anew(&self, item: &WorkItem) -> Result<()> {
        if item.lease_version <= 1 || item.checkpoint.next >= item.end {
            return Ok(());
        }
        let void = Void { first: item.checkpoint.next, end: item.end, lease: item.lease_version };
        let path = self.shard(&item.index, item.shard).join(Said::Void(void).name(0));
        self.put(&path, Bytes::new()).await
    }

    /// Says that these failures were sent again, and taken.
    ///
    /// # Errors
    /// As [`FailedLog::keep`].
    pub(crate) async fn redriven(&self, keys: &[FailureKey]) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let path = self
            .0
            .root
            .clone()
            .join(REDRIVEN)
            .join(format!("{:014x}.ndjson.zst", random::number()));
        self.put(&path, pack(keys)?).await
    }

    /// The failures that still hold, one bulk request's at a time.
    ///
    /// # Errors
    /// `Io` or `Unavailable` when the store cannot be read, `Corrupt` naming an object that is damaged.
    pub async fn documents(&self) -> Result<FailedDocuments> {
        let mut paths: Vec<Path> = self
            .0
            .store
            .list(Some(&self.0.root))
            .map_ok(|object| object.location)
            .try_collect()
            .await
            .map_err(|error| self.explain(error, &self.0.root))?;
        paths.sort();
        let (mut verdicts, mut objects) = (Verdicts::default(), VecDeque::new());
        for path in paths {
            let parts: Vec<_> = path.parts().skip(self.0.root.parts().count()).collect();
            match parts.as_slice() {
                [folder, _] if folder.as_ref() == REDRIVEN => {
                    for key in self.read::<FailureKey>(&path).await? {
                        verdicts.redriven(key);
                    }
                }
                [index, shard, name] => {
                    let place = names::index_of(index.as_ref()).zip(shard.as_ref().parse().ok());
                    match (place, Said::parse(name.as_ref())) {
                        (Some((index, shard)), Some(Said::Void(void))) => {
                            verdicts.void(&index, shard, void)
                        }
                        (Some(_), Some(Said::Failed { .. })) => objects.push_back(path),
                        // A write that was interrupted leaves a file under a name of its own.
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Ok(FailedDocuments { log: self.clone(), objects, verdicts })
    }

    fn shard(&self, index: &str, shard: u32) -> Path {
        self.0.root.clone().join(names::folder(index)).join(shard.to_string())
    }

    async fn put(&self, path: &Path, bytes: Bytes) -> Result<()> {
        let put = self.0.store.put(path, bytes.into()).await;
        put.map(|_| ()).map_err(|error| self.explain(error, path))
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, path: &Path) -> Result<Vec<T>> {
        let got = async { self.0.store.get(path).await?.bytes().await };
        let bytes = got.await.map_err(|error| self.explain(error, path))?;
        unpack(&bytes).map_err(|what| {
            let message = format!("a file of failed documents is damaged: {what}");
            Error::new(ErrorKind::Corrupt, message)
                .with_context("file", path)
                .with_context("folder", &self.0.name)
        })
    }

    fn explain(&self, error: object_store::Error, path: &Path) -> Error {
        explain_store(&error, "cannot keep or read failed documents")
            .with_context("file", path)
            .with_context("folder", &self.0.name)
            .with_source(error)
    }
}

/// The failures that still hold.
#[derive(Debug)]
pub struct FailedDocuments {
    log: FailedLog,
    objects: VecDeque<Path>,
    verdicts: Verdicts,
}

impl FailedDocuments {
    /// Those of the next bulk request that has any; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Vec<FailedDocument>>> {
        loop {
            // Let go of once it is read: whoever waited may have gone away in between.
            let read = self.log.read(self.objects.front()?).await;
            self.objects.pop_front();
            let mut documents: Vec<FailedDocument> = match read {
                Ok(documents) => documents,
                Err(error) => return Some(Err(error)),
            };
            documents.retain(|document| self.verdicts.holds(&FailureKey::of(document)));
            if !documents.is_empty() {
                return Some(Ok(documents));
            }
        }
    }
}

fn pack<T: serde::Serialize>(values: &[T]) -> Result<Bytes> {
    let pack = || -> std::io::Result<Vec<u8>> {
        let mut packer = zstd::Encoder::new(Vec::new(), zstd::DEFAULT_COMPRESSION_LEVEL)?;
        packer.include_checksum(true)?;
        for value in values {
            serde_json::to_writer(&mut packer, value)?;
            std::io::Write::write_all(&mut packer, b"\n")?;
        }
        packer.finish()
    };
    pack().map(Bytes::from).map_err(|error| {
        Error::new(
            ErrorKind::Unexpected,
            format!("cannot write a failed document as JSON: {error}"),
        )
    })
}

fn unpack<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> std::result::Result<Vec<T>, String> {
    use std::io::Read;

    let mut text = Vec::new();
    let unpacker = zstd::Decoder::new(bytes).map_err(|error| error.to_string())?;
    unpacker.take(MAX_UNPACKED).read_to_end(&mut text).map_err(|error| error.to_string())?;
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).map_err(|error| error.to_string()))
        .collect()
}
