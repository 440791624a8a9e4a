//! The target, as a worker sees it, and what it holds in truth.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::network::{Place, Port};
use super::scenario::Scenario;
use super::truth;
use super::world::{State, World};
use crate::cluster::{
    BulkBody, BulkOutcome, ClusterCapability, ClusterClient, ClusterHealth, ClusterInfo, Created,
    Distribution, IndexDefinition, IndexRow, ItemError, ItemOutcome,
};
use crate::{Error, ErrorKind, Result};

/// What is known of one document number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    pub(super) written: bool,
    /// Some worker has the answer.
    pub(super) acknowledged: bool,
    /// How often it arrived.
    pub(super) times: u32,
}

pub(super) struct TargetState {
    /// By shard and document number.
    pub(super) shards: Vec<Vec<Cell>>,
    pub(super) away_until: Duration,
    /// It takes some documents only, until then.
    pub(super) busy_until: Duration,
}

impl TargetState {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let shards = scenario.items.iter().map(|item| vec![Cell::default(); item.live.len()]);
        Self { shards: shards.collect(), away_until: Duration::ZERO, busy_until: Duration::ZERO }
    }
}

/// The id of a document says where it comes from.
pub(super) fn document_id(shard: usize, number: u32) -> String {
    format!("{shard}-{number}")
}

fn shard_of(id: &str) -> usize {
    id.split('-').next().and_then(|shard| shard.parse().ok()).expect("an id of ours")
}

/// The client of one process.
#[derive(Debug)]
pub(super) struct SimulatedTarget(pub(super) Port);

fn error(status: u16) -> Box<ItemError> {
    let (error_type, reason) = ("simulated".to_owned(), "as drawn".to_owned());
    Box::new(ItemError { status, error_type, reason })
}

fn write(world: &World, state: &mut State, shard: usize, numbers: &[u32]) -> BulkOutcome {
    let is_busy = world.now() < state.target.busy_until;
    let refused = &world.scenario.items[shard].refused;
    let items = numbers.iter().map(|number| {
        let number = *number as usize;
        if is_busy && state.random.u32(..3) > 0 {
            return ItemOutcome::Retry(error(429));
        }
        if refused[number] {
            return ItemOutcome::Failed(error(400));
        }
        let cell = &mut state.target.shards[shard][number];
        cell.times += 1;
        if std::mem::replace(&mut cell.written, true) {
            ItemOutcome::Updated
        } else {
            ItemOutcome::Created
        }
    });
    let items = items.collect();
    state.trace.note(world.now(), format!("target takes {shard}: {numbers:?}"));
    BulkOutcome { items }
}

#[async_trait]
impl ClusterClient for SimulatedTarget {
    fn capability(&self) -> ClusterCapability {
        ClusterCapability {
            refresh: true,
            load: false,
            client_ids: true,
            routing_in_key: false,
            types_in_key: false,
            update_settings: false,
            index_settings: false,
            working_state: true,
            max_bulk_bytes: None,
        }
    }

    fn address(&self) -> String {
        "simulated".to_owned()
    }

    async fn bulk(&self, body: &BulkBody) -> Result<BulkOutcome> {
        let numbers: Vec<u32> = body.documents.iter().map(|document| document.number).collect();
        let Some(first) = body.documents.iter().next() else { return Ok(BulkOutcome::default()) };
        let shard = shard_of(first.id);
        truth::judge_bulk(&self.0, shard, &numbers);
        let sent = numbers.clone();
        let serve = move |world: &World, state: &mut State| write(world, state, shard, &sent);
        let outcome = self.0.call(Place::Target, serve).await?;
        let mut state = self.0.world.lock();
        for (number, item) in numbers.iter().zip(&outcome.items) {
            let is_settled = item.is_acknowledged() || matches!(item, ItemOutcome::Failed(_));
            state.target.shards[shard][*number as usize].acknowledged |= is_settled;
        }
        Ok(outcome)
    }

    async fn info(&self) -> Result<ClusterInfo> {
        Ok(ClusterInfo {
            distribution: Distribution::OpenSearch,
            version: "2.19.6".to_owned(),
            name: self.address(),
            uuid: self.address(),
            serverless: false,
        })
    }

    async fn cat_indices(&self) -> Result<Vec<IndexRow>> {
        Err(unasked())
    }

    async fn health(&self) -> Result<ClusterHealth> {
        Err(unasked())
    }

    async fn create_index(&self, _: &str, _: &IndexDefinition) -> Result<Created> {
        Err(unasked())
    }

    async fn count(&self, _: &str) -> Result<u64> {
        Err(unasked())
    }

    async fn refresh(&self, _: &str) -> Result<()> {
        Err(unasked())
    }

    async fn update_settings(&self, _: &str, _: &Value) -> Result<()> {
        Err(unasked())
    }
}

fn unasked() -> Error {
    Error::new(ErrorKind::Unsupported, "the simulated target takes bulks only")
}
