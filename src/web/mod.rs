//! The HTTP API that existing clients speak, and the pages.
//!
//! [`routes`] is the whole table. [`access`] decides who may; [`jobs`], [`data`] and [`accounts`] are what a caller may do
//! with jobs, uploads, users and projects, and serve API and pages alike; [`submission`] turns what was sent into a valid job; [`view`]
//! turns a job into what API.md shows; [`words`] says it in the reader's language; [`chart`] draws. [`api`] has one file a resource, [`pages`] one folder a page.

pub mod access;
pub mod accounts;
pub mod allowance;
pub mod api;
pub mod chart;
pub mod data;
pub mod disk;
pub mod error;
pub mod free;
pub mod job_events;
pub mod job_use;
pub mod jobs;
pub mod log_follow;
pub mod many;
pub mod measure;
pub mod overview;
pub mod pages;
pub mod preview;
mod probes;
pub mod processes;
pub mod routes;
pub mod script_check;
pub mod search;
mod shown;
mod spreadsheet;
pub mod submission;
pub mod templates;
pub mod usage;
pub mod view;
pub mod words;

use std::sync::Arc;

use async_trait::async_trait;

use crate::bus::Bus;
use crate::config::Config;
pub use crate::domain::NodeUse;
use crate::domain::outlook::{Allowances, Candidate, Outlook};
use crate::domain::{Clock, JobId, ProjectId, ReasonCount, UserId, WaitingJob};
use crate::files::JobDirs;
use crate::plugins::auth::AuthBackend;
use crate::plugins::executor::Capabilities;
use crate::plugins::guests::Guests;
use crate::store::Store;

/// What a handler works with: one for the whole process, shared (`web::Data<Site>`).
#[derive(Clone)]
pub struct Site {
    pub config: Arc<Config>,
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub files: JobDirs,
    pub clock: Arc<dyn Clock>,
    pub auth: Arc<dyn AuthBackend>,
    /// Who vouches for guests; `None` where there are none.
    pub guests: Option<Arc<Guests>>,
    pub queue: Arc<dyn Queue>,
    pub keys: Arc<access::SigningKeys>,
    pub login_limiter: Arc<access::LoginLimiter>,
    pub shares: Arc<allowance::Kept>,
    pub overview: Arc<overview::Kept>,
}

/// What the scheduler knows and pages ask.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Why each of these pending jobs waits; jobs the scheduler does not hold are left out.
    async fn explain(&self, ids: &[JobId]) -> Vec<WaitingJob>;

    /// The nodes of all executors at last sight, with what is in use.
    async fn nodes(&self) -> Vec<NodeUse>;

    /// The executors that do not answer, and what is the matter.
    async fn away(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// What the next pass would make of a job that is not there; `None` when nobody answers.
    async fn outlook(&self, _of: Candidate) -> Option<Outlook> {
        None
    }

    /// What the user and these projects may still use; `None` when nobody answers.
    async fn allowances(&self, _user: &UserId, _projects: &[ProjectId]) -> Option<Allowances> {
        None
    }

    /// How many jobs wait, by why, the most first; `None` when the scheduler does not answer.
    async fn reasons(&self) -> Option<Vec<ReasonCount>> {
        None
    }

    /// By executor name, in order of preference.
    fn executors(&self) -> Vec<(String, Capabilities)>;
}
