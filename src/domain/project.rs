//! Groups of users with common priority and quotas.

use serde::{Deserialize, Serialize};

use super::{ProjectId, Quotas, UserId};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Project {
    pub id: ProjectId,
    pub description: String,
    /// A contact, not a member by that.
    pub owner: Option<UserId>,
    pub members: Vec<UserId>,
    pub priority: u8,
    pub quotas: Quotas,
}

impl Project {
    /// The project everyone is in; it has no quota.
    pub fn default_project() -> Self {
        Project {
            id: ProjectId::default_project(),
            description: String::new(),
            owner: None,
            members: Vec::new(),
            priority: 50,
            quotas: Quotas::default(),
        }
    }
}
