//! What users and projects have used: the ledger's rows.

use serde::{Deserialize, Serialize};

/// Summed use of finished jobs.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Cores, summed over jobs.
    pub cpu: f64,
    /// GB, summed over jobs.
    pub ram: f64,
    /// Seconds of run time.
    pub time: f64,
    pub jobs: u64,
}

impl Usage {
    pub fn plus(self, other: Usage) -> Usage {
        Usage {
            cpu: self.cpu + other.cpu,
            ram: self.ram + other.ram,
            time: self.time + other.time,
            jobs: self.jobs + other.jobs,
        }
    }
}

/// One day of one user or project.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DailyUsage {
    /// Days since the epoch, UTC.
    pub day: i64,
    pub usage: Usage,
}
