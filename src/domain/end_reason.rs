//! Why a job ended as it did, where its ending alone does not say it: as data, so that every page has its own words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{DependencyOn, Ending, JobId, Memory};

/// Written as an object or a text: databases hold texts from before there were objects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EndReason {
    Known(KnownEnd),
    /// In the words of an executor, an administrator or the original.
    Said(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum KnownEnd {
    OutOfMemory {
        asked: Memory,
    },
    TimeLimit,
    /// And no further launch was asked for.
    NodeFailed,
    /// While it waited, by its user or an administrator.
    KilledWaiting,
    ArrayChildren {
        failed: u32,
        children: u32,
    },
    QuotaUser {
        quota: String,
    },
    QuotaProject {
        quota: String,
    },
    /// `ended`: how it ended instead; `None` when its record was deleted.
    Dependency {
        job: JobId,
        on: DependencyOn,
        ended: Option<Ending>,
    },
}

impl From<KnownEnd> for EndReason {
    fn from(known: KnownEnd) -> Self {
        EndReason::Known(known)
    }
}

/// In English, for the API, mail and the log.
impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EndReason::Known(known) => known.fmt(f),
            EndReason::Said(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for KnownEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KnownEnd::OutOfMemory { asked } => write!(f, "It used more than the {asked} GB it asked for."),
            KnownEnd::TimeLimit => write!(f, "It ran for as long as it may and was stopped."),
            KnownEnd::NodeFailed => write!(f, "The node it ran on failed, and no further launch was asked for."),
            KnownEnd::KilledWaiting => write!(f, "It was killed before it started."),
            KnownEnd::ArrayChildren { failed, children } => {
                write!(f, "{failed} of {children} array jobs did not end well")
            }
            KnownEnd::QuotaUser { quota } => write!(f, "It would go beyond its owner's {quota} quota."),
            KnownEnd::QuotaProject { quota } => write!(f, "It would go beyond the project's {quota} quota."),
            KnownEnd::Dependency { job, on, ended } => {
                let wanted = match on {
                    DependencyOn::Ok => "end well",
                    DependencyOn::Failed => "fail",
                    DependencyOn::Any => "end",
                };
                match ended {
                    Some(ended) => write!(f, "It waited for job {job} to {wanted}, which ended as {}.", ended.as_str()),
                    None => write!(f, "It waited for job {job} to {wanted}, which was deleted."),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Rejection;

    #[test]
    fn what_is_written_is_read_and_so_are_the_texts_of_older_databases() {
        let known = [
            KnownEnd::OutOfMemory { asked: Memory::gb(2) },
            KnownEnd::TimeLimit,
            KnownEnd::ArrayChildren { failed: 1, children: 3 },
            KnownEnd::QuotaUser { quota: "cpu".into() },
            KnownEnd::Dependency {
                job: JobId(4),
                on: DependencyOn::Ok,
                ended: Some(Ending::Rejected(Rejection::Dependency)),
            },
            KnownEnd::Dependency { job: JobId(4), on: DependencyOn::Any, ended: None },
        ];
        for reason in known.map(EndReason::from) {
            let json = serde_json::to_string(&reason).unwrap();
            assert_eq!(serde_json::from_str::<EndReason>(&json).unwrap(), reason, "{json}");
        }
        let old: EndReason = serde_json::from_str("\"The node n1 failed.\"").unwrap();
        assert_eq!(
            (old.to_string().as_str(), old),
            ("The node n1 failed.", EndReason::Said("The node n1 failed.".into()))
        );
    }

    #[test]
    fn it_is_a_sentence() {
        let waited = |on, ended| KnownEnd::Dependency { job: JobId(4), on, ended }.to_string();
        assert_eq!(
            waited(DependencyOn::Ok, Some(Ending::OutOfMemory)),
            "It waited for job 4 to end well, which ended as out of memory."
        );
        assert_eq!(waited(DependencyOn::Failed, None), "It waited for job 4 to fail, which was deleted.");
    }
}
