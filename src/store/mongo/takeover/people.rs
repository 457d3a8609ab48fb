//! A user or project of the original, as ours.

use mongodb::bson::Document;

use super::fields::{Fields, Reason};
use crate::domain::credential::secret_hash;
use crate::domain::project::Project;
use crate::domain::{Acl, Mount, ProjectId, Quotas, Standing, Timestamp, User, UserId, UserKind};

/// Passwords stay the bcrypt hashes they are; the API key becomes a hash, and no client notices.
pub fn user(document: &Document, now: Timestamp) -> Result<User, Reason> {
    let fields = Fields(document);
    let id: UserId = fields.parsed("id")?.ok_or("id: expected a name")?;
    let kind = kind(fields)?;
    let uid = fields.whole("uid")?.and_then(|uid| u32::try_from(uid).ok()).ok_or("uid: expected a number")?;
    if uid == 0 {
        return Err("uid: jobs do not run as root".into());
    }
    // An administrator lets a guest in anew unless the original said that one had.
    let is_let_in = kind != UserKind::Guest || fields.bool_or("usage.guest_status", false)?;
    Ok(User {
        uid,
        gid: fields.whole_or("gid", uid)?,
        groups: fields.wholes("sgids")?,
        email: fields.text("email")?.filter(|email| !email.is_empty()),
        home: fields.text("homeDirectory")?.filter(|home| !home.is_empty()).map(Into::into),
        admin: fields.bool_or("admin", false)?,
        standing: if is_let_in { Standing::Active } else { Standing::New },
        password_hash: fields.text("password")?.filter(|hash| !hash.is_empty()),
        api_key_hash: fields.text("credentials.apikey")?.filter(|key| !key.is_empty()).map(|key| secret_hash(&key)),
        ssh_public: fields.text("credentials.public")?.filter(|key| !key.is_empty()),
        priority: priority(fields, "usage.prio")?,
        quotas: quotas(fields, "usage.")?,
        ..User::new(id, kind, now)
    })
}

fn kind(fields: Fields<'_>) -> Result<UserKind, Reason> {
    match fields.text("type")?.unwrap_or_default().as_str() {
        "" | "local" => Ok(UserKind::Local),
        "ldap" => Ok(UserKind::Ldap),
        "guest" => Ok(UserKind::Guest),
        "fake" => Ok(UserKind::Fake),
        other => Err(format!("type: {other:?} is not known")),
    }
}

fn priority(fields: Fields<'_>, path: &str) -> Result<u8, Reason> {
    Ok(fields.whole_or::<u64>(path, 50)?.min(100) as u8)
}

fn quotas(fields: Fields<'_>, prefix: &str) -> Result<Quotas, Reason> {
    let quota = |name: &str| Ok::<_, Reason>(fields.number(&format!("{prefix}quota_{name}"))?.map_or(0, |n| n as u64));
    Ok(Quotas { time: quota("time")?, cpu: quota("cpu")?, ram: quota("ram")?, ..Quotas::default() })
}

pub fn project(document: &Document) -> Result<Project, Reason> {
    let fields = Fields(document);
    let id: ProjectId = fields.parsed("id")?.ok_or("id: expected a name")?;
    let member = |name: String| name.parse::<UserId>().map_err(|error| format!("members: {error}"));
    let mut volumes = Vec::new();
    for volume in fields.documents("volumes")? {
        volumes.push(Mount {
            name: volume.needed("name")?,
            acl: if volume.text("acl")?.as_deref() == Some("rw") { Acl::Rw } else { Acl::Ro },
            path: volume.needed("path")?.into(),
            mount: volume.needed("mount")?.into(),
        });
    }
    Ok(Project {
        description: fields.text("description")?.unwrap_or_default(),
        owner: fields.parsed("owner")?,
        members: fields.texts("members")?.into_iter().map(member).collect::<Result<_, _>>()?,
        priority: priority(fields, "prio")?,
        quotas: quotas(fields, "")?,
        volumes,
        ..Project::new(id)
    })
}
