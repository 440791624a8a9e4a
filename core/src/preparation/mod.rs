//! Preparing the target: which indices go where, and what they are made with. Pure functions; reading the snapshot and
//! speaking with the target is the controller's.
//!
//! | file | subject |
//! |---|---|
//! | `selection`, `rename` | which indices go, and under which names |
//! | `route` | where the documents of an index go |
//! | `assignment` | which index of the target each index goes to, and whether it can |
//! | `data_stream` | indices that back a data stream |
//! | `section` | what a run keeps beside what it is about |
//! | `load` | settings while the target is filled, and what is put back |
//! | `target` | what kind of cluster an index is made for |
//! | `definition` | an index's definition for a target |
//! | `settings`, `analysis` | the settings that go along, and why the others do not |
//! | `mapping`, `field_types`, `parameters` | a mapping, made valid for a target |
//! | `legacy_fields`, `date_formats` | what Elasticsearch 1 to 6 wrote otherwise |
//! | `aliases` | the aliases that go along |
//! | `left_out` | what does not go along, and why |

mod aliases;
mod analysis;
mod assignment;
mod data_stream;
mod date_formats;
mod definition;
mod field_types;
mod left_out;
mod legacy_fields;
mod load;
mod mapping;
mod parameters;
mod rename;
mod route;
pub(crate) mod section;
mod selection;
mod settings;
mod target;

#[cfg(feature = "local")]
pub(crate) use assignment::streams_for;
pub use assignment::{
    Assignment, CreateIndices, ExistingIndex, IndexOptions, PlannedTarget, TargetFacts, assign,
};
pub use data_stream::PlannedStream;
pub use definition::{DefinitionOptions, Part, Prepared, define};
pub use left_out::LeftOut;
pub use load::{LoadRecord, LoadSettings};
pub use mapping::UnknownFields;
pub use rename::Rename;
#[cfg(feature = "local")]
pub(crate) use route::Route;
pub use route::Types;
pub use selection::{Selection, Selector};
pub use target::{TargetVersion, Typing};
