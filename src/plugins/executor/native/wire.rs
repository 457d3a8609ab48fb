//! What GoDocker and its spawner say to each other: a line of JSON each.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// To the spawner: launch this.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    /// The attempt's name; comes back in the answers.
    pub name: String,
    /// The directory that claims the attempt: made before the fork, it holds what is known of it.
    pub record: PathBuf,
    pub directory: PathBuf,
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
    /// Files to write a pid into, to be in a cgroup.
    pub cgroup: Vec<PathBuf>,
}

/// From the spawner.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    Launched {
        name: String,
        #[serde(flatten)]
        launched: Launched,
    },
    /// The wrapper is gone; its record says how the job ended.
    Exited { name: String },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "launch", rename_all = "snake_case")]
pub enum Launched {
    Started {
        pid: i32,
    },
    /// There is a record of that name: it was launched before.
    Exists,
    Failed {
        message: String,
    },
}
