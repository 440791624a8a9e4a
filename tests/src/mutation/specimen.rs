//! A small repository in memory.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};

use super::damage::Damage;
use super::reading::{Reading, Verdict};
use super::store::{Budget, CountingStore};

/// A file of a repository.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Its path below the root.
    pub path: String,
    /// What it holds.
    pub data: Bytes,
}

/// A repository, and what must come out of each of its snapshots.
#[derive(Debug)]
pub struct Specimen {
    /// What it is called in messages.
    pub name: String,
    /// Its files, sorted by path.
    pub blobs: Vec<Blob>,
    /// What comes out of each snapshot.
    pub readings: BTreeMap<String, Reading>,
    whole: InMemory,
    budget: Budget,
}

impl Specimen {
    /// Takes a repository into memory and reads each of its snapshots, which must succeed.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn load(name: &str, folder: &Path) -> Self {
        let mut blobs = Vec::new();
        collect(folder, "", &mut blobs);
        blobs.sort_by(|a, b| a.path.cmp(&b.path));
        let whole = InMemory::new();
        for blob in &blobs {
            put(&whole, &blob.path, blob.data.clone()).await;
        }
        let budget = Budget::default();
        let mut specimen =
            Self { name: name.to_owned(), blobs, readings: BTreeMap::new(), whole, budget };
        specimen.read_whole().await;
        specimen
    }

    /// Bytes of all blobs.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.blobs.iter().map(|blob| blob.data.len()).sum()
    }

    async fn read_whole(&mut self) {
        let unlimited = Budget { requests: u64::MAX, bytes: u64::MAX };
        let store = Arc::new(CountingStore::new(Arc::new(self.whole.fork()), unlimited));
        let repository = snapfill::snapshot::Repository::with_store(
            Arc::clone(&store) as Arc<dyn ObjectStore>,
            "specimen",
        );
        let snapshots = match repository.await {
            Ok(repository) => repository.snapshots(),
            Err(error) => panic!("{}: {error}", self.name),
        };
        for snapshot in snapshots {
            let store = Arc::clone(&store) as Arc<dyn ObjectStore>;
            match Reading::of(store, &snapshot.name).await {
                (reading, Ok(())) => self.readings.insert(snapshot.name, reading),
                (_, Err(error)) => panic!("{} {}: {error}", self.name, snapshot.name),
            };
        }
        // Damage may make a reader look for more, such as a length it then finds too short; not for much more.
        let spent = store.spent();
        self.budget = Budget { requests: 2 * spent.requests + 20, bytes: 2 * spent.bytes + 4096 };
    }

    /// A store of the repository with one blob damaged.
    pub async fn damaged(&self, blob: &Blob, damage: Damage) -> CountingStore {
        let store = self.damaged_without_budget(blob, damage).await;
        CountingStore::new(Arc::new(store), self.budget)
    }

    /// A store of the repository with one blob damaged that gives as much as is asked of it: a run tries a shard again.
    pub async fn damaged_without_budget(&self, blob: &Blob, damage: Damage) -> InMemory {
        let store = self.whole.fork();
        put(&store, &blob.path, damage.of(&blob.data).into()).await;
        store
    }

    /// Damages a blob and reads every snapshot that may notice.
    pub async fn judge(&self, blob: &Blob, damage: Damage) -> Verdict {
        let store = Arc::new(self.damaged(blob, damage).await);
        let mut verdict = Verdict::Same;
        for (snapshot, reading) in &self.readings {
            let (damaged, ended) =
                Reading::of(Arc::clone(&store) as Arc<dyn ObjectStore>, snapshot).await;
            let judged = reading.judge(&damaged, ended);
            if store.is_overdrawn() {
                return Verdict::Wrong(format!("asked for {:?} and more", store.spent()));
            }
            if let Verdict::Wrong(what) = judged {
                return Verdict::Wrong(format!("{snapshot}: {what}"));
            }
            if judged != Verdict::Same {
                verdict = judged;
            }
        }
        verdict
    }
}

async fn put(store: &InMemory, path: &str, data: Bytes) {
    let put = store.put(&object_store::path::Path::from(path), data.into()).await;
    assert!(put.is_ok(), "{path}: {put:?}");
}

/// All files below a folder, by their paths with `/`.
fn collect(folder: &Path, prefix: &str, blobs: &mut Vec<Blob>) {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => panic!("{}: {error}", folder.display()),
    };
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        if entry.path().is_dir() {
            collect(&entry.path(), &path, blobs);
            continue;
        }
        match fs::read(entry.path()) {
            Ok(data) => blobs.push(Blob { path, data: data.into() }),
            Err(error) => panic!("{}: {error}", entry.path().display()),
        }
    }
}
