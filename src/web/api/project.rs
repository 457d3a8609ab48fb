//! Projects.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::extract::Document;
use super::user::{Span, usage_row};
use crate::domain::ProjectId;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::accounts::projects::{self, document, known};
use crate::web::error::ApiError;

pub async fn list(site: web::Data<Site>) -> Result<HttpResponse, ApiError> {
    let projects = site.store.projects().await?;
    Ok(HttpResponse::Ok().json(projects.iter().map(|project| document(project, true)).collect::<Vec<_>>()))
}

pub async fn create(site: web::Data<Site>, caller: Caller, Document(sent): Document) -> Result<HttpResponse, ApiError> {
    let project = projects::create(&site, &caller, &sent).await?;
    Ok(HttpResponse::Ok().json(document(&project, true)))
}

pub async fn show(site: web::Data<Site>, caller: Caller, id: web::Path<ProjectId>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(document(&known(&site, &caller, &id).await?, caller.is_admin())))
}

pub async fn change(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<ProjectId>,
    Document(sent): Document,
) -> Result<HttpResponse, ApiError> {
    let project = projects::change(&site, &caller, &id, &sent).await?;
    Ok(HttpResponse::Ok().json(document(&project, true)))
}

pub async fn delete(site: web::Data<Site>, caller: Caller, id: web::Path<ProjectId>) -> Result<HttpResponse, ApiError> {
    projects::delete(&site, &caller, &id).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "Project deleted", "id": *id })))
}

pub async fn reset_usage(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<ProjectId>,
) -> Result<HttpResponse, ApiError> {
    projects::reset_usage(&site, &caller, &id).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "Project quota reset", "id": *id })))
}

pub async fn usage(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<ProjectId>,
    span: web::Query<Span>,
) -> Result<HttpResponse, ApiError> {
    let project = known(&site, &caller, &id).await?;
    let days = site.store.project_usage(&project.id, span.first_day(&site)).await?;
    Ok(HttpResponse::Ok().json(days.iter().map(usage_row).collect::<Vec<_>>()))
}
