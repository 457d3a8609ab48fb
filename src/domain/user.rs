//! Who submits jobs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Timestamp, UserId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserKind {
    /// Maps a user of the host.
    Local,
    Fake,
}

/// Limits over the window of `user_reset_usage_duration` days; 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Quotas {
    /// Seconds of run time.
    pub time: u64,
    /// Summed cores of the jobs.
    pub cpu: u64,
    /// Summed GB of the jobs.
    pub ram: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    pub uid: u32,
    pub gid: u32,
    /// Secondary groups.
    pub groups: Vec<u32>,
    pub email: Option<String>,
    pub home: Option<PathBuf>,
    pub admin: bool,
    pub active: bool,
    pub kind: UserKind,
    /// argon2 (PHC string); `None` means that no password opens this account.
    pub password_hash: Option<String>,
    /// SHA-256 of the API key, hex. Keys are random, so a slow hash would only slow the API down.
    pub api_key_hash: Option<String>,
    pub ssh_public: Option<String>,
    /// 0 to 100; 50 is everyone's.
    pub priority: u8,
    pub quotas: Quotas,
    pub created: Timestamp,
}
