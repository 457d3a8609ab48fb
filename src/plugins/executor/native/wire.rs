//! What GoDocker and its spawner say to each other: a line of JSON each.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// To the spawner: launch this.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    /// Comes back in the answer: the same attempt may be launched twice at once.
    pub ticket: u64,
    pub name: String,
    /// The directory that claims the attempt: made before the fork, it holds what is known of it.
    pub record: PathBuf,
    /// Says that the attempt was begun and forgotten (see `executor::claim`).
    pub begun: PathBuf,
    pub directory: PathBuf,
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
    /// Files to write a pid into, to be in a cgroup.
    pub cgroup: Vec<PathBuf>,
}

/// From the spawner or a wrapper.
#[derive(Debug, Serialize, Deserialize)]
pub struct Said {
    pub ticket: u64,
    #[serde(flatten)]
    pub launched: Launched,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "launch", rename_all = "snake_case")]
pub enum Launched {
    /// Its record is complete.
    Started,
    /// There is a record of that name: it was launched before.
    Exists,
    /// It was launched before, ended, and was forgotten.
    BegunBefore,
    Failed {
        message: String,
    },
}
