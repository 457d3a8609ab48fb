//! The time during which nothing new is taken or started.

use serde::{Deserialize, Serialize};

use super::{Timestamp, UserId};

/// Maintenance is on. Running jobs go on, and everything can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// For people, on every page.
    pub message: String,
    pub since: Timestamp,
    pub by: UserId,
}

impl Maintenance {
    /// The setting that holds it, as JSON; empty is off.
    pub const SETTING: &'static str = "maintenance";
}
