//! Groups of users with common priority, quotas and volumes.

use serde::{Deserialize, Serialize};

use super::usage::UsageReset;
use super::{Mount, ProjectId, Quotas, UserId};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Project {
    pub id: ProjectId,
    /// Raised by every change; a change made against an older one is refused. 0 is not stored yet.
    #[serde(default)]
    pub revision: u64,
    pub description: String,
    /// A contact, not a member by that.
    pub owner: Option<UserId>,
    pub members: Vec<UserId>,
    pub priority: u8,
    pub quotas: Quotas,
    /// Mounted in every job of the project. Paths may hold `$USERID`.
    #[serde(default)]
    pub volumes: Vec<Mount>,
    #[serde(default)]
    pub reset: Option<UsageReset>,
}

impl Project {
    pub fn new(id: ProjectId) -> Self {
        Project {
            id,
            revision: 0,
            description: String::new(),
            owner: None,
            members: Vec::new(),
            priority: 50,
            quotas: Quotas::default(),
            volumes: Vec::new(),
            reset: None,
        }
    }

    /// The project everyone is in; it has no quota.
    pub fn default_project() -> Self {
        Project::new(ProjectId::default_project())
    }
}
