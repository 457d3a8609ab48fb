//! Personal access tokens.

use std::time::Duration;

use serde_json::{Value, json};

use super::users::{known, own};
use super::{entry, write};
use crate::domain::{Credential, CredentialKind, Scope, UserId};
use crate::store::AccountChange;
use crate::web::Site;
use crate::web::access::{Caller, new_secret, secret_hash, session};
use crate::web::error::{ApiError, FieldFault};
use crate::web::view;
use crate::web::words::{Message, expected_one_of, says};

/// Tells people, and programs that look for leaked secrets, what it is.
const PREFIX: &str = "god_";
const MOST_TOKENS: usize = 100;
const LONGEST_NAME: usize = 100;
const MOST_DAYS: u64 = 3_650;

pub fn document(token: &Credential) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "scope": token.scope,
        "created": view::date(token.created),
        "expires": token.expires.map(view::date),
    })
}

/// The newest first; also those that have expired, until they are forgotten.
pub async fn list(site: &Site, caller: &Caller, id: &UserId) -> Result<Vec<Credential>, ApiError> {
    known(site, caller, id).await?;
    Ok(site.store.credentials_of(id, CredentialKind::Token).await?)
}

/// `{"name", "scope": "read"|"submit"|"admin", "days"}`; no days is for ever. Answers the token's record, and the token
/// itself, which nothing can show again.
///
/// # Errors
/// Every field at fault; 404 for another's account.
pub async fn create(site: &Site, caller: &Caller, id: &UserId, sent: &Value) -> Result<(Credential, String), ApiError> {
    own(caller, id)?;
    let mut faults = Vec::new();
    let mut fault = |field: &str, message: Message| faults.push(FieldFault::new(field, message));
    let name = sent.get("name").and_then(Value::as_str).unwrap_or_default().trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        fault("name", says("fault-token-name").set("most", LONGEST_NAME));
    }
    let scope = sent.get("scope").and_then(Value::as_str).and_then(Scope::named);
    if scope.is_none() {
        fault("scope", expected_one_of(&["read", "submit", "admin"]));
    }
    let days = match sent.get("days") {
        None | Some(Value::Null) => Some(None),
        Some(Value::String(text)) if text.trim().is_empty() => Some(None),
        Some(Value::String(text)) => text.trim().parse().ok().map(Some),
        Some(days) => days.as_u64().map(Some),
    };
    let days = days.filter(|days: &Option<u64>| days.is_none_or(|days| (1..=MOST_DAYS).contains(&days)));
    if days.is_none() {
        fault("days", says("fault-token-days").set("most", MOST_DAYS));
    }
    let (Some(scope), Some(days)) = (scope, days) else { return Err(ApiError::Invalid(faults)) };
    if !faults.is_empty() {
        return Err(ApiError::Invalid(faults));
    }
    let now = site.clock.now();
    if site.store.credentials_of(id, CredentialKind::Token).await?.len() >= MOST_TOKENS {
        return Err(ApiError::Conflict(says("fault-tokens-many").set("most", MOST_TOKENS)));
    }
    let secret = format!("{PREFIX}{}", new_secret());
    let token = Credential {
        hash: secret_hash(&secret),
        id: session::short_id(),
        user: id.clone(),
        kind: CredentialKind::Token,
        name: name.to_owned(),
        scope,
        created: now,
        expires: days.map(|days| now.plus(Duration::from_secs(days * 86_400))),
    };
    let details = json!({ "token": token.id, "name": token.name, "scope": token.scope });
    let audit = vec![entry(site, caller, "token.create", id.as_str(), details)];
    write(site, vec![AccountChange::PutCredential(token.clone())], audit).await?;
    Ok((token, secret))
}

/// # Errors
/// 404 when there is none that the caller may manage.
pub async fn delete(site: &Site, caller: &Caller, id: &UserId, token: &str) -> Result<(), ApiError> {
    known(site, caller, id).await?;
    let tokens = site.store.credentials_of(id, CredentialKind::Token).await?;
    if !tokens.iter().any(|known| known.id == token) {
        return Err(ApiError::NotFound("token"));
    }
    let audit = vec![entry(site, caller, "token.delete", id.as_str(), json!({ "token": token }))];
    write(site, vec![AccountChange::RemoveCredential { user: id.clone(), id: token.to_owned() }], audit).await
}
