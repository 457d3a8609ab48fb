//! Users and projects: their documents, and reading them.
//!
//! As with jobs, `god` is the truth (the account as JSON, with what is searched for beside it), and the original's
//! fields are written beside it for who reads its collections.

use mongodb::bson::{Document, doc};

use super::document::{body, to_json};
use super::error::corrupt;
use super::face;
use super::ops::{Done, Find, Ops};
use crate::domain::project::Project;
use crate::domain::{Identity, ProjectId, Quotas, User, UserId};
use crate::store::Result;

pub const USERS: &str = "users";
pub const PROJECTS: &str = "projects";

/// The fields of a user as it is stored at the next revision.
pub fn user_fields(user: &User) -> Result<Document> {
    let stored = User { revision: user.revision + 1, ..user.clone() };
    let home = user.home.as_ref().map(|home| home.to_string_lossy().into_owned());
    let mut god = doc! {
        "id": user.id.as_str(), "rev": stored.revision.cast_signed(), "body": to_json("a user", &stored)?,
    };
    if let Some(identity) = &user.identity {
        god.insert("identity", doc! { "issuer": &identity.issuer, "subject": &identity.subject });
    }
    Ok(doc! {
        "id": user.id.as_str(), "uid": user.uid, "gid": user.gid, "sgids": user.groups.clone(),
        "email": user.email.clone(), "homeDirectory": home, "admin": user.admin, "type": user.kind.as_str(),
        "credentials.public": user.ssh_public.clone(),
        "usage.prio": i32::from(user.priority),
        "usage.quota_time": capped(user.quotas.time),
        "usage.quota_cpu": capped(user.quotas.cpu),
        "usage.quota_ram": capped(user.quotas.ram),
        "god": god,
    })
}

pub fn project_fields(project: &Project) -> Result<Document> {
    let stored = Project { revision: project.revision + 1, members: Vec::new(), ..project.clone() };
    let mut members: Vec<_> = project.members.iter().map(UserId::as_str).collect();
    members.sort_unstable();
    members.dedup();
    let volumes: Vec<_> = project.volumes.iter().map(face::volume).collect();
    let Quotas { time, cpu, ram, .. } = project.quotas;
    Ok(doc! {
        "id": project.id.as_str(), "description": &project.description,
        "owner": project.owner.as_ref().map(UserId::as_str), "members": &members,
        "prio": i32::from(project.priority), "volumes": volumes,
        "quota_time": capped(time), "quota_cpu": capped(cpu), "quota_ram": capped(ram),
        "god": {
            "id": project.id.as_str(), "rev": stored.revision.cast_signed(), "members": members,
            "body": to_json("a project", &stored)?,
        },
    })
}

/// BSON's whole numbers end where ours go on.
fn capped(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn god<'d>(place: &str, document: &'d Document) -> Result<&'d Document> {
    document.get_document("god").map_err(|error| corrupt(place, error))
}

fn read_user(document: &Document) -> Result<User> {
    let god = god("a user", document)?;
    body(&format!("user {}", god.get_str("id").unwrap_or_default()), god, "body")
}

fn read_project(document: &Document) -> Result<Project> {
    let god = god("a project", document)?;
    let place = format!("project {}", god.get_str("id").unwrap_or_default());
    let mut project: Project = body(&place, god, "body")?;
    let members = god.get_array("members").map_err(|error| corrupt(&place, error))?;
    let member = |member: &mongodb::bson::Bson| member.as_str().unwrap_or_default().parse();
    project.members =
        members.iter().map(member).collect::<std::result::Result<_, _>>().map_err(|error| corrupt(&place, error))?;
    Ok(project)
}

/// The revision that is stored; 0 where there is none.
pub async fn revision(ops: &mut Ops<'_>, collection: &str, id: &str) -> Done<u64> {
    let Some(found) = ops.find_one(collection, doc! { "god.id": id }).await? else { return Ok(0) };
    let revision = god(collection, &found)?.get_i64("rev").map_err(|error| corrupt(collection, error))?;
    Ok(revision.cast_unsigned())
}

pub async fn user(ops: &mut Ops<'_>, id: &UserId) -> Done<Option<User>> {
    let found = ops.find_one(USERS, doc! { "god.id": id.as_str() }).await?;
    Ok(found.as_ref().map(read_user).transpose()?)
}

pub async fn users(ops: &mut Ops<'_>) -> Done<Vec<User>> {
    let find = Find { sort: Some(doc! { "god.id": 1 }), ..Find::all(doc! { "god.id": { "$gt": "" } }) };
    Ok(ops.find(USERS, find).await?.iter().map(read_user).collect::<Result<_>>()?)
}

pub async fn user_by_identity(ops: &mut Ops<'_>, identity: &Identity) -> Done<Option<User>> {
    let found = ops.find_one(USERS, by_identity(identity)).await?;
    Ok(found.as_ref().map(read_user).transpose()?)
}

fn by_identity(identity: &Identity) -> Document {
    doc! { "god.identity.issuer": &identity.issuer, "god.identity.subject": &identity.subject }
}

pub async fn project(ops: &mut Ops<'_>, id: &ProjectId) -> Done<Option<Project>> {
    let found = ops.find_one(PROJECTS, doc! { "god.id": id.as_str() }).await?;
    match found {
        Some(found) => Ok(Some(read_project(&found)?)),
        None => Ok(id.is_default().then(Project::default_project)),
    }
}

pub async fn projects(ops: &mut Ops<'_>) -> Done<Vec<Project>> {
    default_first(ops, doc! { "god.id": { "$gt": "" } }).await
}

pub async fn projects_of(ops: &mut Ops<'_>, user: &UserId) -> Done<Vec<Project>> {
    default_first(ops, doc! { "god.members": user.as_str() }).await
}

/// The default project is everyone's, also when it was never written.
async fn default_first(ops: &mut Ops<'_>, filter: Document) -> Done<Vec<Project>> {
    let mut projects: Vec<_> = project(ops, &ProjectId::default_project()).await?.into_iter().collect();
    let find = Find { sort: Some(doc! { "god.id": 1 }), ..Find::all(filter) };
    for found in ops.find(PROJECTS, find).await? {
        let named = read_project(&found)?;
        if !named.id.is_default() {
            projects.push(named);
        }
    }
    Ok(projects)
}
