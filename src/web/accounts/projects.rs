//! Projects: who is in them, what they share, and how much they may use.

use serde_json::{Value, json};

use super::read::{self, Reader};
use super::{differences, entry, tell_scheduler};
use crate::domain::project::Project;
use crate::domain::usage::{Usage, UsageReset};
use crate::domain::{InvalidId, ProjectId, Quotas, UserId};
use crate::store::update::{With, update_project};
use crate::store::{AccountChange, Changed, JobFilter};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::words::{Message, says};

const LONGEST_DESCRIPTION: usize = 4_000;
const MOST_MEMBERS: usize = 10_000;

/// As API.md shows it. Where volumes lie on the host is for administrators alone.
pub fn document(project: &Project, admin: bool) -> Value {
    let volumes: Vec<Value> = project
        .volumes
        .iter()
        .map(|volume| {
            json!({
                "name": volume.name, "acl": volume.acl, "mount": volume.mount,
                "path": if admin { json!(volume.path) } else { Value::Null },
            })
        })
        .collect();
    json!({
        "id": project.id,
        "description": project.description,
        "owner": project.owner,
        "members": project.members,
        "prio": project.priority,
        "quota_time": project.quotas.time,
        "quota_cpu": project.quotas.cpu,
        "quota_ram": project.quotas.ram,
        "quota_gpu": project.quotas.gpu,
        "volumes": volumes,
    })
}

/// The project, if the caller is in it, or an administrator.
pub async fn known(site: &Site, caller: &Caller, id: &ProjectId) -> Result<Project, ApiError> {
    let project = if caller.is_admin() {
        site.store.project(id).await?
    } else {
        site.store.projects_of(caller.id()).await?.into_iter().find(|project| project.id == *id)
    };
    project.ok_or(ApiError::NotFound("project"))
}

/// # Errors
/// Every field at fault; 409 when there is one of this id.
pub async fn create(site: &Site, caller: &Caller, sent: &Value) -> Result<Project, ApiError> {
    let text = sent.get("id").and_then(Value::as_str).unwrap_or_default();
    let id: ProjectId = text.parse().map_err(|error: InvalidId| ApiError::field("id", error.into()))?;
    let mut project = Project::new(id.clone());
    apply(sent, &mut project)?;
    let exists = || ApiError::Conflict(says("fault-project-exists").set("project", &id));
    if id.is_default() {
        return Err(exists());
    }
    let audit = vec![entry(site, caller, "project.create", id.as_str(), document(&project, true))];
    match site.store.change(vec![AccountChange::PutProject(Box::new(project.clone()))], audit).await? {
        Changed::Stale => Err(exists()),
        Changed::Done => {
            tell_scheduler(site).await;
            Ok(project)
        }
    }
}

/// Changes what the document holds; what it does not name stays.
///
/// # Errors
/// Every field at fault; 404.
pub async fn change(site: &Site, caller: &Caller, id: &ProjectId, sent: &Value) -> Result<Project, ApiError> {
    let changed = update_project(site.store.as_ref(), id, |project| {
        let was = document(project, true);
        apply(sent, project)?;
        let difference = differences(&was, &document(project, true));
        let mut with = With::default();
        if difference.as_object().is_some_and(|fields| !fields.is_empty()) {
            with.audit.push(entry(site, caller, "project.change", id.as_str(), difference));
        }
        Ok(with)
    });
    let project = changed.await?.ok_or(ApiError::NotFound("project"))?;
    tell_scheduler(site).await;
    Ok(project)
}

fn apply(sent: &Value, project: &mut Project) -> Result<(), ApiError> {
    let mut reader = Reader::default();
    if let Some(text) = sent.get("description").filter(|text| !text.is_null()) {
        match text.as_str().filter(|text| text.chars().count() <= LONGEST_DESCRIPTION && !text.contains('\0')) {
            Some(text) => project.description = text.trim().to_owned(),
            None => reader.fault("description", says("fault-text-at-most").set("most", LONGEST_DESCRIPTION)),
        }
    }
    if let Some(owner) = sent.get("owner") {
        let parsed = match read::line(owner) {
            Some(None) => Ok(None),
            Some(Some(owner)) => owner.parse::<UserId>().map(Some).map_err(Message::from),
            None => Err(says("fault-user-needed")),
        };
        reader.keep("owner", parsed, &mut project.owner);
    }
    if let Some(members) = sent.get("members").filter(|members| !members.is_null()) {
        reader.keep("members", members_of(members), &mut project.members);
    }
    reader.shares(sent, "", &mut project.priority, &mut project.quotas);
    if let Some(volumes) = sent.get("volumes") {
        project.volumes = read::volumes(&mut reader, volumes);
    }
    if project.id.is_default() {
        if !project.members.is_empty() {
            reader.fault("members", says("fault-default-members"));
        }
        if project.quotas.for_new_account() != Quotas::default() {
            reader.fault("quota_cpu", says("fault-default-quota"));
        }
        if !project.volumes.is_empty() {
            reader.fault("volumes", says("fault-default-volumes"));
        }
    }
    reader.finish()
}

fn members_of(sent: &Value) -> Result<Vec<UserId>, Message> {
    let expected = || says("fault-members").set("most", MOST_MEMBERS);
    let list = sent.as_array().filter(|list| list.len() <= MOST_MEMBERS).ok_or_else(expected)?;
    let mut members = Vec::new();
    for member in list {
        let id: UserId = member.as_str().ok_or_else(expected)?.trim().parse().map_err(Message::from)?;
        if !members.contains(&id) {
            members.push(id);
        }
    }
    Ok(members)
}

/// # Errors
/// 404; 409 for the default project and while jobs of it are active.
pub async fn delete(site: &Site, caller: &Caller, id: &ProjectId) -> Result<(), ApiError> {
    if id.is_default() {
        return Err(ApiError::Conflict(says("fault-default-stays")));
    }
    site.store.project(id).await?.ok_or(ApiError::NotFound("project"))?;
    let audit = vec![entry(site, caller, "project.delete", id.as_str(), json!({}))];
    if site.store.change(vec![AccountChange::RemoveProject(id.clone())], audit).await? == Changed::Stale {
        let active = JobFilter {
            project: Some(id.clone()),
            phases: crate::domain::Phase::ACTIVE.to_vec(),
            ..JobFilter::default()
        };
        let count = site.store.count(&active).await?;
        return Err(ApiError::Conflict(says("fault-project-active").set("count", count).set("project", id)));
    }
    tell_scheduler(site).await;
    Ok(())
}

/// What was used so far counts no more, for quotas and for fair share.
///
/// # Errors
/// 404, or the store's.
pub async fn reset_usage(site: &Site, caller: &Caller, id: &ProjectId) -> Result<(), ApiError> {
    let today = site.clock.now().day();
    let used = site.store.project_usage(id, today).await?.iter().fold(Usage::default(), |sum, day| sum.plus(day.usage));
    let done = update_project(site.store.as_ref(), id, |project| {
        project.reset = Some(UsageReset { day: today, used });
        let audit = vec![entry(site, caller, "project.reset", id.as_str(), json!({}))];
        Ok::<_, ApiError>(With { audit, ..With::default() })
    });
    done.await?.ok_or(ApiError::NotFound("project"))?;
    tell_scheduler(site).await;
    Ok(())
}
