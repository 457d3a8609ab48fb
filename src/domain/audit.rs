//! Who changed what, and when.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Timestamp;

/// One line of the audit log, as it is written. Details never hold a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub at: Timestamp,
    /// A user's id, or the program that did it (`go-d user`).
    pub actor: String,
    /// Where the request came from, when it came over the network.
    pub address: Option<String>,
    /// `user.change`, `project.delete`, `maintenance.on`..
    pub action: String,
    /// What it was done to: a user's, project's or job's id.
    pub subject: String,
    /// Before and after, by field.
    pub details: Value,
}

/// A line as it is read: lines are numbered as they are written, and never change.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditLine {
    pub number: u64,
    pub entry: AuditEntry,
}
