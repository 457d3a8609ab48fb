//! Machines that executors offer.

use serde::{Deserialize, Serialize};

use super::{Label, Resources};

/// A machine as the backend sees it. What our jobs hold of it is our own accounting, not the backend's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    pub name: String,
    pub executor: String,
    pub total: Resources,
    /// Of that, what is neither free nor our jobs'.
    #[serde(default)]
    pub others: Resources,
    pub labels: Vec<Label>,
    /// Under maintenance: gets nothing new, keeps what it runs.
    pub drained: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeUse {
    pub node: Node,
    pub used: Resources,
}
