//! [`LocalCluster`] and its face as a cluster.

use std::path::Path;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::super::{
    BulkBody, BulkOutcome, ClusterCapability, ClusterClient, ClusterHealth, ClusterInfo, Created,
    Distribution, HealthStatus, IndexDefinition, IndexRow,
};
use super::database::{Database, Missing, unsigned};
use super::scan::LocalScan;
use super::{documents, indices, schema};
use crate::{Document, Error, ErrorKind, Result};

/// Bytes of documents in one transaction. Larger ones are no faster here and hold more memory.
const BULK_BYTES: u64 = 2 << 20;

/// A cluster that is a directory with one SQLite file, `snapfill.db`: a target without a server, and a snapshot as a file
/// to query. Several processes may write to it; each bulk is one transaction.
///
/// The view `documents_view` (index_name, type, id, routing, source) is meant for people:
///
/// ```sh
/// sqlite3 snapfill.db "select id, json_extract(source, '$.title') from documents_view where index_name = 'books'"
/// ```
///
/// ```
/// # use snapfill::cluster::{ClusterClient, IndexDefinition, LocalCluster};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> snapfill::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// let cluster = LocalCluster::open(dir.path())?;
/// cluster.create_index("books", &IndexDefinition::default()).await?;
/// assert_eq!(cluster.count("books").await?, 0);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct LocalCluster {
    database: Database,
}

impl LocalCluster {
    /// Opens the cluster of a directory; makes what lacks.
    ///
    /// # Errors
    /// `State` when the file belongs to another program, `Unsupported` when a newer release wrote it, `Io` when the directory
    /// cannot be written.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(dir.as_ref(), Missing::Create)
    }

    /// Opens the cluster of a directory that has one.
    ///
    /// # Errors
    /// `NotFound` when it has none, else as [`LocalCluster::open`].
    pub fn open_existing(dir: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(dir.as_ref(), Missing::Refuse)
    }

    fn open_with(dir: &Path, missing: Missing) -> Result<Self> {
        Ok(Self { database: Database::open(dir, missing, &schema::COMPONENT)? })
    }

    /// Where the SQLite file is.
    pub fn file(&self) -> &Path {
        self.database.path()
    }

    /// Sets an upper bound for the file, the write-ahead log beside it not counted. A bulk that would need more fails whole,
    /// with kind `Io`. The bound holds for this handle and its clones, and is never less than the file's present size.
    ///
    /// # Errors
    /// `Io` when the file cannot be read.
    pub async fn set_max_bytes(&self, bytes: u64) -> Result<()> {
        self.database
            .configure("set the size limit of", move |connection| {
                let page: u64 =
                    connection.pragma_query_value(None, "page_size", |row| unsigned(row, 0))?;
                let pages = (bytes / page.max(1)).clamp(1, u64::from(u32::MAX) - 1);
                // The pragma answers with the limit that holds now, hence not `pragma_update`.
                let sql = format!("PRAGMA max_page_count = {pages}");
                Ok(connection.query_row(&sql, [], |_| Ok(()))?)
            })
            .await
    }

    /// The document of an id, where it is there. Where types share the id, the first type by name.
    ///
    /// [`Document::number`] is not the one of its shard but counts in the order of writing.
    ///
    /// # Errors
    /// `NotFound` when there is no such index.
    pub async fn get(
        &self,
        index: &str,
        id: &str,
        routing: Option<&str>,
    ) -> Result<Option<Document>> {
        let (index, id, routing) = (index.to_owned(), id.to_owned(), routing.map(str::to_owned));
        self.database
            .read("read", move |file| documents::get(file, &index, &id, routing.as_deref()))
            .await
    }

    /// All documents of an index, in pages.
    ///
    /// # Errors
    /// `NotFound` when there is no such index.
    pub async fn scan(&self, index: &str) -> Result<LocalScan> {
        let name = index.to_owned();
        let number = self.database.read("read", move |file| indices::number(file, &name)).await?;
        Ok(LocalScan::new(self.database.clone(), number))
    }

    /// What an index was made with, changed settings included; none where it is not there.
    ///
    /// # Errors
    /// `Io` when the file cannot be read.
    pub async fn definition(&self, index: &str) -> Result<Option<IndexDefinition>> {
        let index = index.to_owned();
        self.database.read("read", move |file| indices::definition(file, &index)).await
    }

    /// Deletes an index with its documents. The file keeps its size; the room is used again.
    ///
    /// # Errors
    /// `NotFound` when there is no such index.
    pub async fn delete_index(&self, index: &str) -> Result<()> {
        let index = index.to_owned();
        self.database.write("write", move |file| indices::delete(file, &index)).await
    }
}

#[async_trait]
impl ClusterClient for LocalCluster {
    fn capability(&self) -> ClusterCapability {
        ClusterCapability {
            refresh: false,
            load: false,
            client_ids: true,
            routing_in_key: true,
            types_in_key: true,
            update_settings: true,
            index_settings: true,
            working_state: true,
            max_bulk_bytes: Some(BULK_BYTES),
        }
    }

    fn address(&self) -> String {
        self.database.path().display().to_string()
    }

    async fn info(&self) -> Result<ClusterInfo> {
        let uuid = self.database.read("read", |file| indices::cluster_uuid(file)).await?;
        Ok(ClusterInfo {
            distribution: Distribution::Local,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: "local".to_owned(),
            uuid,
            serverless: false,
        })
    }

    async fn cat_indices(&self) -> Result<Vec<IndexRow>> {
        self.database.read("read", |file| indices::rows(file)).await
    }

    async fn health(&self) -> Result<ClusterHealth> {
        self.database.read("read", |file| Ok(file.query_row("SELECT 1", [], |_| Ok(()))?)).await?;
        Ok(ClusterHealth { data_nodes: Some(1), ..ClusterHealth::of(HealthStatus::Green) })
    }

    async fn create_index(&self, index: &str, definition: &IndexDefinition) -> Result<Created> {
        if index.is_empty() {
            return Err(Error::new(ErrorKind::Config, "an index needs a name"));
        }
        let settings = indices::flat(&definition.settings).into();
        let definition = IndexDefinition { settings, ..definition.clone() };
        let index = index.to_owned();
        self.database.write("write", move |file| indices::create(file, &index, &definition)).await
    }

    async fn bulk(&self, body: &BulkBody) -> Result<BulkOutcome> {
        let body = body.clone();
        self.database.write("write", move |file| documents::bulk(file, &body)).await
    }

    async fn count(&self, index: &str) -> Result<u64> {
        let index = index.to_owned();
        self.database.read("read", move |file| indices::count(file, &index)).await
    }

    async fn refresh(&self, index: &str) -> Result<()> {
        self.count(index).await.map(|_| ())
    }

    async fn update_settings(&self, index: &str, settings: &Value) -> Result<()> {
        let settings = Value::from(indices::flat(settings)).to_string();
        let index = index.to_owned();
        self.database
            .write("write", move |file| indices::update_settings(file, &index, &settings))
            .await
    }

    async fn index_settings(&self, index: &str) -> Result<Option<Map<String, Value>>> {
        let Some(definition) = self.definition(index).await? else {
            return Err(indices::absent(index));
        };
        let Value::Object(settings) = definition.settings else { return Ok(Some(Map::new())) };
        Ok(Some(settings))
    }
}
