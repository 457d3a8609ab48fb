//! Users: themselves, their preferences, and what administrators decide about them.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::read::{self, Reader};
use super::{differences, entry, tell_scheduler};
use crate::bus::Command;
use crate::domain::usage::{Usage, UsageReset};
use crate::domain::{CredentialKind, Language, Standing, Theme, User, UserId, UserKind};
use crate::plugins::auth::password;
use crate::store::AccountChange;
use crate::store::update::{With, update_user};
use crate::web::Site;
use crate::web::access::{Caller, new_secret, secret_hash, session};
use crate::web::error::ApiError;
use crate::web::words::{Message, expected_one_of, says};

/// The shortest password that is taken.
const SHORTEST_PASSWORD: usize = 8;

/// As API.md shows it; `disk` is what the user's job files take now. Keys are never readable: the API key is stored
/// hashed, private keys not at all.
pub fn document(user: &User, disk: u64) -> Value {
    json!({
        "id": user.id,
        "uid": user.uid,
        "gid": user.gid,
        "sgids": user.groups,
        "email": user.email,
        "homeDirectory": user.home.as_ref().filter(|_| !user.is_guest()),
        "admin": user.admin,
        "active": user.standing == Standing::Active,
        "standing": user.standing,
        "type": user.kind,
        "created": crate::web::view::date(user.created),
        "credentials": { "apikey": "", "public": user.ssh_public.as_deref().unwrap_or_default() },
        "preferences": user.preferences,
        "usage": {
            "prio": user.priority,
            "quota_time": user.quotas.time,
            "quota_cpu": user.quotas.cpu,
            "quota_ram": user.quotas.ram,
            "quota_gpu": user.quotas.gpu,
            "quota_disk": user.quotas.disk,
            "quota_upload": user.quotas.upload,
            "disk": disk,
            "guest_home": user.home.as_ref().filter(|_| user.is_guest()),
        },
    })
}

/// What each user's job files take now.
pub async fn disk_use(site: &Site) -> Result<HashMap<UserId, u64>, ApiError> {
    Ok(site.store.disk_use().await?.into_iter().collect())
}

/// The user, if it is the caller, or the caller an administrator.
pub async fn known(site: &Site, caller: &Caller, id: &UserId) -> Result<User, ApiError> {
    if caller.id() == id {
        return Ok(caller.user.clone());
    }
    let user = if caller.may_manage(id) { site.store.user(id).await? } else { None };
    user.filter(|user| user.standing != Standing::Leaving).ok_or(ApiError::NotFound("user"))
}

/// All users but those being deleted, by id; narrowed to those whose id, mail, kind or standing holds `search`.
pub async fn list(site: &Site, search: &str) -> Result<Vec<User>, ApiError> {
    let search = search.trim().to_lowercase();
    let holds = |user: &User| {
        let words =
            [user.id.as_str(), user.email.as_deref().unwrap_or_default(), user.kind.as_str(), user.standing.as_str()];
        words.iter().any(|word| word.to_lowercase().contains(&search))
    };
    let users = site.store.users().await?;
    Ok(users
        .into_iter()
        .filter(|user| user.standing != Standing::Leaving && (search.is_empty() || holds(user)))
        .collect())
}

/// Changes what the document holds and the caller may change; the rest of it, as it comes from a GET, is let pass.
///
/// # Errors
/// [`ApiError::Invalid`] with every field at fault; 403 for what only administrators change; 409 for what would leave
/// the site without one.
pub async fn change(site: &Site, caller: &Caller, id: &UserId, sent: &Value) -> Result<User, ApiError> {
    let before = known(site, caller, id).await?;
    let mut wanted = before.clone();
    apply(sent, caller, &mut wanted)?;
    if before.admin && before.standing == Standing::Active && !(wanted.admin && wanted.standing == Standing::Active) {
        other_administrator(site, id).await?;
    }
    let changed = update_user(site.store.as_ref(), id, |user| {
        let was = user.clone();
        apply(sent, caller, user)?;
        let mut with = With::default();
        if was.standing != user.standing && !user.standing.may_come_in() {
            with.changes.push(session::end_all(user));
            let tokens = CredentialKind::Token;
            with.changes.push(AccountChange::RemoveCredentials { user: id.clone(), kind: tokens });
        }
        let mut difference = differences(&document(&was, 0), &document(user, 0));
        // It follows from the standing.
        difference.as_object_mut().and_then(|fields| fields.remove("active"));
        if difference.as_object().is_some_and(|fields| !fields.is_empty()) {
            with.audit.push(entry(site, caller, "user.change", id.as_str(), difference));
        }
        Ok(with)
    });
    let user = changed.await?.ok_or(ApiError::NotFound("user"))?;
    tell_scheduler(site).await;
    Ok(user)
}

