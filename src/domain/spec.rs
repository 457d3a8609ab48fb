//! What a user asked for: fixed once the job is accepted, but for its configured dynamic fields.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{JobId, Mount, Resources};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    pub name: String,
    pub description: String,
    pub tags: Vec<String>,
    pub image: String,
    /// The text of cmd.sh, as the user sent it.
    pub script: String,
    pub resources: Resources,
    pub array: Option<ArraySpec>,
    pub dependencies: Vec<Dependency>,
    pub labels: Vec<Label>,
    /// Ports to open in the container.
    pub ports: Vec<u16>,
    /// How many more launches after a node failed under the job (`requirements.failure_policy`).
    pub retries: u32,
    /// The executor asked for by name; `None` takes the site's first.
    pub executor: Option<String>,
    /// The longest the job may run (`requirements.maxlifespan`).
    pub max_lifespan: Option<Duration>,
    /// Volumes as granted: name and acl from the request, paths from the site.
    pub volumes: Vec<Mount>,
    pub network: bool,
    pub root: bool,
    pub notify_email: bool,
    /// Room of its own on the node, gone with the attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tmp_storage: Option<TmpStorage>,
}

/// Temporary storage in the container (`requirements.tmpstorage`): in memory, and part of the job's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TmpStorage {
    pub bytes: u64,
    /// Where the job finds it.
    pub path: PathBuf,
}

impl TmpStorage {
    /// Where it is when the job does not say.
    pub const PATH: &str = "/tmp-data";
}

/// `first:last:step%throttle`: the indices of an array's children, both ends included, never past last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArraySpec {
    pub first: u64,
    pub last: u64,
    pub step: u64,
    /// How many children may run at once; `None` is as many as fit.
    pub throttle: Option<u32>,
}

impl ArraySpec {
    pub fn len(&self) -> u64 {
        (self.last - self.first) / self.step + 1
    }

    pub fn is_empty(&self) -> bool {
        false
    }

    pub fn indices(&self) -> impl Iterator<Item = u64> + use<> {
        (self.first..=self.last).step_by(usize::try_from(self.step).unwrap_or(usize::MAX))
    }
}

impl fmt::Display for ArraySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.first, self.last, self.step)?;
        self.throttle.map_or(Ok(()), |n| write!(f, "%{n}"))
    }
}

/// A job to wait for, and how it must have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Dependency {
    pub job: JobId,
    pub on: DependencyOn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DependencyOn {
    Ok,
    Failed,
    Any,
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.on {
            DependencyOn::Ok => write!(f, "{}", self.job),
            DependencyOn::Failed => write!(f, "{}:failed", self.job),
            DependencyOn::Any => write!(f, "{}:any", self.job),
        }
    }
}

/// A constraint on the node: one of the site's `constraints`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Label {
    pub name: String,
    pub value: String,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=={}", self.name, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_never_passes_its_last_index() {
        let array = ArraySpec { first: 1, last: 10, step: 4, throttle: None };
        assert_eq!(array.indices().collect::<Vec<_>>(), [1, 5, 9]);
        assert_eq!(array.len(), 3);
    }
}
