//! What Serverless tells of a collection.

use async_trait::async_trait;
use serde_json::json;

use crate::cluster::http::{JsonRpc, Management};

const OPERATION: &str = "OpenSearchServerless.BatchGetCollection";

/// A collection of Serverless.
#[derive(Debug)]
pub(super) struct Collection {
    rpc: JsonRpc,
    id: String,
}

impl Collection {
    pub(super) fn new(rpc: JsonRpc, id: String) -> Self {
        Self { rpc, id }
    }
}

#[async_trait]
impl Management for Collection {
    /// By its type. Who may write to a collection need not be one who may ask for it: then nobody knows.
    async fn gives_ids(&self) -> Option<bool> {
        let told = match self.rpc.call(OPERATION, &json!({ "ids": [self.id] })).await {
            Ok(told) => told,
            Err(error) => {
                tracing::debug!(%error, "the collection's type is not known");
                return None;
            }
        };
        match told.pointer("/collectionDetails/0/type")?.as_str()? {
            "SEARCH" => Some(false),
            "TIMESERIES" | "VECTORSEARCH" => Some(true),
            _ => None,
        }
    }
}
