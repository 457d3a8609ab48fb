//! The list of projects, and one project.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{audit, words};
use crate::domain::ProjectId;
use crate::domain::project::Project;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::accounts::projects;
use crate::web::error::{ApiError, FieldFault};
use crate::web::pages::chrome::{Chrome, Visitor, page, page_with, see};
use crate::web::pages::error::PageError;

#[derive(Template)]
#[template(path = "admin_projects.html")]
struct ProjectsPage {
    chrome: Chrome,
    here: &'static str,
    projects: Vec<Project>,
    form: Form,
    faults: Vec<FieldFault>,
}

#[derive(Template)]
#[template(path = "admin_project.html")]
struct ProjectPage {
    chrome: Chrome,
    here: &'static str,
    id: String,
    subject: String,
    is_default: bool,
    /// Each leads to its page.
    members: Vec<String>,
    form: Form,
    saved: bool,
    faults: Vec<FieldFault>,
    history: Vec<audit::Row>,
}

/// All as typed: the API's rules say what is wrong with it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Form {
    id: String,
    description: String,
    owner: String,
    members: String,
    prio: String,
    quota_time: String,
    quota_cpu: String,
    quota_ram: String,
    quota_gpu: String,
    /// A line each: name, acl, path and, if it is another, mount.
    volumes: String,
}

impl Form {
    fn new() -> Self {
        Form { prio: "50".into(), ..Form::default() }
    }

    fn of(project: &Project) -> Self {
        let members: Vec<_> = project.members.iter().map(ToString::to_string).collect();
        let volumes: Vec<_> = project
            .volumes
            .iter()
            .map(|v| format!("{} {} {} {}", v.name, v.acl.as_str(), v.path.display(), v.mount.display()))
            .collect();
        Form {
            id: project.id.to_string(),
            description: project.description.clone(),
            owner: project.owner.as_ref().map(ToString::to_string).unwrap_or_default(),
            members: members.join(" "),
            prio: project.priority.to_string(),
            quota_time: project.quotas.time.to_string(),
            quota_cpu: project.quotas.cpu.to_string(),
            quota_ram: project.quotas.ram.to_string(),
            quota_gpu: project.quotas.gpu.to_string(),
            volumes: volumes.join("\n"),
        }
    }

    /// What the API takes.
    fn document(&self) -> Value {
        let volume = |line: &str| {
            let mut parts = line.split_whitespace();
            let mut next = || parts.next().unwrap_or_default().to_owned();
            let (name, acl, path, mount) = (next(), next(), next(), next());
            json!({ "name": name, "acl": acl, "path": path, "mount": mount })
        };
        let volumes: Vec<_> = self.volumes.lines().filter(|line| !line.trim().is_empty()).map(volume).collect();
        json!({
            "id": self.id.trim(), "description": self.description, "owner": self.owner.trim(),
            "members": words(&self.members), "prio": self.prio, "quota_time": self.quota_time,
            "quota_cpu": self.quota_cpu, "quota_ram": self.quota_ram, "quota_gpu": self.quota_gpu,
            "volumes": volumes,
        })
    }
}

async fn list_page(
    site: &Site,
    request: &HttpRequest,
    caller: &Caller,
    form: Form,
    faults: Vec<FieldFault>,
) -> Result<ProjectsPage, ApiError> {
    let projects = site.store.projects().await?;
    Ok(ProjectsPage { chrome: Chrome::new(request, Some(caller), "admin"), here: "projects", projects, form, faults })
}

pub async fn list(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
) -> Result<HttpResponse, PageError> {
    let shown = list_page(&site, &request, &caller, Form::new(), Vec::new()).await;
    Ok(page(&shown.map_err(|error| PageError::of(&request, Some(&caller), error))?))
}

pub async fn create(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let form = form.into_inner();
    match projects::create(&site, &caller, &form.document()).await {
        Ok(project) => Ok(see(&site.config.web.prefix, &format!("/admin/projects/{}?saved=1", project.id))),
        Err(ApiError::Invalid(faults)) => {
            let shown = list_page(&site, &request, &caller, form, faults).await.map_err(failed)?;
            Ok(page_with(StatusCode::BAD_REQUEST, &shown))
        }
        Err(error) => Err(failed(error)),
    }
}

#[derive(Deserialize)]
pub struct Shown {
    saved: Option<u8>,
}

async fn project_page(
    site: &Site,
    request: &HttpRequest,
    caller: &Caller,
    project: &Project,
    form: Form,
    saved: bool,
    faults: Vec<FieldFault>,
) -> Result<ProjectPage, ApiError> {
    let chrome = Chrome::new(request, Some(caller), "admin");
    let id = &project.id;
    Ok(ProjectPage {
        here: "projects",
        id: id.to_string(),
        subject: id.to_string(),
        is_default: id.is_default(),
        members: project.members.iter().map(ToString::to_string).collect(),
        form,
        saved,
        faults,
        history: audit::history(site, &chrome.words, id.as_str(), true).await?,
        chrome,
    })
}

fn project_id(text: &str) -> Result<ProjectId, ApiError> {
    text.parse().map_err(|_| ApiError::NotFound("project"))
}

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    id: web::Path<String>,
    shown: web::Query<Shown>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let id = project_id(&id).map_err(failed)?;
    let project = projects::known(&site, &caller, &id).await.map_err(failed)?;
    let (form, saved) = (Form::of(&project), shown.saved.is_some());
    let shown = project_page(&site, &request, &caller, &project, form, saved, Vec::new()).await;
    Ok(page(&shown.map_err(failed)?))
}

pub async fn post(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    id: web::Path<String>,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let id = project_id(&id).map_err(failed)?;
    let form = form.into_inner();
    match projects::change(&site, &caller, &id, &form.document()).await {
        Ok(_) => Ok(see(&site.config.web.prefix, &format!("/admin/projects/{id}?saved=1"))),
        Err(ApiError::Invalid(faults)) => {
            let project = projects::known(&site, &caller, &id).await.map_err(failed)?;
            let shown = project_page(&site, &request, &caller, &project, form, false, faults).await;
            Ok(page_with(StatusCode::BAD_REQUEST, &shown.map_err(failed)?))
        }
        Err(error) => Err(failed(error)),
    }
}

pub async fn act(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    place: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let (id, verb) = place.into_inner();
    let id = project_id(&id).map_err(failed)?;
    let done = match verb.as_str() {
        "reset" => projects::reset_usage(&site, &caller, &id).await,
        "delete" => projects::delete(&site, &caller, &id).await,
        _ => Err(ApiError::NotFound("page")),
    };
    done.map_err(failed)?;
    let next = if verb == "delete" { "/admin/projects".to_owned() } else { format!("/admin/projects/{id}?saved=1") };
    Ok(see(&site.config.web.prefix, &next))
}
