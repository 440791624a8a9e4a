//! Documents, in batches that cross as one buffer.

use std::ops::Range;
use std::sync::Arc;

use napi::Either;
use napi::bindgen_prelude::{Buffer, Uint32Array};
use napi_derive::napi;
use snapfill_ffi as ffi;

use crate::call::{Call, as_json};
use crate::failure::Failure;

/// Neighbouring documents of one shard: their bytes as they were read, and where each part of each document lies in them.
#[napi(object, object_from_js = false)]
pub struct Batch {
    /// The index they are of.
    pub index: String,
    /// The shard they are of.
    pub shard: u32,
    /// Ids, routings, parents and sources.
    pub data: Buffer,
    /// For each document the begin and the end of its id, its routing, its parent and its source, and the number of its type.
    /// What it lacks ends before it begins; a type it lacks is the one behind the last.
    pub places: Uint32Array,
    /// The types' names.
    pub types: Vec<String>,
}

/// The place of what is not there.
const ABSENT: [u32; 2] = [1, 0];

impl Batch {
    pub(crate) fn of(batch: Arc<ffi::DocumentBatch>) -> Result<Self, Failure> {
        let (index, shard) = (batch.index(), batch.shard());
        let documents = batch.shared().clone();
        // Whoever holds the buffer alone gets it without a copy.
        drop(batch);
        let mut types = Types::default();
        let mut places = Vec::with_capacity(documents.len().saturating_mul(9));
        for one in documents.places() {
            places.extend(place(&one.id)?);
            for optional in [&one.routing, &one.parent] {
                places.extend(optional.as_ref().map_or(Ok(ABSENT), place)?);
            }
            places.extend(place(&one.source)?);
            places.push(one.doc_type.map_or(u32::MAX, |name| types.number(name)));
        }
        let data = documents.data().clone();
        drop(documents);
        let data = Buffer::from(Vec::from(data));
        Ok(Self { index, shard, data, places: places.into(), types: types.0 })
    }
}

fn place(range: &Range<usize>) -> Result<[u32; 2], Failure> {
    match (u32::try_from(range.start), u32::try_from(range.end)) {
        (Ok(start), Ok(end)) => Ok([start, end]),
        _ => {
            let text = "a batch of more than 4 GiB does not fit into a buffer of Node; ask for smaller ones".to_owned();
            let context = ffi::Context { text, ..ffi::Context::default() };
            Err(ffi::SnapfillError::Unsupported(context).into())
        }
    }
}

/// The types that were met, in order.
#[derive(Default)]
struct Types(Vec<String>);

impl Types {
    fn number(&mut self, name: &str) -> u32 {
        let known = self.0.iter().rposition(|known| known == name);
        let number = known.unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        });
        u32::try_from(number).unwrap_or(u32::MAX)
    }
}

/// Documents of a snapshot, pulled in batches.
#[napi]
pub struct DocumentStream(pub(crate) Arc<ffi::DocumentStream>);

#[napi]
impl DocumentStream {
    /// The next documents, `max` of them or fewer; `null` when all have come.
    #[napi]
    pub fn next_batch(&self, max: u32) -> Call {
        Call::new(Arc::clone(&self.0).next_batch(max), |batch| match batch {
            None => Ok(Either::A("null".to_owned())),
            Some(batch) => Ok(Either::B(Batch::of(batch)?)),
        })
    }

    /// Live documents that had no source to give, by reason, of those read so far; as JSON.
    #[napi]
    pub fn skipped(&self) -> napi::Result<String> {
        Ok(as_json(&self.0.skipped())?)
    }

    /// Stops reading.
    #[napi]
    pub fn close(&self) -> Call {
        Call::json(Arc::clone(&self.0).close())
    }
}
