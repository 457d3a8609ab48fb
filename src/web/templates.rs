//! Templates: jobs that a user keeps under a name, to submit them again.
//!
//! What is kept is the document that `POST /task` takes. It is checked when it is submitted, not before: what the site
//! allows may have changed by then.

use serde_json::{Value, json};

use super::Site;
use super::access::{Caller, new_secret};
use super::error::ApiError;
use super::words::says;
use super::{jobs, view};
use crate::domain::{Job, JobId};
use crate::store::Template;

/// Of a user.
pub const MOST: usize = 100;
const LONGEST_NAME: usize = 100;
const LARGEST: usize = 256 * 1024;
/// Of the random part that makes an id.
const ID_LENGTH: usize = 12;

/// The caller's own, by name.
///
/// # Errors
/// The store's.
pub async fn list(site: &Site, caller: &Caller) -> Result<Vec<Template>, ApiError> {
    Ok(site.store.templates(caller.id()).await?)
}

/// One of the caller's own.
///
/// # Errors
/// 404, or the store's.
pub async fn get(site: &Site, caller: &Caller, id: &str) -> Result<Template, ApiError> {
    let found = list(site, caller).await?.into_iter().find(|template| template.id == id);
    found.ok_or(ApiError::NotFound("template"))
}

/// Keeps a document under a name.
///
/// # Errors
/// A name or document at fault; 409 when there are as many as one may have, or one of that name.
pub async fn create(site: &Site, caller: &Caller, name: &str, document: &Value) -> Result<Template, ApiError> {
    let (name, document) = (checked_name(name)?, checked(document)?);
    let now = site.clock.now();
    let id: String = new_secret().chars().filter(char::is_ascii_alphanumeric).take(ID_LENGTH).collect();
    let user = caller.id().clone();
    put(site, Template { user, id, name, document, created: now, changed: now }).await
}

/// Keeps what a job that the caller may see asked for.
///
/// # Errors
/// 404 for the job, and as [`create`].
pub async fn create_from(site: &Site, caller: &Caller, name: &str, job: JobId) -> Result<Template, ApiError> {
    let job = jobs::visible(site, caller, job).await?;
    create(site, caller, name, &document_of(&job)).await
}

/// Renames it, or gives it another document, or both.
///
/// # Errors
/// 404, and as [`create`].
pub async fn change(
    site: &Site,
    caller: &Caller,
    id: &str,
    name: Option<&str>,
    document: Option<&Value>,
) -> Result<Template, ApiError> {
    let mut template = get(site, caller, id).await?;
    if let Some(name) = name {
        template.name = checked_name(name)?;
    }
    if let Some(document) = document {
        template.document = checked(document)?;
    }
    template.changed = site.clock.now();
    put(site, template).await
}

/// # Errors
/// 404, or the store's.
pub async fn delete(site: &Site, caller: &Caller, id: &str) -> Result<(), ApiError> {
    let there_was = site.store.remove_template(caller.id(), id).await?;
    if there_was { Ok(()) } else { Err(ApiError::NotFound("template")) }
}

async fn put(site: &Site, template: Template) -> Result<Template, ApiError> {
    if site.store.put_template(&template, MOST).await? {
        return Ok(template);
    }
    Err(ApiError::Conflict(says("fault-template-taken").set("name", &template.name).set("most", MOST)))
}

fn checked_name(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    let is_name = !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.contains(char::is_control);
    let expected = || ApiError::field("name", says("fault-template-name").set("most", LONGEST_NAME));
    is_name.then(|| name.to_owned()).ok_or_else(expected)
}

/// Without what only one job of a time can have.
fn checked(document: &Value) -> Result<Value, ApiError> {
    let Value::Object(fields) = document else {
        return Err(ApiError::field("document", says("fault-template-document")));
    };
    let mut fields = fields.clone();
    for of_one_job in ["id", "parent_task_id", "date", "status"] {
        fields.remove(of_one_job);
    }
    let document = Value::Object(fields);
    if document.to_string().len() > LARGEST {
        return Err(ApiError::field("document", says("fault-template-bytes").set("most", LARGEST)));
    }
    Ok(document)
}

/// What to submit to have such a job again. What it waited for is left out: that is over, or will be.
pub fn document_of(job: &Job) -> Value {
    let spec = &job.spec;
    let array = spec.array.map(|array| json!({ "values": array.to_string() }));
    json!({
        "user": { "project": job.owner.project },
        "meta": { "name": spec.name, "description": spec.description, "tags": spec.tags },
        "requirements": {
            "cpu": spec.resources.cpu,
            "ram": spec.resources.ram,
            "gpus": spec.resources.gpus,
            "array": array.filter(|_| job.parent().is_none()),
            "label": spec.labels.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "ports": spec.ports,
            "tmpstorage": spec.tmp_storage.as_ref().map(|tmp| json!({ "size": tmp.bytes.to_string(), "path": tmp.path })),
            "failure_policy": spec.retries,
            "executor": spec.executor,
            "maxlifespan": spec.max_lifespan.map(super::submission::lifespan_text),
        },
        "container": {
            "image": spec.image,
            "volumes": spec.volumes.iter()
                .map(|volume| json!({ "name": volume.name, "acl": volume.acl }))
                .collect::<Vec<_>>(),
            "network": spec.network,
            "root": spec.root,
        },
        "command": { "interactive": false, "cmd": spec.script },
        "notify": { "email": spec.notify_email },
    })
}

/// As the API shows it: without its document in a list.
pub fn document(template: &Template, whole: bool) -> Value {
    let mut shown = json!({
        "id": template.id, "name": template.name,
        "created": view::date(template.created), "changed": view::date(template.changed),
        "image": template.document.pointer("/container/image"),
    });
    if whole {
        shown["document"] = template.document.clone();
    }
    shown
}
