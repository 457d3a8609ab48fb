//! Who is calling, and what they may see.
//!
//! A handler names in its signature who may call it: [`Caller`] for the API, [`Visitor`] for pages, [`Admin`] for both.
//! Scripts bring a signed token (`Authorization: Bearer`), browsers a session cookie.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use actix_session::SessionExt;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Site;
use super::error::ApiError;
use crate::domain::{Job, Timestamp, User, UserId};

/// The session's keys: the user's id, when it ends (a copied cookie has no expiry of its own), its CSRF token.
const SESSION_USER: &str = "user";
const SESSION_UNTIL: &str = "until";
const SESSION_CSRF: &str = "csrf";

/// What tokens and cookies are signed with.
pub struct SigningKeys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    cookie: [u8; 64],
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    iat: i64,
    exp: i64,
}

impl SigningKeys {
    /// Keys for tokens and for cookies, each derived from `secret`.
    pub fn derive(secret: &[u8]) -> Self {
        let derived = |purpose: &str, part: u8| {
            let mut hasher = Sha256::new();
            hasher.update(purpose.as_bytes());
            hasher.update([part]);
            hasher.update(secret);
            <[u8; 32]>::from(hasher.finalize())
        };
        let token = derived("godocker token", 0);
        let mut cookie = [0; 64];
        cookie[..32].copy_from_slice(&derived("godocker cookie", 0));
        cookie[32..].copy_from_slice(&derived("godocker cookie", 1));
        SigningKeys { encoding: EncodingKey::from_secret(&token), decoding: DecodingKey::from_secret(&token), cookie }
    }

    pub fn cookie_key(&self) -> actix_web::cookie::Key {
        actix_web::cookie::Key::from(&self.cookie)
    }

    /// A token for `user`, valid for `duration`. It says who, and nothing else.
    pub fn token(&self, user: &UserId, now: Timestamp, duration: Duration) -> String {
        let claims = Claims { sub: user.to_string(), iat: now.as_secs(), exp: now.plus(duration).as_secs() };
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &self.encoding)
            .expect("claims of text and numbers always encode")
    }

    fn user_of(&self, token: &str) -> Option<UserId> {
        let claims =
            jsonwebtoken::decode::<Claims>(token, &self.decoding, &Validation::new(Algorithm::HS256)).ok()?.claims;
        claims.sub.parse().ok()
    }
}

/// SHA-256 of an API key, hex: what the store keeps.
pub fn api_key_hash(key: &str) -> String {
    hex::encode(Sha256::digest(key.as_bytes()))
}

/// Whether `key` is the user's API key.
pub fn api_key_matches(user: &User, key: &str) -> bool {
    user.active
        && user.api_key_hash.as_ref().is_some_and(|hash| hash.as_bytes().ct_eq(api_key_hash(key).as_bytes()).into())
}

/// Slows down whoever guesses: so many failures for one login or address, then a pause.
#[derive(Default)]
pub struct LoginLimiter(Mutex<HashMap<String, (u32, Timestamp)>>);

impl LoginLimiter {
    const FREE_FAILURES: u32 = 10;
    const WINDOW: Duration = Duration::from_secs(60);

    /// # Errors
    /// [`ApiError::TooMany`] while `who` has failed too often within the last minute.
    pub fn check(&self, who: &str, now: Timestamp) -> Result<(), ApiError> {
        let failures = self.0.lock().expect("no holder of this lock panics");
        match failures.get(who) {
            Some((count, last)) if *count >= Self::FREE_FAILURES && now.since(*last) < Self::WINDOW => {
                Err(ApiError::TooMany {
                    message: "too many failed logins: wait a minute and try again".into(),
                    retry_after_secs: Self::WINDOW.as_secs(),
                })
            }
            _ => Ok(()),
        }
    }

    pub fn failed(&self, who: &str, now: Timestamp) {
        let mut failures = self.0.lock().expect("no holder of this lock panics");
        failures.retain(|_, (_, last)| now.since(*last) < Self::WINDOW);
        let entry = failures.entry(who.to_owned()).or_insert((0, now));
        *entry = (entry.0 + 1, now);
    }
}

/// A known, active user: answers 401 otherwise.
#[derive(Debug, Clone)]
pub struct Caller {
    pub user: User,
}

/// A [`Caller`] who is an administrator: answers 403 otherwise.
#[derive(Debug, Clone)]
pub struct Admin(pub Caller);

impl Caller {
    pub fn id(&self) -> &UserId {
        &self.user.id
    }

    /// Whether this caller may see and manage the job.
    pub fn may_see(&self, job: &Job) -> bool {
        self.user.admin || job.owner.user == self.user.id
    }
}

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Extracting<Caller>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { caller(&request).await })
    }
}

impl FromRequest for Admin {
    type Error = ApiError;
    type Future = Extracting<Admin>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let caller = caller(&request).await?;
            if caller.user.admin {
                Ok(Admin(caller))
            } else {
                Err(ApiError::Forbidden("only administrators may do this".into()))
            }
        })
    }
}

/// The user behind a request: the token if there is one, else the session.
pub async fn caller(request: &HttpRequest) -> Result<Caller, ApiError> {
    let site = request.app_data::<web::Data<Site>>().expect("every app is built with its site");
    let id = match bearer(request) {
        Some(token) => site.keys.user_of(token),
        None => session_user(request, site.clock.now()),
    };
    let user = match id {
        Some(id) => site.store.user(&id).await?,
        None => None,
    };
    user.filter(|user| user.active).map(|user| Caller { user }).ok_or(ApiError::Unauthorized)
}

/// True when the request carries a token, so that no browser sent it on its own (no CSRF token is needed then).
pub fn has_token(request: &HttpRequest) -> bool {
    bearer(request).is_some()
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn session_user(request: &HttpRequest, now: Timestamp) -> Option<UserId> {
    let session = request.get_session();
    let until: i64 = session.get(SESSION_UNTIL).ok().flatten()?;
    if now.as_secs() < until { session.get(SESSION_USER).ok().flatten() } else { None }
}

/// Opens a session for `user`, with a new CSRF token.
pub fn begin_session(request: &HttpRequest, user: &UserId) -> Result<(), ApiError> {
    let site = request.app_data::<web::Data<Site>>().expect("every app is built with its site");
    let until = site.clock.now().plus(site.config.web.session_duration).as_secs();
    let session = request.get_session();
    session.renew();
    let csrf = hex::encode(rand::random::<[u8; 16]>());
    session
        .insert(SESSION_USER, user)
        .and_then(|()| session.insert(SESSION_UNTIL, until))
        .and_then(|()| session.insert(SESSION_CSRF, csrf))
        .map_err(|_| ApiError::BadRequest("the session could not be written".into()))
}

pub fn end_session(request: &HttpRequest) {
    request.get_session().purge();
}

/// The session's CSRF token, for forms; empty without a session.
pub fn csrf_token(request: &HttpRequest) -> String {
    request.get_session().get(SESSION_CSRF).ok().flatten().unwrap_or_default()
}

/// # Errors
/// [`ApiError::Forbidden`] unless `sent` is the session's CSRF token.
pub fn check_csrf(request: &HttpRequest, sent: &str) -> Result<(), ApiError> {
    let expected = csrf_token(request);
    if !expected.is_empty() && bool::from(expected.as_bytes().ct_eq(sent.as_bytes())) {
        Ok(())
    } else {
        Err(ApiError::Forbidden("the form has expired: go back, reload the page and send it again".into()))
    }
}
