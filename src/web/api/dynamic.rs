//! Changing a job after it was accepted: the requirements that the site lets be changed (`dynamic_fields`).

use actix_web::{HttpResponse, web};
use serde_json::Value;

use super::extract::Document;
use super::task::document;
use crate::bus::Command;
use crate::config::DynamicField;
use crate::domain::{Job, JobId, JobSpec, Phase};
use crate::store::Page;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::words::{Message, says};
use crate::web::{jobs, submission};

/// How often a change is tried again when the job moved meanwhile.
const TRIES: u32 = 5;

pub async fn change(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<JobId>,
    Document(sent): Document,
) -> Result<HttpResponse, ApiError> {
    let job = jobs::visible(&site, &caller, *id).await?;
    let name = sent.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| ApiError::field("name", says("fault-requirement")))?;
    check_allowed(&site.config.dynamic_fields, name, &caller)?;
    let value = sent.get("value").unwrap_or(&Value::Null);
    // Read once before anything is written, so that a bad value changes nothing.
    changed_spec(&job.spec, name, value)?;
    let mut targets = vec![job];
    if targets[0].is_array_parent() {
        let children = site.store.children(*id, Page::ALL).await?;
        targets.extend(children.into_iter().filter(|child| child.state.is_active()));
    }
    let mut running = Vec::new();
    for job in targets {
        let job = replace(&site, job, name, value).await?;
        if job.state.phase() == Phase::Running && !job.is_array_parent() {
            running.push(job.id);
        }
        site.bus.publish(jobs::changed(&job));
    }
    if !running.is_empty() {
        jobs::tell(&site, Command::JobsRunning { ids: running }).await;
    }
    let job = jobs::visible(&site, &caller, *id).await?;
    Ok(HttpResponse::Ok().json(document(&site, job).await))
}

fn check_allowed(fields: &[DynamicField], name: &str, caller: &Caller) -> Result<(), ApiError> {
    match fields.iter().find(|field| field.name == name) {
        Some(field) if field.only_admin && !caller.user.admin => {
            Err(ApiError::Forbidden(says("fault-requirement-reserved").set("name", name)))
        }
        Some(_) => Ok(()),
        None => {
            let offered: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
            let message = says("fault-requirement-unknown").set("name", format!("{name:?}"));
            Err(ApiError::field("name", message.set("offered", offered.join(", "))))
        }
    }
}

async fn replace(site: &Site, mut job: Job, name: &str, value: &Value) -> Result<Job, ApiError> {
    for _ in 0..TRIES {
        let spec = changed_spec(&job.spec, name, value)?;
        if site.store.replace_spec(job.id, job.revision, spec).await? {
            return Ok(job);
        }
        let now = site.store.job(job.id).await?.filter(|now| now.state.is_active());
        job = now.ok_or_else(|| ApiError::Conflict(says("fault-not-active")))?;
    }
    Err(ApiError::Conflict(says("fault-job-keeps-changing").set("job", job.id)))
}

fn changed_spec(spec: &JobSpec, name: &str, value: &Value) -> Result<JobSpec, ApiError> {
    let mut spec = spec.clone();
    let fault = |message: Message| ApiError::field("value", message);
    match name {
        "maxlifespan" => {
            spec.max_lifespan = match value {
                Value::Null => None,
                value => Some(submission::lifespan_value(value).map_err(fault)?),
            };
        }
        "failure_policy" => {
            // The old client sends every value as a text.
            let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|n| *n <= 100);
            let number = number.ok_or_else(|| fault(says("fault-whole").set("first", 0_u64).set("last", 100_u64)))?;
            spec.retries = number as u32;
        }
        _ => return Err(ApiError::field("name", says("fault-requirement-fixed"))),
    }
    Ok(spec)
}
