//! Browser sessions: a cookie that holds a secret, and the store that knows its hash, so that any of them can be ended.

use actix_session::SessionExt;
use actix_web::HttpRequest;
use actix_web::http::header;
use subtle::ConstantTimeEq;

use crate::domain::{Credential, CredentialKind, Scope, User, UserId};
use crate::plugins::auth::{new_secret, secret_hash};
use crate::store::{AccountChange, Changed};
use crate::web::Site;
use crate::web::error::ApiError;
use crate::web::words::says;

const SECRET: &str = "secret";
const CSRF: &str = "csrf";
const LANGUAGE: &str = "language";

/// The hash of this request's session, if it carries one.
pub(super) fn presented(request: &HttpRequest) -> Option<String> {
    let secret: String = request.get_session().get(SECRET).ok().flatten()?;
    Some(secret_hash(&secret))
}

/// Opens a session for `user`: a new secret and a new CSRF token, whatever the cookie held before.
///
/// # Errors
/// The store's; nobody is logged in then.
pub async fn begin(site: &Site, request: &HttpRequest, user: &User) -> Result<(), ApiError> {
    let now = site.clock.now();
    let secret = new_secret();
    let credential = Credential {
        hash: secret_hash(&secret),
        id: short_id(),
        user: user.id.clone(),
        kind: CredentialKind::Session,
        name: browser(request),
        scope: Scope::Admin,
        created: now,
        expires: Some(now.plus(site.config.web.session_duration)),
    };
    let stored = site.store.change(vec![AccountChange::PutCredential(credential)], Vec::new()).await?;
    if stored == Changed::Stale {
        return Err(ApiError::Conflict(says("fault-login-again")));
    }
    let session = request.get_session();
    let language = language(request);
    session.clear();
    session.renew();
    session
        .insert(SECRET, secret)
        .and_then(|()| session.insert(CSRF, new_secret()))
        .and_then(|()| language.map_or(Ok(()), |language| session.insert(LANGUAGE, language)))
        .map_err(|_| ApiError::BadRequest(says("fault-session")))
}

/// Ends this request's session, also for who keeps a copy of its cookie.
///
/// # Errors
/// The store's; the session is then still open.
pub async fn end(site: &Site, request: &HttpRequest) -> Result<(), ApiError> {
    if let Some(hash) = presented(request)
        && let Some(session) = site.store.credential(&hash).await?
    {
        let remove = AccountChange::RemoveCredential { user: session.user, id: session.id };
        let _: Changed = site.store.change(vec![remove], Vec::new()).await?;
    }
    request.get_session().purge();
    Ok(())
}

/// Ends every session of `user`, and every token of `/authenticate`.
pub fn end_all(user: &mut User) -> AccountChange {
    user.token_epoch += 1;
    AccountChange::RemoveCredentials { user: user.id.clone(), kind: CredentialKind::Session }
}

/// The sessions of `user`, the newest first, with whether each is this request's.
pub async fn list(site: &Site, request: &HttpRequest, user: &UserId) -> Result<Vec<(Credential, bool)>, ApiError> {
    let own = presented(request);
    let now = site.clock.now();
    let all = site.store.credentials_of(user, CredentialKind::Session).await?;
    let valid = all.into_iter().filter(|session| session.is_valid_at(now));
    Ok(valid.map(|session| (own.as_deref() == Some(&session.hash), session)).map(|(own, s)| (s, own)).collect())
}

/// Names a session or token to its user; tells nothing of its secret.
pub fn short_id() -> String {
    hex::encode(rand::random::<[u8; 8]>())
}

fn browser(request: &HttpRequest) -> String {
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    agent.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// The tag of the language that was chosen in this browser, also before a login.
pub fn language(request: &HttpRequest) -> Option<String> {
    request.get_session().get(LANGUAGE).ok().flatten()
}

/// `None`: from here on the account's own.
pub fn keep_language(request: &HttpRequest, tag: Option<&str>) {
    let session = request.get_session();
    match tag {
        Some(tag) => {
            if let Err(error) = session.insert(LANGUAGE, tag) {
                tracing::error!(%error, "a session could not be written");
            }
        }
        None => {
            session.remove(LANGUAGE);
        }
    }
}

/// The session's CSRF token, for forms. A visitor who is not logged in gets one too, for the login's form.
pub fn csrf_token(request: &HttpRequest) -> String {
    let session = request.get_session();
    if let Ok(Some(token)) = session.get::<String>(CSRF) {
        return token;
    }
    let token = new_secret();
    match session.insert(CSRF, &token) {
        Ok(()) => token,
        Err(error) => {
            tracing::error!(%error, "a session could not be written");
            String::new()
        }
    }
}

/// # Errors
/// [`ApiError::Forbidden`] unless `sent` is the session's CSRF token.
pub fn check_csrf(request: &HttpRequest, sent: &str) -> Result<(), ApiError> {
    let expected: String = request.get_session().get(CSRF).ok().flatten().unwrap_or_default();
    if !expected.is_empty() && bool::from(expected.as_bytes().ct_eq(sent.as_bytes())) {
        Ok(())
    } else {
        Err(ApiError::Forbidden(says("fault-form-expired")))
    }
}
