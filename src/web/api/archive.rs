//! Over jobs: to be archived (their files go) or deleted (the record goes too).

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::extract::Document;
use super::task::ask;
use crate::domain::JobId;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::jobs::{self, Wish};
use crate::web::words::says;

pub async fn archive(site: web::Data<Site>, caller: Caller, id: web::Path<JobId>) -> Result<HttpResponse, ApiError> {
    ask(&site, &caller, *id, Wish::Archive).await
}

pub async fn purge(site: web::Data<Site>, caller: Caller, id: web::Path<JobId>) -> Result<HttpResponse, ApiError> {
    ask(&site, &caller, *id, Wish::Purge).await
}

/// How many one request may name.
const MOST: usize = 1_000;

/// Those that are named, each for itself: what became of it is in the answer.
pub async fn archive_many(
    site: web::Data<Site>,
    caller: Caller,
    Document(sent): Document,
) -> Result<HttpResponse, ApiError> {
    let outcomes = jobs::archive_many(&site, &caller, &ids(&sent)?).await?;
    let count = outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).count();
    let tasks: Vec<Value> = outcomes.iter().map(|(id, outcome)| told(*id, outcome)).collect();
    Ok(HttpResponse::Ok().json(json!({ "msg": "Tasks archive requested", "count": count, "tasks": tasks })))
}

fn told(id: JobId, outcome: &Result<(), ApiError>) -> Value {
    match outcome {
        Ok(()) => json!({ "id": id, "status": 200, "msg": "Task archive requested" }),
        Err(error) => {
            let (code, status) = error.describe();
            json!({ "id": id, "status": status.as_u16(), "error": code, "msg": error.message() })
        }
    }
}

fn ids(sent: &Value) -> Result<Vec<JobId>, ApiError> {
    let expected = || ApiError::field("ids", says("fault-job-ids-most").set("most", MOST));
    let list = sent.get("ids").and_then(Value::as_array).filter(|list| (1..=MOST).contains(&list.len()));
    // Scripts have them as text, too.
    let id = |value: &Value| value.as_u64().map(JobId).or_else(|| value.as_str()?.parse().ok());
    list.and_then(|list| list.iter().map(id).collect()).ok_or_else(expected)
}

#[derive(Deserialize)]
pub struct Tagged {
    pub tag: Option<String>,
}

impl Tagged {
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref().filter(|tag| !tag.is_empty())
    }
}

pub async fn archive_older(
    site: web::Data<Site>,
    caller: Caller,
    days: web::Path<u32>,
    tagged: web::Query<Tagged>,
) -> Result<HttpResponse, ApiError> {
    let asked = jobs::archive_older(&site, &caller, *days, tagged.tag(), false).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "Tasks archive requested", "count": asked })))
}

pub async fn purge_older(
    site: web::Data<Site>,
    caller: Caller,
    days: web::Path<u32>,
    tagged: web::Query<Tagged>,
) -> Result<HttpResponse, ApiError> {
    let asked = jobs::archive_older(&site, &caller, *days, tagged.tag(), true).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "Tasks removal requested", "count": asked })))
}
