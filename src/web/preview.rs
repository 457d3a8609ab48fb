//! What would become of a job if it were submitted now: every fault, whether a shell could read its script, when it could
//! start. Nothing is stored.

use serde_json::{Value, json};

use super::Site;
use super::access::Caller;
use super::error::{ApiError, FieldFault};
use super::free::{Free, free};
use super::jobs::{Purpose, accepted};
use super::script_check::{self, Checked};
use crate::domain::Dependency;
use crate::domain::outlook::{Candidate, Outlook};
use crate::store::NewJob;

pub struct Preview {
    /// What a submit would be refused for.
    pub faults: Vec<FieldFault>,
    /// What a shell says of the script: a warning, as the image's may say something else.
    pub script: Checked,
    /// How many jobs it would be: of an array, its children.
    pub jobs: u64,
    /// `None` where there are faults, or no scheduler answers.
    pub outlook: Option<Outlook>,
    pub free: Free,
}

/// # Errors
/// What a submit would answer that is not a fault of the document: maintenance, too many jobs, what is not allowed.
pub async fn preview(site: &Site, caller: &Caller, document: &Value) -> Result<Preview, ApiError> {
    let script = document.pointer("/command/cmd").and_then(Value::as_str).unwrap_or_default();
    // One that is too long is a fault, and no work for a shell.
    let script = Some(script).filter(|script| script.len() <= site.config.limits.script_bytes).unwrap_or_default();
    let (accepted, script) =
        futures::join!(accepted(site, caller, document, Purpose::Preview), script_check::check(script));
    let job = match accepted {
        Ok(job) => job,
        Err(ApiError::Invalid(faults)) => {
            let free = free(site, caller.id(), None).await?;
            return Ok(Preview { faults, script, jobs: 0, outlook: None, free });
        }
        Err(error) => return Err(error),
    };
    let candidate = candidate(site, &job).await?;
    let (jobs, project) = (candidate.jobs, job.owner.project.clone());
    let (outlook, free) = futures::join!(site.queue.outlook(candidate), free(site, &job.owner.user, Some(&project)));
    Ok(Preview { faults: Vec::new(), script, jobs, outlook, free: free? })
}

async fn candidate(site: &Site, job: &NewJob) -> Result<Candidate, ApiError> {
    let spec = &job.spec;
    let ids: Vec<_> = spec.dependencies.iter().map(|dependency| dependency.job).collect();
    // One that has ended was looked at when the job was accepted: it is met.
    let ended: Vec<_> = match ids.is_empty() {
        true => Vec::new(),
        false => site.store.outcomes(&ids).await?.into_iter().filter(|outcome| outcome.ending.is_some()).collect(),
    };
    let open = |wanted: &&Dependency| !ended.iter().any(|outcome| outcome.id == wanted.job);
    Ok(Candidate {
        user: job.owner.user.clone(),
        project: job.owner.project.clone(),
        resources: spec.resources,
        labels: spec.labels.clone(),
        executor: spec.executor.clone(),
        dependencies: spec.dependencies.iter().filter(open).copied().collect(),
        jobs: spec.array.map_or(1, |array| array.len()),
        throttle: spec.array.and_then(|array| array.throttle),
    })
}

impl Preview {
    pub fn document(&self) -> Value {
        let outlook = self.outlook.as_ref().map(|outlook| {
            json!({
                "jobs": self.jobs,
                "starts": outlook.starts,
                "rejected": outlook.rejected,
                "reason": outlook.reason,
                "sentence": outlook.reason.as_ref().map(ToString::to_string),
                "position": outlook.position,
                "estimate_secs": outlook.estimate_secs,
            })
        });
        json!({
            "valid": self.faults.is_empty(),
            "faults": self.faults,
            "script": self.script,
            "outlook": outlook,
            "free": self.free.document(),
        })
    }
}
