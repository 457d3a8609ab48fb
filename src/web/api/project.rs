//! Projects, to look at.

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use super::user::{Span, usage_row};
use crate::domain::ProjectId;
use crate::domain::project::Project;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::ApiError;

pub(super) fn document(project: &Project) -> Value {
    json!({
        "id": project.id,
        "description": project.description,
        "owner": project.owner,
        "members": project.members,
        "prio": project.priority,
        "quota_time": project.quotas.time,
        "quota_cpu": project.quotas.cpu,
        "quota_ram": project.quotas.ram,
        "volumes": [],
    })
}

/// The project, if the caller is in it, or an administrator.
async fn known(site: &Site, caller: &Caller, id: &ProjectId) -> Result<Project, ApiError> {
    let project = if caller.user.admin {
        site.store.project(id).await?
    } else {
        site.store.projects_of(caller.id()).await?.into_iter().find(|project| project.id == *id)
    };
    project.ok_or(ApiError::NotFound("project"))
}

pub async fn show(site: web::Data<Site>, caller: Caller, id: web::Path<ProjectId>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(document(&known(&site, &caller, &id).await?)))
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
