//! A guest's way in: to the provider, and back.

use actix_session::SessionExt;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::{finish, own_path};
use crate::domain::Timestamp;
use crate::plugins::guests::{Begun, GuestError};
use crate::web::Site;
use crate::web::access::{client_address, origin};
use crate::web::accounts::guests::come_in;
use crate::web::error::ApiError;
use crate::web::pages::error::PageError;
use crate::web::words::says;

/// Under what the cookie keeps it.
const UNDER_WAY: &str = "guest";
/// How long one may take at the provider.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(900);

/// A login that has begun, in the visitor's cookie, which is encrypted.
#[derive(Serialize, Deserialize)]
struct UnderWay {
    begun: Begun,
    next: String,
    until: i64,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    next: String,
}

pub async fn begin(
    site: web::Data<Site>,
    request: HttpRequest,
    provider: web::Path<String>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, None, error);
    let guests = site.guests.as_ref().ok_or_else(|| failed(ApiError::NotFound("page")))?;
    let back = callback(&site, &request, &provider);
    let (url, begun) = guests.begin(&provider, &back).await.map_err(|error| failed(told(error)))?;
    let next = own_path(asked.into_inner().next);
    let until = site.clock.now().plus(PATIENCE).as_secs();
    let kept = request.get_session().insert(UNDER_WAY, UnderWay { begun, next, until });
    kept.map_err(|_| failed(ApiError::BadRequest(says("fault-session"))))?;
    Ok(HttpResponse::SeeOther().insert_header(("Location", url)).finish())
}

#[derive(Deserialize)]
pub struct Brought {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    /// What the provider says in place of a code.
    error: Option<String>,
}

pub async fn finish_guest(
    site: web::Data<Site>,
    request: HttpRequest,
    provider: web::Path<String>,
    brought: web::Query<Brought>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, None, error);
    let guests = site.guests.as_ref().ok_or_else(|| failed(ApiError::NotFound("page")))?;
    // Once: whatever comes of it, this login is not under way any more.
    let kept: Option<UnderWay> = request.get_session().remove_as(UNDER_WAY).and_then(Result::ok);
    let stale = || ApiError::Forbidden(says("fault-login-stale"));
    let now: Timestamp = site.clock.now();
    let kept = kept.filter(|kept| kept.begun.provider == *provider && now.as_secs() < kept.until);
    let kept = kept.ok_or_else(|| failed(stale()))?;
    if brought.error.is_some() {
        return Err(failed(ApiError::Forbidden(says("fault-provider-refused"))));
    }
    let back = callback(&site, &request, &provider);
    let known = guests.finish(&kept.begun, &back, &brought.state, &brought.code).await;
    let known = known.map_err(|error| failed(told(error)))?;
    let user = come_in(&site, known, client_address(&site, &request)).await.map_err(|error| {
        failed(match error {
            ApiError::LoginDenied => ApiError::Forbidden(says("fault-account-disabled")),
            error => error,
        })
    })?;
    finish(&site, &request, &user, kept.next).await.map_err(failed)
}

/// Where the provider sends the browser back to: one address a provider, as registered there.
fn callback(site: &Site, request: &HttpRequest, provider: &str) -> String {
    format!("{}{}/login/guest/{provider}/callback", origin(site, request), site.config.web.prefix)
}

fn told(error: GuestError) -> ApiError {
    match error {
        GuestError::UnknownProvider(_) => ApiError::NotFound("page"),
        GuestError::Refused(why) => {
            tracing::warn!(why, "a guest's login was refused");
            ApiError::Forbidden(says("fault-provider-untrusted"))
        }
        GuestError::Unavailable(why) => {
            tracing::error!(why, "a provider for guests cannot be used");
            ApiError::LoginUnavailable
        }
    }
}