fn apply(sent: &Value, caller: &Caller, user: &mut User) -> Result<(), ApiError> {
    let mut reader = Reader::default();
    let was = user.clone();
    if let Some(email) = sent.get("email") {
        reader.keep("email", read::email(email), &mut user.email);
    }
    if let Some(keys) = sent.pointer("/credentials/public") {
        reader.keep("credentials.public", read::public_keys(keys), &mut user.ssh_public);
    }
    if let Some(theme) = sent.pointer("/preferences/theme") {
        let named = theme.as_str().and_then(Theme::named);
        reader.keep(
            "preferences.theme",
            named.ok_or_else(|| expected_one_of(&["auto", "light", "dark"])),
            &mut user.preferences.theme,
        );
    }
    if let Some(language) = sent.pointer("/preferences/language") {
        let named = language.as_str().and_then(Language::named).ok_or_else(|| expected_one_of(&["auto", "en", "fr"]));
        reader.keep("preferences.language", named, &mut user.preferences.language);
    }
    if let Some(zone) = sent.pointer("/preferences/zone") {
        reader.keep("preferences.zone", read::zone(zone), &mut user.preferences.zone);
    }
    if let Some(lists) = sent.pointer("/preferences/lists") {
        reader.keep("preferences.lists", read::lists(lists), &mut user.preferences.lists);
    }
    if let Some(notify) = sent.pointer("/preferences/notify") {
        reader.keep("preferences.notify", notify.as_bool().ok_or_else(expected_flag), &mut user.preferences.notify);
    }
    if let Some(usage) = sent.get("usage").filter(|usage| !usage.is_null()) {
        reader.shares(usage, "usage.", &mut user.priority, &mut user.quotas);
    }
    if let Some(admin) = sent.get("admin").filter(|admin| !admin.is_null()) {
        reader.keep("admin", admin.as_bool().ok_or_else(expected_flag), &mut user.admin);
    }
    if let Some(standing) = sent.get("standing").filter(|standing| !standing.is_null()) {
        let known = [was.standing, Standing::Active, Standing::Disabled];
        let named = known.into_iter().find(|known| Some(known.as_str()) == standing.as_str());
        reader.keep("standing", named.ok_or_else(|| expected_one_of(&["active", "disabled"])), &mut user.standing);
    }
    reader.finish()?;
    let reserved = |user: &User| (user.priority, user.quotas, user.admin, user.standing);
    if !caller.is_admin() && reserved(&was) != reserved(user) {
        return Err(ApiError::Forbidden(says("fault-reserved")));
    }
    if user.admin && !was.admin && user.is_guest() {
        return Err(ApiError::field("admin", says("fault-guest-admin")));
    }
    if was.kind == UserKind::Ldap && was.email != user.email {
        return Err(ApiError::field("email", says("fault-directory-email")));
    }
    Ok(())
}

fn expected_flag() -> Message {
    says("fault-expected").set("what", says("kind-flag"))
}

/// A site without an administrator could not get one again but by hand.
async fn other_administrator(site: &Site, id: &UserId) -> Result<(), ApiError> {
    let users = site.store.users().await?;
    let another = users.iter().any(|user| user.id != *id && user.admin && user.standing == Standing::Active);
    if another { Ok(()) } else { Err(ApiError::Conflict(says("fault-last-administrator").set("user", id))) }
}

/// Has a user deleted with all data: nobody comes in under this name any more, jobs end, files and records go. The
/// archiver does the rest.
///
/// # Errors
/// 404, or 409 for the caller and for the last administrator.
pub async fn delete(site: &Site, caller: &Caller, id: &UserId) -> Result<(), ApiError> {
    let user = known(site, caller, id).await?;
    if caller.id() == id {
        return Err(ApiError::Conflict(says("fault-delete-self")));
    }
    if user.admin && user.standing == Standing::Active {
        other_administrator(site, id).await?;
    }
    let deleted = update_user(site.store.as_ref(), id, |user| {
        let audit = vec![entry(site, caller, "user.delete", id.as_str(), json!({}))];
        Ok::<_, ApiError>(With { changes: leave(user), audit })
    });
    deleted.await?.ok_or(ApiError::NotFound("user"))?;
    tell_scheduler(site).await;
    crate::web::jobs::tell(site, Command::UsersLeaving).await;
    Ok(())
}

