//! Identifiers, each its own type, so that a job's number never passes for a user's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A job's number: allocated by the store, increasing, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub u64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.parse().ok().filter(|id| *id > 0).map(JobId).ok_or_else(|| InvalidId::new(IdKind::Job, text))
    }
}

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {} id: expected {}", kind.word(), kind.rule())]
pub struct InvalidId {
    pub kind: IdKind,
    /// The beginning of what was no identifier.
    pub text: String,
}

/// What an identifier names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    Job,
    User,
    Project,
    Instance,
}

impl IdKind {
    pub fn word(self) -> &'static str {
        match self {
            IdKind::Job => "job",
            IdKind::User => "user",
            IdKind::Project => "project",
            IdKind::Instance => "instance",
        }
    }

    fn rule(self) -> &'static str {
        match self {
            IdKind::Job => "a positive whole number",
            IdKind::User | IdKind::Project | IdKind::Instance => {
                "1 to 64 letters, digits or . _ @ + -, beginning with a letter, a digit or _"
            }
        }
    }
}

impl InvalidId {
    fn new(kind: IdKind, text: &str) -> Self {
        InvalidId { kind, text: text.chars().take(80).collect() }
    }
}

fn is_name(text: &str) -> bool {
    let first_is_fine = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    first_is_fine && text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || "._@+-".contains(c))
}

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident, $kind:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if is_name(text) { Ok($name(text.into())) } else { Err(InvalidId::new($kind, text)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.to_string()
            }
        }
    };
}

name_id!(
    /// A user's login. Safe as a path component and in a URL by its rule.
    UserId,
    IdKind::User
);
name_id!(
    /// A project's name. Safe as a path component and in a URL by its rule.
    ProjectId,
    IdKind::Project
);
name_id!(
    /// Which installation of GoDocker this is; part of every container's name, so that two can share an engine.
    InstanceId,
    IdKind::Instance
);

impl ProjectId {
    /// The project everyone is in.
    pub const DEFAULT: &'static str = "default";

    pub fn default_project() -> Self {
        ProjectId(Self::DEFAULT.into())
    }

    pub fn is_default(&self) -> bool {
        self.as_str() == Self::DEFAULT
    }
}

/// The deterministic name of one launch of a job: `god-<instance>-<job>-<attempt>`.
///
/// Creating something under a name that exists is how a launch that is tried twice has the effect of once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AttemptName {
    pub instance: InstanceId,
    pub job: JobId,
    pub attempt: u32,
}

impl fmt::Display for AttemptName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "god-{}-{}-{}", self.instance, self.job, self.attempt)
    }
}

impl AttemptName {
    /// Reads a name back; `None` when it is not one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("god-")?;
        let (rest, attempt) = rest.rsplit_once('-')?;
        let (instance, job) = rest.rsplit_once('-')?;
        Some(AttemptName { instance: instance.parse().ok()?, job: job.parse().ok()?, attempt: attempt.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_name_reads_back() {
        let name = AttemptName { instance: "lab-1".parse().unwrap(), job: JobId(42), attempt: 3 };
        assert_eq!(name.to_string(), "god-lab-1-42-3");
        assert_eq!(AttemptName::parse("god-lab-1-42-3"), Some(name));
        assert_eq!(AttemptName::parse("someone-elses-42-3"), None);
    }

    #[test]
    fn a_user_id_cannot_climb_out_of_a_directory() {
        for bad in ["", "..", ".hidden", "a/b", "-rf", "a b", "a\0b", &"x".repeat(65)] {
            assert!(bad.parse::<UserId>().is_err(), "{bad:?}");
        }
        assert!("ann.lee@lab".parse::<UserId>().is_ok());
    }
}
