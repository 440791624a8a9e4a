//! Making a fleet larger step by step, as long as the target is well.
//!
//! | file | subject |
//! |---|---|
//! | `options` | how large the steps are, how long each is watched, what counts as well |
//! | `look` | what was seen of target, fleet and work at one moment, and what it means |
//! | `gate` | the rule: up, hold, down or done, and why |
//! | `scaling` | the driver: looks, asks the rule, changes the fleet |
//!
//! `look` and `gate` are pure: they are told the time, and ask nobody.

mod gate;
mod look;
mod options;
mod scaling;

pub use gate::{GradualStep, ScaleAction};
pub use options::{GradualOptions, StepSize};
pub use scaling::GradualScaling;
