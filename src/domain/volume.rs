//! Directories of the site that a job may see.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Acl {
    Ro,
    Rw,
}

impl Acl {
    pub fn as_str(self) -> &'static str {
        match self {
            Acl::Ro => "ro",
            Acl::Rw => "rw",
        }
    }
}

/// A directory of the host, granted to a job under a path of its container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    pub name: String,
    pub acl: Acl,
    /// On the host. Never from the request.
    pub path: PathBuf,
    /// In the container.
    pub mount: PathBuf,
}