/// What closes an account for good.
pub fn leave(user: &mut User) -> Vec<AccountChange> {
    user.standing = Standing::Leaving;
    user.password_hash = None;
    user.api_key_hash = None;
    let tokens = AccountChange::RemoveCredentials { user: user.id.clone(), kind: CredentialKind::Token };
    vec![session::end_all(user), tokens]
}

/// A new API key, readable in the answer and never again. The old one, and tokens made with it, open nothing any more.
///
/// # Errors
/// 404 for another's account: not even administrators hold other people's keys.
pub async fn renew_key(site: &Site, caller: &Caller, id: &UserId) -> Result<String, ApiError> {
    own(caller, id)?;
    let key = new_secret();
    let renewed = update_user(site.store.as_ref(), id, |user| {
        user.api_key_hash = Some(secret_hash(&key));
        user.token_epoch += 1;
        let audit = vec![entry(site, caller, "user.key", id.as_str(), json!({}))];
        Ok::<_, ApiError>(With { audit, ..With::default() })
    });
    renewed.await?.ok_or(ApiError::NotFound("user"))?;
    Ok(key)
}

pub(super) fn own(caller: &Caller, id: &UserId) -> Result<(), ApiError> {
    if caller.id() == id { Ok(()) } else { Err(ApiError::NotFound("user")) }
}

/// Ends every session and every token of `/authenticate`, wherever they are. Personal tokens stay: they have a list.
///
/// # Errors
/// 404 for what is not the caller's, unless an administrator's.
pub async fn log_out_everywhere(site: &Site, caller: &Caller, id: &UserId) -> Result<(), ApiError> {
    known(site, caller, id).await?;
    let done = update_user(site.store.as_ref(), id, |user| {
        let changes = vec![session::end_all(user)];
        let audit = vec![entry(site, caller, "user.logout", id.as_str(), json!({}))];
        Ok::<_, ApiError>(With { changes, audit })
    });
    done.await?.ok_or(ApiError::NotFound("user")).map(drop)
}

/// A new password for the caller, who knows the old one. Every session ends, this one too.
///
/// # Errors
/// Fields at fault; 409 where the account has no password here.
pub async fn change_password(site: &Site, caller: &Caller, old: &str, new: &str) -> Result<(), ApiError> {
    let Some(hash) = caller.user.password_hash.as_deref().filter(|_| caller.user.kind == UserKind::Local) else {
        return Err(ApiError::Conflict(says("fault-no-password")));
    };
    if !password::verify(old, Some(hash)).await {
        return Err(ApiError::field("old", says("fault-old-password")));
    }
    let hash = new_password_hash(new).await?;
    let done = update_user(site.store.as_ref(), caller.id(), |user| {
        user.password_hash = Some(hash.clone());
        let changes = vec![session::end_all(user)];
        let audit = vec![entry(site, caller, "user.password", caller.id().as_str(), json!({}))];
        Ok::<_, ApiError>(With { changes, audit })
    });
    done.await?.ok_or(ApiError::NotFound("user")).map(drop)
}

async fn new_password_hash(text: &str) -> Result<String, ApiError> {
    if text.chars().count() < SHORTEST_PASSWORD {
        return Err(ApiError::field("new", says("fault-password-short").set("least", SHORTEST_PASSWORD)));
    }
    password::hash(text).await.map_err(|error| ApiError::field("new", Message::verbatim(&error)))
}

/// What was used so far counts no more, for quotas and for fair share.
///
/// # Errors
/// 404, or the store's.
pub async fn reset_usage(site: &Site, caller: &Caller, id: &UserId) -> Result<(), ApiError> {
    known(site, caller, id).await?;
    let today = site.clock.now().day();
    let used = site.store.user_usage(id, today).await?.iter().fold(Usage::default(), |sum, day| sum.plus(day.usage));
    let done = update_user(site.store.as_ref(), id, |user| {
        user.reset = Some(UsageReset { day: today, used });
        let audit = vec![entry(site, caller, "user.reset", id.as_str(), json!({}))];
        Ok::<_, ApiError>(With { audit, ..With::default() })
    });
    done.await?.ok_or(ApiError::NotFound("user"))?;
    tell_scheduler(site).await;
    Ok(())
}
