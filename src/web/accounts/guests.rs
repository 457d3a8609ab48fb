//! Guests: from a provider's word to an account here.
//!
//! An account is linked by issuer and subject and by nothing else: whoever has somebody's mail address, or somebody's
//! name at another provider, is still somebody else.

use serde_json::json;

use super::tell_scheduler;
use crate::bus::Command;
use crate::config::Guests as Settings;
use crate::domain::{AuditEntry, Identity, InvalidId, Standing, User, UserId, UserKind};
use crate::plugins::guests::Known;
use crate::process::system_user;
use crate::store::update::{With, update_user};
use crate::store::{AccountChange, Changed};
use crate::web::Site;
use crate::web::error::ApiError;
use crate::web::jobs::{blocking, tell};
use crate::web::words::says;

/// How many names are tried for a new guest.
const NAMES: u32 = 1_000;
const LONGEST_NAME: usize = 40;

/// The account of whom a provider knows by this: as it was, or a new one that waits to be activated.
///
/// # Errors
/// [`ApiError::LoginDenied`] for an account that may not come in; a sentence where the site is not set up for guests.
pub async fn come_in(site: &Site, known: Known, address: Option<String>) -> Result<User, ApiError> {
    let settings = site.config.guests.as_ref().ok_or(ApiError::NotFound("page"))?;
    let identity = Identity { issuer: known.issuer.clone(), subject: known.subject.clone() };
    if let Some(user) = site.store.user_by_identity(&identity).await? {
        return refreshed(site, settings, user, &known).await;
    }
    let runs_as = bound(settings).await?;
    let base = base_name(&known);
    for number in 1..=NAMES {
        let name = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        let id: UserId = name.parse().map_err(|error| ApiError::BadRequest(InvalidId::into(error)))?;
        let mut user = User {
            uid: runs_as.uid,
            gid: runs_as.gid,
            groups: Vec::new(),
            email: known.email.clone(),
            home: settings.home_root.as_ref().map(|root| root.join(id.as_str())),
            standing: Standing::New,
            identity: Some(identity.clone()),
            priority: site.config.defaults.priority,
            quotas: site.config.defaults.quotas.for_new_account(),
            ..User::new(id.clone(), UserKind::Guest, site.clock.now())
        };
        let line = AuditEntry {
            at: user.created,
            actor: id.to_string(),
            address: address.clone(),
            action: "guest.arrive".to_owned(),
            subject: id.to_string(),
            details: json!({ "issuer": identity.issuer }),
        };
        let put = AccountChange::PutUser(Box::new(user.clone()));
        if site.store.change(vec![put], vec![line]).await? == Changed::Done {
            user.revision = 1;
            tell_scheduler(site).await;
            tell(site, Command::GuestArrived { user: id }).await;
            return Ok(user);
        }
        // The name is taken, or they came in twice at this moment.
        if let Some(user) = site.store.user_by_identity(&identity).await? {
            return Ok(user);
        }
    }
    Err(ApiError::Conflict(says("fault-names-taken").set("name", base)))
}

/// uid and gid are those of `guest_bind` as it is now; the address is the provider's as long as it vouches for one.
async fn refreshed(site: &Site, settings: &Settings, user: User, known: &Known) -> Result<User, ApiError> {
    if !user.standing.may_come_in() {
        return Err(ApiError::LoginDenied);
    }
    let runs_as = bound(settings).await?;
    let change = |user: &mut User| {
        (user.uid, user.gid) = (runs_as.uid, runs_as.gid);
        user.home = settings.home_root.as_ref().map(|root| root.join(user.id.as_str()));
        if user.email.is_none() {
            user.email.clone_from(&known.email);
        }
    };
    let mut wanted = user.clone();
    change(&mut wanted);
    if wanted == user {
        return Ok(user);
    }
    let written = update_user(site.store.as_ref(), &user.id, |user| {
        change(user);
        Ok::<_, ApiError>(With::default())
    });
    written.await?.ok_or(ApiError::LoginDenied)
}

/// Whom guests' jobs run as; never root.
async fn bound(settings: &Settings) -> Result<system_user::SystemUser, ApiError> {
    let name = settings.bind.clone();
    let found = blocking(move || system_user::by_name(&name)).await;
    match found {
        Ok(Some(user)) if user.uid != 0 => Ok(user),
        _ => {
            tracing::error!(
                guest_bind = settings.bind,
                "the host has no such user, or it is root: guests cannot come in"
            );
            Err(ApiError::LoginUnavailable)
        }
    }
}

/// `guest-ann`: from what the provider calls them, else the part of the address before @.
fn base_name(known: &Known) -> String {
    let local = known.email.as_deref().and_then(|email| email.split('@').next());
    let wanted = known.name.as_deref().or(local).unwrap_or_default().to_lowercase();
    let plain: String = wanted
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._".contains(c) { c } else { '-' })
        .take(LONGEST_NAME)
        .collect();
    let plain = plain.trim_matches(['-', '.', '_']);
    if plain.is_empty() { "guest".to_owned() } else { format!("guest-{plain}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_name_is_a_user_id_whatever_the_provider_says() {
        let of = |name: Option<&str>, email: Option<&str>| {
            let known = Known {
                issuer: "i".into(),
                subject: "s".into(),
                name: name.map(str::to_owned),
                email: email.map(str::to_owned),
            };
            let name = base_name(&known);
            format!("{name}-1000").parse::<UserId>().unwrap();
            name
        };
        assert_eq!(of(Some("Ann Lee"), None), "guest-ann-lee");
        assert_eq!(of(None, Some("ann@lab.example")), "guest-ann");
        assert_eq!(of(Some("../../etc"), None), "guest-etc");
        assert_eq!(of(Some("日本"), Some("x@y")), "guest");
        assert_eq!(of(Some(&"x".repeat(300)), None).len(), 46);
        assert_eq!(of(None, None), "guest");
    }
}
