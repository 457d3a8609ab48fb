//! Templates: jobs that a user keeps under a name.

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use super::extract::Document;
use crate::domain::JobId;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::templates::{self, document};
use crate::web::words::says;

pub async fn list(site: web::Data<Site>, caller: Caller) -> Result<HttpResponse, ApiError> {
    let own = templates::list(&site, &caller).await?;
    Ok(HttpResponse::Ok().json(own.iter().map(|template| document(template, false)).collect::<Vec<_>>()))
}

pub async fn show(site: web::Data<Site>, caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(document(&templates::get(&site, &caller, &id).await?, true)))
}

/// `{"name": .., "job": 12}` of a job, or `{"name": .., "document": {..}}`.
pub async fn create(site: web::Data<Site>, caller: Caller, Document(sent): Document) -> Result<HttpResponse, ApiError> {
    let name = name(&sent)?.unwrap_or_default();
    let made = match (sent.get("job"), sent.get("document")) {
        (Some(job), None) => {
            let job = job.as_u64().ok_or_else(|| ApiError::field("job", says("fault-job-id-needed")))?;
            templates::create_from(&site, &caller, name, JobId(job)).await?
        }
        (None, Some(document)) => templates::create(&site, &caller, name, document).await?,
        _ => return Err(ApiError::field("document", says("fault-document-or-job"))),
    };
    Ok(HttpResponse::Ok().json(document(&made, true)))
}

/// `{"name": .., "document": {..}}`: what is named changes.
pub async fn change(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<String>,
    Document(sent): Document,
) -> Result<HttpResponse, ApiError> {
    let changed = templates::change(&site, &caller, &id, name(&sent)?, sent.get("document")).await?;
    Ok(HttpResponse::Ok().json(document(&changed, true)))
}

pub async fn delete(site: web::Data<Site>, caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    templates::delete(&site, &caller, &id).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "Template deleted", "id": *id })))
}

fn name(sent: &Value) -> Result<Option<&str>, ApiError> {
    let Some(name) = sent.get("name").filter(|name| !name.is_null()) else { return Ok(None) };
    name.as_str()
        .map(Some)
        .ok_or_else(|| ApiError::field("name", says("fault-expected").set("what", says("kind-text"))))
}
