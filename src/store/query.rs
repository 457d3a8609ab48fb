//! What lists ask.

use crate::domain::{JobId, Phase, ProjectId, Timestamp, UserId};

/// Jobs that match all that is set. Array children are left out of lists unless asked for: the parent stands for them.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    pub owner: Option<UserId>,
    pub project: Option<ProjectId>,
    /// Empty is every phase.
    pub phases: Vec<Phase>,
    pub tag: Option<String>,
    pub ended_before: Option<Timestamp>,
    /// Only jobs that carry a request.
    pub requested: bool,
    pub with_children: bool,
    /// Only jobs above this id (for walking).
    pub after: Option<JobId>,
    pub order: JobOrder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JobOrder {
    #[default]
    IdAscending,
    IdDescending,
    /// Over jobs, the last to end first.
    EndedDescending,
}

#[derive(Debug, Clone, Copy)]
pub struct Page {
    pub skip: u64,
    /// `None` is all.
    pub limit: Option<u64>,
}

impl Page {
    pub const ALL: Page = Page { skip: 0, limit: None };

    pub fn first(limit: u64) -> Self {
        Page { skip: 0, limit: Some(limit) }
    }
}
