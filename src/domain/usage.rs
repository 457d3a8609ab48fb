//! What users and projects have used: the ledger's rows.

use serde::{Deserialize, Serialize};

use super::Resources;

/// Summed use of finished jobs.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Cores, summed over jobs.
    pub cpu: f64,
    /// GB, summed over jobs.
    pub ram: f64,
    /// Graphics cards, summed over jobs.
    pub gpu: f64,
    /// Seconds of run time.
    pub time: f64,
    pub jobs: u64,
}

impl Usage {
    /// One job of this size, before it has run for any time.
    pub fn of_one(resources: &Resources) -> Usage {
        Usage {
            cpu: resources.cpu.as_f64(),
            ram: resources.ram.as_gb(),
            gpu: f64::from(resources.gpus),
            time: 0.0,
            jobs: 1,
        }
    }

    pub fn plus(self, other: Usage) -> Usage {
        Usage {
            cpu: self.cpu + other.cpu,
            ram: self.ram + other.ram,
            gpu: self.gpu + other.gpu,
            time: self.time + other.time,
            jobs: self.jobs + other.jobs,
        }
    }

    /// Never below nothing.
    pub fn minus(self, other: Usage) -> Usage {
        Usage {
            cpu: (self.cpu - other.cpu).max(0.0),
            ram: (self.ram - other.ram).max(0.0),
            gpu: (self.gpu - other.gpu).max(0.0),
            time: (self.time - other.time).max(0.0),
            jobs: self.jobs.saturating_sub(other.jobs),
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

/// An administrator let an account begin anew: what was used before counts no more.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct UsageReset {
    /// Days before this one do not count.
    pub day: i64,
    /// Of that day, what was used until then.
    pub used: Usage,
}

impl UsageReset {
    /// What counts of these days.
    pub fn applied_to(self, days: &[DailyUsage]) -> Usage {
        let counted = days.iter().filter(|day| day.day >= self.day);
        let sum = counted.fold(Usage::default(), |sum, day| sum.plus(day.usage));
        // Once that day has left the window, so has what was used on it.
        if days.iter().any(|day| day.day == self.day) { sum.minus(self.used) } else { sum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_forgets_what_was_before_and_nothing_after() {
        let day = |day, time| DailyUsage { day, usage: Usage { time, jobs: 1, ..Usage::default() } };
        let reset = UsageReset { day: 10, used: Usage { time: 5.0, jobs: 1, ..Usage::default() } };
        assert_eq!(reset.applied_to(&[day(8, 100.0), day(10, 7.0), day(11, 1.0)]).time, 3.0);
        assert_eq!(reset.applied_to(&[day(8, 100.0)]).time, 0.0);
        assert_eq!(reset.applied_to(&[day(11, 1.0)]).time, 1.0, "that day is outside the window");
    }
}
