//! What an implementation of [`ClusterClient`](super::ClusterClient) can do.

/// What an implementation can do, so that a caller can refuse early and one test suite fits all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterCapability {
    /// `refresh` makes writes visible to `count` and searches; where false it does nothing and writes show by themselves.
    pub refresh: bool,
    /// `health` knows the write queue, rejections, heap and disk, not the status alone.
    pub load: bool,
    /// Documents keep the ids they are sent with. Where false, ids are given by the server and writing again adds. A target
    /// may turn out to be such a one at its first refusal.
    pub client_ids: bool,
    /// A document's routing is kept, and two documents that differ only in it are two documents.
    pub routing_in_key: bool,
    /// A document's type is kept, and two documents that differ only in it are two documents.
    pub types_in_key: bool,
    /// `update_settings` changes an index that is there.
    pub update_settings: bool,
    /// `index_settings` tells the settings of an index.
    pub index_settings: bool,
    /// It can hold the working state of a run. Where false, the run is coordinated elsewhere.
    pub working_state: bool,
    /// The longest bulk request in bytes that it takes, or takes well, where it is known.
    pub max_bulk_bytes: Option<u64>,
}

impl ClusterCapability {
    /// Whether sending a document again leaves one document: the condition for at-least-once to look like once.
    pub fn is_idempotent(&self) -> bool {
        self.client_ids
    }
}
