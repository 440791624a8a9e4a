//! Workers as tasks of a service of Amazon ECS: its desired count is the fleet's size.
//!
//! | file | subject |
//! |---|---|
//! | `service` | [`EcsFleet`]: the service, its counts, its steady state |
//! | `refusal` | what ECS refuses, and the right that is missing |
//!
//! # Rights
//!
//! | action | for |
//! |---|---|
//! | `ecs:UpdateService` | changing the size |
//! | `ecs:DescribeServices` | knowing it |
//! | `ecs:ListTasks`, `ecs:DescribeTasks` | seeing tasks that are on their way out; without them none is seen |

mod refusal;
mod service;

pub use service::EcsFleet;

#[cfg(test)]
mod tests;
