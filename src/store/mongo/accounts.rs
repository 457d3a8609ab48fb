//! Changes to accounts: all of a change or none of it, and the audit log with it.

use async_trait::async_trait;
use mongodb::bson::{Bson, Document, doc};

use super::credentials::{CREDENTIALS, credential_document, kind_text};
use super::document::JOBS;
use super::error::Fault;
use super::fence::allocate;
use super::ops::{Done, Ops};
use super::people::{PROJECTS, USERS, project_fields, revision, user_fields};
use super::settings::put_setting;
use super::templates::TEMPLATES;
use super::transact::{Verdict, Work};
use super::{audit, people};
use crate::domain::project::Project;
use crate::domain::{AuditEntry, Phase, ProjectId, User, UserId};
use crate::store::{AccountChange, Changed};

pub struct ChangeAccounts {
    pub changes: Vec<AccountChange>,
    pub audit: Vec<AuditEntry>,
}

#[async_trait]
impl Work for ChangeAccounts {
    type Answer = Changed;

    async fn run(&self, ops: &mut Ops<'_>) -> Done<Verdict<Changed>> {
        for change in &self.changes {
            if !is_fresh(ops, change).await? {
                return Ok(Verdict::Undo(Changed::Stale));
            }
            match apply(ops, change).await {
                // Somebody else made an account of this name or identity at this moment.
                Err(fault) if fault.is_duplicate() => return Ok(Verdict::Undo(Changed::Stale)),
                applied => applied?,
            }
        }
        for entry in &self.audit {
            let number = allocate(ops, audit::COUNTER, 1).await?;
            audit::write(ops, number, entry).await?;
        }
        Ok(Verdict::Keep(Changed::Done))
    }
}

/// Whether all is as the change expects it.
pub async fn is_fresh(ops: &mut Ops<'_>, change: &AccountChange) -> Done<bool> {
    match change {
        AccountChange::PutUser(user) => is_user_fresh(ops, user).await,
        AccountChange::PutProject(project) => {
            Ok(revision(ops, PROJECTS, project.id.as_str()).await? == project.revision)
        }
        AccountChange::RemoveProject(id) => has_no_active_jobs(ops, id).await,
        AccountChange::RemoveUser(_)
        | AccountChange::PutSetting { .. }
        | AccountChange::PutCredential(_)
        | AccountChange::RemoveCredential { .. }
        | AccountChange::RemoveCredentials { .. } => Ok(true),
    }
}

async fn is_user_fresh(ops: &mut Ops<'_>, user: &User) -> Done<bool> {
    if revision(ops, USERS, user.id.as_str()).await? != user.revision {
        return Ok(false);
    }
    let Some(identity) = &user.identity else { return Ok(true) };
    let owner = people::user_by_identity(ops, identity).await?;
    Ok(owner.is_none_or(|owner| owner.id == user.id))
}

async fn has_no_active_jobs(ops: &mut Ops<'_>, id: &ProjectId) -> Done<bool> {
    let filter = doc! { "god.project": id.as_str(), "god.phase": { "$lt": Phase::Over as i32 } };
    Ok(ops.find_one(JOBS, filter).await?.is_none())
}

/// Doing it twice has the effect of once: what is replaced is looked for at its old revision.
pub async fn apply(ops: &mut Ops<'_>, change: &AccountChange) -> Done<()> {
    match change {
        AccountChange::PutUser(user) => put_user(ops, user).await,
        AccountChange::RemoveUser(id) => remove_user(ops, id).await,
        AccountChange::PutProject(project) => put_project(ops, project).await,
        AccountChange::RemoveProject(id) => ops.delete(PROJECTS, doc! { "god.id": id.as_str() }).await.map(drop),
        AccountChange::PutSetting { key, value } => put_setting(ops, key, value).await,
        AccountChange::PutCredential(credential) => {
            // `$lte` asks numbers only: what never expires has none.
            ops.delete(CREDENTIALS, doc! { "expires": { "$lte": credential.created.0 } }).await?;
            ops.insert(CREDENTIALS, vec![credential_document(credential)]).await
        }
        AccountChange::RemoveCredential { user, id } => {
            ops.delete(CREDENTIALS, doc! { "user": user.as_str(), "id": id }).await.map(drop)
        }
        AccountChange::RemoveCredentials { user, kind } => {
            ops.delete(CREDENTIALS, doc! { "user": user.as_str(), "kind": kind_text(*kind) }).await.map(drop)
        }
    }
}

async fn put_user(ops: &mut Ops<'_>, user: &User) -> Done<()> {
    put(ops, USERS, user.id.as_str(), user.revision, user_fields(user)?).await
}

async fn put_project(ops: &mut Ops<'_>, project: &Project) -> Done<()> {
    put(ops, PROJECTS, project.id.as_str(), project.revision, project_fields(project)?).await
}

async fn put(ops: &mut Ops<'_>, collection: &str, id: &str, revision: u64, fields: Document) -> Done<()> {
    if revision > 0 {
        let filter = doc! { "god.id": id, "god.rev": revision.cast_signed() };
        return ops.update_one(collection, filter, doc! { "$set": fields }).await.map(drop);
    }
    let mut document = Document::new();
    fields.into_iter().for_each(|(path, value): (String, Bson)| super::face::put(&mut document, &path, value));
    ops.insert(collection, vec![document]).await
}

/// What they used stays in the ledger.
async fn remove_user(ops: &mut Ops<'_>, id: &UserId) -> Done<()> {
    let id = id.as_str();
    ops.delete(CREDENTIALS, doc! { "user": id }).await?;
    ops.delete(TEMPLATES, doc! { "user": id }).await?;
    ops.update_many(PROJECTS, doc! { "god.members": id }, doc! { "$pull": { "god.members": id, "members": id } })
        .await?;
    ops.delete(USERS, doc! { "god.id": id }).await.map(drop)
}

/// For whoever finishes what another began.
pub async fn apply_again(ops: &mut Ops<'_>, change: &AccountChange) -> Done<()> {
    match apply(ops, change).await {
        Err(fault @ Fault::Driver(_)) if fault.is_duplicate() => Ok(()),
        applied => applied,
    }
}
