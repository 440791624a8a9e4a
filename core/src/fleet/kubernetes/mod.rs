//! Workers as pods of a Kubernetes deployment: its replicas are the fleet's size.
//!
//! | file | subject |
//! |---|---|
//! | `connection` | which API server, as whom |
//! | `deployment` | [`KubernetesFleet`]: the deployment's scale, its pods by phase |
//! | `refusal` | what the API server refuses, and the right that is missing |
//!
//! # Rights
//!
//! | verb | resource | for |
//! |---|---|---|
//! | `patch` | `deployments/scale` | changing the size |
//! | `get` | `deployments/scale` | knowing it |
//! | `list` | `pods` | counting those that are up, on their way in, on their way out |

mod connection;
mod deployment;
mod refusal;

pub use deployment::KubernetesFleet;

#[cfg(test)]
#[cfg(feature = "http")]
mod tests;
