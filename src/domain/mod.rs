//! What GoDocker is about: jobs, their states and endings, users, projects, volumes.
//!
//! Types here are valid by construction: text from outside is parsed at the edge (`web::submission`, `config`) into
//! them. They know no database, no HTTP and no clock but the one they are given. Deliberately not here: how a job is
//! stored (`store`), shown (`web::view`) or ordered (`scheduling`).

pub mod advice;
pub mod array;
pub mod audit;
pub mod clock;
pub mod credential;
pub mod end_reason;
pub mod ids;
pub mod job;
pub mod job_state;
pub mod maintenance;
pub mod node;
pub mod outlook;
pub mod process;
pub mod project;
pub mod quantity;
pub mod reason;
pub mod sample;
mod shell;
pub mod spec;
pub mod usage;
pub mod user;
pub mod volume;

pub use advice::Advice;
pub use audit::{AuditEntry, AuditLine};
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use credential::{Credential, CredentialKind, Scope};
pub use end_reason::{EndReason, KnownEnd};
pub use ids::{AttemptName, IdKind, InstanceId, InvalidId, JobId, ProjectId, UserId};
pub use job::{Job, Owner, Place, Request, StopCause};
pub use job_state::{
    Attempt, Ending, EndingKind, InvalidTransition, JobState, Outcome, Phase, PortMapping, Rejection, Transition,
};
pub use maintenance::Maintenance;
pub use node::{Node, NodeUse};
pub use process::{ProcessRole, ProcessStatus};
pub use quantity::{Cores, Memory, Resources, readable_bytes};
pub use reason::{PendingReason, ReasonCount, WaitingJob};
pub use sample::{Reading, Sample, Samples};
pub use shell::shell_word;
pub use spec::{ArraySpec, Dependency, DependencyOn, JobSpec, Label, TmpStorage};
pub use user::{Identity, Language, Preferences, Quotas, SavedList, Standing, Theme, User, UserKind, Zone};
pub use volume::{Acl, Mount};
