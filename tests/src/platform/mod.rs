//! Platforms in the test's process, as a controller of a fleet sees them. What they start are real processes, if a test says
//! which.
//!
//! | file | subject |
//! |---|---|
//! | `tasks` | tasks that come, work and go, a step at a time |
//! | `cluster` | a cluster that keeps documents, and refuses those that it is told to |
//! | `ecs` | a service of Amazon ECS over them |
//! | `kubernetes` | a Kubernetes deployment over them |
//! | `http` | a small server |
//! | `run` | a run that such a fleet works on, for the behaviour table of controllers |

mod cluster;
pub mod ecs;
mod http;
pub mod kubernetes;
pub mod run;
pub mod tasks;

pub use cluster::FakeCluster;
pub use ecs::SteppingEcs;
pub use kubernetes::FakeKubernetes;
pub use run::{HurriedClock, SlowRun};
pub use tasks::{Launch, Tasks};
