//! One job: submit, show, wait for, and ask something of it.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::extract::Document;
use crate::domain::{Job, JobId, Phase};
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::jobs::{self, Wish};
use crate::web::{Site, preview, view};

/// How long one request may wait; a client that wants longer asks again.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

pub async fn submit(site: web::Data<Site>, caller: Caller, Document(sent): Document) -> Result<HttpResponse, ApiError> {
    let submitted = jobs::submit(&site, &caller, &sent).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "Task added", "id": submitted.id })))
}

/// What would become of the same document as a job; nothing is stored.
pub async fn preview(
    site: web::Data<Site>,
    caller: Caller,
    Document(sent): Document,
) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(preview::preview(&site, &caller, &sent).await?.document()))
}

pub async fn show(site: web::Data<Site>, caller: Caller, id: web::Path<JobId>) -> Result<HttpResponse, ApiError> {
    let job = jobs::visible(&site, &caller, *id).await?;
    Ok(HttpResponse::Ok().json(document(&site, job).await))
}

#[derive(Deserialize)]
pub struct Waiting {
    /// Seconds.
    #[serde(default = "a_minute")]
    timeout: u64,
}

fn a_minute() -> u64 {
    60
}

/// The task as soon as it is over, or as it is when the time is up.
pub async fn wait(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<JobId>,
    asked: web::Query<Waiting>,
) -> Result<HttpResponse, ApiError> {
    let patience = Duration::from_secs(asked.timeout).min(LONGEST_WAIT);
    let job = jobs::wait_over(&site, &caller, *id, patience).await?;
    Ok(HttpResponse::Ok().json(document(&site, job).await))
}

pub async fn kill(site: web::Data<Site>, caller: Caller, id: web::Path<JobId>) -> Result<HttpResponse, ApiError> {
    ask(&site, &caller, *id, Wish::Kill).await
}

pub async fn suspend(site: web::Data<Site>, caller: Caller, id: web::Path<JobId>) -> Result<HttpResponse, ApiError> {
    ask(&site, &caller, *id, Wish::Suspend).await
}

pub async fn resume(site: web::Data<Site>, caller: Caller, id: web::Path<JobId>) -> Result<HttpResponse, ApiError> {
    ask(&site, &caller, *id, Wish::Resume).await
}

pub async fn reschedule(site: web::Data<Site>, caller: Caller, id: web::Path<JobId>) -> Result<HttpResponse, ApiError> {
    ask(&site, &caller, *id, Wish::Reschedule).await
}

pub(super) async fn ask(site: &Site, caller: &Caller, id: JobId, wish: Wish) -> Result<HttpResponse, ApiError> {
    jobs::ask(site, caller, id, wish).await?;
    let msg = match wish {
        Wish::Kill => "Task kill requested",
        Wish::Suspend => "Task suspend requested",
        Wish::Resume => "Task resume requested",
        Wish::Reschedule => "Task reschedule requested",
        Wish::Archive => "Task archive requested",
        Wish::Purge => "Task removal requested",
    };
    Ok(HttpResponse::Ok().json(json!({ "msg": msg, "id": id })))
}

/// A job as it is answered.
pub(super) async fn document(site: &Site, job: Job) -> Value {
    let mut documents = documents(site, &[job]).await;
    documents.pop().expect("one job makes one document")
}

/// Jobs as they are answered, in their order; the scheduler is asked once.
pub(super) async fn documents(site: &Site, jobs: &[Job]) -> Vec<Value> {
    let pending: Vec<JobId> = jobs.iter().filter(|job| job.state.phase() == Phase::Pending).map(|job| job.id).collect();
    let explained = if pending.is_empty() { Vec::new() } else { site.queue.explain(&pending).await };
    let waiting: std::collections::HashMap<_, _> = explained.iter().map(|waiting| (waiting.job, waiting)).collect();
    jobs.iter().map(|job| view::task(job, &site.files.directory_of(job.id), waiting.get(&job.id).copied())).collect()
}
