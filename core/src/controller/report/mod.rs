//! What a backfill has moved, for people and for programs.
//!
//! | file | subject |
//! |---|---|
//! | `contents` | what a report says: its JSON form |
//! | `plan_record` | what of the plan is kept with the run for it |
//! | `target_check` | what the target holds against what the books say |
//! | `make` | a report, from what was gathered |
//! | `markdown`, `table` | a report as Markdown, readable as printed |

mod contents;
mod make;
mod markdown;
mod plan_record;
mod table;
mod target_check;
#[cfg(test)]
mod tests;

pub use contents::{Report, ReportedIndex, ReportedTarget, TargetCheck};
pub(crate) use make::Gathered;
pub(crate) use plan_record::PlanRecord;
pub use plan_record::PlanWarning;
