use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use serde::Deserialize;

use super::{login_page, own_path};
use crate::domain::UserId;
use crate::plugins::auth::AuthError;
use crate::web::Site;
use crate::web::access;
use crate::web::error::ApiError;
use crate::web::pages::chrome::{Chrome, Visitor, page_with, see};
use crate::web::pages::error::PageError;

#[derive(Deserialize)]
pub struct Form {
    user: String,
    password: String,
    #[serde(default)]
    next: String,
}

pub async fn post(
    site: web::Data<Site>,
    request: HttpRequest,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    let form = form.into_inner();
    match log_in(&site, &request, &form).await {
        Ok(()) => {
            let base = Chrome::new(&request, None, "").base;
            // What comes back begins with the prefix already.
            match own_path(form.next) {
                next if next.is_empty() => Ok(see(&base, "/jobs")),
                next => Ok(see("", &next)),
            }
        }
        Err(error @ (ApiError::LoginDenied | ApiError::TooMany { .. })) => {
            let status = error.status_code();
            Ok(page_with(status, &login_page(&request, Some(error.to_string()), form.user, form.next)))
        }
        Err(error) => Err(PageError::of(&request, None, error)),
    }
}

async fn log_in(site: &Site, request: &HttpRequest, form: &Form) -> Result<(), ApiError> {
    let now = site.clock.now();
    let address = request.peer_addr().map_or_else(String::new, |address| format!("from {}", address.ip()));
    let who = format!("as {}", form.user.chars().take(64).collect::<String>());
    site.login_limiter.check(&address, now)?;
    site.login_limiter.check(&who, now)?;
    let denied = || {
        site.login_limiter.failed(&address, now);
        site.login_limiter.failed(&who, now);
        ApiError::LoginDenied
    };
    let id: UserId = form.user.trim().parse().map_err(|_| denied())?;
    match site.auth.login(&id, &form.password).await {
        Ok(user) => access::begin_session(request, &user.id),
        Err(AuthError::Denied) => Err(denied()),
        Err(error) => Err(error.into()),
    }
}

#[derive(Deserialize)]
pub struct Logout {
    csrf: String,
}

pub async fn logout(
    request: HttpRequest,
    visitor: Visitor,
    form: web::Form<Logout>,
) -> Result<HttpResponse, PageError> {
    access::check_csrf(&request, &form.csrf).map_err(|error| PageError::of(&request, Some(&visitor.0), error))?;
    access::end_session(&request);
    Ok(see(&Chrome::new(&request, None, "").base, "/login"))
}
